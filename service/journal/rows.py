"""
A record as a row of the file: how it is written, why it is not, and how it is read.
"""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import orjson

from service.checksum import checksum, is_as_written
from service.journal.file import transaction
from service.journal.records import Appended, Entry, Record, Repeat, Stale, Written

COLUMNS = (
    "number, kind, record_id, agency, call_id, revision, decided_at, fingerprint, body, stored_at,"
    " checksum"
)
# `calls` has those whose records are forgotten.
_NEWEST = """
SELECT ifnull(max(revision), 0) AS newest FROM (
    SELECT revision FROM records WHERE agency = {agency} AND call_id = {call_id}
    UNION ALL SELECT revision FROM calls WHERE agency = {agency} AND call_id = {call_id})"""
_PLACES = (
    *("agency", "call_id", "kind", "record_id", "decided_at", "fingerprint", "body", "at"),
    *("checksum", "after_revision"),
)
# A revision that does not follow the newest is none, which the table refuses.
_ROW = f"""
({{agency}}, {{call_id}}, {{kind}}, {{record_id}},
 (SELECT CASE WHEN newest = ifnull({{after_revision}}, newest)
  THEN newest + ({{kind}} = 'decision') END FROM ({_NEWEST})),
 {{decided_at}}, {{fingerprint}}, {{body}}, {{at}}, {{checksum}})"""  # noqa: S608  # our own words


def write(
    connection: sqlite3.Connection, host_id: str, told: Sequence[tuple[Entry, bytes]]
) -> list[Appended]:
    """
    Write entries, each with its body, in one transaction of *connection*, or say of each why it is
    not written.

    Raises:
        ValueError: a record id belongs to another agency; nothing is written.
    """
    # One statement with its commit, because each lets the threads of other requests in between,
    # while other processes wait for their turn. It sees no row of its own: those of one call, and
    # what is refused, are written one by one.
    if len({(entry.agency, entry.call_id) for entry, _ in told}) == len(told):
        with suppress(sqlite3.IntegrityError):
            return _insert(connection, host_id, told)
    with transaction(connection):
        return [_insert_or_refuse(connection, host_id, one) for one in told]


def _insert(
    connection: sqlite3.Connection, host_id: str, told: Sequence[tuple[Entry, bytes]]
) -> list[Appended]:
    now = time.time()
    values = [value for entry, body in told for value in _values(entry, body, now)]
    # INVARIANT (numbers_without_gaps): numbers are given by the statement that writes the records,
    # in their order, and are given again if it fails.
    last = connection.execute(_statement(len(told)), values).lastrowid or 0
    first = last - len(told) + 1  # `RETURNING` needs a newer SQLite
    return [
        _written(connection, host_id, number, entry)
        for number, (entry, _) in enumerate(told, first)
    ]


def _insert_or_refuse(
    connection: sqlite3.Connection, host_id: str, told: tuple[Entry, bytes]
) -> Appended:
    try:
        return _insert(connection, host_id, [told])[0]
    except sqlite3.IntegrityError:
        refused = _refused(connection, host_id, told[0])
        if refused is None:
            raise
        return refused


@cache
def _statement(rows: int) -> str:
    # What a caller says comes in as a value only. Places are numbered, for each is named often.
    places = [
        {name: f"?{row * len(_PLACES) + place}" for place, name in enumerate(_PLACES, 1)}
        for row in range(rows)
    ]
    return (
        "INSERT INTO records"
        " (agency, call_id, kind, record_id, revision, decided_at, fingerprint, body, at, checksum)"
        " VALUES" + ",".join(_ROW.format(**one) for one in places)
    )


def _values(entry: Entry, body: bytes, now: float) -> tuple[Any, ...]:
    call = entry.agency, entry.call_id
    told = entry.kind, entry.record_id, entry.decided_at, entry.fingerprint
    noted = checksum(dict(zip(_PLACES, (*call, *told), strict=False)), body)
    return (*call, *told, body, now, noted, entry.after_revision)


def _written(connection: sqlite3.Connection, host_id: str, number: int, entry: Entry) -> Written:
    if entry.after_revision is None:
        query = "SELECT revision FROM records WHERE number = ?"
        revision = connection.execute(query, (number,)).fetchone()[0]
    else:
        revision = entry.after_revision + (entry.kind == "decision")
    head = entry.kind, entry.record_id, entry.agency, entry.call_id, revision
    told = entry.decided_at, entry.fingerprint, entry.body
    return Written(Record(number, host_id, *head, *told, "journaled"))


def _refused(connection: sqlite3.Connection, host_id: str, entry: Entry) -> Appended | None:
    """
    Say why nothing was written: the record is there, or the call has another newest revision; None
    where it is neither.
    """
    same = connection.execute(
        f"SELECT {COLUMNS} FROM records WHERE record_id = ?",  # noqa: S608  # our own words
        (entry.record_id,),
    ).fetchone()
    if same is None:
        query = _NEWEST.format(agency="?1", call_id="?2")
        newest = connection.execute(query, (entry.agency, entry.call_id)).fetchone()[0]
        return None if entry.after_revision in (None, newest) else Stale(newest)
    record = record_of(same, host_id)
    # INVARIANT (agencies_apart): no agency is shown another's record, whatever id it gives.
    if record.agency != entry.agency:
        raise ValueError("the record id belongs to another agency")
    return Repeat(record)


def record_of(row: Sequence[Any], host_id: str) -> Record:
    """
    Read a row of `COLUMNS`. The body of one that nobody can read, or that is not as it was written,
    is empty.
    """
    number, kind, record_id, agency, call_id, revision, decided_at, fingerprint, *rest = row
    body, stored_at, noted = rest
    names = agency, call_id, kind, record_id, decided_at, fingerprint
    told = dict(zip(_PLACES, names, strict=False))
    read = _object_of(body) if is_as_written({**told, "checksum": noted}, body) else None
    return Record(
        *(number, host_id, kind, record_id, agency, call_id, revision, decided_at, fingerprint),
        {} if read is None else read,
        "journaled" if stored_at is None else "stored",
        is_readable=read is not None,
    )


def body_of(text: bytes) -> dict[str, Any]:
    """
    Read the body of a record; empty where it is no JSON object, because a record that nobody can
    read must not keep others from being forgotten.
    """
    return _object_of(text) or {}


def _object_of(text: bytes) -> dict[str, Any] | None:
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def recommendation_of(body: dict[str, Any]) -> dict[str, Any]:
    """
    Give what a record's body recommends; empty where it holds none.
    """
    answer = body.get("answer")
    found = answer.get("recommendation") if isinstance(answer, dict) else None
    return found if isinstance(found, dict) else {}
