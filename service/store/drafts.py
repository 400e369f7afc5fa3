"""
Keep the draft of a ruleset, who saved it, and its approval.

Two persons stand behind every change, by triggers of the database: each write of a draft notes its
author and voids the approval, and an approval is taken only of exactly the draft's content and from
a person who is none of its authors.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    select,
    update,
)

from service.store.database import Instant, metadata, reading

drafts = Table(
    "ruleset_drafts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(64), ForeignKey("agencies.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("digest", String(80), nullable=False),
    Column("base_version", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("form", String(8), nullable=False),
    Column("content", JSON(none_as_null=True)),
    Column("problems", JSON, nullable=False),
    Column("scenarios", JSON, nullable=False),
    Column("saved_by", String(80), nullable=False),
    Column("saved_name", Text, nullable=False),
    Column("saved_at", Instant, nullable=False),
    UniqueConstraint("agency", "name"),
)

# Written by triggers alone: nobody saves a draft without being one of its authors.
saves = Table(
    "ruleset_draft_saves",
    metadata,
    Column("draft_id", String(32), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("identity", String(80), nullable=False),
    Column("name", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("digest", String(80), nullable=False),
)

approvals = Table(
    "ruleset_approvals",
    metadata,
    Column(
        "draft_id",
        String(32),
        ForeignKey("ruleset_drafts.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("revision", Integer, nullable=False),
    Column("digest", String(80), nullable=False),
    Column("approver", String(80), nullable=False),
    Column("approver_name", Text, nullable=False),
    Column("comment", Text),
    Column("accepts", JSON, nullable=False),
    Column("check_id", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("publish_at", Instant),
    Column("publish_by", String(80)),
    Column("publish_name", Text),
    CheckConstraint("approver LIKE 'person:%'", name="approver_is_a_person"),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """
    The one draft of a ruleset.

    `revision` counts its saves from 1. `content` is None where the text cannot be read; `problems`
    are those of the last save. `digest` is of the content and the tables, or of the text alone.
    """

    id: str
    agency: str
    name: str
    revision: int
    digest: str
    base_version: int
    text: str
    form: str
    content: Mapping[str, Any] | None
    problems: Sequence[Mapping[str, Any]]
    scenarios: Sequence[Mapping[str, Any]]
    saved_by: str
    saved_name: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class Save:
    """
    Who saved a draft, and when.
    """

    draft_id: str
    revision: int
    identity: str
    name: str
    at: datetime
    digest: str


@dataclass(frozen=True, slots=True)
class Approval:
    """
    A second person's word for exactly one content of a draft; `publish_at` is when it goes live, if
    that was asked for a time.
    """

    draft_id: str
    revision: int
    digest: str
    approver: str
    approver_name: str
    comment: str | None
    accepts: Sequence[str]
    check_id: str
    at: datetime
    publish_at: datetime | None = None
    publish_by: str | None = None
    publish_name: str | None = None


def new_id() -> str:
    """
    Make an id for a draft.
    """
    return uuid.uuid4().hex


def add(connection: Connection, draft: Draft) -> None:
    """
    Add a draft within the caller's transaction.

    Raises:
        IntegrityError: the ruleset has one already.
    """
    connection.execute(drafts.insert().values(_values(draft)))


def save(connection: Connection, draft: Draft, seen_revision: int) -> bool:
    """
    Write a draft over the one that was seen, within the caller's transaction; False if somebody
    else was first.
    """
    done = connection.execute(
        update(drafts)
        .where(drafts.c.id == draft.id, drafts.c.revision == seen_revision)
        .values(_values(draft))
    )
    return done.rowcount == 1


def find(
    source: Engine | Connection, agency: str, name: str, *, is_held: bool = False
) -> Draft | None:
    """
    Give the draft of an agency's ruleset, or None; held, it is nobody else's until the transaction
    ends.
    """
    if "\0" in name:
        return None  # PostgreSQL takes none to look for
    query = select(drafts).where(drafts.c.agency == agency, drafts.c.name == name)
    rows = _all(source, query.with_for_update() if is_held else query)
    return Draft(**rows[0]._mapping) if rows else None


def find_id(source: Engine | Connection, draft_id: str) -> Draft | None:
    """
    Give a draft by its id, or None: for the workers, who know whose it is.
    """
    rows = _all(source, select(drafts).where(drafts.c.id == draft_id))
    return Draft(**rows[0]._mapping) if rows else None


def of_agency(engine: Engine, agency: str) -> tuple[Draft, ...]:
    """
    Give every draft of an agency, by the name of its ruleset.
    """
    query = select(drafts).where(drafts.c.agency == agency).order_by(drafts.c.name)
    return tuple(Draft(**row._mapping) for row in _all(engine, query))


def remove(connection: Connection, draft_id: str) -> None:
    """
    Throw a draft away within the caller's transaction; who saved it stays known.
    """
    connection.execute(delete(drafts).where(drafts.c.id == draft_id))


def saves_of(source: Engine | Connection, draft_id: str) -> tuple[Save, ...]:
    """
    Give every save of a draft, the first first.
    """
    query = select(saves).where(saves.c.draft_id == draft_id).order_by(saves.c.revision)
    return tuple(Save(**row._mapping) for row in _all(source, query))


def approve(connection: Connection, approval: Approval) -> None:
    """
    Add an approval within the caller's transaction, in place of one that was there.

    Raises:
        IntegrityError: it is of another content, or by an author; the database says so.
    """
    connection.execute(delete(approvals).where(approvals.c.draft_id == approval.draft_id))
    values = {name: getattr(approval, name) for name in Approval.__slots__}
    connection.execute(approvals.insert().values({**values, "accepts": list(approval.accepts)}))


def approval_of(source: Engine | Connection, draft_id: str) -> Approval | None:
    """
    Give the approval of a draft, or None.
    """
    rows = _all(source, select(approvals).where(approvals.c.draft_id == draft_id))
    return Approval(**rows[0]._mapping) if rows else None


def publish_later(connection: Connection, draft_id: str, at: datetime, by: tuple[str, str]) -> bool:
    """
    Let an approved draft be published at a time, by an identity with a name, within the caller's
    transaction; False if it is not approved.
    """
    done = connection.execute(
        update(approvals)
        .where(approvals.c.draft_id == draft_id)
        .values(publish_at=at, publish_by=by[0], publish_name=by[1])
    )
    return done.rowcount == 1


def forget_plan(connection: Connection, draft_id: str) -> None:
    """
    Let an approved draft wait again until somebody publishes it, within the caller's transaction.
    """
    connection.execute(
        update(approvals)
        .where(approvals.c.draft_id == draft_id)
        .values(publish_at=None, publish_by=None, publish_name=None)
    )


def due(engine: Engine, now: datetime, limit: int) -> tuple[tuple[Draft, Approval], ...]:
    """
    Give up to *limit* approved drafts whose time has come, the earliest first.
    """
    query = (
        select(approvals)
        .where(approvals.c.publish_at <= now)
        .order_by(approvals.c.publish_at)
        .limit(limit)
    )
    found = []
    with reading(engine) as connection:
        for row in connection.execute(query).all():
            approval = Approval(**row._mapping)
            draft = find_id(connection, approval.draft_id)
            if draft is not None:
                found.append((draft, approval))
    return tuple(found)


def _values(draft: Draft) -> dict[str, Any]:
    values = {name: getattr(draft, name) for name in Draft.__slots__}
    values |= {name: list(values[name]) for name in ("problems", "scenarios")}
    content = None if draft.content is None else dict(draft.content)
    return {**values, "content": content}


def _all(source: Engine | Connection, query: Any) -> Sequence[Any]:
    if isinstance(source, Connection):
        return source.execute(query).all()
    with reading(source) as connection:
        return connection.execute(query).all()
