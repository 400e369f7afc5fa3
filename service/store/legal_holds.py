"""
Keep legal holds: what stops purge and erasure of one call, or of everything of an agency, and whose
it is.

A hold is lifted and never removed. `matter` and the reasons are sealed.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Index,
    String,
    Table,
    Text,
    exists,
    or_,
    select,
    update,
)

from service.store.cursor import page_of
from service.store.database import Instant, metadata, reading

holds = Table(
    "legal_holds",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("call_id", Text),
    Column("authority", Text, nullable=False),
    Column("matter", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("placed_by", String(80), nullable=False),
    Column("placed_name", Text, nullable=False),
    Column("placed_at", Instant, nullable=False),
    Column("lifted_by", String(80)),
    Column("lifted_name", Text),
    Column("lifted_at", Instant),
    Column("lift_reason", Text),
    Index("ix_legal_holds_agency_placed_at_id", "agency", "placed_at", "id"),
)


@dataclass(frozen=True, slots=True)
class LegalHold:
    """
    One hold; `call_id` is None where it is on everything of the agency.
    """

    id: str
    agency: str
    call_id: str | None
    authority: str
    matter: str
    reason: str
    placed_by: str
    placed_name: str
    placed_at: datetime
    lifted_by: str | None = None
    lifted_name: str | None = None
    lifted_at: datetime | None = None
    lift_reason: str | None = None


def new_id() -> str:
    """
    Make an id for a hold.
    """
    return uuid.uuid4().hex


def add(connection: Connection, hold: LegalHold) -> None:
    """
    Add *hold* within the caller's transaction.
    """
    values = {name: getattr(hold, name) for name in LegalHold.__slots__}
    connection.execute(holds.insert().values(values))


def lift(
    connection: Connection, hold: tuple[str, str], by: tuple[str, str], why: str, at: datetime
) -> bool:
    """
    Lift a hold, named by its agency and id, by an identity with a name, within the caller's
    transaction; False if it stands no more.
    """
    agency, hold_id = hold
    done = connection.execute(
        update(holds)
        .where(holds.c.agency == agency, holds.c.id == hold_id, holds.c.lifted_at.is_(None))
        .values(lifted_by=by[0], lifted_name=by[1], lifted_at=at, lift_reason=why)
    )
    return done.rowcount == 1


def find(source: Connection, agency: str, hold_id: str) -> LegalHold | None:
    """
    Give a hold of this agency, or None.
    """
    query = select(holds).where(holds.c.agency == agency, holds.c.id == hold_id)
    row = source.execute(query).one_or_none()
    return LegalHold(**row._mapping) if row else None


def standing(source: Connection, agency: str, call_id: str) -> tuple[LegalHold, ...]:
    """
    Give the holds that stand on a call, those on everything among them, the earliest first.
    """
    query = select(holds).where(holds.c.agency == agency, _stands_on(call_id))
    rows = source.execute(query.order_by(holds.c.placed_at, holds.c.id))
    return tuple(LegalHold(**row._mapping) for row in rows)


def is_held(agency: ColumnElement[str], call_id: ColumnElement[str]) -> ColumnElement[bool]:
    """
    Give the condition that a hold stands on a call.
    """
    return exists().where(holds.c.agency == agency, _stands_on(call_id))


def may_be_held(agency: ColumnElement[Any], call_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """
    Give the condition that a hold stands on what may have no agency or no call: then any hold that
    could be on it counts.
    """
    is_of_agency = agency.is_(None) | (holds.c.agency == agency)
    is_of_call = holds.c.call_id.is_(None) | call_id.is_(None) | (holds.c.call_id == call_id)
    return exists().where(holds.c.lifted_at.is_(None), is_of_agency, is_of_call)


def _stands_on(call_id: Any) -> ColumnElement[bool]:
    return holds.c.lifted_at.is_(None) & or_(holds.c.call_id.is_(None), holds.c.call_id == call_id)


def any_stands(engine: Engine) -> bool:
    """
    Tell whether a hold stands on anything of any agency.
    """
    query = select(holds.c.id).where(holds.c.lifted_at.is_(None)).limit(1)
    with reading(engine) as connection:
        return connection.execute(query).first() is not None


def held_calls(engine: Engine, agency: str) -> Collection[str] | None:
    """
    Give the calls of an agency that are held; None where everything of it is.
    """
    query = select(holds.c.call_id).where(holds.c.agency == agency, holds.c.lifted_at.is_(None))
    with reading(engine) as connection:
        found = set(connection.execute(query).scalars())
    return None if None in found else {one for one in found if one is not None}


def page(
    engine: Engine, agency: str, cursor: str | None, limit: int
) -> tuple[tuple[LegalHold, ...], str | None]:
    """
    Give holds of an agency, the newest first, lifted ones too, and the cursor of the next page.

    Raises:
        CursorError: the cursor is not one that a page gave.
    """
    query = select(holds).where(holds.c.agency == agency)
    found, following = page_of(engine, query, (holds.c.placed_at, holds.c.id), cursor, limit)
    return tuple(LegalHold(**row._mapping) for row in found), following
