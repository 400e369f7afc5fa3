"""
Keep the keys that systems and people call the service with; of a secret only its digest is kept.
"""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Engine,
    ForeignKey,
    String,
    Table,
    Text,
    and_,
    select,
    update,
)

from service.store.cursor import page_of
from service.store.database import Instant, metadata, reading, writing
from service.store.people import people

_PREFIX = "cr_"  # lets a scanner of leaked secrets know ours

keys = Table(
    "keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(64), ForeignKey("agencies.id"), nullable=False, index=True),
    Column("secret_digest", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("person_id", String(32), ForeignKey("people.id")),
    Column("label", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    CheckConstraint("role IN ('dispatch', 'supervisor', 'admin', 'auditor')", name="role"),
)


@dataclass(frozen=True, slots=True)
class Key:
    """
    One key, of a system (`person_id` is None) or of a person.

    `secret_digest` is the SHA-256 of its secret.
    """

    id: str
    agency: str
    secret_digest: str
    role: str
    person_id: str | None
    label: str
    created_at: datetime
    revoked_at: datetime | None = None


def new_key() -> str:
    """
    Make a secret, `cr_` and 43 characters, 256 random bits. It is shown once and never stored.
    """
    return _PREFIX + secrets.token_urlsafe(32)


def new_id() -> str:
    """
    Make an id for a key.
    """
    return uuid.uuid4().hex


def digest(secret: str) -> str:
    """
    Give the SHA-256 by which a key is found; 256 random bits need no slow hash.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def add(connection: Connection, key: Key) -> None:
    """
    Add *key* within the caller's transaction.
    """
    values = {name: getattr(key, name) for name in Key.__slots__}
    connection.execute(keys.insert().values(values))


def create(engine: Engine, key: Key) -> None:
    """
    Add *key* in a transaction of its own.
    """
    with writing(engine) as connection:
        add(connection, key)


def all_keys(engine: Engine) -> tuple[Key, ...]:
    """
    Give every key that works, of every agency: what a process holds to judge requests by.

    A revoked key is left out, and so is one of a person who is disabled.
    """
    works = and_(keys.c.revoked_at.is_(None), people.c.disabled_at.is_(None))
    owned = keys.outerjoin(people, keys.c.person_id == people.c.id)
    with reading(engine) as connection:
        rows = connection.execute(
            select(keys).select_from(owned).where(works).order_by(keys.c.id)
        ).all()
    return tuple(Key(**row._mapping) for row in rows)


def owners(engine: Engine) -> dict[str, str]:
    """
    Give the name of everybody who has a key, by their id.
    """
    owned = keys.join(people, keys.c.person_id == people.c.id)
    query = select(people.c.id, people.c.name).select_from(owned).distinct()
    with reading(engine) as connection:
        return {row.id: row.name for row in connection.execute(query)}


def of_agency(engine: Engine, agency: str) -> tuple[Key, ...]:
    """
    Give the keys of an agency, revoked ones too, the newest first.
    """
    with reading(engine) as connection:
        rows = connection.execute(
            select(keys)
            .where(keys.c.agency == agency)
            .order_by(keys.c.created_at.desc(), keys.c.id)
        ).all()
    return tuple(Key(**row._mapping) for row in rows)


def page(
    engine: Engine, agency: str, cursor: str | None = None, limit: int = 50
) -> tuple[tuple[Key, ...], str | None]:
    """
    Give up to *limit* keys of an agency, ended ones too, the newest first, and the cursor of the
    next page.

    Raises:
        CursorError: the cursor is not one that a page gave.
    """
    query = select(keys).where(keys.c.agency == agency)
    found, following = page_of(engine, query, (keys.c.created_at, keys.c.id), cursor, limit)
    return tuple(Key(**row._mapping) for row in found), following


def end(connection: Connection, agency: str, key_id: str, at: datetime) -> bool:
    """
    End a key within the caller's transaction; False if the agency has no such key that still works.
    """
    done = connection.execute(
        update(keys)
        .where(keys.c.id == key_id, keys.c.agency == agency, keys.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    return done.rowcount == 1


def end_all_of(connection: Connection, person_id: str, at: datetime) -> int:
    """
    End every key of a person within the caller's transaction, and count them.
    """
    done = connection.execute(
        update(keys)
        .where(keys.c.person_id == person_id, keys.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    return done.rowcount


def revoke(engine: Engine, agency: str, key_id: str, at: datetime) -> bool:
    """
    End a key; False if the agency has no such key that still works.
    """
    with writing(engine) as connection:
        return end(connection, agency, key_id, at)
