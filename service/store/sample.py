"""
Keep the tickets of the random sample: one for each call, in the week of its first decision.

The sample of a week is its calls with the lowest tickets; `service/reviewing/sample.py` says how
many and how a ticket is made.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    Row,
    String,
    Table,
    Text,
    and_,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from service.erased import erased_call
from service.store.database import metadata, reading
from service.store.decisions import decisions
from service.store.reviews import reviews

tickets = Table(
    "sample_tickets",
    metadata,
    Column("agency", String(64), primary_key=True),
    Column("call_id", Text, primary_key=True),
    Column("week", String(8), nullable=False),
    Column("ticket", String(64), nullable=False),
    Column("decision_id", String(200), nullable=False),
    Index("ix_sample_tickets_agency_week_ticket", "agency", "week", "ticket"),
)


@dataclass(frozen=True, slots=True)
class Ticket:
    """
    The ticket of one call, 64 hexadecimal digits; the review is of its first decision. `week` is
    such as 2026-W47.
    """

    agency: str
    call_id: str
    week: str
    ticket: str
    decision_id: str


@dataclass(frozen=True, slots=True)
class First:
    """
    The first decision of a call.
    """

    call_id: str
    decision_id: str
    decided_at: datetime


def add(connection: Connection, given: Sequence[Ticket]) -> None:
    """
    Keep tickets within the caller's transaction; a call that has one keeps it.
    """
    if not given:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    rows = [{name: getattr(one, name) for name in Ticket.__slots__} for one in given]
    insert = dialect.insert(tickets).on_conflict_do_nothing(index_elements=["agency", "call_id"])
    connection.execute(insert, rows)


def count(connection: Connection, agency: str, week: str) -> int:
    """
    Count the calls of a week.
    """
    query = select(func.count()).where(tickets.c.agency == agency, tickets.c.week == week)
    return int(connection.execute(query).scalar_one())


def lowest(connection: Connection, agency: str, week: str, limit: int) -> tuple[Ticket, ...]:
    """
    Give the calls of a week with the lowest tickets, the lowest first.
    """
    query = (
        select(tickets)
        .where(tickets.c.agency == agency, tickets.c.week == week)
        .order_by(tickets.c.ticket, tickets.c.call_id)
        .limit(limit)
    )
    return tuple(_ticket(row) for row in connection.execute(query))


def calls_reviewed(connection: Connection, agency: str, week: str) -> tuple[str, ...]:
    """
    Give the ids of the calls that have a review in the sample of a week.
    """
    query = (
        select(reviews.c.call_id)
        .join(
            tickets,
            and_(tickets.c.agency == reviews.c.agency, tickets.c.call_id == reviews.c.call_id),
        )
        .where(reviews.c.agency == agency, reviews.c.is_sample, tickets.c.week == week)
    )
    return tuple(connection.execute(query).scalars())


def of_week(engine: Engine, agency: str, week: str) -> tuple[Ticket, ...]:
    """
    Give every ticket of a week, the lowest first.
    """
    with reading(engine) as connection:
        return lowest(connection, agency, week, 2**31 - 1)


def firsts_of(connection: Connection, agency: str, call_ids: Collection[str]) -> tuple[First, ...]:
    """
    Give the first decision of each of these calls.
    """
    query = select(decisions.c.call_id, decisions.c.record_id, decisions.c.decided_at).where(
        decisions.c.agency == agency, decisions.c.call_id.in_(call_ids)
    )
    # Put in order here: asked to, SQLite walks the agency's whole log in that order instead.
    found = [First(*row) for row in connection.execute(query)]
    found.sort(key=lambda one: (one.decided_at, one.decision_id), reverse=True)
    # The earliest comes last, and stays.
    return tuple({one.call_id: one for one in found}.values())


def calls_between(engine: Engine, agency: str, since: datetime, until: datetime) -> tuple[str, ...]:
    """
    Give the ids of the calls whose first decision lies between two times; *since* counts in.
    """
    first = func.min(decisions.c.decided_at)
    query = (
        select(decisions.c.call_id)
        .where(
            decisions.c.agency == agency,
            decisions.c.decided_at < until,
            ~decisions.c.call_id.startswith(erased_call("")),
        )
        .group_by(decisions.c.call_id)
        .having(first >= since)
    )
    with reading(engine) as connection:
        return tuple(connection.execute(query).scalars())


def _ticket(row: Row[Any]) -> Ticket:
    return Ticket(**row._mapping)
