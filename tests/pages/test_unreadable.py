"""
Prove that a decision which was changed in the store keeps no other from being seen, and is never
shown as if it were what was told.
"""

import datetime as dt
import json

import pytest
from sqlalchemy import select, update

from service.answers import is_whole
from service.store import chain
from service.store.database import reading, writing
from service.store.decisions import decisions
from tests.pages.browsing import Service, signed_in
from tests.pages.log import decide, opened, ship

CHANGES = {
    "no urgency": lambda answer: answer["recommendation"].pop("urgency"),
    "no recommendation": lambda answer: answer.pop("recommendation"),
    "a responder without a kind": lambda answer: answer["recommendation"]["responders"].append({}),
    "signals that are none": lambda answer: answer.update(signals="x"),
    "nothing at all": lambda answer: answer.clear(),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_others_are_listed_and_it_is_named(house: Service, what: str) -> None:
    """
    Lists, exports and its own page say that it cannot be read, and the others are all there.
    """
    changed, whole = decide(house, f"{what} 1"), decide(house, f"{what} 2")
    ship(house.parts)
    while chain.seal(house.parts.store, house.parts.now(), 1_000):
        pass
    with writing(house.parts.store) as connection:
        is_it = decisions.c.record_id == changed
        body = connection.execute(select(decisions.c.body).where(is_it)).scalar_one()
        CHANGES[what](body["answer"])
        connection.execute(update(decisions).where(is_it).values(body=body))
    # While the host's journal has it, it is told from there, as it was.
    house.parts.journal.forget(dt.datetime.now(dt.UTC) + dt.timedelta(days=60))
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
