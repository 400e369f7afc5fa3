"""
Prove that a record which a disk changed is never taken for what was told, though it can be read.
"""

import datetime as dt
import sqlite3
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from service.checksum import is_as_written
from service.journal import Entry, Journal, Written, create_journal, salvage
from service.settings import read_settings
from service.store import quarantined, records
from tests.api.conftest import CALL, Api

REASON = "it is not as it was written: a disk or somebody changed it"
KEY = {"Idempotency-Key": "told-once"}
REPORT = {"responders": ["ems"], "reason": "closer_unit"}


def change(api: Api, record_id: str, column: str = "body") -> None:
    """
    Change one character of a record on the disk, so that it is still JSON.
    """
    path = api.parts.settings.journal_path
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        query = f"SELECT {column} FROM records WHERE record_id = ?"  # our own words
        ((text,),) = connection.execute(query, (record_id,))
        changed = text.replace(b'"urgency"', b'"urgencX"') if column == "body" else text + "x"
        assert changed != text
        query = f"UPDATE records SET {column} = ? WHERE record_id = ?"  # our own words
        connection.execute(query, (changed, record_id))


def send(api: Api) -> tuple[Any, ...]:
    """
    Send what the journal holds to the store, and give what it refused.
    """
    unstored = api.parts.journal.unstored(10_000)
    sent = [{one.name: getattr(record, one.name) for one in fields(record)} for record in unstored]
    _, refused = records.insert(api.parts.store, sent, dt.datetime.now(dt.UTC))
    api.parts.journal.confirm([record.number for record in unstored])
    return refused


@pytest.mark.parametrize("column", ["body", "call_id", "decided_at"])
def test_it_goes_into_quarantine_and_is_shown_to_nobody(api: Api, column: str) -> None:
    """
    One character is enough, of the body or of a name; the others of its batch are stored, and a
    second try refuses it again.
    """
    made = [
        api.post("/v1/decisions", {**CALL, "call_id": f"{column}-{n}"}).json["decision_id"]
        for n in range(3)
    ]
    change(api, made[1], column)
    assert api.get(f"/v1/decisions/{made[1]}").status_code == 404
    ((host_id, number, reason),) = [
        (one.host_id, one.journal_number, one.reason) for one in send(api)
    ]
    assert reason == REASON
    assert [api.get(f"/v1/decisions/{one}").status_code for one in made] == [200, 404, 200]
    again = api.post(f"/v1/quarantine/{host_id}/{number}/retry", None, "admin").json
    assert (again["stored"], again["reason"]) == (False, REASON)
    kept = quarantined.find(api.parts.store, host_id, number)
    assert kept is not None
    assert not is_as_written(kept.record(), kept.body)


def test_a_repeat_of_it_is_answered_anew_and_others_are_recorded(api: Api) -> None:
    """
    The first answer is not there to be given again: the call is decided, with the word that it is
    not recorded, and the next one is recorded at once.
    """
    told = {**CALL, "call_id": "repeated"}
    first = api.post("/v1/decisions", told, **KEY).json
    change(api, first["decision_id"])
    again = api.post("/v1/decisions", told, **KEY)
    assert (again.status_code, again.json["recorded"]) == (503, False)
    assert again.json["recommendation"] == first["recommendation"]
    assert api.post("/v1/decisions", {**CALL, "call_id": "the next"}).status_code == 201


def test_a_repeated_report_of_it_is_not_taken_for_recorded(api: Api) -> None:
    """
    A report of what was sent is judged as well, and said not to be recorded.
    """
    decided = api.post("/v1/decisions", {**CALL, "call_id": "reported"}).json["decision_id"]
    path = f"/v1/decisions/{decided}/dispatch"
    first = api.post(path, REPORT, **KEY)
    assert first.status_code == 201, first.text
    with closing(sqlite3.connect(api.parts.settings.journal_path, isolation_level=None)) as one:
        query = "UPDATE records SET body = replace(body, 'ems', 'emz') WHERE record_id = ?"
        one.execute(query, (first.json["dispatch_id"],))
    again = api.post(path, REPORT, **KEY)
    assert (again.status_code, again.json["recorded"]) == (503, False)


def test_a_journal_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    """
    One without checksums gets them from now on, and what it held is taken as it is; set aside, it
    is read as well.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path)})
    create_journal(settings.journal_path)
    told = Entry("decision", "r-1", "a", "c", "2026-01-01T00:00:00Z", None, 0, {"a": 1})
    journal = Journal(settings)
    assert isinstance(journal.append(told), Written)
    journal.close()
    with closing(sqlite3.connect(settings.journal_path, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE records DROP COLUMN checksum")
    aside = salvage.read_piece(settings.journal_path, "h", 0, 9, 1)
    assert [(one.record_id, one.checksum) for one in aside.records] == [("r-1", None)]
    create_journal(settings.journal_path)
    journal = Journal(settings)
    found = journal.find("a", "r-1")
    assert found is not None
    assert found.body == {"a": 1}
    second = Entry("decision", "r-2", "a", "d", "2026-01-01T00:00:00Z", None, 0, {"a": 1})
    assert isinstance(journal.append(second), Written)
    assert [one.checksum is None for one in journal.unstored(9)] == [True, False]
    journal.close()
