"""
A record as a row of the file: how it is written, why it is not, and how it is read.
"""

import sqlite3
import time
from collections.abc import Sequence
from typing import Any

import orjson

from service.journal.records import Appended, Entry, Record, Repeat, Stale, Written

COLUMNS = (
    "number, kind, record_id, agency, call_id, revision, decided_at, fingerprint, body, stored_at"
)
# `calls` has those whose records are forgotten.
_NEWEST = """
SELECT ifnull(max(revision), 0) FROM (
    SELECT revision FROM records WHERE agency = ?1 AND call_id = ?2
    UNION ALL SELECT revision FROM calls WHERE agency = ?1 AND call_id = ?2)
"""
# One statement for each record, because each lets other threads in between.
_INSERT = f"""
INSERT INTO records
    (agency, call_id, kind, record_id, revision, decided_at, fingerprint, body, at)
SELECT ?1, ?2, ?3, ?4, newest + (?3 = 'decision'), ?5, ?6, ?7, ?8
FROM (SELECT ({_NEWEST}) AS newest)
WHERE newest = ifnull(?9, newest) AND NOT EXISTS (SELECT 1 FROM records WHERE record_id = ?4)
"""  # noqa: S608  # our own words; what a caller says comes in as a value only


def write(connection: sqlite3.Connection, host_id: str, entry: Entry, body: bytes) -> Appended:
    """
    Write an entry within the transaction of *connection*, or say why it is not written.

    Raises:
        ValueError: the record id belongs to another agency.
    """
    call = entry.agency, entry.call_id
    told = entry.kind, entry.record_id, entry.decided_at, entry.fingerprint
    # INVARIANT (numbers_without_gaps): a number is given inside the transaction, by a statement
    # that takes none where it writes nothing, and is given again if the transaction fails.
    cursor = connection.execute(_INSERT, (*call, *told, body, time.time(), entry.after_revision))
    if not cursor.rowcount:
        return _refused(connection, host_id, entry)
    number = cursor.lastrowid or 0  # an insert always has one; `RETURNING` needs a newer SQLite
    if entry.after_revision is None:
        revision = connection.execute(_NEWEST, call).fetchone()[0]
    else:
        revision = entry.after_revision + (entry.kind == "decision")
    head = (entry.kind, entry.record_id, *call, revision, entry.decided_at, entry.fingerprint)
    return Written(Record(number, host_id, *head, entry.body, "journaled"))


def _refused(connection: sqlite3.Connection, host_id: str, entry: Entry) -> Appended:
    """
    Say why nothing was written: the record is there, or the call has another newest revision.
    """
    same = connection.execute(
        f"SELECT {COLUMNS} FROM records WHERE record_id = ?",  # noqa: S608  # our own words
        (entry.record_id,),
    ).fetchone()
    if same is None:
        call = entry.agency, entry.call_id
        return Stale(connection.execute(_NEWEST, call).fetchone()[0])
    record = record_of(same, host_id)
    # INVARIANT (agencies_apart): no agency is shown another's record, whatever id it gives.
    if record.agency != entry.agency:
        raise ValueError("the record id belongs to another agency")
    return Repeat(record)


def record_of(row: Sequence[Any], host_id: str) -> Record:
    """
    Read a row of `COLUMNS`.
    """
    number, kind, record_id, agency, call_id, revision, decided_at, fingerprint, body, stored_at = (
        row
    )
    state = "journaled" if stored_at is None else "stored"
    head = (number, host_id, kind, record_id, agency, call_id, revision, decided_at, fingerprint)
    return Record(*head, body_of(body), state)


def body_of(text: bytes) -> dict[str, Any]:
    """
    Read the body of a record; empty where it is no JSON object, because a record that nobody can
    read must not keep others from being forgotten.
    """
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def recommendation_of(body: dict[str, Any]) -> dict[str, Any]:
    """
    Give what a record's body recommends; empty where it holds none.
    """
    answer = body.get("answer")
    found = answer.get("recommendation") if isinstance(answer, dict) else None
    return found if isinstance(found, dict) else {}
