"""
Keep who has opened which decision, so that nobody reviews what they have seen the answer of.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Column, Connection, String, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from service.store.database import Instant, metadata, take_turns

openings = Table(
    "openings",
    metadata,
    Column("agency", String(64), primary_key=True),
    Column("identity", String(80), primary_key=True),
    Column("decision_id", String(200), primary_key=True),
    Column("opened_at", Instant, nullable=False),
)


def add(
    connection: Connection, who: tuple[str, str], decision_ids: Collection[str], at: datetime
) -> None:
    """
    Note within the caller's transaction that somebody opened these decisions; *who* is an agency
    and an identity. What was opened before keeps its first time.
    """
    agency, identity = who
    rows = [
        {"agency": agency, "identity": identity, "decision_id": one, "opened_at": at}
        for one in sorted(set(decision_ids))
    ]
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    key = ["agency", "identity", "decision_id"]
    connection.execute(dialect.insert(openings).on_conflict_do_nothing(index_elements=key), rows)


def is_opened(connection: Connection, who: tuple[str, str], decision_ids: Collection[str]) -> bool:
    """
    Tell whether somebody has opened any of these decisions.
    """
    agency, identity = who
    query = select(openings.c.decision_id).where(
        openings.c.agency == agency,
        openings.c.identity == identity,
        openings.c.decision_id.in_(decision_ids),
    )
    return connection.execute(query.limit(1)).first() is not None


def alone(connection: Connection, who: tuple[str, str]) -> None:
    """
    Let opening and claiming by one identity take turns until the transaction ends, so that neither
    overlooks the other.
    """
    take_turns(connection, "\0".join(("openings", *who)))
