"""
Keep every record of this host on disk before its answer leaves, until the store has it.

One SQLite file per host. Each process has one writer thread that puts whatever waits into one
transaction with one fsync; processes take turns by a file lock. It must not need a network, and
never judges what a record says.

    create_journal(settings.journal_path)
    journal = Journal(settings)
    match journal.append(entry):
        case Written(record): ...
"""

import queue
import threading
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from service.errors import JournalUnavailableError
from service.journal import erasing
from service.journal.file import JournalFile, ReplacedError
from service.journal.records import (
    BARE_COLUMNS,
    Appended,
    Entry,
    LastRevision,
    Record,
    Unstored,
    unstored,
)
from service.journal.room import Room, look
from service.journal.rows import COLUMNS, body_of, recommendation_of, record_of, write
from service.settings import Settings
from service.verify_log import SEALED

_FORGET_BATCH = 1000  # a longer delete would keep appends waiting for the file lock


@dataclass(slots=True, eq=False)
class _Waiting:
    """
    One request that waits for the writer; `done` is held until the writer lets go of it.
    """

    entry: Entry
    body: bytes
    done: threading.Lock = field(default_factory=threading.Lock)
    taken: threading.Lock = field(default_factory=threading.Lock)
    result: Appended | Exception = field(default_factory=lambda: RuntimeError("not written yet"))


class Journal:
    """
    Append records, find them again, and hand them to the shipper.

    One per process; any thread may call it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = JournalFile(settings.journal_path, settings.journal_bytes_max)
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._writer: threading.Thread | None = None
        self._is_closed = False

    @property
    def host_id(self) -> str:
        """
        Give the random name of this host, made with the file.
        """
        return self._file.host_id

    def append(self, entry: Entry) -> Appended:
        """
        Write *entry*, and come back when the commit is on disk.

        Returns:
            `Written` with its number and revision, `Repeat` if the record id is there already, or
            `Stale` if the call has another newest revision than `entry.after_revision`.

        Raises:
            JournalUnavailableError: it could not be written within `journal_wait_s_max`.
        """
        waiting = _Waiting(entry, orjson.dumps(entry.body))
        waiting.done.acquire()
        self._start_writer()
        if self._waiting.qsize() >= self._settings.journal_waiting_max:
            raise JournalUnavailableError("too many requests wait for the journal")
        self._waiting.put(waiting)
        if not waiting.done.acquire(timeout=self._settings.journal_wait_s_max):
            # A request that the writer has not begun is taken back, so that no record says it was
            # answered.
            waiting.taken.acquire(blocking=False)
            raise JournalUnavailableError("the journal did not answer in time")
        if isinstance(waiting.result, Exception):
            raise waiting.result
        return waiting.result

    def find(self, agency: str, record_id: str) -> Record | None:
        """
        Give the record of this agency with this id, or None; never another agency's.
        """
        found = self._select("WHERE record_id = ? AND agency = ?", record_id, agency)
        return found[0] if found else None

    def last_of_call(self, agency: str, call_id: str) -> LastRevision | None:
        """
        Give a call's newest revision; None if never seen here.

        It is remembered for `calls_keep_h`, longer than the record itself.
        """
        rows = self._file.read(
            "SELECT revision, record_id, body, decided_at FROM records"
            " WHERE agency = ? AND call_id = ?"
            " AND kind = 'decision' ORDER BY number DESC LIMIT 1",
            (agency, call_id),
        )
        if rows:
            revision, record_id, body, decided_at = rows[0]
            return LastRevision(revision, record_id, recommendation_of(body_of(body)), decided_at)
        rows = self._file.read(
            "SELECT revision, record_id, recommendation FROM calls"
            " WHERE agency = ? AND call_id = ?",
            (agency, call_id),
        )
        if not rows:
            return None
        revision, record_id, recommendation = rows[0]
        return LastRevision(revision, record_id, orjson.loads(recommendation), None)

    def revisions(self, agency: str, call_id: str) -> tuple[Record, ...]:
        """
        Give the decisions about one call that the journal still has, the oldest first.
        """
        return self._of_call(agency, call_id, "decision")

    def dispatches(self, agency: str, call_id: str) -> tuple[Record, ...]:
        """
        Give the reports of what was sent to one call that the journal still has, the oldest first.
        """
        return self._of_call(agency, call_id, "dispatch")

    def unstored(self, limit: int, after_number: int = 0) -> tuple[Unstored, ...]:
        """
        Give up to *limit* unstored records above *after_number*, in number order, as they are on
        disk: one that nobody can read must not hold up the others.
        """
        rows = self._file.read(
            f"SELECT {BARE_COLUMNS} FROM records"  # noqa: S608  our own words
            " WHERE stored_at IS NULL AND number > ? ORDER BY number LIMIT ?",
            (after_number, limit),
        )
        return tuple(unstored(row, self.host_id) for row in rows)

    def confirm(self, numbers: Sequence[int]) -> None:
        """
        Mark records as being in the store, from now on.
        """
        now = time.time()
        host_id = self.host_id
        changes = [(now, number, host_id) for number in numbers]
        with self._file.changing() as connection:
            connection.executemany(
                # A journal that began meanwhile gives the same numbers to other records.
                "UPDATE records SET stored_at = ? WHERE number = ? AND stored_at IS NULL"
                " AND EXISTS (SELECT 1 FROM host WHERE name = 'host_id' AND value = ?)",
                changes,
            )

    def forget(self, now: datetime) -> int:
        """
        Remove what the store has had for `journal_keep_h`, and calls older than `calls_keep_h`.
        Where the journal is nearly full, all that the store has goes at once.

        Returns:
            How many records went. What is not in the store never goes, and neither does its call.
        """
        stored_before = (now - timedelta(hours=self._settings.journal_keep_h)).timestamp()
        called_before = (now - timedelta(hours=self._settings.calls_keep_h)).timestamp()
        if self.room().is_bound_near:
            stored_before = now.timestamp()
        gone = 0
        while count := self._forget_records(stored_before, called_before):
            gone += count
            if count < _FORGET_BATCH:
                break
        while self._forget_calls(called_before) == _FORGET_BATCH:
            pass
        return gone

    def _forget_records(self, stored_before: float, called_before: float) -> int:
        # A record with an idempotency key is kept as long as its call, so that the key goes on
        # giving the first answer. What is stored does not change any more, so it is read outside
        # the lock.
        old = self._file.read(
            "SELECT number, kind, agency, call_id, revision, record_id, body, at FROM records"
            " WHERE stored_at < ? AND (fingerprint IS NULL OR stored_at < ?)"
            " ORDER BY number LIMIT ?",
            (stored_before, called_before, _FORGET_BATCH),
        )
        calls = [
            (*call, orjson.dumps(recommendation_of(body_of(body))), at)
            for _, kind, *call, body, at in old
            if kind == "decision"
        ]
        if old:
            with self._file.changing() as connection:
                # INVARIANT (revisions_never_restart): what the next revision needs of a call stays
                # when its record goes.
                connection.executemany(
                    "INSERT INTO calls (agency, call_id, revision, record_id, recommendation, at)"
                    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (agency, call_id) DO UPDATE SET"
                    " revision = excluded.revision, record_id = excluded.record_id,"
                    " recommendation = excluded.recommendation, at = excluded.at"
                    " WHERE excluded.revision >= revision",
                    calls,
                )
                connection.executemany(
                    "DELETE FROM records WHERE number = ? AND stored_at IS NOT NULL",
                    [(number,) for number, *_ in old],
                )
        return len(old)

    def _forget_calls(self, before: float) -> int:
        # INVARIANT (revisions_never_restart): a call outlives its newest record, so that its next
        # revision is never given a number that a record here has already. They are looked for
        # outside the lock, because that reads the whole table.
        old = self._file.read(
            "SELECT at, agency, call_id FROM calls WHERE at < ? AND NOT EXISTS"
            " (SELECT 1 FROM records WHERE records.record_id = calls.record_id) LIMIT ?",
            (before, _FORGET_BATCH),
        )
        if old:
            with self._file.changing() as connection:
                connection.executemany(
                    "DELETE FROM calls WHERE at = ? AND agency = ? AND call_id = ?", old
                )
        return len(old)

    def erase_call(self, agency: str, call_id: str, until: datetime) -> int | None:
        """
        Erase what is here of a call, up to a time; gives how many records, or None where the store
        does not have all of it yet.
        """
        with self._file.changing() as connection:
            return erasing.erase_call(connection, agency, call_id, until)

    def erase_texts(self, agency: str, before: datetime, held: Collection[str]) -> int:
        """
        Erase the words of an agency's stored records that were told before a time, but those of
        calls that are *held*; gives how many records.
        """
        gone = 0
        while True:
            with self._file.changing() as connection:
                count = erasing.erase_texts(connection, agency, before, held)
            gone += count
            if count < erasing.TEXTS_MAX:
                return gone

    def sealed_with(self, key: str) -> int:
        """
        Count the records with a text that was sealed with this key.
        """
        begins = f'"{SEALED}{key}:'.encode()
        rows = self._file.read("SELECT count(*) FROM records WHERE instr(body, ?)", (begins,))
        return int(rows[0][0])

    def keeps_since(self, now: datetime) -> datetime:
        """
        Give the time before which nothing is here that the store has.
        """
        hours = max(self._settings.journal_keep_h, self._settings.calls_keep_h)
        return now - timedelta(hours=hours)

    def scrub(self) -> bool:
        """
        Empty the log beside the file, so that what was erased stands nowhere; False where somebody
        still reads it.
        """
        return self._file.scrub()

    def backlog(self) -> tuple[int, float]:
        """
        Count the unstored records, and give the age of the oldest in seconds (0: none).
        """
        rows = self._file.read("SELECT count(*), min(at) FROM records WHERE stored_at IS NULL")
        count, oldest = rows[0]
        return count, max(0.0, time.time() - oldest) if count else 0.0

    def room(self) -> Room:
        """
        Say how much room the records use, how much they may, and what the disk has left.
        """
        return look(self._file, self._settings)

    def checkpoint(self) -> None:
        """
        Move what is written from the log beside the file into it.

        The shipper does it, so that appends need not.
        """
        self._file.checkpoint()

    def close(self) -> None:
        """
        Write what waits, then end. Later appends are refused.
        """
        with self._starting:
            if self._is_closed:
                return
            self._is_closed = True
        if self._writer is not None:
            self._waiting.put(None)
            self._writer.join(self._settings.journal_wait_s_max)
        self._file.close()

    def _of_call(self, agency: str, call_id: str, kind: str) -> tuple[Record, ...]:
        where = "WHERE agency = ? AND call_id = ? AND kind = ? ORDER BY number"
        return self._select(where, agency, call_id, kind)

    def _select(self, where: str, *values: Any) -> tuple[Record, ...]:
        # Both parts are this module's own words; what a caller says comes in as a value only.
        rows = self._file.read(f"SELECT {COLUMNS} FROM records {where}", values)  # noqa: S608  # our own words
        records = (record_of(row, self.host_id) for row in rows)
        # One that nobody can read is not here: the store has it in quarantine soon.
        return tuple(record for record in records if record.is_readable)

    def _start_writer(self) -> None:
        # The thread is started by the first append and not at construction: a process that forks
        # later, or only reads, must not have it.
        with self._starting:
            if self._is_closed:
                raise JournalUnavailableError("the journal is closed")
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
                self._writer.start()

    def _write(self) -> None:
        is_open = True
        while is_open:
            batch: list[_Waiting | None] = [self._waiting.get()]
            with suppress(queue.Empty):
                while len(batch) < self._settings.journal_batch_max and batch[-1] is not None:
                    batch.append(self._waiting.get_nowait())
            is_open = batch[-1] is not None
            self._write_batch([one for one in batch if one is not None])

    def _write_batch(self, batch: list[_Waiting], *, again: bool = True) -> None:
        taken: list[_Waiting] = []
        try:
            with self._file.appending() as connection:
                # Taken only under the lock: until then a request may still give up its wait.
                taken = [one for one in batch if one.taken.acquire(blocking=False)]
                told = [(one.entry, one.body) for one in taken]
                results = write(connection, self.host_id, told) if told else []
                # It is on disk. They are answered first: to give the turn away lets other threads
                # in, and then they would wait for those.
                _answer(taken, results)
                taken, batch = [], []
        except JournalUnavailableError as error:
            if again and isinstance(error, ReplacedError):
                for one in taken:
                    one.taken.release()
                self._write_batch(batch, again=False)
                return
            # One error for each, because each thread that raises it adds its own traceback.
            _answer(batch, [JournalUnavailableError(str(error)) for _ in batch])
        except Exception as error:  # noqa: BLE001  it is raised again in the thread that asked
            # One entry that cannot be written must not take the others of its batch with it.
            if len(taken) <= 1:
                _answer(batch, [error] * len(batch))
                return
            for one in taken:
                one.taken.release()
                self._write_batch([one])


def _answer(batch: list[_Waiting], results: Sequence[Appended | Exception]) -> None:
    for waiting, result in zip(batch, results, strict=True):
        waiting.result = result
        waiting.done.release()
