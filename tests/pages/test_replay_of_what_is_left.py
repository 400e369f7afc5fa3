"""
A recorded call of which something is gone is decided again by command, by the API and on its page
alike: what is erased or was never recorded is said to be so, and is no difference.
"""

import datetime as dt
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from service import retention
from service.cli import main
from service.store import erasing, erasures
from service.store.database import writing
from service.store.erasures import Erasure
from tests.pages.browsing import Service, token_of
from tests.pages.log import decide, opened, ship

SAID = {"facts": {"suicide": "plan"}, "remarks": "HE HAS A GUN"}
SAME = "The same answer, to the byte"
GONE = "The words of its remark are gone: what was read in them is on record."
Ways = Callable[[str], tuple[tuple[int, str], tuple[int, str]]]


@pytest.fixture
def ways(service: Service, monkeypatch: pytest.MonkeyPatch) -> Ways:
    """
    Replay by command and by the API: the exit code and what is said, and the status and the same.
    """
    monkeypatch.setenv("CRISIS_ROUTER_HOME", str(service.parts.settings.home))
    headers = {"Authorization": f"Bearer {service.credentials.supervisor_key}"}

    def replayed(decision_id: str) -> tuple[tuple[int, str], tuple[int, str]]:
        typed = CliRunner().invoke(main, ["replay", decision_id])
        path = f"/v1/decisions/{decision_id}/replay"
        asked = service.app.test_client().post(path, headers=headers)
        said = f"{asked.json.get('result', '')}: {asked.json.get('text', '')}"
        return (typed.exit_code, typed.stdout + typed.stderr), (asked.status_code, said)

    return replayed


def on_page(client: FlaskClient, decision_id: str) -> tuple[int, str]:
    """
    Press the button on the page of a decision, and give the status and the text that comes.
    """
    token = token_of(opened(client, "/decisions"))
    response = client.post(f"/decisions/{decision_id}/replay", data={"csrf_token": token})
    return response.status_code, response.text


def every() -> tuple[int, str]:
    """
    Replay all that is stored by command.
    """
    found = CliRunner().invoke(main, ["replay", "--all", "--since", "2020-01-01"])
    return found.exit_code, found.stdout


def erase(service: Service, call_id: str) -> None:
    """
    Let two people have a call erased, from the store and from this host's journal.
    """
    parts = service.parts
    now, made_id = dt.datetime.now(dt.UTC), erasures.new_id()
    made = Erasure(made_id, "example", call_id, "r", "person:1", "P", now)
    with writing(parts.store) as connection:
        erasures.add(connection, made)
        erasures.confirm(connection, made_id, ("person:2", "Q"), now)
    assert retention.finish_erasures(parts.store, now) == 1
    assert retention.erase_in_journal(parts.store, parts.journal, parts.rules.config.agency, now)


def test_an_erased_record_is_erased_and_not_different(
    service: Service, supervisor: FlaskClient, ways: Ways
) -> None:
    """
    Each way says so, the command ends with 0, and among all it counts as erased.
    """
    made = decide(service, "REPLAY-ERASED", **SAID)
    ship(service.parts)
    erase(service, "REPLAY-ERASED")
    (code, typed), (status, asked) = ways(made)
    assert (code, "was erased" in typed) == (0, True)
    assert status == 200
    assert asked.startswith("erased: The record was erased")
    status, text = on_page(supervisor, made)
    assert (status, "This decision was erased" in text) == (410, True)
    code, said = every()
    assert code == 0
    assert "1  erased" in said
    assert "0  different" in said


def test_a_revision_after_an_erased_one_is_compared_without_the_change(
    service: Service, ways: Ways
) -> None:
    """
    What it changed of the revision before is not known any more, so all else is compared.
    """
    first = decide(service, "REPLAY-AFTER", **SAID)
    second = decide(service, "REPLAY-AFTER", facts={"suicide": "plan", "weapon": "firearm"})
    ship(service.parts)
    with writing(service.parts.store) as connection:
        left = ("retention", dt.datetime.now(dt.UTC))
        erasing.erase_whole(connection, "example", ([first], []), left)
    with service.parts.journal._file.changing() as connection:
        connection.execute("DELETE FROM records")
    (code, typed), (_, asked) = ways(second)
    assert (code, SAME in typed) == (0, True)
    assert asked.startswith(f"same: {SAME}")
    assert every()[0] == 0


def test_a_record_whose_remark_is_gone_is_decided_from_what_was_read(
    service: Service, supervisor: FlaskClient, ways: Ways
) -> None:
    """
    The gun that the remark named still decides, and each way says that the words are gone.
    """
    made = decide(service, "REPLAY-WORDS", **SAID)
    ship(service.parts)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=91)
    retention.purge(service.parts.store, service.parts.rules.config.agency, later)
    service.parts.journal.forget(later)
    found = service.parts.records.find("example", made)
    assert found is not None
    assert found["request"]["remarks"] is None
    assert [one["fact"] for one in found["signals"]] == ["weapon"]
    (code, typed), (_, asked) = ways(made)
    assert (code, SAME in typed, GONE in typed) == (0, True, True)
    assert asked.startswith(f"same: {SAME}")
    assert GONE in asked
    assert GONE in on_page(supervisor, made)[1]
    assert "0  different" in every()[1]


def test_one_that_only_the_journal_has_is_decided_from_it(
    service: Service, supervisor: FlaskClient, ways: Ways
) -> None:
    """
    Nothing has to be stored for a record to be replayed.
    """
    made = decide(service, "REPLAY-JOURNAL", **SAID)
    (code, typed), (status, asked) = ways(made)
    assert (code, SAME in typed) == (0, True)
    assert (status, asked.startswith(f"same: {SAME}")) == (200, True)
    assert SAME in on_page(supervisor, made)[1]


def test_one_whose_remark_was_never_kept_is_decided_from_what_was_read(
    service: Service, supervisor: FlaskClient, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    An agency that keeps no remark has the signals alone on record, and they decide again.
    """
    seen = service.parts.surroundings.seen
    agency = seen.agencies["example"]
    monkeypatch.setitem(agency.settings, "keep_remarks", False)
    made = decide(service, "REPLAY-FORGOTTEN", **SAID)
    (code, typed), (_, asked) = ways(made)
    assert (code, GONE in typed) == (0, True)
    assert asked.startswith(f"same: {SAME}")
    assert GONE in on_page(supervisor, made)[1]


def test_a_simulated_call_is_on_no_record(
    service: Service, supervisor: FlaskClient, ways: Ways
) -> None:
    """
    A simulation has no id to ask for, and an id that nobody has is refused in words by each way.
    """
    headers = {"Authorization": f"Bearer {service.credentials.supervisor_key}"}
    body = {"call_id": "REPLAY-TRIAL", **SAID}
    made = service.app.test_client().post("/v1/simulations", json=body, headers=headers)
    assert made.json["decision_id"] is None
    (code, typed), (status, _) = ways("REPLAY-TRIAL")
    assert (code, "there is no decision `REPLAY-TRIAL`" in typed) == (1, True)
    assert status == 404
    assert on_page(supervisor, "REPLAY-TRIAL")[0] == 404
