"""
Open, lock and read the one SQLite file that is this host's journal.

It knows SQLite and the turns that processes take; what a record means is `service/journal.py`'s
business.
"""

import errno
import fcntl
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from service.errors import JournalUnavailableError, SettingsError
from service.journal import aside

_BUSY_S = 5.0  # a safety net while SQLite recovers a file; turns are taken by the lock, not by this
_LOG_PAGES_MAX = 4_096  # 16 MiB: appends move the log themselves only if no shipper has done it
_PAGE_BYTES = 4096  # SQLite's own default, which the journal is made with
_TABLES = """
CREATE TABLE IF NOT EXISTS host (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, record_id TEXT NOT NULL UNIQUE,
    agency TEXT NOT NULL, call_id TEXT NOT NULL, revision INTEGER NOT NULL, decided_at TEXT NOT
    NULL, fingerprint TEXT, body BLOB NOT NULL, at REAL NOT NULL, stored_at REAL, checksum INTEGER);
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
        JournalUnavailableError: the disk is full, or fails.
        SettingsError: the file cannot be made for another reason, or is not a journal.
    """
    try:
        with _turn(path):
            was_made = path.exists() or aside.known_host(path) is not None
            if was_made and aside.is_damaged(path, lambda: _connect(path, "FULL"), whole=False):
                aside.set_aside(path)
            if path.exists():
                with closing(_connect(path, "FULL")) as connection:
                    aside.note_host(path, _fill(connection))
            else:
                _put_fresh(path)
    except (OSError, sqlite3.Error) as error:
        kind = JournalUnavailableError if _is_disk_fault(error) else SettingsError
        raise kind(f"the journal `{path}` cannot be made: {error}") from error


def _is_disk_fault(error: BaseException) -> bool:
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        return True
    return str(getattr(error, "sqlite_errorname", "")).startswith(("SQLITE_FULL", "SQLITE_IOERR"))


def _put_fresh(path: Path) -> None:
    # Made under another name and moved: no process ever meets half a journal, or an old log.
    fresh = path.with_name(path.name + "-fresh")
    for ending in ("", "-wal", "-shm"):
        fresh.with_name(fresh.name + ending).unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_RDWR, 0o600))
    with closing(_connect(fresh, "FULL")) as connection:
        host_id = _fill(connection)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    fresh.replace(path)
    aside.note_host(path, host_id)
    aside.sync(path.parent)


def _fill(connection: sqlite3.Connection) -> str:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(f"BEGIN IMMEDIATE;{_TABLES}COMMIT;")
    if "checksum" not in columns(connection):  # one of an earlier version
        connection.execute("ALTER TABLE records ADD COLUMN checksum INTEGER")
    connection.execute("INSERT OR IGNORE INTO host VALUES ('host_id', ?)", (uuid.uuid4().hex,))
    return _host_of(connection)


def columns(connection: sqlite3.Connection) -> set[str]:
    """
    Name the columns of a journal's records.
    """
    return {name for _, name, *_ in connection.execute("PRAGMA table_info(records)")}


class ReplacedError(JournalUnavailableError):
    """
    Say that the journal was damaged and a new one stands in its place: what failed may be tried
    again.
    """


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
        self._append_connection: sqlite3.Connection | None = None
        self._append_lock = -1
        self._append_host = ""
        self._inode = 0

    @property
    def host_id(self) -> str:
        """
        Give the random name of the journal that this thread read or wrote last.
        """
        if getattr(self._threads, "host_id", None) is None:
            self.read("SELECT 1")
        return str(self._threads.host_id)

    def read(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """
        Run one query on this thread's connection.

        Raises:
            JournalUnavailableError: the file cannot be read.
        """
        try:
            try:
                return list(self._reading().execute(query, values))
            except (OSError, sqlite3.Error) as error:
                self._stop_reading()
                if not self._mended(error):
                    raise
                return list(self._reading().execute(query, values))
        except (OSError, sqlite3.Error) as error:
            raise JournalUnavailableError(f"the journal cannot be read: {error}") from error

    @contextmanager
    def appending(self) -> Iterator[sqlite3.Connection]:
        """
        Take the turn for the block. What it commits is on disk, fsync included.

        For the writer thread only.
        """
        with self._failing():
            try:
                connection = self._writing()
                self._threads.host_id = self._append_host
                yield connection
            except (OSError, sqlite3.Error):
                self._stop_writing()  # `_failing` puts a fresh journal in place of a damaged one
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
            transaction(connection),
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

    def _reading(self) -> sqlite3.Connection:
        inode = self._path.stat().st_ino
        connection: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if connection is not None and inode != self._threads.inode:
            self._stop_reading()
            connection = None
        if connection is None:
            connection = self._threads.connection = self._open("FULL")
            with self._guard:
                self._readers.append(connection)
            connection.execute("PRAGMA query_only = ON")
            self._threads.inode = inode
            self._threads.host_id = _host_of(connection)
        return connection

    def _stop_reading(self) -> None:
        connection = getattr(self._threads, "connection", None)
        self._threads.connection = self._threads.host_id = None
        if connection is not None:
            with self._guard:
                if connection in self._readers:
                    self._readers.remove(connection)
            connection.close()

    def _writing(self) -> sqlite3.Connection:
        """
        Take the turn, and give a connection to the file that stands at the path now.
        """
        if self._append_lock < 0:
            self._append_lock = _open_lock(self._path)
        fcntl.flock(self._append_lock, fcntl.LOCK_EX)
        # A file that was replaced or removed under us would take records that nobody can find.
        inode = self._path.stat().st_ino
        if self._append_connection is not None and inode != self._inode:
            self._append_connection.close()
            self._append_connection = None
        if self._append_connection is None:
            self._append_connection = self._open("FULL")
            # Only appends are bound: what marks and removes records must work in a full journal.
            # Free pages are used again, so that it takes records as soon as some are forgotten.
            pages_max = self._bytes_max // _PAGE_BYTES
            self._append_connection.execute(f"PRAGMA max_page_count = {pages_max}")
            self._append_host = _host_of(self._append_connection)
            self._inode = inode
        return self._append_connection

    def _mended(self, error: BaseException) -> bool:
        """
        Put a fresh journal in place of one that is damaged, and tell whether there is one to go on
        with. Called without the turn; who comes second finds a whole one.
        """
        if aside.known_host(self._path) is None:
            return False  # there never was one: that is for the start to make
        is_suspect = aside.is_damage(error)
        with _turn(self._path):
            if not aside.is_damaged(self._path, lambda: self._open("FULL"), whole=is_suspect):
                return is_suspect
            aside.set_aside(self._path)
            _put_fresh(self._path)
        return True

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
            is_mended = False
            with suppress(OSError, sqlite3.Error):
                is_mended = self._mended(error)
            if is_mended:
                raise ReplacedError("the journal was damaged, and a new one began") from error
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
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """
    Open one transaction, and undo it where the block fails.
    """
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


def _host_of(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT value FROM host WHERE name = 'host_id'").fetchone()
    if row is None:
        raise sqlite3.DatabaseError("the journal has no host id")
    return str(row[0])
