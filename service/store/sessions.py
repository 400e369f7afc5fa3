"""
Keep who is signed in, and the sign-ins that failed.

A session is found by the digest of its token; the token itself is only in the browser's cookie.
"""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Select,
    String,
    Table,
    delete,
    func,
    or_,
    select,
    update,
)

from service.store.database import Instant, metadata, reading, writing
from service.store.people import people

sessions = Table(
    "sessions",
    metadata,
    Column("token_digest", String(64), primary_key=True),
    Column("person_id", String(32), ForeignKey("people.id"), nullable=False, index=True),
    Column("agency", String(64), ForeignKey("agencies.id"), nullable=False),
    Column("role", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("is_whole", Boolean, nullable=False),
    Column("address", String(64)),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ended_at", Instant),
)

failures = Table(
    "sign_in_failures",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_sign_in_failures_account_at", "account", "at"),
    Index("ix_sign_in_failures_address_at", "address", "at"),
)


@dataclass(frozen=True, slots=True)
class Session:
    """
    One sign-in. `is_whole` is False while something is still owed (a code, a new password): such a
    session opens the sign-in pages only. `role` and `name` are the person's when it was read.
    """

    token_digest: str
    person_id: str
    agency: str
    role: str
    name: str
    is_whole: bool
    address: str | None
    started_at: datetime
    seen_at: datetime
    ended_at: datetime | None = None


def new_token() -> str:
    """
    Make a token of 256 random bits.
    """
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """
    Give the SHA-256 by which a session is found.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def add(connection: Connection, session: Session) -> None:
    """
    Add *session* within the caller's transaction.
    """
    values = {name: getattr(session, name) for name in Session.__slots__}
    connection.execute(sessions.insert().values(values))


def find(engine: Engine, token_digest: str) -> Session | None:
    """
    Give the session that has not ended, with the role that its person has now, or None.

    A person who is disabled has no session.
    """
    with reading(engine) as connection:
        row = connection.execute(
            _of_people().where(sessions.c.token_digest == token_digest)
        ).one_or_none()
    return Session(**row._mapping) if row else None


def all_open(engine: Engine, *, started_after: datetime) -> tuple[Session, ...]:
    """
    Give every session that has not ended: what a process holds for when the store is away.
    """
    query = _of_people().where(sessions.c.started_at > started_after)
    with reading(engine) as connection:
        return tuple(Session(**row._mapping) for row in connection.execute(query))


def touch(engine: Engine, token_digest: str, at: datetime) -> None:
    """
    Note that a session was used.
    """
    with writing(engine) as connection:
        connection.execute(
            update(sessions).where(sessions.c.token_digest == token_digest).values(seen_at=at)
        )


def end(connection: Connection, token_digest: str, at: datetime) -> bool:
    """
    End a session within the caller's transaction; False if it had ended.
    """
    done = connection.execute(
        update(sessions)
        .where(sessions.c.token_digest == token_digest, sessions.c.ended_at.is_(None))
        .values(ended_at=at)
    )
    return done.rowcount == 1


def end_all(connection: Connection, person_id: str, at: datetime) -> int:
    """
    End every session of a person within the caller's transaction, and count them.
    """
    done = connection.execute(
        update(sessions)
        .where(sessions.c.person_id == person_id, sessions.c.ended_at.is_(None))
        .values(ended_at=at)
    )
    return done.rowcount


def note_failure(engine: Engine, account: str, address: str, at: datetime) -> None:
    """
    Note a sign-in that failed; *account* is the digest of the e-mail address that was typed.
    """
    with writing(engine) as connection:
        connection.execute(
            failures.insert().values(id=uuid.uuid4().hex, account=account, address=address, at=at)
        )


def count_failures(engine: Engine, account: str, address: str, since: datetime) -> tuple[int, int]:
    """
    Count the sign-ins that failed since then: for the account, and from the address.
    """
    query = select(
        func.count().filter(failures.c.account == account),
        func.count().filter(failures.c.address == address),
    ).where(
        failures.c.at > since,
        or_(failures.c.account == account, failures.c.address == address),
    )
    with reading(engine) as connection:
        of_account, of_address = connection.execute(query).one()
    return int(of_account), int(of_address)


def forget_failures(connection: Connection, account: str) -> None:
    """
    Forget the failures of an account within the caller's transaction: its person is in.
    """
    connection.execute(delete(failures).where(failures.c.account == account))


def _of_people() -> Select[Any]:
    columns = [one for one in sessions.c if one.name not in ("role", "name")]
    joined = sessions.join(people, sessions.c.person_id == people.c.id)
    return (
        select(*columns, people.c.role, people.c.name)
        .select_from(joined)
        .where(sessions.c.ended_at.is_(None), people.c.disabled_at.is_(None))
    )
