"""
A rule is changed in the browser by one administrator, approved by another, decides the next call,
and is taken back.
"""

from playwright.sync_api import Page, expect

from tests.browser.house import House, until

RULES = "/rules/national-baseline"
# Made up for this test: whoever is at a height brings a supervisor's attention.
WRONG = """hazards:
  - id: example-height-tells-a-supervisor
    when: {at_height: not true}
    notify: [supervisor]
    why: An example of a rule that only raises.
    source: {title: An example for a test}
"""
CALL = {"facts": {"caller": "with_person", "at_height": True}}


def notified(house: House, call_id: str) -> tuple[int, list[str]]:
    """
    Decide a call over the API: the version that decided it, and who is told besides.
    """
    answer = house.api("/v1/decisions", "dispatch", {"call_id": call_id, **CALL})
    return answer["ruleset"]["version"], answer["recommendation"]["notify"]


def decided_by(house: House, version: int, prefix: str) -> list[str]:
    """
    Wait until a version decides, and give who is told besides.
    """
    calls = iter(range(1000))

    def told() -> tuple[int, list[str]] | None:
        found = notified(house, f"{prefix}-{next(calls)}")
        return found if found[0] == version else None

    return list(until(told)[1])


def test_two_people_change_a_rule(page: Page, house: House) -> None:
    """
    Refused for its shape, mended, checked, not approvable by its author, approved by a second
    person, published, seen in the next call over the API, and rolled back.
    """
    version, before = notified(house, "TUNING-BEFORE")
    assert (version, "supervisor" in before) == (1, False)
    house.sign_in(page, "admin")
    page.goto(f"{RULES}?view=yaml")
    text = page.get_by_label("as YAML")
    text.fill(text.input_value().replace("hazards:\n", WRONG, 1))
    page.get_by_role("button", name="Save as a draft").click()
    problems = page.locator(".problems")
    expect(problems).to_contain_text("at_height")
    _mend_by_dropdown(page)
    _check(page)
    expect(page.get_by_text("You wrote it: somebody else approves it.")).to_be_visible()
    expect(page.get_by_role("button", name="Approve exactly this content")).to_have_count(0)
    house.sign_out(page)
    house.sign_in(page, "second_admin")
    page.goto(f"{RULES}/publish")
    page.get_by_role("button", name="Approve exactly this content").click()
    page.get_by_role("button", name="Publish version 2 now").click()
    assert "supervisor" in decided_by(house, 2, "TUNING-AFTER")
    page.goto(f"{RULES}/history")
    page.get_by_label("Why").fill("The example is over.")
    page.get_by_role("button", name="Let it decide again").click()
    expect(page.get_by_text("Version 1 is live.")).to_be_visible()
    assert "supervisor" not in decided_by(house, 1, "TUNING-BACK")


def _mend_by_dropdown(page: Page) -> None:
    """
    Choose what the vocabulary and the shapes allow, and save.
    """
    page.goto(f"{RULES}?rule=example-height-tells-a-supervisor")
    choice = page.get_by_label("At a height", exact=True).first
    offered = choice.locator("option").evaluate_all("all => all.map(one => one.value)")
    assert "true" in offered
    assert "false" not in offered
    choice.select_option("true")
    page.get_by_role("button", name="Save in the draft").click()
    expect(page.get_by_text("No problems")).to_be_visible()


def _check(page: Page) -> None:
    """
    Have the draft checked, and wait for the workers.
    """
    page.goto(f"{RULES}/publish")
    page.get_by_role("button", name="Check the draft").click()
    expect(page.get_by_text("scenarios answer as written")).to_be_visible(timeout=60_000)
