"""
Keep by digest whatever decided: the content of rulesets, and the tables that they were read with.

What is kept is never changed or removed, so that a decision can be made again years later. A digest
is its own proof: what is found here is compared with it before it decides anything.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, Column, Engine, String, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from service.store.database import Instant, metadata, reading, writing

RULESET: Final = "ruleset"  # content: {"content": the ruleset, "tables": digest of its tables}
TABLES: Final = "tables"  # content: {"texts": {path in the folder: text of the file}}

kept = Table(
    "kept_rules",
    metadata,
    Column("digest", String(80), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("content", JSON, nullable=False),
    Column("kept_at", Instant, nullable=False),
)


def keep(engine: Engine, found: Mapping[str, tuple[str, Mapping[str, Any]]], at: datetime) -> None:
    """
    Keep each digest's kind and content, unless it is there already.
    """
    dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
    with writing(engine) as connection:
        for digest, (kind, content) in found.items():
            values = {"digest": digest, "kind": kind, "content": dict(content), "kept_at": at}
            connection.execute(dialect.insert(kept).values(values).on_conflict_do_nothing())


def find(engine: Engine, digest: str, kind: str) -> Mapping[str, Any] | None:
    """
    Give what was kept under a digest, or None.
    """
    query = select(kept.c.content).where(kept.c.digest == digest, kept.c.kind == kind)
    with reading(engine) as connection:
        found: Mapping[str, Any] | None = connection.execute(query).scalar_one_or_none()
    return found


def digests(engine: Engine) -> frozenset[str]:
    """
    Give every digest that is kept.
    """
    with reading(engine) as connection:
        return frozenset(connection.execute(select(kept.c.digest)).scalars())
