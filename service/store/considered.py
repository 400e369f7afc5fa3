"""
Keep which stored decisions and reports were looked at for review, so that each is looked at once.

Rows are kept only as long as a record could still turn up beside them; the newest of a kind says
from when on to look.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    Row,
    String,
    Table,
    delete,
    exists,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from service.store.database import Instant, metadata, reading
from service.store.decisions import decisions
from service.store.dispatches import dispatches

considered = Table(
    "considered_for_review",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("record_id", String(200), primary_key=True),
    Column("stored_at", Instant, nullable=False),
    Index("ix_considered_for_review_kind_stored_at", "kind", "stored_at"),
)
_TABLES: Final = {"decision": decisions, "dispatch": dispatches}

# A transaction that stored a record may end long after the record was stamped, and clocks of hosts
# differ.
LATE: Final = timedelta(minutes=10)
# Where nothing was ever looked at, this much of the past is.
FIRST_LOOK: Final = timedelta(days=1)


def new_records(engine: Engine, kind: str, now: datetime, limit: int) -> tuple[Row[Any], ...]:
    """
    Give records of a kind (`decision`, `dispatch`) that nobody looked at, the earliest stored
    first, with all their columns.
    """
    table = _TABLES[kind]
    is_seen = exists().where(considered.c.kind == kind, considered.c.record_id == table.c.record_id)
    with reading(engine) as connection:
        newest = _newest(connection, kind)
        since = min(newest, now) - LATE if newest is not None else now - FIRST_LOOK
        query = (
            select(table)
            .where(table.c.stored_at >= since, ~is_seen)
            .order_by(table.c.stored_at)
            .limit(limit)
        )
        return tuple(connection.execute(query))


def add(connection: Connection, kind: str, rows: Collection[Row[Any]]) -> None:
    """
    Note within the caller's transaction that these records were looked at, and forget what no
    record can turn up beside any more.
    """
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(considered).on_conflict_do_nothing(index_elements=["kind", "record_id"])
    seen = [{"kind": kind, "record_id": row.record_id, "stored_at": row.stored_at} for row in rows]
    connection.execute(insert, seen)
    newest = _newest(connection, kind)
    if newest is not None:
        is_old = considered.c.stored_at < newest - 2 * LATE
        connection.execute(delete(considered).where(considered.c.kind == kind, is_old))


def _newest(connection: Connection, kind: str) -> datetime | None:
    query = select(considered.c.stored_at).where(considered.c.kind == kind)
    latest = query.order_by(considered.c.stored_at.desc()).limit(1)
    return connection.execute(latest).scalar_one_or_none()
