"""
Find the things that the links of a log are of, those that have no link, and the numbers of journals
that are missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, String, Table, cast, func, select

from service.store import chain
from service.store.audit import audit
from service.store.chain import Link
from service.store.database import reading
from service.store.decisions import decisions, repeats
from service.store.dispatches import dispatches
from service.store.quarantined import quarantined

BATCH: Final = 500
GAPS_MAX: Final = 20  # told of one host; who looks into them finds the others
NUMBERS_MAX: Final = 50_000  # of a journal, looked at in one query
TABLES: Final[Mapping[str, Table]] = {
    "decision": decisions,
    "dispatch": dispatches,
    "repeat": repeats,
    "quarantined": quarantined,
    "audit": audit,
}


def contents(engine: Engine, links: Sequence[Link]) -> list[dict[str, Any] | None]:
    """
    Give the content of each link, in their order; None where it is not there any more.
    """
    found: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    with reading(engine) as connection:
        for kind, table in TABLES.items():
            ids = [one.subject_id for one in links if one.kind == kind]
            if not ids:
                continue
            columns = [table.c[name] for name in chain.CONTENT[kind]]
            for row in connection.execute(select(*columns).where(_id_of(table).in_(ids))):
                content = chain.content_of(kind, dict(row._mapping))
                found[_key(kind, content)] = content
    return [
        found.get((one.kind, one.subject_id, one.host_id, one.journal_number)) or _moved(found, one)
        for one in links
    ]


def _key(kind: str, content: Mapping[str, Any]) -> tuple[str, str, str, int]:
    return (
        kind,
        chain.subject_of(kind, content),
        content.get("host_id", ""),
        content.get("journal_number", 0),
    )


def _moved(
    found: Mapping[tuple[str, str, str, int], dict[str, Any]], link: Link
) -> dict[str, Any] | None:
    # A record whose host or number somebody changed is there, and is changed.
    if link.kind == "repeat":
        return None
    same = (one for key, one in found.items() if key[:2] == (link.kind, link.subject_id))
    return next(same, None)


def without_link(
    engine: Engine, agency: str, before: datetime, since: datetime | None = None
) -> Iterator[tuple[str, str]]:
    """
    Give the kind and id of everything of an agency that was stored before a time, and since
    another, and has no link.
    """
    for kind, table in TABLES.items():
        key, at = _id_of(table), table.c["at" if kind == "audit" else "stored_at"]
        whose = (
            func.coalesce(table.c.agency, chain.NOBODYS)
            if kind == "quarantined"
            else table.c.agency
        )
        query = select(key).where(whose == agency, at < before)
        if since is not None:
            query = query.where(at >= since)
        last = ""
        while True:
            with reading(engine) as connection:
                window = query.where(key > last).order_by(key).limit(BATCH)
                ids = connection.execute(window).scalars().all()
                there = chain.linked(connection, kind, ids) if ids else set()
            yield from ((kind, one) for one in ids if one not in there)
            if len(ids) < BATCH:
                break
            last = ids[-1]


def naming(engine: Engine, agency: str, acts: Sequence[str], place: int) -> Iterator[Any]:
    """
    Give the content of each entry with one of these acts that stands behind a place of an agency's
    log, or waits for its place.
    """
    links = chain.chain
    query = (
        select(*(audit.c[name] for name in chain.CONTENT["audit"]))
        .join(links, (links.c.kind == "audit") & (links.c.subject_id == audit.c.id))
        .where(audit.c.agency == agency, audit.c.act.in_(acts))
        .where(links.c.place.is_(None) | (links.c.place > place))
    )
    with reading(engine) as connection:
        for row in connection.execute(query.execution_options(yield_per=BATCH)):
            yield chain.content_of("audit", dict(row._mapping))


def gaps(engine: Engine, agency: str, before: datetime) -> tuple[tuple[str, int, int], ...]:
    """
    Give the host and the first and last number of each gap in the journals of the hosts that work
    for an agency, as far as something behind it was stored before a time.
    """
    links = chain.chain
    found: list[tuple[str, int, int]] = []
    hosts = select(links.c.host_id).where(links.c.agency == agency, links.c.host_id != "")
    with reading(engine) as connection:
        names = sorted(connection.execute(hosts.distinct()).scalars())
    for host in names:
        found += _gaps_of(engine, host, before)
    return tuple(found)


def _gaps_of(engine: Engine, host: str, before: datetime) -> list[tuple[str, int, int]]:
    number, last = chain.chain.c.journal_number, 0
    found: list[tuple[str, int, int]] = []
    while len(found) < GAPS_MAX:
        query = (
            select(number, func.min(chain.chain.c.at))
            .where(chain.chain.c.host_id == host, number > last)
            .group_by(number)
            .order_by(number)
            .limit(NUMBERS_MAX)
        )
        with reading(engine) as connection:
            rows = connection.execute(query).all()
        for following, at in rows:
            if following > last + 1 and at < before:
                found.append((host, last + 1, following - 1))
            last = following
        if len(rows) < NUMBERS_MAX:
            break
    return found[:GAPS_MAX]


def _id_of(table: Table) -> ColumnElement[str]:
    """
    Give the id by which a log names a row, as `chain.subject_of` does.
    """
    if table is quarantined:
        return table.c.host_id + ":" + cast(table.c.journal_number, String)
    column: ColumnElement[str] = table.c["id" if table is audit else "record_id"]
    return column
