"""
The call page with the store away: a call is taken, sent and taken up again all the same.
"""

import dataclasses
import time
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from service.app import make_flask
from tests.pages.browsing import BrokenDecisions, Service, sign_in, tell
from tests.pages.pressing import press

# Far less than a wait for the store (`store_wait_s_max`), on a machine that does other work too.
ANSWER_S_MAX = 1.5


def without_store(house: Service) -> FlaskClient:
    """
    Sign the dispatcher in, and take the store away.
    """
    client = house.app.test_client()
    sign_in(client, house.credentials.dispatcher)
    house.parts.surroundings.look()
    house.parts.store.dispose()
    path = Path(str(house.parts.store.url.database))
    path.rename(path.with_suffix(".gone"))
    path.mkdir()
    house.parts.surroundings.look()
    return client


def test_a_call_is_taken_with_the_store_away(house: Service) -> None:
    """
    Answers, what was sent and the call taken up again come from the journal, without waiting for
    the store, and the page says that the answer is kept on this machine.
    """
    client = without_store(house)
    began = time.monotonic()
    page = tell(client, "away-1", "caller=with_person")
    assert page.status_code == 200
    assert "kept on this machine only" in page.text
    page = press(client, page, "a-suicide-none")
    assert "Revision 2" in page.text
    page = press(client, page, "sent-as")
    assert page.status_code == 200
    assert 'id="sent-latest"' in page.text
    page = client.get("/", query_string={"call": "away-1"})
    assert page.status_code == 200
    assert 'id="sent-latest"' in page.text
    assert time.monotonic() - began < 5 * ANSWER_S_MAX


def test_our_fault_with_the_store_away_leads_on(house: Service) -> None:
    """
    With the store away a bug of ours is still a page, which leads to the first page without waiting
    for the store.
    """
    broken: Any = BrokenDecisions(house.parts.decisions)
    cookies = without_store(house).get_cookie("crisis_router")
    assert cookies is not None
    client = make_flask(dataclasses.replace(house.parts, decisions=broken)).test_client()
    client.set_cookie("crisis_router", cookies.value)
    began = time.monotonic()
    page = tell(client, "away-2", "caller=with_person")
    assert page.status_code == 500
    assert "Go to your first page" in page.text
    assert time.monotonic() - began < 2 * ANSWER_S_MAX


def test_a_call_only_the_store_has_is_not_said_to_be_missing(house: Service) -> None:
    """
    With the store away nobody can say that a call is not there: the page says what is the matter.
    """
    page = without_store(house).get("/", query_string={"call": "elsewhere-1"})
    assert page.status_code == 503
    assert "This page needs the store" in page.text
    assert "There is no such call" not in page.text
