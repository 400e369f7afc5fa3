"""
Keep what left the agency out of protected records: to whom, for what, which facts of which records.

Rows are only ever added.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Connection, Engine, Index, Row, String, Table, Text, select

from service.store.cursor import page_of
from service.store.database import Instant, metadata

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
    query = select(disclosures).where(disclosures.c.agency == agency)
    found, following = page_of(engine, query, (disclosures.c.at, disclosures.c.id), cursor, limit)
    return tuple(_disclosure(row) for row in found), following


def _disclosure(row: Row[Any]) -> Disclosure:
    values = {**row._mapping, "facts": tuple(row.facts), "records": tuple(row.records)}
    return Disclosure(**values)
