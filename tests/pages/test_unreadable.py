"""
Prove that a decision which was changed in the store keeps no other from being seen, and is never
shown as if it were what was told.
"""

import datetime as dt
import json

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from service.answers import is_whole
from service.parts import Parts
from service.store import chain, reviews
from service.store.database import reading, writing
from service.store.decisions import decisions
from service.store.reviews import Review
from tests.api.conftest import Api
from tests.api.reviewing import give_answer
from tests.pages.browsing import Service, signed_in
from tests.pages.log import decide, opened, ship
from tests.pages.test_reviews import press, to_page

CHANGES = {
    "no urgency": lambda answer: answer["recommendation"].pop("urgency"),
    "no recommendation": lambda answer: answer.pop("recommendation"),
    "a responder without a kind": lambda answer: answer["recommendation"]["responders"].append({}),
    "signals that are none": lambda answer: answer.update(signals="x"),
    "nothing at all": lambda answer: answer.clear(),
}


def change_in_store(parts: Parts, decision_id: str, what: str) -> None:
    """
    Change a stored decision by hand, and let the host's journal, which has it as it was, forget it.
    """
    with writing(parts.store) as connection:
        is_it = decisions.c.record_id == decision_id
        body = connection.execute(select(decisions.c.body).where(is_it)).scalar_one()
        if what == "no request":
            del body["request"]
        else:
            CHANGES[what](body["answer"])
        connection.execute(update(decisions).where(is_it).values(body=body))
    parts.journal.forget(dt.datetime.now(dt.UTC) + dt.timedelta(days=60))


@pytest.mark.parametrize("what", [*CHANGES, "no request"])
def test_the_others_are_listed_and_it_is_named(house: Service, what: str) -> None:
    """
    Lists, exports and its own page say that it cannot be read, and the others are all there.
    """
    changed, whole = decide(house, f"{what} 1"), decide(house, f"{what} 2")
    ship(house.parts)
    while chain.seal(house.parts.store, house.parts.now(), 1_000):
        pass
    change_in_store(house.parts, changed, what)
    client = signed_in(house, house.credentials.supervisor)
    listed = opened(client, "/decisions")
    assert "This record cannot be read: it is not as it was told" in listed
    assert whole in listed
    page = opened(client, f"/decisions/{changed}")
    assert "This record cannot be read" in page
    assert "does not verify" in page
    assert "crisis-router verify" in page
    assert "This record cannot be read" not in opened(client, f"/decisions/{whole}")
    assert "This record cannot be read" in opened(client, f"/calls/{what} 1")
    assert "This record cannot be read" not in opened(client, f"/calls/{what} 2")
    lines = client.get("/decisions/export?format=jsonl").text
    told = {one["decision_id"]: one for one in map(json.loads, lines.splitlines())}
    assert told[changed]["unreadable"] is True
    assert "recommendation" in told[whole]
    rows = client.get("/decisions/export?format=csv").text
    assert "unreadable" in next(row for row in rows.splitlines() if changed in row)
    assert "incomplete" not in lines + rows


def test_what_is_answered_is_whole(house: Service) -> None:
    """
    Whatever is decided passes for whole, the floor too.
    """
    decide(house, "whole")
    ship(house.parts)
    with reading(house.parts.store) as connection:
        query = select(decisions.c.body).where(decisions.c.call_id == "whole")
        assert is_whole(connection.execute(query).scalar_one()["answer"])


NOT_VERIFIED = "This record does not verify."
CANNOT_BE_READ = "This record cannot be read"


@pytest.mark.parametrize("what", [*CHANGES, "no request"])
def test_it_is_not_reviewed_and_the_others_are(
    api: Api, supervisor: FlaskClient, browser: FlaskClient, what: str
) -> None:
    """
    A review of it is neither claimed nor answered, by page or API, and the next one is another's; a
    review that was answered before says that it cannot be read.
    """
    answered, claimed, waiting, whole = (
        to_page(api, f"{what} {name}") for name in ("answered", "claimed", "waiting", "whole")
    )
    for address in (answered, claimed):
        press(supervisor, f"{address}/claim")
    press(supervisor, f"{answered}/answer", answered, would_send="ems")
    found = {one: supervisor.get(one).text for one in (answered, claimed)}
    assert all(CANNOT_BE_READ not in text for text in found.values())
    for address in (answered, claimed, waiting):
        change_in_store(api.parts, kept(api, address).decision_id, what)
    for address in (answered, claimed):
        shown = supervisor.get(address)
        assert (shown.status_code, CANNOT_BE_READ in shown.text) == (409, True)
        told = api.get(f"/v1/reviews/{address.rpartition('/')[2]}", "supervisor")
        assert told.status_code == 409
        assert told.json["type"].endswith("unreadable")
        assert told.json["record"]["number"] > 0
    refused = press(supervisor, f"{waiting}/claim")
    assert (refused.status_code, CANNOT_BE_READ in refused.text) == (409, True)
    assert give_answer(api, claimed.rpartition("/")[2]).status_code == 409
    assert press(supervisor, f"{claimed}/answer", would_send="ems").status_code == 409
    assert kept(api, claimed).answered_at is None
    went = {press(supervisor, "/reviews/next").location}
    assert waiting not in went
    assert supervisor.get(whole).status_code == 200
    assert supervisor.get("/reviews?state=done").status_code == 200
    taken_up = browser.get("/", query_string={"call": f"{what} waiting"})
    assert (taken_up.status_code, CANNOT_BE_READ in taken_up.text) == (409, True)


def test_a_review_of_a_decision_that_does_not_verify_says_so(
    api: Api, supervisor: FlaskClient
) -> None:
    """
    The page of an answered review warns at its top as soon as its decision was changed in the store
    so that it can still be read, and not before.
    """
    address = to_page(api, "forged")
    while chain.seal(api.parts.store, api.parts.now(), 1_000):
        pass
    press(supervisor, f"{address}/claim")
    press(supervisor, f"{address}/answer", address, would_send="ems")
    assert NOT_VERIFIED not in opened(supervisor, address)
    with writing(api.parts.store) as connection:
        is_it = decisions.c.record_id == kept(api, address).decision_id
        connection.execute(update(decisions).where(is_it).values(police=True))
    before, _, answer = opened(supervisor, address).partition("Yours, and theirs")
    assert NOT_VERIFIED in before
    assert answer


def kept(api: Api, address: str) -> Review:
    """
    Give a review as the store has it.
    """
    with reading(api.parts.store) as connection:
        found = reviews.find(connection, "example", address.rpartition("/")[2])
    assert found is not None
    return found
