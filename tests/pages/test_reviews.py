"""
The pages of reviews: the queue, the question first, the verdict, the scenario and the figures.
"""

import datetime as dt
import re

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.store import reviews
from service.store.database import writing
from tests.api.conftest import Api
from tests.api.reviewing import claim, new_key, new_person, overridden, select
from tests.pages.browsing import Page, Service, token_of

MISSED = "the knife was in a drawer <b>elsewhere</b>"


def to_page(api: Api, call_id: str) -> str:
    """
    Bring a call to review, and give the address of its page.
    """
    decision_id = overridden(api, call_id)
    select(api.parts)
    found, _ = reviews.page(api.parts.store, "example", is_open=True, limit=1000)
    return next(f"/reviews/{one.id}" for one in found if one.decision_id == decision_id)


def press(client: FlaskClient, path: str, on: str = "", **fields: object) -> TestResponse:
    """
    Send the form of a page.
    """
    token = token_of(client.get(on or "/reviews").text)
    return client.post(path, data={"csrf_token": token, **fields})


def test_one_call_from_the_queue_to_a_scenario(
    api: Api, supervisor: FlaskClient, service: Service
) -> None:
    """
    The question comes without the answer; then both stand side by side; the verdict is kept with
    its sentence, and becomes a scenario of the draft in one press.
    """
    address = to_page(api, "page-whole")
    shown = supervisor.get(address)
    assert "page-whole" in shown.text
    assert press(supervisor, f"{address}/claim").status_code == 303
    asked = supervisor.get(address)
    assert "<h1>What would you have sent?</h1>" in asked.text
    assert "closer" not in asked.text
    assert "recommended</span>" in asked.text
    given = press(supervisor, f"{address}/answer", address, would_send=["988"])
    assert (given.status_code, given.location) == (303, address)
    answered = supervisor.get(address)
    assert "<h1>Was it the right answer?</h1>" in answered.text
    assert "Something else was sent than was recommended" in answered.text
    assert "Another unit was closer." in answered.text
    told = {"verdict": "over_triaged", "comment": MISSED, "wrong_facts": ["weapon"]}
    kept = press(supervisor, f"{address}/finding", address, **told)
    assert (kept.status_code, kept.location) == (303, address)
    found = supervisor.get(address).text
    assert "Too much" in found
    assert "&lt;b&gt;elsewhere&lt;/b&gt;" in found
    assert MISSED not in found
    added = press(supervisor, f"{address}/scenario", address)
    assert added.location == f"{address}?added=1"
    assert "as a scenario now" in supervisor.get(added.location).text
    draft = service.parts.drafts.find("example", "national-baseline")
    scenario = draft.scenarios[-1]
    assert scenario["expect"] == [["988"]]
    assert MISSED not in str(draft.scenarios)
    again = press(supervisor, f"{address}/scenario", address)
    assert again.status_code == 409
    assert "already" in again.text


def test_words_that_turn_the_writing_turn_nothing_else(api: Api, supervisor: FlaskClient) -> None:
    """
    A comment with a sign that turns the direction of writing stands apart from the page's words, on
    the review and on the decision.
    """
    address, turned = to_page(api, "page-turned"), "\u202eelttil oot"
    press(supervisor, f"{address}/claim")
    press(supervisor, f"{address}/answer", address, would_send="ems")
    press(supervisor, f"{address}/finding", address, verdict="cannot_tell", comment=turned)
    shown = supervisor.get(address).text
    assert f"“<bdi>{turned}</bdi>”" in shown
    decision = re.search(r"/decisions/\w+", shown)
    assert decision is not None
    assert f'<p class="words" dir="auto">{turned}</p>' in supervisor.get(decision[0]).text


def test_the_next_call_is_one_that_the_person_may_review(api: Api, supervisor: FlaskClient) -> None:
    """
    What the person has opened, or somebody else holds, is passed over; keeping a verdict leads on
    to the next call; in the end the queue says that nothing is left.
    """
    seen, held, free = (to_page(api, f"next-{name}") for name in ("seen", "held", "free"))
    new_key(api, "page second", "supervisor", person_id=new_person(api, "page-second"))
    assert claim(api, held.rpartition("/")[2], "page second").status_code == 200
    api.get("/v1/calls/next-seen", "supervisor")
    visited = set()
    for _ in range(200):
        response = press(supervisor, "/reviews/next")
        if response.location == "/reviews?none=1":
            break
        visited.add(response.location)
        assert press(supervisor, f"{response.location}/answer", response.location, would_send="ems")
    assert free in visited
    assert not {seen, held} & visited
    assert "nothing left that you may review" in supervisor.get("/reviews?none=1").text
    last = to_page(api, "next-last")
    some = visited.pop()
    data = {"verdict": "right", "next": "1"}
    assert press(supervisor, f"{some}/finding", some, **data).location == last


def test_who_took_the_call_is_told_so(api: Api, supervisor: FlaskClient) -> None:
    """
    A person who has opened the decision by key is told on the page, and offered no button.
    """
    address = to_page(api, "page-seen")
    api.get("/v1/calls/page-seen", "supervisor")
    refused = press(supervisor, f"{address}/claim")
    assert refused.status_code == 409
    assert "leave it to somebody else" in refused.text
    assert "Take this review" not in refused.text


def test_nothing_typed_is_lost(api: Api, supervisor: FlaskClient) -> None:
    """
    An answer without anybody, and a verdict that is missing, are told above the form, linked to
    the field; what was typed is still there.
    """
    address = to_page(api, "page-faults")
    press(supervisor, f"{address}/claim")
    nobody = press(supervisor, f"{address}/answer", address)
    assert nobody.status_code == 422
    assert 'href="#would_send"' in nobody.text
    press(supervisor, f"{address}/answer", address, would_send="ems")
    missing = press(supervisor, f"{address}/finding", address, comment="kept words", wrong_rule="x")
    assert missing.status_code == 422
    assert {'href="#verdict"', 'href="#wrong_rule"'} <= set(
        re.findall(r'href="#\w+"', missing.text)
    )
    assert "kept words</textarea>" in missing.text


def test_an_answer_after_the_claim_ran_out_is_kept_if_nobody_took_the_review(
    api: Api, supervisor: FlaskClient
) -> None:
    """
    A page that stood open for too long still keeps the answer; not where somebody else has the
    review now.
    """
    new_key(api, "quicker", "supervisor", person_id=new_person(api, "quicker"))
    for is_taken in (False, True):
        address = to_page(api, f"page-late-{is_taken}")
        press(supervisor, f"{address}/claim")
        past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
        with writing(api.parts.store) as connection:
            connection.execute(
                reviews.reviews.update()
                .where(reviews.reviews.c.id == address.rpartition("/")[2])
                .values(claimed_until=past)
            )
        token = token_of(supervisor.get("/reviews").text)
        if is_taken:
            claim(api, address.rpartition("/")[2], "quicker")
        data = {"csrf_token": token, "would_send": "ems"}
        response = supervisor.post(f"{address}/answer", data=data)
        assert response.status_code == (409 if is_taken else 303)


def test_pages_are_for_reviewers(api: Api, supervisor: FlaskClient, browser: FlaskClient) -> None:
    """
    A dispatcher is told that reviews are not theirs; without a token nothing is kept; a review that
    is not there is a page that says so.
    """
    address = to_page(api, "page-roles")
    assert browser.get("/reviews").status_code == 403
    assert browser.get(address).status_code == 403
    assert supervisor.post(f"{address}/claim").status_code == 400
    for path in ("/reviews/nothing", "/reviews/%00"):
        assert supervisor.get(path).status_code == 404
        assert press(supervisor, f"{path}/claim").status_code == 404
        assert press(supervisor, f"{path}/answer", would_send="ems").status_code == 404
        assert press(supervisor, f"{path}/finding", verdict="right").status_code == 404
        assert press(supervisor, f"{path}/scenario").status_code == 404


def test_every_page_has_a_title_and_one_heading(api: Api, supervisor: FlaskClient) -> None:
    """
    The queue, its done part, the figures and each state of a review have a title, one h1, and no
    inline style or script.
    """
    address = to_page(api, "page-markup")
    texts = [supervisor.get(path).text for path in ("/reviews", "/reviews?state=done", address)]
    press(supervisor, f"{address}/claim")
    texts.append(supervisor.get(address).text)
    press(supervisor, f"{address}/answer", address, would_send="988")
    texts.append(supervisor.get(address).text)
    press(supervisor, f"{address}/finding", address, verdict="cannot_tell")
    texts += [supervisor.get(path).text for path in (address, "/reviews/figures")]
    assert "What this cannot tell" in texts[-1]
    for text in texts:
        page = Page(text)
        assert len(page.named("h1")) == 1
        assert len(page.named("title")) == 1
        assert all("src" in one for one in page.named("script"))
        assert not page.named("style")
        assert "style=" not in text
