"""
Keep what somebody asked to be erased, who confirmed it, and which hosts have done it.

That the two are two people, and that no legal hold stands, is a matter of the database too: see
migration 0010. `reason` is sealed.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Engine,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    exists,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from service.store.cursor import page_of
from service.store.database import Instant, metadata, reading

erasures = Table(
    "erasures",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("call_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", String(80), nullable=False),
    Column("asked_name", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("confirmed_by", String(80)),
    Column("confirmed_name", Text),
    Column("confirmed_at", Instant),
    Column("withdrawn_by", String(80)),
    Column("withdrawn_name", Text),
    Column("withdrawn_at", Instant),
    CheckConstraint("asked_by LIKE 'person:%'", name="asked_by_a_person"),
    CheckConstraint(
        "confirmed_by IS NULL OR (confirmed_by <> asked_by AND confirmed_by LIKE 'person:%')",
        name="two_persons",
    ),
    CheckConstraint("confirmed_by IS NULL OR withdrawn_by IS NULL", name="one_end"),
    Index("ix_erasures_agency_asked_at_id", "agency", "asked_at", "id"),
    Index("ix_erasures_confirmed_at", "confirmed_at"),
)

# Which host has erased it from its own journal, and when.
on_hosts = Table(
    "erasures_on_hosts",
    metadata,
    Column("erasure_id", String(32), primary_key=True),
    Column("host_id", String(64), primary_key=True),
    Column("records", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    ForeignKeyConstraint(["erasure_id"], ["erasures.id"]),
)


@dataclass(frozen=True, slots=True)
class Erasure:
    """
    One request to erase a call: asked for, then confirmed or withdrawn.
    """

    id: str
    agency: str
    call_id: str
    reason: str
    asked_by: str
    asked_name: str
    asked_at: datetime
    confirmed_by: str | None = None
    confirmed_name: str | None = None
    confirmed_at: datetime | None = None
    withdrawn_by: str | None = None
    withdrawn_name: str | None = None
    withdrawn_at: datetime | None = None

    @property
    def state(self) -> str:
        """
        Say where it stands: `asked`, `confirmed` or `withdrawn`.
        """
        if self.confirmed_at is not None:
            return "confirmed"
        return "asked" if self.withdrawn_at is None else "withdrawn"


@dataclass(frozen=True, slots=True)
class OnHost:
    """
    That a host has erased a call from its journal: how many records, and when.
    """

    erasure_id: str
    host_id: str
    records: int
    at: datetime


def new_id() -> str:
    """
    Make an id for an erasure.
    """
    return uuid.uuid4().hex


def add(connection: Connection, erasure: Erasure) -> None:
    """
    Add *erasure* within the caller's transaction.

    Raises:
        IntegrityError: it is not asked for by a person, or a legal hold stands.
    """
    values = {name: getattr(erasure, name) for name in Erasure.__slots__}
    connection.execute(erasures.insert().values(values))


def find(connection: Connection, agency: str, erasure_id: str) -> Erasure | None:
    """
    Give an erasure of this agency within the caller's transaction, and let nobody else change it
    until that ends; None if there is none.
    """
    query = select(erasures).where(erasures.c.agency == agency, erasures.c.id == erasure_id)
    row = connection.execute(query.with_for_update()).one_or_none()
    return Erasure(**row._mapping) if row else None


def open_of_call(connection: Connection, agency: str, call_id: str) -> Erasure | None:
    """
    Give the request for a call that waits for a second person, or None.
    """
    query = select(erasures).where(
        erasures.c.agency == agency,
        erasures.c.call_id == call_id,
        erasures.c.confirmed_at.is_(None),
        erasures.c.withdrawn_at.is_(None),
    )
    row = connection.execute(query.limit(1)).first()
    return Erasure(**row._mapping) if row else None


def confirm(connection: Connection, erasure_id: str, by: tuple[str, str], at: datetime) -> None:
    """
    Confirm an erasure by an identity with a name, within the caller's transaction.

    Raises:
        IntegrityError: by the one who asked, by no person, or while a legal hold stands.
    """
    connection.execute(
        update(erasures)
        .where(erasures.c.id == erasure_id)
        .values(confirmed_by=by[0], confirmed_name=by[1], confirmed_at=at)
    )


def withdraw(connection: Connection, erasure_id: str, by: tuple[str, str], at: datetime) -> None:
    """
    Withdraw an erasure that nobody has confirmed, within the caller's transaction.
    """
    connection.execute(
        update(erasures)
        .where(erasures.c.id == erasure_id)
        .values(withdrawn_by=by[0], withdrawn_name=by[1], withdrawn_at=at)
    )


def confirmed(engine: Engine, limit: int) -> tuple[Erasure, ...]:
    """
    Give the erasures of every agency that are confirmed, the newest first.
    """
    query = select(erasures).where(erasures.c.confirmed_at.is_not(None))
    query = query.order_by(erasures.c.confirmed_at.desc()).limit(limit)
    with reading(engine) as connection:
        return tuple(Erasure(**row._mapping) for row in connection.execute(query))


def not_done_on(engine: Engine, host_id: str, limit: int) -> tuple[Erasure, ...]:
    """
    Give the confirmed erasures that a host has not done yet, the earliest first.
    """
    is_done = exists().where(on_hosts.c.erasure_id == erasures.c.id, on_hosts.c.host_id == host_id)
    query = select(erasures).where(erasures.c.confirmed_at.is_not(None), ~is_done)
    query = query.order_by(erasures.c.confirmed_at).limit(limit)
    with reading(engine) as connection:
        return tuple(Erasure(**row._mapping) for row in connection.execute(query))


def note_done(connection: Connection, done: OnHost) -> None:
    """
    Note within the caller's transaction that a host has done an erasure; a second time changes
    nothing.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {name: getattr(done, name) for name in OnHost.__slots__}
    connection.execute(dialect.insert(on_hosts).values(values).on_conflict_do_nothing())


def hosts_of(engine: Engine, erasure_ids: Collection[str]) -> dict[str, tuple[OnHost, ...]]:
    """
    Give which hosts have done each of these erasures, by the erasure's id, the earliest first.
    """
    query = select(on_hosts).where(on_hosts.c.erasure_id.in_(erasure_ids)).order_by(on_hosts.c.at)
    found: dict[str, tuple[OnHost, ...]] = {}
    with reading(engine) as connection:
        for row in connection.execute(query):
            found[row.erasure_id] = (*found.get(row.erasure_id, ()), OnHost(**row._mapping))
    return found


def page(
    engine: Engine, agency: str, cursor: str | None, limit: int
) -> tuple[tuple[Erasure, ...], str | None]:
    """
    Give erasures of an agency, the newest first, and the cursor of the next page.

    Raises:
        CursorError: the cursor is not one that a page gave.
    """
    query = select(erasures).where(erasures.c.agency == agency)
    found, following = page_of(engine, query, (erasures.c.asked_at, erasures.c.id), cursor, limit)
    return tuple(Erasure(**row._mapping) for row in found), following
