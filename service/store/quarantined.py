"""
Keep the records of journals that the store can never take as they are, whole, with the reason.

Such a record holds up no other, counts among the numbers of its journal, and is stored after all
once the program can read it, unless it was erased. One that somebody left there for good asks for
nothing more. What it says is shown to nobody.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
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
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from service.erased import Erased, erased_whole
from service.store.database import Instant, metadata, reading
from service.verify_log import without_sealed

CHARACTERS_MAX: Final = {"record_id": 200, "agency": 64, "kind": 32}  # what is kept of each
DEPTH_MAX: Final = 100  # of objects and lists in one another; deeper, no verifier need read it
_CALL: Final = re.compile(rb'"call_id"\s*:\s*("(?:[^"\\]|\\.)*")')

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
    Column("call_id", Text),
    Column("told_at", Instant, nullable=False),
    Column("has_words", Boolean, nullable=False),
    Column("settled_at", Instant),
    Column("settled_by", String(80)),
    Column("left_at", Instant),
    Column("left_by", String(80)),
    Index("ix_quarantined_agency_told_at", "agency", "told_at"),
    Index("ix_quarantined_settled_at_stored_at", "settled_at", "stored_at"),
)

_ASKS: Final = quarantined.c.settled_at.is_(None), quarantined.c.left_at.is_(None)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """
    Hold one record: its place in its journal, what could be read of its names, and why it is here.

    `head` is the record without its body, as JSON; `body` is as it came. `call_id` is None where
    nobody can tell which call it is about; `told_at` is when it was stored where nobody can tell
    when it was told. `has_words` says that a sealed text is in it, or may be.
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
    call_id: str | None
    told_at: datetime
    has_words: bool
    settled_at: datetime | None = None
    settled_by: str | None = None
    left_at: datetime | None = None
    left_by: str | None = None

    @property
    def erased(self) -> Erased | None:
        """
        Say that it was erased whole; None where it was not.
        """
        return erased_whole(object_of(self.body) or {})

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
    body = _body(record)
    read = object_of(body)
    return Quarantined(
        *(host_id, number, *names, reason, written, body, at),
        call_id=_call(head.get("call_id"), body),
        told_at=_told_at(head.get("decided_at"), at),
        has_words=read is None or without_sealed(read, "erased") != read,
    )


def object_of(body: bytes) -> dict[str, Any] | None:
    """
    Give what a body says; None where it is no JSON object that everybody can read.
    """
    try:
        read = orjson.loads(body)
    except ValueError:
        return None
    if not isinstance(read, dict):
        return None
    level: list[Any] = [read]
    for _ in range(DEPTH_MAX):
        parts = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for part in parts for one in part if isinstance(one, dict | list)]
        if not level:
            return read
    return None


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
    Count what is in quarantine now and not left there for each agency, among the *limit* that came
    last; None stands for records whose agency could not be read.
    """
    last = (
        select(quarantined.c.agency)
        .where(*_ASKS)
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


def newest(engine: Engine, agency: str, limit: int) -> tuple[Quarantined, ...]:
    """
    Give up to *limit* of an agency's records that are in quarantine now and not left there, the
    newest first.
    """
    query = (
        select(quarantined)
        .where(*_ASKS, quarantined.c.agency == agency)
        .order_by(quarantined.c.stored_at.desc(), quarantined.c.journal_number.desc())
        .limit(limit)
    )
    with reading(engine) as connection:
        return tuple(_quarantined(row) for row in connection.execute(query))


def counts(engine: Engine, agency: str) -> tuple[int, int, int]:
    """
    Count what is in quarantine now: an agency's records, those of which nobody can tell whose they
    are, neither left there, and those of the agency that somebody left there.
    """
    is_left = quarantined.c.left_at.is_not(None)
    whose = or_(quarantined.c.agency == agency, quarantined.c.agency.is_(None))
    query = (
        select(quarantined.c.agency, is_left, func.count())
        .where(quarantined.c.settled_at.is_(None), whose)
        .group_by(quarantined.c.agency, is_left)
    )
    with reading(engine) as connection:
        found = {(row[0], bool(row[1])): row[2] for row in connection.execute(query)}
    left = found.get((agency, True), 0)
    return found.get((agency, False), 0), found.get((None, False), 0), left


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


def find_record(engine: Engine, agency: str, record_id: str) -> Quarantined | None:
    """
    Give an agency's record that is in quarantine now, or None.
    """
    query = (
        select(quarantined)
        .where(
            quarantined.c.settled_at.is_(None),
            quarantined.c.agency == agency,
            quarantined.c.record_id == record_id,
        )
        .limit(1)
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


def leave(connection: Connection, place: tuple[str, int], by: str, at: datetime) -> bool:
    """
    Note within the caller's transaction that the record stays for good; False if it was noted
    before, or the record was stored.
    """
    query = update(quarantined).where(
        quarantined.c.host_id == place[0], quarantined.c.journal_number == place[1], *_ASKS
    )
    return connection.execute(query.values(left_at=at, left_by=by)).rowcount == 1


def _call(named: Any, body: bytes) -> str | None:
    """
    Tell which call a record is about: its own name for it, or the only one in its body, which may
    be in pieces; None where nobody can tell.
    """
    if not isinstance(named, str):
        found = set(_CALL.findall(body))
        try:
            named = json.loads(found.pop()) if len(found) == 1 else None
        except ValueError:
            return None
    return named if isinstance(named, str) and named.isprintable() and named else None


def _told_at(named: Any, stored_at: datetime) -> datetime:
    """
    Give when a record was told, as it says itself; when it was stored where that cannot be.
    """
    try:
        told = datetime.fromisoformat(named).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return stored_at
    return min(told, stored_at)


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
