"""
Keep what an agency says itself of its type codes; it wins over the files of `config/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Index,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    select,
)

from service.incident_types import Facts, OwnTypes
from service.store.cursor import page_of
from service.store.database import Instant, metadata, reading

REGISTRY_CHARACTERS_MAX: Final = 200
CODE_CHARACTERS_MAX: Final = 200

mapped = Table(
    "mapped_incident_types",
    metadata,
    Column("agency", String(64), nullable=False),
    Column("registry", String(REGISTRY_CHARACTERS_MAX), nullable=False),
    Column("code", String(CODE_CHARACTERS_MAX), nullable=False),
    Column("id", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("comment", Text),
    Column("mapped_by", String(80), nullable=False),
    Column("mapped_name", Text, nullable=False),
    Column("mapped_at", Instant, nullable=False),
    PrimaryKeyConstraint("agency", "registry", "code"),
    Index("ix_mapped_incident_types_agency_mapped_at_id", "agency", "mapped_at", "id"),
)


@dataclass(frozen=True, slots=True)
class Mapped:
    """
    What an agency says of one code: in its one spelling, and as the administrator wrote it.

    `mapped_by` is an identity; `id` is new with each mapping.
    """

    agency: str
    registry: str
    code: str
    id: str
    text: str
    facts: Facts
    comment: str | None
    mapped_by: str
    mapped_name: str
    mapped_at: datetime


def own_types(engine: Engine) -> dict[str, OwnTypes]:
    """
    Give what every agency says itself: what a process holds to read codes by.
    """
    columns = mapped.c.agency, mapped.c.registry, mapped.c.code, mapped.c.facts
    found: dict[str, dict[tuple[str, str], Facts]] = {}
    with reading(engine) as connection:
        for agency, registry, code, facts in connection.execute(select(*columns)):
            found.setdefault(agency, {})[registry, code] = facts
    return dict(found)


def own_types_of(engine: Engine, agency: str) -> OwnTypes:
    """
    Give what one agency says itself.
    """
    query = select(mapped.c.registry, mapped.c.code, mapped.c.facts).where(
        mapped.c.agency == agency
    )
    with reading(engine) as connection:
        return {(row.registry, row.code): row.facts for row in connection.execute(query)}


def find(engine: Engine, agency: str, registry: str, code: str) -> Mapped | None:
    """
    Give what an agency says of one code, or None.
    """
    query = select(mapped).where(_this(agency, registry, code))
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    return _mapped(row._mapping) if row else None


def put(connection: Connection, one: Mapped) -> Mapped | None:
    """
    Keep what an agency says of a code within the caller's transaction; gives what it said before.
    """
    before = take(connection, one.agency, one.registry, one.code)
    values: dict[str, Any] = {name: getattr(one, name) for name in Mapped.__slots__}
    connection.execute(mapped.insert().values({**values, "facts": dict(one.facts)}))
    return before


def take(connection: Connection, agency: str, registry: str, code: str) -> Mapped | None:
    """
    Take a mapping away within the caller's transaction; gives it, or None if there was none.
    """
    this = _this(agency, registry, code)
    row = connection.execute(select(mapped).where(this).with_for_update()).one_or_none()
    connection.execute(delete(mapped).where(this))
    return _mapped(row._mapping) if row else None


def count(connection: Connection, agency: str) -> int:
    """
    Count the mappings of an agency.
    """
    query = select(func.count()).select_from(mapped).where(mapped.c.agency == agency)
    return int(connection.execute(query).scalar_one())


def page(
    engine: Engine, agency: str, cursor: str | None = None, limit: int = 50
) -> tuple[tuple[Mapped, ...], str | None]:
    """
    Give up to *limit* mappings of an agency, the newest first, and the cursor of the next page.

    Raises:
        CursorError: the cursor is not one that a page gave.
    """
    query = select(mapped).where(mapped.c.agency == agency)
    found, following = page_of(engine, query, (mapped.c.mapped_at, mapped.c.id), cursor, limit)
    return tuple(_mapped(row._mapping) for row in found), following


def _this(agency: str, registry: str, code: str) -> ColumnElement[bool]:
    return and_(mapped.c.agency == agency, mapped.c.registry == registry, mapped.c.code == code)


def _mapped(row: Mapping[Any, Any]) -> Mapped:
    return Mapped(**row)
