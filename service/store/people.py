"""
Keep the people of an agency, their one role and the hash of their password.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Engine,
    ForeignKey,
    String,
    Table,
    Text,
    func,
    or_,
    select,
    update,
)

from service.store.database import Instant, metadata, reading, writing

ROLES = ("dispatch", "supervisor", "admin", "auditor")

people = Table(
    "people",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(64), ForeignKey("agencies.id"), nullable=False, index=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("password_changed_at", Instant),
    Column("must_change_password", Boolean, nullable=False),
    Column("totp_secret", Text),
    Column("totp_required", Boolean, nullable=False),
    Column("totp_last_step", BigInteger),
    CheckConstraint("role IN ('dispatch', 'supervisor', 'admin', 'auditor')", name="role"),
)

_HASHER = PasswordHasher()  # its defaults; they travel with each hash


@dataclass(frozen=True, slots=True)
class Person:
    """
    One person; signs in with the e-mail address, which is kept in lower case.

    `totp_secret` is sealed for the person's id, None until an authenticator was set up;
    `totp_last_step` is the last time step whose code was taken, so that none is taken twice.
    """

    id: str
    agency: str
    email: str
    name: str
    role: str
    password_hash: str = field(repr=False)
    created_at: datetime
    disabled_at: datetime | None = None
    password_changed_at: datetime | None = None
    must_change_password: bool = False
    totp_secret: str | None = field(default=None, repr=False)
    totp_required: bool = False
    totp_last_step: int | None = None


def new_id() -> str:
    """
    Make an id for a person.
    """
    return uuid.uuid4().hex


def hash_password(password: str) -> str:
    """
    Hash *password* with argon2id. It takes about 0.2 s and 64 MiB: bound how many run at once.
    """
    return _HASHER.hash(password)


def is_password(person: Person, password: str) -> bool:
    """
    Tell whether *password* is this person's, and the person may still sign in.
    """
    try:
        return _HASHER.verify(person.password_hash, password) and person.disabled_at is None
    except (VerificationError, InvalidHashError):
        return False


def add(connection: Connection, person: Person) -> None:
    """
    Add *person* within the caller's transaction.
    """
    values = {name: getattr(person, name) for name in Person.__slots__}
    connection.execute(people.insert().values({**values, "email": person.email.lower()}))


def create(engine: Engine, person: Person) -> None:
    """
    Add *person* in a transaction of its own.
    """
    with writing(engine) as connection:
        add(connection, person)


def find(engine: Engine, agency: str, person_id: str) -> Person | None:
    """
    Give the person of this agency with this id, or None.
    """
    with reading(engine) as connection:
        row = connection.execute(
            select(people).where(people.c.id == person_id, people.c.agency == agency)
        ).one_or_none()
    return Person(**row._mapping) if row else None


def within(connection: Connection, agency: str, person_id: str) -> Person | None:
    """
    Give the person of this agency with this id within the caller's transaction, or None.
    """
    query = select(people).where(people.c.id == person_id, people.c.agency == agency)
    row = connection.execute(query).one_or_none()
    return Person(**row._mapping) if row else None


def find_by_email(engine: Engine, email: str) -> Person | None:
    """
    Give the person who signs in with *email*, or None. An address belongs to one agency only.
    """
    with reading(engine) as connection:
        row = connection.execute(
            select(people).where(people.c.email == email.strip().lower())
        ).one_or_none()
    return Person(**row._mapping) if row else None


def names_of(engine: Engine, agency: str, person_ids: Collection[str]) -> dict[str, str]:
    """
    Give the names of those of these people who are of the agency, by id; asks nothing for nobody.
    """
    if not person_ids:
        return {}
    query = select(people.c.id, people.c.name).where(
        people.c.agency == agency, people.c.id.in_(sorted(person_ids))
    )
    with reading(engine) as connection:
        return {row.id: row.name for row in connection.execute(query)}


def of_agency(engine: Engine, agency: str) -> tuple[Person, ...]:
    """
    Give the people of an agency, by e-mail address.
    """
    with reading(engine) as connection:
        rows = connection.execute(
            select(people).where(people.c.agency == agency).order_by(people.c.email)
        ).all()
    return tuple(Person(**row._mapping) for row in rows)


def page(
    engine: Engine, agency: str, after_email: str, limit: int
) -> tuple[tuple[Person, ...], bool]:
    """
    Give up to *limit* people of an agency by e-mail address, those after one, and whether there are
    more.
    """
    query = (
        select(people)
        .where(people.c.agency == agency, people.c.email > after_email)
        .order_by(people.c.email)
        .limit(limit + 1)
    )
    with reading(engine) as connection:
        found = [Person(**row._mapping) for row in connection.execute(query)]
    return tuple(found[:limit]), len(found) > limit


def change(connection: Connection, agency: str, person_id: str, **values: Any) -> None:
    """
    Change columns of a person within the caller's transaction.
    """
    connection.execute(
        update(people).where(people.c.id == person_id, people.c.agency == agency).values(**values)
    )


def count_administrators(connection: Connection, agency: str, besides: str = "") -> int:
    """
    Count the administrators of an agency who may sign in, one of them left out.
    """
    query = select(func.count()).where(
        people.c.agency == agency,
        people.c.role == "admin",
        people.c.disabled_at.is_(None),
        people.c.id != besides,
    )
    return int(connection.execute(query).scalar_one())


def disable(engine: Engine, agency: str, person_id: str, at: datetime) -> bool:
    """
    Stop a person from signing in; False if the agency has no such person who still can.
    """
    with writing(engine) as connection:
        done = connection.execute(
            update(people)
            .where(
                people.c.id == person_id, people.c.agency == agency, people.c.disabled_at.is_(None)
            )
            .values(disabled_at=at)
        )
    return done.rowcount == 1


def set_password(
    connection: Connection, person_id: str, password_hash: str, at: datetime, *, must_change: bool
) -> None:
    """
    Keep a new password within the caller's transaction.
    """
    connection.execute(
        update(people)
        .where(people.c.id == person_id)
        .values(
            password_hash=password_hash, password_changed_at=at, must_change_password=must_change
        )
    )


def set_totp(connection: Connection, person_id: str, sealed: str | None, step: int | None) -> None:
    """
    Keep the sealed secret of a person's authenticator, or forget it, within the caller's
    transaction; *step* is the last one whose code was taken.
    """
    connection.execute(
        update(people)
        .where(people.c.id == person_id)
        .values(totp_secret=sealed, totp_last_step=step)
    )


def take_step(connection: Connection, person_id: str, step: int) -> bool:
    """
    Take the code of a time step within the caller's transaction; False if that one, or a later one,
    was taken before.
    """
    is_new = or_(people.c.totp_last_step.is_(None), people.c.totp_last_step < step)
    done = connection.execute(
        update(people).where(people.c.id == person_id, is_new).values(totp_last_step=step)
    )
    return done.rowcount == 1
