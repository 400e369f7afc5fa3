"""
Keep decision records, as the journals of the hosts sent them.

A record comes as often as it likes and is stored once. Nothing here changes a record that is
stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
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
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import StatementError

from service.store.database import Instant, dump_json, metadata, reading, writing
from service.store.decision_fields import Cursor, Filters, fields_of, read_cursor, write_cursor

_KIND = "decision"

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
)

# The same record id written by another host, or again by the same: one request told twice. It is
# kept, so that no number of a journal is missing, and counted nowhere.
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


@dataclass(frozen=True, slots=True)
class Refused:
    """
    A record that the database will never take as it is, and the kind of error it gave.
    """

    record_id: str
    reason: str


def insert(
    engine: Engine, records: Sequence[Mapping[str, Any]], at: datetime
) -> tuple[int, tuple[Refused, ...]]:
    """
    Store records of journals, all in one transaction; those that are there already change nothing.

    Each record is the fields of a journal's `Record` as a mapping; *at* is kept as `stored_at`.

    Returns:
        How many were new, and which ones can never be stored as they are: they stay in their
        journal.

    Raises:
        StoreUnavailableError: nothing was stored.
    """
    refused = [
        Refused(str(record.get("record_id")), "the kind of record is not known")
        for record in records
        if record.get("kind") != _KIND
    ]
    rows = []
    for record in (record for record in records if record.get("kind") == _KIND):
        try:
            rows.append({**fields_of(record), "stored_at": at})
        except (KeyError, TypeError, ValueError) as error:
            refused.append(Refused(str(record.get("record_id")), type(error).__name__))
    try:
        return _insert(engine, rows), tuple(refused)
    except (StatementError, ValueError):
        # One record that the database refuses must not keep the others of its batch out for ever.
        count = 0
    for row in rows:
        try:
            count += _insert(engine, [row])
        except (StatementError, ValueError) as error:
            refused.append(Refused(row["record_id"], type(error).__name__))
    return count, tuple(refused)


def _insert(engine: Engine, rows: list[dict[str, Any]]) -> int:
    if not rows:
        return 0
    with writing(engine) as connection:
        ids = [row["record_id"] for row in rows]
        before = _places(connection, ids)
        _insert_new(connection, decisions, rows, ["record_id"])
        after = _places(connection, ids)
        again = [row for row in rows if after[row["record_id"]] != _place(row)]
        if again:
            kept = [{column.name: row[column.name] for column in repeats.c} for row in again]
            _insert_new(connection, repeats, kept, ["host_id", "journal_number"])
    return len(after) - len(before)


def _insert_new(
    connection: Connection, table: Table, rows: list[dict[str, Any]], key: list[str]
) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).on_conflict_do_nothing(index_elements=key), rows)


def _place(row: Mapping[str, Any]) -> tuple[str, int]:
    return row["host_id"], row["journal_number"]


def _places(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, int]]:
    rows = connection.execute(
        select(decisions.c.record_id, decisions.c.host_id, decisions.c.journal_number).where(
            decisions.c.record_id.in_(ids)
        )
    )
    return {record_id: (host_id, number) for record_id, host_id, number in rows}


def stored_ids(engine: Engine, ids: Sequence[str]) -> set[str]:
    """
    Tell which of these record ids are in the store.
    """
    if not ids:
        return set()
    with reading(engine) as connection:
        rows = connection.execute(
            select(decisions.c.record_id).where(decisions.c.record_id.in_(ids))
        )
        return set(rows.scalars())


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
            < tuple_(literal(last.decided_at, Instant), literal(last.record_id, String))
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
