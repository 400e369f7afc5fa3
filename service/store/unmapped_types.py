"""
Count the type codes that a deciding process did not know, for each agency: what an administrator
should map.

A decision counts in the transaction that stores it for the first time, so that one which comes
again counts once. Codes that the agency has mapped since stay counted, and are not listed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    and_,
    case,
    exists,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from service.store.cursor import decoded, encoded, no_cursor
from service.store.database import Instant, metadata, reading
from service.store.mapped_types import CODE_CHARACTERS_MAX, REGISTRY_CHARACTERS_MAX, mapped

BODY_MEMBER: Final = "unknown_types"  # of a decision's body: what the deciding process did not know

unmapped = Table(
    "unmapped_incident_types",
    metadata,
    Column("agency", String(64), nullable=False),
    Column("registry", String(REGISTRY_CHARACTERS_MAX), nullable=False),
    Column("code", String(CODE_CHARACTERS_MAX), nullable=False),
    Column("text", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    PrimaryKeyConstraint("agency", "registry", "code"),
    Index("ix_unmapped_incident_types_agency_count", "agency", "count"),
)


@dataclass(frozen=True, slots=True)
class Unmapped:
    """
    One code that is not known: in its one spelling, and as it was last sent.
    """

    agency: str
    registry: str
    code: str
    text: str
    count: int
    first_seen_at: datetime
    last_seen_at: datetime


def add(connection: Connection, decisions: Sequence[Mapping[str, Any]]) -> None:
    """
    Count what new decisions, given as their columns, did not know, within the transaction that
    stores them.
    """
    found: dict[tuple[str, str, str], Unmapped] = {}
    for one in _unknown_in(decisions):
        key = one.agency, one.registry, one.code
        found[key] = _together(found[key], one) if key in found else one
    # In one order, so that two workers never wait for each other.
    for _, one in sorted(found.items()):
        _add(connection, one)


def _unknown_in(decisions: Iterable[Mapping[str, Any]]) -> Iterator[Unmapped]:
    for one in decisions:
        body = one["body"]
        listed = body.get(BODY_MEMBER) if isinstance(body, Mapping) else None
        # Two codes of one call that are one code count once.
        of_call = {}
        for told in listed if isinstance(listed, list) else ():
            seen = _unknown(told, one["agency"], one["decided_at"])
            if seen is not None:
                of_call[seen.registry, seen.code] = seen
        yield from of_call.values()


def _unknown(told: object, agency: str, at: datetime) -> Unmapped | None:
    """
    Read one code; what cannot be a row gives None, and must not keep its decision out.
    """
    if not isinstance(told, Mapping):
        return None
    registry, code, text = (str(told.get(name, "")) for name in ("registry", "code", "text"))
    is_short = len(registry) <= REGISTRY_CHARACTERS_MAX and len(code) <= CODE_CHARACTERS_MAX
    if not code or not is_short or "\0" in f"{registry}{code}{text}":
        return None
    return Unmapped(agency, registry, code, text, 1, at, at)


def _together(one: Unmapped, other: Unmapped) -> Unmapped:
    last = max(one, other, key=lambda seen: seen.last_seen_at)
    return Unmapped(
        *(one.agency, one.registry, one.code, last.text, one.count + other.count),
        first_seen_at=min(one.first_seen_at, other.first_seen_at),
        last_seen_at=last.last_seen_at,
    )


def _add(connection: Connection, one: Unmapped) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {name: getattr(one, name) for name in Unmapped.__slots__}
    insert = dialect.insert(unmapped).values(values)
    new, kept = insert.excluded, unmapped.c
    is_later = new.last_seen_at > kept.last_seen_at
    is_earlier = new.first_seen_at < kept.first_seen_at
    changed = insert.on_conflict_do_update(
        index_elements=["agency", "registry", "code"],
        set_={
            "count": kept.count + new.count,
            "text": case((is_later, new.text), else_=kept.text),
            "last_seen_at": case((is_later, new.last_seen_at), else_=kept.last_seen_at),
            "first_seen_at": case((is_earlier, new.first_seen_at), else_=kept.first_seen_at),
        },
    )
    connection.execute(changed)


def page(
    engine: Engine, agency: str, cursor: str | None = None, limit: int = 50
) -> tuple[tuple[Unmapped, ...], str | None]:
    """
    Give up to *limit* codes of an agency that it has not mapped, the most frequent first, and the
    cursor of the next page.

    Raises:
        CursorError: the cursor is not one that a page gave.
    """
    is_mapped = exists().where(
        and_(
            mapped.c.agency == unmapped.c.agency,
            mapped.c.registry == unmapped.c.registry,
            mapped.c.code == unmapped.c.code,
        )
    )
    query = select(unmapped).where(unmapped.c.agency == agency, ~is_mapped)
    if cursor is not None:
        count, registry, code = _read_cursor(cursor)
        later_name = or_(
            unmapped.c.registry > registry,
            and_(unmapped.c.registry == registry, unmapped.c.code > code),
        )
        query = query.where(
            or_(unmapped.c.count < count, and_(unmapped.c.count == count, later_name))
        )
    query = query.order_by(unmapped.c.count.desc(), unmapped.c.registry, unmapped.c.code)
    with reading(engine) as connection:
        rows = connection.execute(query.limit(limit + 1)).all()
    items = tuple(Unmapped(**row._mapping) for row in rows[:limit])
    return items, cursor_after(items[-1]) if len(rows) > limit else None


def cursor_after(one: Unmapped) -> str:
    """
    Give the cursor of the page that begins after a row.
    """
    return encoded(orjson.dumps([one.count, one.registry, one.code]))


def _read_cursor(text: str) -> tuple[int, str, str]:
    try:
        read = orjson.loads(decoded(text))
    except ValueError as error:
        raise no_cursor() from error
    match read:
        case [int(count), str(registry), str(code)] if (
            not isinstance(count, bool) and abs(count) < 2**63 and "\0" not in f"{registry}{code}"
        ):
            return count, registry, code
    raise no_cursor()
