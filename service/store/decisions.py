"""
Keep decision records, as the journals of the hosts sent them; find and list them.

Nothing here changes a record that is stored; `service/store/records.py` puts them in.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Engine,
    Index,
    Integer,
    Row,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from service.store.cursor import Cursor, read_cursor, write_cursor
from service.store.database import Instant, dump_json, metadata, reading
from service.store.decision_fields import Filters
from service.store.dispatches import is_overridden
from service.store.reviews import is_reviewed

decisions = Table(
    "decisions",
    metadata,
    Column("record_id", String(200), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("call_id", Text, nullable=False),
    Column("host_id", String(64), nullable=False),
    Column("journal_number", BigInteger, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("received_at", Instant),
    Column("urgency", String(32)),
    Column("responders", JSON, nullable=False),
    Column("rules", JSON, nullable=False),
    Column("police", Boolean, nullable=False),
    Column("fallback", Boolean, nullable=False),
    Column("ruleset_name", Text),
    Column("ruleset_version", Integer),
    Column("ruleset_digest", Text),
    Column("mode", String(32)),
    Column("fingerprint", Text),
    Column("body", JSON, nullable=False),
    Column("stored_at", Instant, nullable=False),
    UniqueConstraint("host_id", "journal_number"),
    Index("ix_decisions_agency_decided_at_record_id", "agency", "decided_at", "record_id"),
    Index("ix_decisions_agency_call_id", "agency", "call_id"),
    Index("ix_decisions_stored_at", "stored_at"),
)

# The same record id written by another host, or again by the same: one request told twice, whether
# it asked for a decision or reported a dispatch (then `decided_at` is when). It is kept, so that no
# number of a journal is missing, and counted nowhere.
repeats = Table(
    "decision_repeats",
    metadata,
    Column("host_id", String(64), primary_key=True),
    Column("journal_number", BigInteger, primary_key=True, autoincrement=False),
    Column("record_id", String(200), nullable=False, index=True),
    Column("agency", String(64), nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("fingerprint", Text),
    Column("body", JSON, nullable=False),
    Column("stored_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Decision:
    """
    Hold one stored record.

    `revision` counts the call's decisions by `decided_at`, then by record id, from 1.
    """

    record_id: str
    agency: str
    call_id: str
    revision: int
    host_id: str
    journal_number: int
    decided_at: datetime
    received_at: datetime | None
    urgency: str | None
    responders: tuple[str, ...]
    rules: tuple[str, ...]
    police: bool
    fallback: bool
    ruleset_name: str | None
    ruleset_version: int | None
    ruleset_digest: str | None
    mode: str | None
    fingerprint: str | None
    body: dict[str, Any]
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """
    A piece of a list, the newest first, and the cursor of the next piece; None at the end.
    """

    items: tuple[Decision, ...]
    next: str | None


def find(engine: Engine, agency: str, record_id: str) -> Decision | None:
    """
    Give the decision of this agency with this id, or None; never another agency's.
    """
    with reading(engine) as connection:
        row = connection.execute(
            _select().where(decisions.c.record_id == record_id, decisions.c.agency == agency)
        ).one_or_none()
    return _decision(row) if row else None


def of_call(engine: Engine, agency: str, call_id: str) -> tuple[Decision, ...]:
    """
    Give every decision about one call, the first revision first.
    """
    with reading(engine) as connection:
        rows = connection.execute(
            _select()
            .where(decisions.c.agency == agency, decisions.c.call_id == call_id)
            .order_by(decisions.c.decided_at, decisions.c.record_id)
        ).all()
    return tuple(_decision(row) for row in rows)


def of_ids(engine: Engine, agency: str, record_ids: Collection[str]) -> tuple[Decision, ...]:
    """
    Give the decisions of this agency among these ids, in no order.
    """
    query = _select().where(decisions.c.agency == agency, decisions.c.record_id.in_(record_ids))
    with reading(engine) as connection:
        return tuple(_decision(row) for row in connection.execute(query))


def ids_of_call(engine: Engine, agency: str, call_id: str) -> set[str]:
    """
    Give the ids of every decision about one call.
    """
    query = select(decisions.c.record_id).where(
        decisions.c.agency == agency, decisions.c.call_id == call_id
    )
    with reading(engine) as connection:
        return set(connection.execute(query).scalars())


def page(
    engine: Engine, agency: str, filters: Filters, cursor: str | None = None, limit: int = 50
) -> Page:
    """
    Give up to *limit* of an agency's decisions that match *filters*, the newest first.

    *cursor* is what the page before gave as `next`; None for the first page.

    Raises:
        CursorError: the cursor is not one that a page gave.
    """
    query = _select().where(decisions.c.agency == agency, *_conditions(filters))
    if cursor is not None:
        last = read_cursor(cursor)
        query = query.where(
            tuple_(decisions.c.decided_at, decisions.c.record_id)
            < tuple_(literal(last.at, Instant), literal(last.id, String))
        )
    query = query.order_by(decisions.c.decided_at.desc(), decisions.c.record_id.desc())
    with reading(engine) as connection:
        rows = connection.execute(query.limit(limit + 1)).all()
    items = tuple(_decision(row) for row in rows[:limit])
    if len(rows) <= limit:
        return Page(items, None)
    return Page(items, write_cursor(Cursor(items[-1].decided_at, items[-1].record_id)))


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    found = []
    if filters.since is not None:
        found.append(decisions.c.decided_at >= filters.since)
    if filters.until is not None:
        found.append(decisions.c.decided_at < filters.until)
    if filters.responder is not None:
        found.append(_has(decisions.c.responders, filters.responder))
    if filters.rule is not None:
        found.append(_has(decisions.c.rules, filters.rule))
    if filters.urgency is not None:
        found.append(decisions.c.urgency == filters.urgency)
    if filters.call_id is not None:
        found.append(decisions.c.call_id == filters.call_id)
    if filters.fallback is not None:
        found.append(decisions.c.fallback.is_(filters.fallback))
    if filters.hidden:
        found.append(decisions.c.record_id.not_in(filters.hidden))
    if filters.reviewed is not None:
        agency, decision_id = decisions.c.agency, decisions.c.record_id
        found.append(is_reviewed(agency, decision_id, wanted=filters.reviewed))
    if filters.overridden is not None:
        agency, decision_id = decisions.c.agency, decisions.c.record_id
        found.append(is_overridden(agency, decision_id, wanted=filters.overridden))
    return found


def _has(column: Column[Any], value: str) -> ColumnElement[bool]:
    # Both databases keep the list as the text that `dump_json` wrote, so its quoted form finds
    # whole values only.
    return cast(column, Text).contains(dump_json(value), autoescape=True)


def _select() -> Select[Any]:
    other = decisions.alias("other")
    revision = (
        select(func.count())
        .where(
            other.c.agency == decisions.c.agency,
            other.c.call_id == decisions.c.call_id,
            or_(
                other.c.decided_at < decisions.c.decided_at,
                and_(
                    other.c.decided_at == decisions.c.decided_at,
                    other.c.record_id <= decisions.c.record_id,
                ),
            ),
        )
        .scalar_subquery()
    )
    return select(*decisions.c, revision.label("revision"))


def _decision(row: Row[Any]) -> Decision:
    values = dict(row._mapping)
    values["responders"], values["rules"] = tuple(values["responders"]), tuple(values["rules"])
    return Decision(**values)
