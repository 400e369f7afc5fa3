"""
Read stored decisions in the order of time, a piece at a time, so that they can be decided again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, func, or_, select

from service.store.database import reading
from service.store.decisions import decisions


class Stored(NamedTuple):
    """
    What a decision is decided again from.
    """

    record_id: str
    call_id: str
    decided_at: datetime
    body: Mapping[str, Any]


def in_order(
    engine: Engine, agency: str, since: datetime, last: tuple[datetime, str] | None, limit: int
) -> tuple[Stored, ...]:
    """
    Give up to *limit* of an agency's decisions from *since* on that come after *last*, a time and
    a record id; the oldest first.
    """
    at, record_id = decisions.c.decided_at, decisions.c.record_id
    columns = (getattr(decisions.c, name) for name in Stored._fields)
    query = select(*columns).where(decisions.c.agency == agency, at >= (last[0] if last else since))
    if last is not None:
        query = query.where(or_(at > last[0], record_id > last[1]))
    query = query.order_by(decisions.c.decided_at, decisions.c.record_id).limit(limit)
    with reading(engine) as connection:
        return tuple(Stored(*row) for row in connection.execute(query))


def bodies(engine: Engine, agency: str, record_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """
    Give what is stored of these decisions of an agency, by their id.
    """
    if not record_ids:
        return {}
    query = select(decisions.c.record_id, decisions.c.body).where(
        decisions.c.agency == agency, decisions.c.record_id.in_(record_ids)
    )
    with reading(engine) as connection:
        return {row.record_id: row.body for row in connection.execute(query)}


def count(engine: Engine, agency: str, since: datetime) -> int:
    """
    Count an agency's decisions from *since* on.
    """
    query = select(func.count()).where(
        decisions.c.agency == agency, decisions.c.decided_at >= since
    )
    with reading(engine) as connection:
        return int(connection.execute(query).scalar_one())
