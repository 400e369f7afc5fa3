"""
Read what can be read of a journal that was set aside, by ascending number.
"""

import re
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.journal.file import columns
from service.journal.records import BARE_COLUMNS, Unstored, unstored

_NAMED: Final = re.compile(r"(?:damaged|restored)-([0-9a-f]{32})-")
_HIGHEST: Final = (
    "SELECT seq FROM sqlite_sequence WHERE name = 'records'",
    "SELECT max(number) FROM records",
    "SELECT max(number) FROM records INDEXED BY records_unstored WHERE stored_at IS NULL",
)


@dataclass(frozen=True, slots=True)
class Piece:
    """
    What was read above one number: through which it goes, what is there, and which numbers cannot
    be read; the last piece goes through the highest number that the journal gave.
    """

    through: int
    records: tuple[Unstored, ...]
    unreadable: tuple[int, ...]


def host_of(path: Path) -> str | None:
    """
    Give the host id of a journal aside, out of its name or itself; None where nobody can tell.
    """
    if named := _NAMED.match(path.name):
        return named[1]
    with suppress(sqlite3.Error, OSError), closing(_open(path)) as connection:
        row = connection.execute("SELECT value FROM host WHERE name = 'host_id'").fetchone()
        return str(row[0]) if row else None
    return None


def highest(path: Path) -> int:
    """
    Give the highest number that the journal is known to have given; 0 where nothing can be read.
    """
    found = [0]
    with suppress(sqlite3.Error, OSError), closing(_open(path)) as connection:
        for query in _HIGHEST:
            with suppress(sqlite3.DatabaseError):
                row = connection.execute(query).fetchone()
                found.append(int(row[0] or 0) if row else 0)
    return max(found)


def read_piece(path: Path, host_id: str, after: int, limit: int, last: int) -> Piece:
    """
    Read up to *limit* numbers above *after*, at most through *last*.

    Where a page is damaged they are read one by one, and what cannot be is counted.
    """
    through = min(after + limit, last)
    rows, unreadable = [], []
    with closing(_open(path)) as connection:
        found = _columns(connection)
        row = f"SELECT {found} FROM records WHERE number"  # noqa: S608  # our own words
        try:
            query = f"{row} > ? AND number <= ? ORDER BY number"
            rows = connection.execute(query, (after, through)).fetchall()
        except sqlite3.DatabaseError:
            rows = []
            for number in range(after + 1, through + 1):
                try:
                    rows += connection.execute(f"{row} = ?", (number,)).fetchall()
                except sqlite3.DatabaseError:
                    unreadable.append(number)
    return Piece(through, tuple(unstored(row, host_id) for row in rows), tuple(unreadable))


def _columns(connection: sqlite3.Connection) -> str:
    """
    Name what is read of each record: one of an earlier version has no checksum.
    """
    with suppress(sqlite3.DatabaseError):
        if "checksum" not in columns(connection):
            return BARE_COLUMNS.replace("checksum", "NULL")
    return BARE_COLUMNS


def _open(path: Path) -> sqlite3.Connection:
    # SQLite would remove the log beside an empty file.
    if path.stat().st_size == 0:
        raise sqlite3.DatabaseError("the file is empty")
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
