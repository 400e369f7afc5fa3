"""
Open, lock and read the one SQLite file that is this host's journal.

It knows SQLite and the turns that processes take; what a record means is `service/journal.py`'s
business.
"""

import fcntl
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from service.errors import JournalUnavailableError, SettingsError

_BUSY_S = 5.0  # a safety net while SQLite recovers a file; turns are taken by the lock, not by this
_LOG_PAGES_MAX = 4_096  # 16 MiB: appends move the log themselves only if no shipper has done it
_PAGE_BYTES = 4096  # SQLite's own default, which the journal is made with
_LOOK_EVERY_S = 1.0  # how often the writer looks whether its file is still the one at its path
_TABLES = """
CREATE TABLE IF NOT EXISTS host (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, record_id TEXT NOT NULL UNIQUE,
    agency TEXT NOT NULL, call_id TEXT NOT NULL, revision INTEGER NOT NULL, decided_at TEXT NOT
    NULL, fingerprint TEXT, body BLOB NOT NULL, at REAL NOT NULL, stored_at REAL);
CREATE INDEX IF NOT EXISTS records_of_call ON records (agency, call_id);
CREATE INDEX IF NOT EXISTS records_unstored ON records (number) WHERE stored_at IS NULL;
CREATE INDEX IF NOT EXISTS records_stored ON records (stored_at) WHERE stored_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS calls (
    agency TEXT NOT NULL, call_id TEXT NOT NULL, revision INTEGER NOT NULL, record_id TEXT NOT NULL,
    recommendation BLOB NOT NULL, at REAL NOT NULL, PRIMARY KEY (agency, call_id)) WITHOUT ROWID;
"""


def create_journal(path: Path) -> None:
    """
    Make the file with all its tables and a random host id, once; a second time changes nothing.

    It runs before any process opens the journal: two processes that both turn a new file to WAL
    fail.

    Raises:
        SettingsError: the file cannot be made, or is not a journal.
    """
    try:
        with _turn(path):
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            with closing(_connect(path, "FULL")) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(f"BEGIN IMMEDIATE;{_TABLES}COMMIT;")
                connection.execute(
                    "INSERT OR IGNORE INTO host VALUES ('host_id', ?)", (uuid.uuid4().hex,)
                )
            _sync_folder(path.parent)
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(f"the journal `{path}` cannot be made: {error}") from error


class JournalFile:
    """
    Give connections to the file.

    There is one per thread for reading, one for the writer, and one at a time for marking and
    removing.
    """

    def __init__(self, path: Path, bytes_max: int) -> None:
        self._path = path
        self._bytes_max = bytes_max
        self._threads = threading.local()
        self._guard = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._host_id: str | None = None
        self._append_connection: sqlite3.Connection | None = None
        self._append_lock = -1
        self._inode = 0
        self._looked_at = 0.0

    @property
    def host_id(self) -> str:
        """
        Give the random name of this host.
        """
        if self._host_id is None:
            rows = self.read("SELECT value FROM host WHERE name = 'host_id'")
            if not rows:
                raise JournalUnavailableError(f"the journal `{self._path}` has no host id")
            self._host_id = str(rows[0][0])
        return self._host_id

    def read(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """
        Run one query on this thread's connection.

        Raises:
            JournalUnavailableError: the file cannot be read.
        """
        try:
            connection = getattr(self._threads, "connection", None)
            if connection is None:
                connection = self._threads.connection = self._open("FULL")
                connection.execute("PRAGMA query_only = ON")
                with self._guard:
                    self._readers.append(connection)
            return list(connection.execute(query, values))
        except sqlite3.Error as error:
            raise JournalUnavailableError(f"the journal cannot be read: {error}") from error

    @contextmanager
    def appending(self) -> Iterator[sqlite3.Connection]:
        """
        Open one transaction that is on disk, fsync included, when the block ends.

        For the writer thread only.
        """
        # Read before the lock: the writer needs it for every record, and it is a query the first
        # time.
        _ = self.host_id
        with self._failing():
            connection = self._writing()
            fcntl.flock(self._append_lock, fcntl.LOCK_EX)
            try:
                with _transaction(connection):
                    yield connection
            except sqlite3.Error:
                self._stop_writing()
                raise
            finally:
                if self._append_lock >= 0:
                    fcntl.flock(self._append_lock, fcntl.LOCK_UN)

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """
        Open one transaction that a power cut may undo.

        It is for what is only work to do again if it is lost.
        """
        with (
            self._failing(),
            _turn(self._path),
            closing(self._open("NORMAL")) as connection,
            _transaction(connection),
        ):
            yield connection

    def checkpoint(self) -> None:
        """
        Move the log into the file, without keeping appends waiting but for a last short piece.
        """
        with self._failing(), closing(self._open("NORMAL")) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            log = self._path.with_name(self._path.name + "-wal")
            if log.exists() and log.stat().st_size > _LOG_PAGES_MAX * _PAGE_BYTES // 2:
                # Under a steady load the log never ends by itself; with appends held off it starts
                # anew.
                with _turn(self._path):
                    connection.execute("PRAGMA wal_checkpoint(RESTART)")

    def scrub(self) -> bool:
        """
        Move the log into the file and cut it to nothing; False where a reader keeps it open.
        """
        with self._failing(), _turn(self._path), closing(self._open("NORMAL")) as connection:
            is_busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not is_busy

    def close(self) -> None:
        """
        Close every connection.
        """
        with self._guard:
            readers, self._readers = self._readers, []
            self._threads = threading.local()
        for connection in readers:
            connection.close()
        self._stop_writing()

    def _writing(self) -> sqlite3.Connection:
        now = time.monotonic()
        if self._append_connection is not None and now - self._looked_at > _LOOK_EVERY_S:
            # A file that was replaced or removed under us would take records that nobody can find.
            if self._path.stat().st_ino != self._inode:
                self._stop_writing()
            self._looked_at = now
        if self._append_connection is None:
            self._append_lock = _open_lock(self._path)
            self._append_connection = self._open("FULL")
            # Only appends are bound: what marks and removes records must work in a full journal.
            # Free pages are used again, so that it takes records as soon as some are forgotten.
            pages_max = self._bytes_max // _PAGE_BYTES
            self._append_connection.execute(f"PRAGMA max_page_count = {pages_max}")
            self._inode = self._path.stat().st_ino
            self._looked_at = now
        return self._append_connection

    def _stop_writing(self) -> None:
        if self._append_connection is not None:
            self._append_connection.close()
            self._append_connection = None
        if self._append_lock >= 0:
            os.close(self._append_lock)
            self._append_lock = -1

    def _open(self, synchronous: str) -> sqlite3.Connection:
        connection = _connect(self._path, synchronous)
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES_MAX}")
        return connection

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise JournalUnavailableError(f"the journal cannot be written: {error}") from error


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    # `mode=rw`: opening a journal that is gone must fail, not make an empty one.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=_BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    # What is erased is written over, and stands in no free page.
    connection.execute("PRAGMA secure_delete = ON")
    return connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    # The kernel wakes a waiting process as soon as the lock is free; SQLite's own waiting sleeps,
    # and made single appends take over 3 s (performance.md F).
    lock = _open_lock(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _open_lock(path: Path) -> int:
    return os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
