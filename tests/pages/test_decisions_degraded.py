"""
The pages of decisions with the store away: what the journal has is told, and the rest says so.
"""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.pages.browsing import Service, sign_in
from tests.pages.log import GUN, decide, opened


@pytest.fixture
def cut_off(house: Service) -> tuple[FlaskClient, str]:
    """
    Sign the dispatcher in, put a call into the journal, and take the store away.
    """
    client = house.app.test_client()
    sign_in(client, house.credentials.dispatcher)
    decision_id = decide(house, "AWAY-1", **GUN)
    house.parts.surroundings.look()
    house.parts.store.dispose()
    path = Path(str(house.parts.store.url.database))
    path.rename(path.with_suffix(".gone"))
    path.mkdir()
    house.parts.surroundings.look()
    return client, decision_id


def test_a_dispatcher_reads_what_the_journal_has(cut_off: tuple[FlaskClient, str]) -> None:
    """
    Who took a call can open it and its revisions, with the store away.
    """
    client, decision_id = cut_off
    text = opened(client, f"/decisions/{decision_id}")
    assert "gun-in-reach" in text
    assert "In the journal" in text
    assert "This call has one so far" in opened(client, "/calls/AWAY-1")
    assert "Told on this call" in opened(client, f"/decisions/{decision_id}/try")


def test_the_list_says_that_it_needs_the_store(cut_off: tuple[FlaskClient, str]) -> None:
    """
    The log is in the store: its page says what is the matter, and that nothing is lost.
    """
    client, _ = cut_off
    for path in ("/decisions", "/decisions?q=AWAY", "/decisions/export", "/decisions/nothing"):
        assert "This page needs the store" in opened(client, path, 503)
