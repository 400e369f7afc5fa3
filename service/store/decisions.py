"""
Keep decision records, as the journals of the hosts sent them; find and list them.

Nothing here changes a record that is stored; `service/store/records.py` puts them in.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
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
    exists,
    func,
    or_,
    select,
)

from service.store import decision_marks
from service.store.cursor import Cursor, newest_first, read_cursor, write_cursor
from service.store.database import Instant, Recorded, metadata, reading
from service.store.decision_fields import Filters
from service.store.decision_marks import marks, rarest_first
from service.store.dispatches import ids_with_override, is_overridden
from service.store.reviews import is_reviewed, reviews
from service.store.sealed import sealed_index

FEW_MAX = 1_000  # ids that a query takes one by one; SQLite takes 32,766 values at most

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
    Column("responders", Recorded(list), nullable=False),
    Column("rules", Recorded(list), nullable=False),
    Column("police", Boolean, nullable=False),
    Column("fallback", Boolean, nullable=False),
    Column("ruleset_name", Text),
    Column("ruleset_version", Integer),
    Column("ruleset_digest", Text),
    Column("mode", String(32)),
    Column("fingerprint", Text),
    Column("body", Recorded(), nullable=False),
    Column("stored_at", Instant, nullable=False),
    UniqueConstraint("host_id", "journal_number"),
    Index("ix_decisions_agency_decided_at_record_id", "agency", "decided_at", "record_id"),
    Index(
        "ix_decisions_agency_call_id_decided_at_record_id",
        *("agency", "call_id", "decided_at", "record_id"),
        # So that the beginning of an id is looked up too, whatever the database sorts by.
        postgresql_ops={"call_id": "text_pattern_ops"},
    ),
    Index("ix_decisions_stored_at", "stored_at"),
    sealed_index("decisions", "decided_at"),
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
    Column("body", Recorded(), nullable=False),
    Column("stored_at", Instant, nullable=False),
    sealed_index("decision_repeats", "decided_at"),
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


def reviewed_among(engine: Engine, agency: str, record_ids: Collection[str]) -> frozenset[str]:
    """
    Tell which of these decisions have an answered review.
    """
    if not record_ids:
        return frozenset()
    query = select(reviews.c.decision_id).where(
        reviews.c.agency == agency,
        reviews.c.decision_id.in_(record_ids),
        reviews.c.answered_at.is_not(None),
    )
    with reading(engine) as connection:
        return frozenset(connection.execute(query).scalars())


def page(
    engine: Engine, agency: str, filters: Filters, cursor: str | None = None, limit: int = 50
) -> Page:
    """
    Give up to *limit* of an agency's decisions that match *filters*, the newest first.

    *cursor* is what the page before gave as `next`; None for the first page.

    Raises:
        CursorError: the cursor is not one that a page gave.
    """
    last = read_cursor(cursor) if cursor is not None else None
    with reading(engine) as connection:
        query = _filtered(connection, agency, filters, last)
        found = connection.execute(query.limit(limit + 1)).scalars().all()
        rows = connection.execute(_whole(agency, found[:limit])).all() if found else []
    items = tuple(_decision(row) for row in rows)
    if len(found) <= limit:
        return Page(items, None)
    return Page(items, write_cursor(Cursor(items[-1].decided_at, items[-1].record_id)))


def _filtered(
    connection: Connection, agency: str, filters: Filters, last: Cursor | None
) -> Select[tuple[str]]:
    """
    Select the ids of the decisions that the filters leave, newest first, by the shortest way.

    The way is the rarest mark, a few ids, or the log itself. All three run in the order of time, so
    that a page far back costs no more than the first. Only ids are read: what a database plans for
    whole records, it may read and sort by the thousand.
    """
    few = _few(connection, agency, filters)
    named = rarest_first(connection, agency, decision_marks.wanted(filters))
    tells_call = filters.call_id is not None or filters.search is not None
    if few is None and named and not tells_call:
        along: Any = marks.alias("along")
        query = select(along.c.record_id).where(along.c.agency == agency, along.c.mark == named[0])
        named = named[1:]
    else:
        along = decisions
        query = select(decisions.c.record_id).where(
            _is_one_of(agency, few) if few is not None else decisions.c.agency == agency
        )
    query = query.where(*(_is_marked(along, mark, agency) for mark in named))
    query = query.where(*_conditions(connection, along, filters))
    return _in_order(query, along, filters, last)


def _whole(agency: str, record_ids: Sequence[str]) -> Select[Any]:
    query = _select().where(_is_one_of(agency, record_ids))
    return query.order_by(decisions.c.decided_at.desc(), decisions.c.record_id.desc())


def _is_one_of(agency: str, record_ids: Sequence[str]) -> ColumnElement[bool]:
    # INVARIANT (agencies_apart): ids alone are never enough. The agency is compared in a form that
    # no index answers, or SQLite would go through the whole log for it.
    return and_(decisions.c.record_id.in_(record_ids), decisions.c.agency.concat("") == agency)


def _is_marked(along: Any, mark: str, agency: str) -> ColumnElement[bool]:
    marked = marks.alias()
    return exists().where(
        marked.c.agency == agency,
        marked.c.mark == mark,
        marked.c.decided_at == along.c.decided_at,
        marked.c.record_id == along.c.record_id,
    )


def _in_order(
    query: Select[tuple[str]], along: Any, filters: Filters, last: Cursor | None
) -> Select[tuple[str]]:
    at, record_id = along.c.decided_at, along.c.record_id
    if filters.since is not None:
        query = query.where(at >= filters.since)
    if filters.until is not None:
        query = query.where(at < filters.until)
    return newest_first(query, at, record_id, last)


def _few(connection: Connection, agency: str, filters: Filters) -> tuple[str, ...] | None:
    """
    Give the ids of the decisions that meet the narrowest filter, where they are few; else None.
    """
    queries: list[Any] = []
    if filters.call_id is not None:
        queries.append(_ids(agency).where(decisions.c.call_id == filters.call_id))
    if filters.search is not None:
        queries.append(_ids(agency).where(_begins(connection, filters.search)))
    if filters.overridden:
        queries.append(ids_with_override(agency))
    if filters.reviewed:
        answered = reviews.c.answered_at.is_not(None)
        queries.append(select(reviews.c.decision_id).where(reviews.c.agency == agency, answered))
    for query in queries:
        found = connection.execute(query.limit(FEW_MAX + 1)).scalars().all()
        if len(found) <= FEW_MAX:
            # The search may be a decision's own id; what it is not is left out row by row.
            return (*found, filters.search) if filters.search is not None else tuple(found)
    return None


def _ids(agency: str) -> Select[tuple[str]]:
    return select(decisions.c.record_id).where(decisions.c.agency == agency)


def _begins(connection: Connection, text: str) -> ColumnElement[bool]:
    """
    Give the condition that a call's id begins with *text*, byte by byte, as an index can answer it.
    """
    column, end = decisions.c.call_id, text + chr(0x10FFFF)
    if connection.dialect.name == "postgresql":
        # The operators of `text_pattern_ops`; the plain ones follow the language of the database.
        return and_(column.op("~>=~")(text), column.op("~<~")(end))
    return and_(column >= text, column < end)


def _conditions(connection: Connection, along: Any, filters: Filters) -> list[ColumnElement[bool]]:
    """
    Give the filters that are judged row by row, of the log or of a mark; those by time and by mark
    choose the way.
    """
    agency, decision_id, found = along.c.agency, along.c.record_id, []
    if filters.call_id is not None:
        found.append(decisions.c.call_id == filters.call_id)
    if filters.search is not None:
        begins = _begins(connection, filters.search)
        found.append(or_(begins, decision_id == filters.search))
    if filters.fallback is False:
        found.append(~_is_marked(along, decision_marks.FALLBACK, agency))
    if filters.hidden:
        found.append(decision_id.not_in(filters.hidden))
    if filters.reviewed is not None:
        found.append(is_reviewed(agency, decision_id, wanted=filters.reviewed))
    if filters.overridden is not None:
        found.append(is_overridden(agency, decision_id, wanted=filters.overridden))
    return found


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
