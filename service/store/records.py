"""
Store what journals send: each kind of record in the table of its noun, all of a batch in one
transaction.

A record comes as often as it likes and is stored once. Nothing here changes a record that is
stored.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import StatementError

from service.store import (
    chain,
    decision_fields,
    decision_marks,
    decisions,
    dispatches,
    unmapped_types,
)
from service.store.database import reading, writing

_TABLES: Mapping[str, Table] = {
    "decision": decisions.decisions,
    "dispatch": dispatches.dispatches,
}
_FIELDS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "decision": decision_fields.fields_of,
    "dispatch": dispatches.fields_of,
}
_REPEATED = ("host_id", "journal_number", "record_id", "agency", "fingerprint", "body", "stored_at")


@dataclass(frozen=True, slots=True)
class Refused:
    """
    A record that the database will never take as it is, and the kind of error it gave.
    """

    record_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Row:
    """
    A record as its table keeps it.
    """

    kind: str
    values: dict[str, Any]


# What else happens in the transaction that stores rows of a kind, such as raising alerts.
Also = Callable[[Connection, str, Sequence[Mapping[str, Any]]], object]


def insert(
    engine: Engine,
    records: Sequence[Mapping[str, Any]],
    at: datetime,
    also: Also | None = None,
) -> tuple[int, tuple[Refused, ...]]:
    """
    Store records of journals, all in one transaction; those that are there already change nothing.

    Each record is the fields of a journal's `Record` as a mapping; *at* is kept as `stored_at`.
    *also* is called in the same transaction with the rows of each kind, those that were there
    already too.

    Returns:
        How many were new, and which ones can never be stored as they are: they stay in their
        journal.

    Raises:
        StoreUnavailableError: nothing was stored.
    """
    refused: list[Refused] = []
    rows: list[_Row] = []
    for record in records:
        kind = record.get("kind")
        if not isinstance(kind, str) or kind not in _TABLES:
            named = str(record.get("record_id"))
            refused.append(Refused(named, "the kind of record is not known"))
            continue
        try:
            rows.append(_Row(kind, {**_FIELDS[kind](record), "stored_at": at}))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            refused.append(Refused(str(record.get("record_id")), type(error).__name__))
    try:
        return _insert(engine, rows, also), tuple(refused)
    except (StatementError, ValueError):
        # One record that the database refuses must not keep the others of its batch out for ever.
        count = 0
    for row in rows:
        try:
            count += _insert(engine, [row], also)
        except (StatementError, ValueError) as error:
            refused.append(Refused(row.values["record_id"], type(error).__name__))
    return count, tuple(refused)


def stored_ids(engine: Engine, ids: Sequence[str]) -> set[str]:
    """
    Tell which of these record ids are in the store.
    """
    if not ids:
        return set()
    with reading(engine) as connection:
        return {one for table in _TABLES.values() for one in _places(connection, table, ids)}


def _insert(engine: Engine, rows: list[_Row], also: Also | None) -> int:
    if not rows:
        return 0
    count = 0
    with writing(engine) as connection:
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
