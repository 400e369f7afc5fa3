"""
A decision is reviewed blind, by keyboard alone, and becomes a scenario of the draft.
"""

from playwright.sync_api import Page, expect

from tests.browser.house import House


def test_a_decision_is_reviewed_blind_and_becomes_a_scenario(page: Page, lived_in: House) -> None:
    """
    Enter takes the next call, numbers say whom one would have sent, Enter keeps it and only then
    shows the recommendation; a number is the verdict; one press makes the finding a scenario.
    """
    lived_in.sign_in(page, "supervisor")
    page.goto("/reviews")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("What would you have sent?")
    expect(page.locator("dl.compare")).to_have_count(0)
    review_id = page.url.rpartition("/")[2]
    asked = lived_in.api(f"/v1/reviews/{review_id}", "supervisor")
    assert asked["decision"] is None
    refused = page.goto(f"/decisions/{asked['decision_id']}")
    assert refused is not None
    assert refused.status == 403
    page.goto(f"/reviews/{review_id}")
    page.keyboard.press("3")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Was it the right answer?")
    expect(page.locator("dl.compare")).to_contain_text("Recommended")
    page.keyboard.press("1")
    page.get_by_label("One sentence for whoever tunes the rules").fill("As I would have sent.")
    page.get_by_role("button", name="Keep and stay here").click()
    page.get_by_role("button", name="Make it a scenario of the draft").click()
    expect(page.get_by_text("has this call as a scenario now")).to_be_visible()
    scenarios = lived_in.api("/v1/rulesets/national-baseline/draft/scenarios", "supervisor")
    assert review_found(lived_in, review_id) in str(scenarios)


def review_found(house: House, review_id: str) -> str:
    """
    Give the id of the finding of a review.
    """
    return str(house.api(f"/v1/reviews/{review_id}", "supervisor")["finding"]["finding_id"])
