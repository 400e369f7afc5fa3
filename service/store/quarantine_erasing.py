"""
Erase what is in quarantine, as `erasing.py` does what is stored: its sealed texts, or all of it.

Of whom or of which call a record is may be unknown: then every hold that could be on it counts.
Each function but the first works within the caller's transaction; ids are those of the log.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, select, update

from service.erased import erased_body, erased_call
from service.store import chain
from service.store.chain import NOBODYS
from service.store.database import dump_json, reading
from service.store.legal_holds import may_be_held
from service.store.quarantined import object_of, quarantined
from service.verify_log import canonical, without_sealed

_KIND: Final = "quarantined"
_IS_KEPT: Final = quarantined.c.call_id.is_(None) | ~quarantined.c.call_id.startswith(
    erased_call("")
)
_IS_FREE: Final = _IS_KEPT & ~may_be_held(quarantined.c.agency, quarantined.c.call_id)


def agencies_beside(engine: Engine, known: Collection[str]) -> tuple[str | None, ...]:
    """
    Give the agencies that records in quarantine name and that are none of those known; None for
    records that name none.
    """
    is_beside = quarantined.c.agency.is_(None) | quarantined.c.agency.not_in(known)
    query = select(quarantined.c.agency).where(is_beside).distinct()
    with reading(engine) as connection:
        return tuple(connection.execute(query).scalars())


def erase_words(
    connection: Connection, due: tuple[str | None, datetime], left: tuple[str, datetime], limit: int
) -> tuple[list[str], list[str], int]:
    """
    Erase the sealed texts of records that are *due*: of an agency, and told before a time. One that
    nobody can read may hold any words, and goes whole; *left* is why and when.

    Returns:
        The ids of those that lost texts and of those that went whole, and how many were looked at.
    """
    agency, before = due
    is_due = quarantined.c.has_words & (quarantined.c.told_at < before)
    rows = _rows(connection, agency, is_due, limit)
    worded, whole = [], []
    for row in rows:
        body = _without_texts(row.body)
        if body is None:
            whole.append(row)
            continue
        connection.execute(update(quarantined).where(_is(row)).values(body=body, has_words=False))
        if body != row.body:
            worded.append(_id(row))
    return worded, _erase(connection, agency, whole, left), len(rows)


def erase_old(
    connection: Connection, due: tuple[str | None, datetime], left: tuple[str, datetime], limit: int
) -> list[str]:
    """
    Erase whole what was told before a time.
    """
    agency, before = due
    rows = _rows(connection, agency, quarantined.c.told_at < before, limit)
    return _erase(connection, agency, rows, left)


def erase_call(
    connection: Connection,
    call: tuple[str, str],
    until: datetime,
    left: tuple[str, datetime],
    limit: int,
) -> list[str]:
    """
    Erase whole what is known to be about a call, an agency and a number, and was told by a time.
    """
    agency, call_id = call
    is_of_call = (quarantined.c.call_id == call_id) & (quarantined.c.told_at <= until)
    rows = _rows(connection, agency, is_of_call, limit)
    return _erase(connection, agency, rows, left)


def is_of_call(engine: Engine, agency: str, call_id: str) -> bool:
    """
    Tell whether anything in quarantine is known to be about a call.
    """
    query = select(quarantined.c.host_id).where(
        quarantined.c.agency == agency, quarantined.c.call_id == call_id
    )
    with reading(engine) as connection:
        return connection.execute(query.limit(1)).first() is not None


def _rows(
    connection: Connection, agency: str | None, is_due: ColumnElement[bool], limit: int
) -> Sequence[Row[Any]]:
    query = select(quarantined).where(quarantined.c.agency.is_not_distinct_from(agency), is_due)
    ordered = query.where(_IS_FREE).order_by(
        quarantined.c.told_at, quarantined.c.host_id, quarantined.c.journal_number
    )
    return connection.execute(ordered.limit(limit)).all()


def _without_texts(body: bytes) -> bytes | None:
    """
    Give a body with every sealed text of it erased; None where it cannot be, so that it still says
    the rest and has the same digest.
    """
    read = object_of(body)
    if read is None:
        return None
    if without_sealed(read, "erased") == read:
        return body
    # As the standard library reads it: a number may be larger than the store's own reader takes.
    left = json.dumps(without_sealed(json.loads(body), "erased"), separators=(",", ":")).encode()
    again = object_of(left)
    is_same = again is not None and canonical(_stored(again)) == canonical(_stored(read))
    return left if is_same else None


def _stored(read: dict[str, Any]) -> Any:
    return json.loads(dump_json(read))


def _erase(
    connection: Connection,
    agency: str | None,
    rows: Sequence[Row[Any]],
    left: tuple[str, datetime],
) -> list[str]:
    why, at = left
    body = dump_json(erased_body(why, at)).encode()
    ids = [_id(row) for row in rows]
    for row, one in zip(rows, ids, strict=True):
        head = {"host_id": row.host_id, "number": row.journal_number}
        gone = {"head": dump_json(head).encode(), "body": body, "has_words": False}
        ended = {"settled_at": row.settled_at or at, "settled_by": row.settled_by or why}
        values = {**gone, **ended, "call_id": erased_call(one)}
        connection.execute(update(quarantined).where(_is(row)).values(values))
    chain.drop_salts(connection, agency or NOBODYS, (_KIND,), ids)
    return ids


def _id(row: Row[Any]) -> str:
    return chain.subject_of(_KIND, row._asdict())


def _is(row: Row[Any]) -> ColumnElement[bool]:
    return and_(
        quarantined.c.host_id == row.host_id, quarantined.c.journal_number == row.journal_number
    )
