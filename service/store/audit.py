"""
Keep the audit trail: who did what, when, to what, and from where.

Entries are only ever added. Nothing here changes or removes one, and triggers of the database
refuse it to everybody else.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    String,
    Table,
    Text,
    select,
)

from service.access import Actor
from service.store import chain
from service.store.cursor import page_of
from service.store.database import Instant, Recorded, metadata, reading, writing

LATELY_ENTRIES = 2_000  # of which a filter offers the acts and kinds

audit = Table(
    "audit",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("identity", String(80), nullable=False),
    Column("name", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("address", String(64)),
    Column("act", String(60), nullable=False),
    Column("subject_kind", String(40), nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("detail", Recorded(), nullable=False),
    Index("ix_audit_agency_at_id", "agency", "at", "id"),
    Index("ix_audit_agency_subject_id", "agency", "subject_id"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One entry. `act` is a short verb in the past (`signed in`, `read`, `published`), `subject_kind`
    what it was done to (`person`, `decision`, `ruleset`). `detail` never holds words of a call or a
    secret.
    """

    id: str
    agency: str
    at: datetime
    identity: str
    name: str
    role: str
    address: str | None
    act: str
    subject_kind: str
    subject_id: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Search:
    """
    Say which entries a list holds: all that meet every member that is not None.

    `who` is an identity, or a piece of a name; `since` counts in, `until` does not.
    """

    since: datetime | None = None
    until: datetime | None = None
    who: str | None = None
    act: str | None = None
    subject_kind: str | None = None
    subject_id: str | None = None


def entry_of(
    actor: Actor, act: str, subject: tuple[str, str], at: datetime, detail: Mapping[str, Any]
) -> Entry:
    """
    Make an entry; *subject* is its kind and id.
    """
    return Entry(
        id=uuid.uuid4().hex,
        agency=actor.agency,
        at=at,
        identity=actor.identity,
        name=actor.name,
        role=actor.role,
        address=actor.address,
        act=act,
        subject_kind=subject[0],
        subject_id=subject[1],
        detail=detail,
    )


def add(connection: Connection, entry: Entry) -> None:
    """
    Add *entry* within the caller's transaction, so that a change and its entry stand or fall
    together.
    """
    values = {name: getattr(entry, name) for name in Entry.__slots__}
    values["detail"] = dict(entry.detail)
    connection.execute(audit.insert().values(values))
    chain.add(connection, "audit", [values], entry.at)


def create(engine: Engine, entry: Entry) -> None:
    """
    Add *entry* in a transaction of its own.
    """
    with writing(engine) as connection:
        add(connection, entry)


def who_did(
    connection: Connection,
    agency: str,
    subject: tuple[str, str],
    *,
    acts: Collection[str],
    since: datetime,
) -> frozenset[str]:
    """
    Give the identities of those who did one of these acts to *subject* since then.
    """
    query = select(audit.c.identity).where(
        audit.c.agency == agency,
        audit.c.act.in_(acts),
        audit.c.subject_kind == subject[0],
        audit.c.subject_id == subject[1],
        audit.c.at >= since,
    )
    return frozenset(connection.execute(query).scalars())


def done_lately(engine: Engine, agency: str) -> tuple[tuple[str, str], ...]:
    """
    Give each act and kind of subject that are together in one of an agency's newest entries.
    """
    newest = (
        select(audit.c.act, audit.c.subject_kind)
        .where(audit.c.agency == agency)
        .order_by(audit.c.at.desc(), audit.c.id.desc())
        .limit(LATELY_ENTRIES)
        .subquery()
    )
    query = select(newest.c.act, newest.c.subject_kind).distinct()
    with reading(engine) as connection:
        return tuple((row.act, row.subject_kind) for row in connection.execute(query))


def page(
    engine: Engine, agency: str, search: Search, cursor: str | None = None, limit: int = 50
) -> tuple[tuple[Entry, ...], str | None]:
    """
    Give up to *limit* entries of an agency, the newest first, and the cursor of the next page.

    Raises:
        CursorError: the cursor is not one that a page gave.
    """
    query = select(audit).where(audit.c.agency == agency)
    for column, value in (
        (audit.c.act, search.act),
        (audit.c.subject_kind, search.subject_kind),
        (audit.c.subject_id, search.subject_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if search.since is not None:
        query = query.where(audit.c.at >= search.since)
    if search.until is not None:
        query = query.where(audit.c.at < search.until)
    if search.who is not None:
        has_name = audit.c.name.icontains(search.who, autoescape=True)
        query = query.where((audit.c.identity == search.who) | has_name)
    found, following = page_of(engine, query, (audit.c.at, audit.c.id), cursor, limit)
    return tuple(Entry(**row._mapping) for row in found), following
