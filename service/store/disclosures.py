"""
Keep what left the agency out of protected records: to whom, for what, which facts of which records.

Rows are only ever added.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON, Column, Connection, Engine, Index, String, Table, Text, select

from service.store.cursor import Cursor, cut, newest_first, read_cursor
from service.store.database import Instant, metadata, reading

disclosures = Table(
    "disclosures",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("disclosed_by", String(80), nullable=False),
    Column("disclosed_name", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("records", JSON, nullable=False),
    Index("ix_disclosures_agency_at_id", "agency", "at", "id"),
)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """
    One disclosure: the names of facts, and the ids of the records that they stand in.
    """

    id: str
    agency: str
    at: datetime
    disclosed_by: str
    disclosed_name: str
    recipient: str
    purpose: str
    facts: tuple[str, ...]
    records: tuple[str, ...]


def new_id() -> str:
    """
    Make an id for a disclosure.
    """
    return uuid.uuid4().hex


def add(connection: Connection, disclosure: Disclosure) -> None:
    """
    Add *disclosure* within the caller's transaction.
    """
    values = {name: getattr(disclosure, name) for name in Disclosure.__slots__}
    values |= {"facts": list(disclosure.facts), "records": list(disclosure.records)}
    connection.execute(disclosures.insert().values(values))


def page(
    engine: Engine, agency: str, cursor: str | None, limit: int
) -> tuple[tuple[Disclosure, ...], str | None]:
    """
    Give disclosures of an agency, the newest first, and the cursor of the next page.

    Raises:
        CursorError: the cursor is not one that a page gave.
    """
    last = read_cursor(cursor) if cursor is not None else None
    query = select(disclosures).where(disclosures.c.agency == agency)
    query = newest_first(query, disclosures.c.at, disclosures.c.id, last)
    with reading(engine) as connection:
        found = [
            Disclosure(**{**row._mapping, "facts": tuple(row.facts), "records": tuple(row.records)})
            for row in connection.execute(query.limit(limit + 1))
        ]
    return cut(found, limit, lambda one: Cursor(one.at, one.id))
