"""
Store what journals send: each kind of record in the table of its noun, all of a batch in one
transaction, with how far the store has the journal.

A record comes as often as it likes and is stored once. One that can never be stored as it is goes
into quarantine. Nothing here changes a record that is stored.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import Connection, Engine, Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ProgrammingError

from service.checksum import is_as_written
from service.errors import StoreUnavailableError
from service.store import (
    chain,
    decision_fields,
    decision_marks,
    decisions,
    dispatches,
    journal_positions,
    quarantined,
    unmapped_types,
)
from service.store.database import writing
from service.store.quarantined import Quarantined

log = structlog.get_logger()

QUARANTINED: Final = "quarantined"  # the kind under which `also` is told of them
_TABLES: Mapping[str, Table] = {
    "decision": decisions.decisions,
    "dispatch": dispatches.dispatches,
}
_FIELDS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "decision": decision_fields.fields_of,
    "dispatch": dispatches.fields_of,
}
_REPEATED = ("host_id", "journal_number", "record_id", "agency", "fingerprint", "body", "stored_at")
# What names a record, and the most characters that its column takes (0: as many as it likes).
_NAMES: Mapping[str, int] = {"record_id": 200, "agency": 64, "call_id": 0}
# What says nothing of a record: the store is away, has other tables than this program knows, or the
# machine has no memory left.
_NOT_OF_A_RECORD = (StoreUnavailableError, ProgrammingError, MemoryError)


class _UnfitError(ValueError):
    """
    Say in our own words why a record can never be stored as it is.
    """


@dataclass(frozen=True, slots=True)
class _Row:
    """
    A record as its table keeps it, and as it came.
    """

    kind: str
    values: dict[str, Any]
    record: Mapping[str, Any]


# What else happens in the transaction that stores rows of a kind, such as raising alerts. Of kind
# `quarantined` it is told only those that are new.
Also = Callable[[Connection, str, Sequence[Mapping[str, Any]]], object]


def insert(
    engine: Engine,
    records: Sequence[Mapping[str, Any]],
    at: datetime,
    also: Also | None = None,
) -> tuple[int, tuple[Quarantined, ...]]:
    """
    Store records of journals, all in one transaction; those that are there already change nothing.

    Each record is the fields of a journal's record as a mapping, its `body` as an object or as the
    text or bytes of one; *at* is kept as `stored_at`. *also* is called in the same transaction with
    the rows of each kind, those that were there already too.

    Returns:
        How many were new, and which ones can never be stored as they are: those are in quarantine.

    Raises:
        StoreUnavailableError: nothing was stored, or not all; a record that is told again changes
            nothing.
    """
    rows, poison = _read_all(records, at)
    try:
        return _insert(engine, rows, poison, also), tuple(poison)
    except _NOT_OF_A_RECORD:
        raise
    except Exception:  # noqa: BLE001  # whatever it is, it must not keep the others out for ever
        count = _insert(engine, [], poison, also)
    for row in rows:
        try:
            count += _insert(engine, [row], [], also)
        except _NOT_OF_A_RECORD:
            raise
        except Exception as error:  # noqa: BLE001  # the same
            reason = f"it cannot be stored ({_kind(error)})"
            poison.append(quarantined.of_record(row.record, reason, at))
            _insert(engine, [], poison[-1:], also)
    return count, tuple(poison)


def store_again(
    engine: Engine, kept: Quarantined, by: str, at: datetime, also: Also | None = None
) -> str | None:
    """
    Store a record out of quarantine, and settle it there, in one transaction.

    Returns:
        Why it still cannot be stored, and nothing has changed; None: it is stored.

    Raises:
        StoreUnavailableError: nothing was stored.
    """
    place = kept.host_id, kept.journal_number
    rows, poison = _read_all([kept.record()], at)
    if poison:
        return poison[0].reason
    try:
        with writing(engine) as connection:
            if quarantined.settle(connection, place, by, at):
                _insert_rows(connection, rows, also)
    except _NOT_OF_A_RECORD:
        raise
    except Exception as error:  # noqa: BLE001  # it stays where it is
        return f"it cannot be stored ({_kind(error)})"
    return None


def _read_all(
    records: Sequence[Mapping[str, Any]], at: datetime
) -> tuple[list[_Row], list[Quarantined]]:
    rows: list[_Row] = []
    poison: list[Quarantined] = []
    for record in records:
        try:
            rows.append(_read(record, at))
        except _UnfitError as error:
            reason = str(error)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            reason = f"it cannot be read ({type(error).__name__})"
        else:
            continue
        try:
            poison.append(quarantined.of_record(record, reason, at))
        except ValueError:
            log.error("record_without_place", reason=reason)  # no journal of ours sends one
    return rows, poison


def _read(record: Mapping[str, Any], at: datetime) -> _Row:
    kind = record.get("kind")
    if not isinstance(kind, str) or kind not in _TABLES:
        raise _UnfitError("its kind is not known")
    for name, characters_max in _NAMES.items():
        value = record.get(name)
        if not isinstance(value, str) or not value:
            raise _UnfitError(f"it has no `{name}`")
        if characters_max and len(value) > characters_max:
            raise _UnfitError(f"its `{name}` has more than {characters_max} characters")
    if not isinstance(record.get("fingerprint"), str | None):
        raise _UnfitError("its `fingerprint` is no text")
    body = record.get("body")
    if isinstance(body, str | bytes):
        if not is_as_written(record, quarantined.body_bytes(body)):
            raise _UnfitError("it is not as it was written: a disk or somebody changed it")
        try:
            body = orjson.loads(quarantined.body_bytes(body))
        except ValueError as error:
            raise _UnfitError("its body is no JSON") from error
    if not isinstance(body, Mapping):
        raise _UnfitError("its body is no JSON object")
    fields = _FIELDS[kind]({**record, "body": body})
    return _Row(kind, {**fields, "stored_at": at}, record)


def _kind(error: Exception) -> str:
    """
    Name an error by its kind alone: its words may hold a value of the record.
    """
    return type(getattr(error, "orig", None) or error).__name__


def _insert(
    engine: Engine, rows: list[_Row], poison: Sequence[Quarantined], also: Also | None
) -> int:
    if not rows and not poison:
        return 0
    with writing(engine) as connection:
        count = _insert_rows(connection, rows, also)
        new = quarantined.add(connection, poison)
        told = [asdict(one) for one in poison if (one.host_id, one.journal_number) in new]
        if told:
            chain.add(connection, QUARANTINED, told, told[0]["stored_at"])
        if also is not None and told:
            also(connection, QUARANTINED, told)
        places = [_place(row.values) for row in rows]
        places += [(one.host_id, one.journal_number) for one in poison]
        at = rows[0].values["stored_at"] if rows else poison[0].stored_at
        # In one order everywhere, so that two workers never wait for each other.
        for host_id in sorted({host_id for host_id, _ in places}):
            numbers = [number for host, number in places if host == host_id]
            journal_positions.advance(connection, host_id, numbers, at)
    return count


def _insert_rows(connection: Connection, rows: Sequence[_Row], also: Also | None) -> int:
    count = 0
    for kind, table in _TABLES.items():
        of_kind = [row.values for row in rows if row.kind == kind]
        count += _insert_kind(connection, table, of_kind)
        if also is not None and of_kind:
            also(connection, kind, of_kind)
    return count


def _insert_kind(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> int:
    if not rows:
        return 0
    ids = [row["record_id"] for row in rows]
    before = _places(connection, table, ids)
    new = _insert_new(connection, table, rows, ["record_id"])
    after = _places(connection, table, ids)
    if table is decisions.decisions:
        decision_marks.add(
            connection, [row for row in rows if after[row["record_id"]] == _place(row)]
        )
        # A record that comes again is there already, and counts no more.
        first = {row["record_id"]: row for row in reversed(rows)}
        unmapped_types.add(connection, [first[record_id] for record_id in sorted(new)])
    again = [row for row in rows if after[row["record_id"]] != _place(row)]
    if again:
        kept = [_repeated(row) for row in again]
        _insert_new(connection, decisions.repeats, kept, ["host_id", "journal_number"])
    return len(after) - len(before)


def _repeated(row: Mapping[str, Any]) -> dict[str, Any]:
    at = row["decided_at"] if "decided_at" in row else row["reported_at"]
    return {**{name: row[name] for name in _REPEATED}, "decided_at": at}


def _insert_new(
    connection: Connection, table: Table, rows: list[dict[str, Any]], key: list[str]
) -> set[str]:
    """
    Insert rows, and give the record ids of those that were not there: the database says so, since
    another worker may store the same at the same moment.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table).on_conflict_do_nothing(index_elements=key)
    new = set(connection.execute(insert.returning(table.c.record_id), rows).scalars())
    # Of the same thing told twice in a batch the first was stored.
    first = {tuple(row[name] for name in key): row for row in reversed(rows)}
    stored = [row for row in reversed(first.values()) if row["record_id"] in new]
    chain.add(connection, chain.KIND_OF_TABLE[table.name], stored, rows[0]["stored_at"])
    return new


def _place(row: Mapping[str, Any]) -> tuple[str, int]:
    return row["host_id"], row["journal_number"]


def _places(connection: Connection, table: Table, ids: Sequence[str]) -> dict[str, tuple[str, int]]:
    columns = table.c.record_id, table.c.host_id, table.c.journal_number
    rows = connection.execute(select(*columns).where(table.c.record_id.in_(ids)))
    return {record_id: (host_id, number) for record_id, host_id, number in rows}
