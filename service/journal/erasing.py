"""
Erase in the journal what was confirmed to be erased, and words whose time is over.

Only what the store has is touched: the rest is still to be sent.
"""

import sqlite3
from collections.abc import Collection
from datetime import datetime
from typing import Final

import orjson

from service.erased import ERASURE, erased_body, erased_call, without_texts
from service.instants import iso
from service.verify_log import SEALED

# In place of a fingerprint: no request has it, so a key that comes again gets no first answer.
ERASED: Final = "erased"
TEXTS_MAX: Final = 1_000  # records in one transaction


def erase_call(
    connection: sqlite3.Connection, agency: str, call_id: str, until: datetime
) -> int | None:
    """
    Erase a call's records of a time and before, and what is remembered of it, within the caller's
    transaction.

    Returns:
        How many records, or None where one of them is not in the store: then nothing is changed.
    """
    rows = connection.execute(
        "SELECT number, record_id, decided_at, stored_at FROM records"
        " WHERE agency = ? AND call_id = ?",
        (agency, call_id),
    ).fetchall()
    due = [row for row in rows if datetime.fromisoformat(row[2]) <= until]
    if any(stored_at is None for *_, stored_at in due):
        return None
    body = orjson.dumps(erased_body(ERASURE, until))
    connection.executemany(
        "UPDATE records SET call_id = ?, body = ?, checksum = NULL,"
        " fingerprint = CASE WHEN fingerprint IS NULL THEN NULL ELSE ? END WHERE number = ?",
        [(erased_call(record_id), body, ERASED, number) for number, record_id, *_ in due],
    )
    # A call that was told again since then is another call, and is remembered.
    connection.execute(
        "DELETE FROM calls WHERE agency = ? AND call_id = ? AND at <= ?",
        (agency, call_id, until.timestamp()),
    )
    return len(due)


def erase_texts(
    connection: sqlite3.Connection, agency: str, before: datetime, held: Collection[str]
) -> int:
    """
    Erase the words of an agency's records that were told before a time, but those of calls that are
    held; gives how many, at most `TEXTS_MAX`.
    """
    rows = connection.execute(
        "SELECT number, call_id, body FROM records WHERE agency = ? AND decided_at < ?"
        " AND stored_at IS NOT NULL AND instr(body, ?) ORDER BY number",
        (agency, iso(before), f'"{SEALED}'.encode()),
    )
    changed = []
    for number, call_id, body in rows:
        left = None if call_id in held else without_texts(orjson.loads(body))
        if left is not None:
            changed.append((orjson.dumps(left), number))
        if len(changed) == TEXTS_MAX:
            break
    connection.executemany("UPDATE records SET body = ?, checksum = NULL WHERE number = ?", changed)
    return len(changed)
