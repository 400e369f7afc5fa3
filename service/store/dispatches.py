"""
Keep what dispatchers report was really sent, as the journals of the hosts sent it.

A decision can have several reports, because what was sent can change: the latest counts. A report
may be stored before its decision.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Engine,
    Index,
    Row,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    exists,
    select,
    tuple_,
)

from service.store.database import Instant, Recorded, metadata, reading
from service.store.decision_fields import instant, instant_or_none
from service.store.sealed import sealed_index

dispatches = Table(
    "dispatches",
    metadata,
    Column("record_id", String(200), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("decision_id", String(200), nullable=False),
    Column("call_id", Text, nullable=False),
    Column("host_id", String(64), nullable=False),
    Column("journal_number", BigInteger, nullable=False),
    Column("reported_at", Instant, nullable=False),
    Column("responders", Recorded(list), nullable=False),
    Column("override", Boolean, nullable=False),
    Column("released", Recorded(list), nullable=False),
    Column("reason", String(60)),
    Column("call_back_at", Instant),
    Column("by_key", String(64)),
    Column("by_person", String(64)),
    Column("fingerprint", Text),
    Column("body", Recorded(), nullable=False),
    Column("stored_at", Instant, nullable=False),
    UniqueConstraint("host_id", "journal_number"),
    Index(
        "ix_dispatches_agency_decision_id_reported_at_record_id",
        *("agency", "decision_id", "reported_at", "record_id"),
    ),
    Index("ix_dispatches_agency_override_decision_id", "agency", "override", "decision_id"),
    Index("ix_dispatches_stored_at", "stored_at"),
    sealed_index("dispatches", "reported_at"),
)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """
    Hold one stored report; the comment in `body` is sealed.
    """

    record_id: str
    agency: str
    decision_id: str
    call_id: str
    host_id: str
    journal_number: int
    reported_at: datetime
    responders: tuple[str, ...]
    override: bool
    released: tuple[str, ...]
    reason: str | None
    call_back_at: datetime | None
    by_key: str | None
    by_person: str | None
    fingerprint: str | None
    body: dict[str, Any]
    stored_at: datetime


def fields_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """
    Give the columns of a report, `stored_at` left out, from a journal's record.

    Raises:
        KeyError, TypeError, ValueError: it lacks what makes it a report.
    """
    body = record["body"]
    answer, by = body["answer"], body.get("by") or {}
    return {
        "record_id": record["record_id"],
        "agency": record["agency"],
        "decision_id": answer["decision_id"],
        "call_id": record["call_id"],
        "host_id": record["host_id"],
        "journal_number": int(record["number"]),
        "reported_at": instant(record["decided_at"]),
        "responders": [str(kind) for kind in answer["responders"]],
        "override": bool(answer["override"]),
        "released": [str(kind) for kind in answer["released"]],
        "reason": answer["reason"],
        "call_back_at": instant_or_none(answer["call_back_at"]),
        "by_key": by.get("key"),
        "by_person": by.get("person"),
        "fingerprint": record.get("fingerprint"),
        "body": body,
    }


def of_decisions(
    engine: Engine, agency: str, decision_ids: Collection[str]
) -> tuple[Dispatch, ...]:
    """
    Give every report about these decisions of an agency, the earliest first.
    """
    query = (
        select(dispatches)
        .where(dispatches.c.agency == agency, dispatches.c.decision_id.in_(decision_ids))
        .order_by(dispatches.c.reported_at, dispatches.c.record_id)
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return tuple(_dispatch(row) for row in rows)


def latest(engine: Engine, agency: str, decision_ids: Collection[str]) -> dict[str, Dispatch]:
    """
    Give the latest report about each of these decisions that has one, by the decision's id.
    """
    if not decision_ids:
        return {}
    query = select(dispatches).where(
        dispatches.c.agency == agency,
        dispatches.c.decision_id.in_(decision_ids),
        _is_latest(dispatches),
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return {row.decision_id: _dispatch(row) for row in rows}


def ids_with_override(agency: str) -> Select[tuple[str]]:
    """
    Select the decisions of which any report, the latest or not, says that something else was sent.
    """
    return (
        select(dispatches.c.decision_id)
        .where(dispatches.c.agency == agency, dispatches.c.override.is_(True))
        .distinct()
    )


def is_overridden(
    agency: ColumnElement[str], decision_id: ColumnElement[str], *, wanted: bool
) -> ColumnElement[bool]:
    """
    Give the condition that the latest report about a decision says (*wanted*) or denies that
    something else was sent. It does not hold where nothing is reported.
    """
    reported = dispatches.alias("reported")
    return exists().where(
        reported.c.agency == agency,
        reported.c.decision_id == decision_id,
        reported.c.override.is_(wanted),
        _is_latest(reported),
    )


def _is_latest(reported: Any) -> ColumnElement[bool]:
    later = dispatches.alias("later")
    return ~exists().where(
        later.c.agency == reported.c.agency,
        later.c.decision_id == reported.c.decision_id,
        tuple_(later.c.reported_at, later.c.record_id)
        > tuple_(reported.c.reported_at, reported.c.record_id),
    )


def _dispatch(row: Row[Any]) -> Dispatch:
    values = dict(row._mapping)
    values["responders"], values["released"] = tuple(row.responders), tuple(row.released)
    return Dispatch(**values)
