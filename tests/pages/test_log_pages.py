"""
The log on the pages: its downloads beside the decisions, and where a record stands.
"""

import io

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from service.store import chain
from service.store.database import writing
from service.store.decisions import decisions
from service.verify_log import Check, verify_file
from tests.pages.browsing import Service
from tests.pages.log import GUN, decide, ship

NOT_VERIFIED = "This record does not verify."


@pytest.fixture(scope="module")
def decision_id(service: Service) -> str:
    """
    Decide and store a call.
    """
    made = decide(service, "IN THE LOG", **GUN)
    ship(service.parts)
    return made


def seal(service: Service) -> None:
    """
    Give what waits its places, as the worker does.
    """
    while chain.seal(service.parts.store, service.parts.now(), 1_000):
        pass


def test_a_decision_says_whether_it_verifies(
    service: Service, decision_id: str, supervisor: FlaskClient
) -> None:
    """
    Before it is sealed the page says so; then its place, its hash and that it is unchanged; and
    after somebody changed the store that it does not verify, at the top, before the answer.
    """
    path, table = f"/decisions/{decision_id}", decisions
    assert "Not in its place yet" in supervisor.get(path).text
    seal(service)
    link = chain.of_subject(service.parts.store, "example", "decision", decision_id)
    assert link is not None
    shown = supervisor.get(path).text
    assert f"place {link.place}" in shown
    assert str(link.hash) in shown
    assert "Unchanged" in shown
    is_it = table.c.record_id == decision_id
    for police, words in ((False, "Does not verify"), (True, "Unchanged")):
        with writing(service.parts.store) as connection:
            connection.execute(update(table).where(is_it).values(police=police))
        shown = supervisor.get(path).text
        assert words in shown
        assert (NOT_VERIFIED in shown.partition('class="card summary"')[0]) is not police


@pytest.mark.usefixtures("decision_id")
def test_the_log_and_its_verifier_are_downloads_of_who_may(
    service: Service, supervisor: FlaskClient, browser: FlaskClient
) -> None:
    """
    The list links both for a supervisor, and the file passes; a dispatcher sees neither.
    """
    seal(service)
    listed = supervisor.get("/decisions").text
    for path in ("/log/export", "/log/verifier"):
        assert f'href="{path}"' in listed
        assert path not in browser.get("/decisions").text
        assert browser.get(path).status_code == 403
    data = supervisor.get("/log/export").get_data()
    assert verify_file(io.BytesIO(data), Check()) is None
    assert "def main" in supervisor.get("/log/verifier").text
