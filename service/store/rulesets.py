"""
Keep the rulesets of an agency: their published versions, and which one of each is live.

A version is never changed. Triggers of the database refuse one that has no approval of exactly its
content by somebody who did not write it; the first of a name may come from the shipped files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    String,
    Table,
    Text,
    and_,
    func,
    select,
    update,
)

from service.store.database import Instant, metadata, reading

SHIPPED: Final = "shipped"  # the author of what travels with the program

versions = Table(
    "ruleset_versions",
    metadata,
    Column("agency", String(64), ForeignKey("agencies.id"), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(80), nullable=False),
    Column("text", Text, nullable=False),
    Column("form", String(8), nullable=False),
    Column("content", JSON, nullable=False),
    Column("scenarios", JSON, nullable=False),
    Column("authors", JSON, nullable=False),
    Column("draft_id", String(32)),
    Column("approver", String(80)),
    Column("approver_name", Text),
    Column("comment", Text),
    Column("accepts", JSON, nullable=False),
    Column("published_by", String(80), nullable=False),
    Column("published_name", Text, nullable=False),
    Column("published_at", Instant, nullable=False),
)

live = Table(
    "ruleset_live",
    metadata,
    Column("agency", String(64), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("set_by", String(80), nullable=False),
    Column("set_name", Text, nullable=False),
    Column("reason", Text),
    ForeignKeyConstraint(
        ["agency", "name", "version"],
        ["ruleset_versions.agency", "ruleset_versions.name", "ruleset_versions.version"],
    ),
)

# What the files of this program held when an agency last took them: a newer one shows by it.
shipped = Table(
    "ruleset_shipped",
    metadata,
    Column("agency", String(64), ForeignKey("agencies.id"), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("digest", String(80), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Written:
    """
    A ruleset as somebody wrote it: the text and its form (yaml or json), what it says as a
    document, and the scenarios that travel with it. `content` is None where the text cannot be
    read.
    """

    text: str
    form: str
    content: Mapping[str, Any] | None
    scenarios: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """
    One published version. `authors` are identities with names; `published_name` is who published
    it, and the approver is None for what was shipped.
    """

    agency: str
    name: str
    version: int
    digest: str
    text: str
    form: str
    content: Mapping[str, Any]
    scenarios: Sequence[Mapping[str, Any]]
    authors: Sequence[Mapping[str, str]]
    draft_id: str | None
    approver: str | None
    approver_name: str | None
    comment: str | None
    accepts: Sequence[str]
    published_by: str
    published_name: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Live:
    """
    Which version of a ruleset decides, since when, by whom, and why if it was rolled back.
    """

    agency: str
    name: str
    version: int
    since: datetime
    set_by: str
    set_name: str
    reason: str | None = None


def add_version(connection: Connection, version: Version) -> None:
    """
    Add a version within the caller's transaction.

    Raises:
        IntegrityError: the database finds no approval of it, or the number is taken.
    """
    values = {name: getattr(version, name) for name in Version.__slots__}
    values |= {name: list(values[name]) for name in ("scenarios", "authors", "accepts")}
    connection.execute(versions.insert().values({**values, "content": dict(version.content)}))


def set_live(connection: Connection, chosen: Live) -> None:
    """
    Let a published version decide from now on, within the caller's transaction.
    """
    values = {name: getattr(chosen, name) for name in Live.__slots__}
    done = connection.execute(
        update(live)
        .where(live.c.agency == chosen.agency, live.c.name == chosen.name)
        .values(values)
    )
    if done.rowcount == 0:
        connection.execute(live.insert().values(values))


def find_version(
    source: Engine | Connection, agency: str, name: str, version: int | None = None
) -> Version | None:
    """
    Give a version of this agency's ruleset, by default the live one, or None.
    """
    if "\0" in name:
        return None  # PostgreSQL takes none to look for
    query = select(versions).where(versions.c.agency == agency, versions.c.name == name)
    if version is None:
        query = query.join(live, _is_live()).where(versions.c.version == live.c.version)
    else:
        query = query.where(versions.c.version == version)
    row = _all(source, query)
    return Version(**row[0]._mapping) if row else None


def find_digest(engine: Engine, agency: str, digest: str) -> Version | None:
    """
    Give the newest version of this agency with this digest, or None.
    """
    query = (
        select(versions)
        .where(versions.c.agency == agency, versions.c.digest == digest)
        .order_by(versions.c.published_at.desc())
        .limit(1)
    )
    row = _all(engine, query)
    return Version(**row[0]._mapping) if row else None


def newest_number(source: Engine | Connection, agency: str, name: str) -> int:
    """
    Give the highest number of a version, 0 where there is none.
    """
    query = select(func.max(versions.c.version)).where(
        versions.c.agency == agency, versions.c.name == name
    )
    return int(_all(source, query)[0][0] or 0)


def of_agency(source: Engine | Connection, agency: str) -> tuple[tuple[Version, Live], ...]:
    """
    Give the live version of each of an agency's rulesets, by name.
    """
    query = (
        select(versions, live.c.since, live.c.set_by, live.c.set_name, live.c.reason)
        .join(live, and_(_is_live(), versions.c.version == live.c.version))
        .where(versions.c.agency == agency)
        .order_by(versions.c.name)
    )
    return tuple(_with_live(dict(row._mapping)) for row in _all(source, query))


def _with_live(values: dict[str, Any]) -> tuple[Version, Live]:
    since = {name: values.pop(name) for name in ("since", "set_by", "set_name", "reason")}
    version = Version(**values)
    return version, Live(version.agency, version.name, version.version, **since)


def find_live(source: Engine | Connection, agency: str, name: str) -> Live | None:
    """
    Say which version of a ruleset is live, or None.
    """
    if "\0" in name:
        return None
    row = _all(source, select(live).where(live.c.agency == agency, live.c.name == name))
    return Live(**row[0]._mapping) if row else None


def page_of_versions(
    engine: Engine, agency: str, name: str, before: int | None, limit: int
) -> tuple[Version, ...]:
    """
    Give up to *limit* versions of a ruleset, the newest first, from below the number *before* on.
    """
    query = select(versions).where(versions.c.agency == agency, versions.c.name == name)
    if before is not None:
        query = query.where(versions.c.version < before)
    rows = _all(engine, query.order_by(versions.c.version.desc()).limit(limit))
    return tuple(Version(**row._mapping) for row in rows)


def all_live(engine: Engine) -> dict[tuple[str, str], int]:
    """
    Say for every agency and ruleset which version is live: what each process asks again and again.
    """
    query = select(live.c.agency, live.c.name, live.c.version)
    return {(row.agency, row.name): row.version for row in _all(engine, query)}


def shipped_digests(source: Engine | Connection) -> dict[tuple[str, str], str]:
    """
    Give the digest of what each agency last took from the shipped files, by agency and name.
    """
    return {(row.agency, row.name): row.digest for row in _all(source, select(shipped))}


def set_shipped(connection: Connection, agency: str, name: str, digest: str) -> None:
    """
    Note what an agency took from the shipped files, within the caller's transaction.
    """
    done = connection.execute(
        update(shipped)
        .where(shipped.c.agency == agency, shipped.c.name == name)
        .values(digest=digest)
    )
    if done.rowcount == 0:
        connection.execute(shipped.insert().values(agency=agency, name=name, digest=digest))


def _is_live() -> Any:
    return and_(versions.c.agency == live.c.agency, versions.c.name == live.c.name)


def _all(source: Engine | Connection, query: Any) -> Sequence[Any]:
    if isinstance(source, Connection):
        return source.execute(query).all()
    with reading(source) as connection:
        return connection.execute(query).all()
