"""
Keep the records of journals that the store can never take as they are, whole, with the reason.

Such a record holds up no other, counts among the numbers of its journal, and is stored after all
once the program can read it. What it says is shown to nobody.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from service.store.database import Instant, metadata, reading

CHARACTERS_MAX: Final = {"record_id": 200, "agency": 64, "kind": 32}  # what is kept of each

quarantined = Table(
    "quarantined",
    metadata,
    Column("host_id", String(64), primary_key=True),
    Column("journal_number", BigInteger, primary_key=True, autoincrement=False),
    Column("record_id", String(CHARACTERS_MAX["record_id"])),
    Column("agency", String(CHARACTERS_MAX["agency"])),
    Column("kind", String(CHARACTERS_MAX["kind"])),
    Column("reason", Text, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("stored_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("settled_by", String(80)),
    Index("ix_quarantined_settled_at_stored_at", "settled_at", "stored_at"),
)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """
    Hold one record: its place in its journal, what could be read of its names, and why it is here.

    `head` is the record without its body, as JSON; `body` is as it came.
    """

    host_id: str
    journal_number: int
    record_id: str | None
    agency: str | None
    kind: str | None
    reason: str
    head: bytes
    body: bytes
    stored_at: datetime
    settled_at: datetime | None = None
    settled_by: str | None = None

    def record(self) -> dict[str, Any]:
        """
        Give the record as it came, to be read again.
        """
        return {**json.loads(self.head), "body": self.body}


def of_record(record: Mapping[str, Any], reason: str, at: datetime) -> Quarantined:
    """
    Make the row of a record, whatever it holds.

    Raises:
        ValueError: it has no place in a journal.
    """
    host_id, number = record.get("host_id"), record.get("number")
    if not isinstance(host_id, str) or not isinstance(number, int):
        raise ValueError("the record has no place in a journal")  # noqa: TRY004  of what came in
    head = {name: value for name, value in record.items() if name != "body"}
    record_id, agency, kind = (
        _name(record.get(name), most) for name, most in CHARACTERS_MAX.items()
    )
    written = json.dumps(head, default=repr).encode()
    names = record_id, agency, kind
    return Quarantined(host_id, number, *names, reason, written, _body(record), at)


def body_bytes(body: bytes | str) -> bytes:
    """
    Give a body as its journal holds it: in a task bytes that are no UTF-8 stand as lone surrogates,
    as Python writes them.
    """
    try:
        return body if isinstance(body, bytes) else body.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # nothing of ours sends such a text
        return json.dumps(body).encode()


def add(connection: Connection, rows: Sequence[Quarantined]) -> set[tuple[str, int]]:
    """
    Add rows within the caller's transaction; those that are there change nothing.

    Returns:
        The places of those that are new.
    """
    if not rows:
        return set()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    key = ["host_id", "journal_number"]
    insert = dialect.insert(quarantined).on_conflict_do_nothing(index_elements=key)
    values = [{name: getattr(one, name) for name in Quarantined.__slots__} for one in rows]
    columns = quarantined.c.host_id, quarantined.c.journal_number
    return {(one[0], one[1]) for one in connection.execute(insert.returning(*columns), values)}


def count(engine: Engine) -> int:
    """
    Count what is in quarantine now, of all agencies.
    """
    query = select(func.count()).where(quarantined.c.settled_at.is_(None))
    with reading(engine) as connection:
        return connection.execute(query).scalar_one()


def by_agency(engine: Engine, limit: int) -> dict[str | None, int]:
    """
    Count what is in quarantine now for each agency, among the *limit* that came last; None stands
    for records whose agency could not be read.
    """
    last = (
        select(quarantined.c.agency)
        .where(quarantined.c.settled_at.is_(None))
        .order_by(quarantined.c.stored_at.desc())
        .limit(limit)
        .subquery()
    )
    query = select(last.c.agency, func.count()).group_by(last.c.agency)
    with reading(engine) as connection:
        return {one[0]: one[1] for one in connection.execute(query)}


def page(
    engine: Engine, limit: int, after: tuple[str, int] | None = None
) -> tuple[Quarantined, ...]:
    """
    Give up to *limit* of what is in quarantine now, behind the place *after*, by host and number.
    """
    place = tuple_(quarantined.c.host_id, quarantined.c.journal_number)
    query = select(quarantined).where(quarantined.c.settled_at.is_(None))
    if after is not None:
        query = query.where(place > after)
    query = query.order_by(quarantined.c.host_id, quarantined.c.journal_number).limit(limit)
    with reading(engine) as connection:
        return tuple(_quarantined(row) for row in connection.execute(query))


def find(engine: Engine, host_id: str, number: int) -> Quarantined | None:
    """
    Give what a journal's number is in quarantine for, settled or not, or None.
    """
    query = select(quarantined).where(
        quarantined.c.host_id == host_id, quarantined.c.journal_number == number
    )
    with reading(engine) as connection:
        row = connection.execute(query).first()
    return _quarantined(row) if row is not None else None


def settle(connection: Connection, place: tuple[str, int], by: str, at: datetime) -> bool:
    """
    Note within the caller's transaction that the record was stored after all; False if it was
    noted before.
    """
    query = update(quarantined).where(
        quarantined.c.host_id == place[0],
        quarantined.c.journal_number == place[1],
        quarantined.c.settled_at.is_(None),
    )
    return connection.execute(query.values(settled_at=at, settled_by=by)).rowcount == 1


def _name(value: Any, characters_max: int) -> str | None:
    """
    Give what can be shown of a name that may hold anything; None for nothing.
    """
    if not isinstance(value, str):
        return None
    plain = "".join(one if one.isprintable() else "\ufffd" for one in value[:characters_max])
    return plain or None


def _body(record: Mapping[str, Any]) -> bytes:
    body = record.get("body")
    if isinstance(body, bytes | str):
        return body_bytes(body)
    return json.dumps(body, default=repr).encode()


def _quarantined(row: Row[Any]) -> Quarantined:
    return Quarantined(*(getattr(row, name) for name in Quarantined.__slots__))
