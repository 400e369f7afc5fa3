"""
A trial journal in a file of its own form, to see what SQLite costs: the writer thread puts whatever
waits behind each other into a preallocated file, with one write and one fdatasync.

It leaves out what a real one must do: the file of each process is its own, so nothing is unique on
the host, no revision is read and no record is found again. So a real one could only be slower.
"""

import os
import struct
import zlib
from dataclasses import replace

from flask import Flask

from benchmarks.load import die_with_parent
from service.app import join, make_flask
from service.decisions import Decisions
from service.encryption import session_key
from service.journal import Appended, Entry, Journal, Record, Written
from service.journal.journal import _answer, _Waiting
from service.log import configure_log
from service.parts import Parts
from service.settings import Settings, read_settings

FILE_BYTES = 64 << 20  # then it begins again: the store has long had what stands there
HEAD = struct.Struct("<IIQ")  # length, checksum, number


class FlatJournal(Journal):
    """
    Appends as `Journal` does, into the file of this process.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        path = settings.home / f"flat-{os.getpid()}.journal"
        self._handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        # Written once, not only reserved: else each write would also change what the file system
        # knows of the file.
        for place in range(0, FILE_BYTES, 1 << 20):
            os.pwrite(self._handle, bytes(1 << 20), place)
        os.fsync(self._handle)
        self._place = self._number = 0

    def _write_batch(self, batch: list[_Waiting], *, again: bool = True) -> None:
        taken = [one for one in batch if one.taken.acquire(blocking=False)]
        pieces, results = [], list[Appended]()
        for one in taken:
            self._number += 1
            pieces += [HEAD.pack(len(one.body), zlib.crc32(one.body), self._number), one.body]
            results.append(Written(_record(one.entry, self._number)))
        data = b"".join(pieces)
        if self._place + len(data) > FILE_BYTES:
            self._place = 0
        os.pwrite(self._handle, data, self._place)
        os.fdatasync(self._handle)
        self._place += len(data)
        _answer(taken, results)


def _record(entry: Entry, number: int) -> Record:
    head = (number, "flat", entry.kind, entry.record_id, entry.agency, entry.call_id, 1)
    return Record(*head, entry.decided_at, entry.fingerprint, entry.body, "journaled")


def decisions_with(parts: Parts, journal: Journal) -> Decisions:
    """
    Make what decides and records, as the service joins it, on another journal.
    """
    return Decisions(
        parts.rules,
        journal,
        parts.key_ring,
        parts.surroundings,
        fingerprint_key=session_key(parts.settings),
        is_only_host=True,
        journal_wait_s_max=parts.settings.journal_wait_s_max,
        now=parts.now,
        on_unknown_code=lambda _: None,
    )


def create_app() -> Flask:
    """
    Make the service with this journal, for a server process that ends with its parent.
    """
    die_with_parent(os.getppid())
    settings = read_settings()
    configure_log(keep=settings.home / "logs" / "api.log")
    parts, _ = join(settings)
    journal = FlatJournal(settings)
    return make_flask(replace(parts, journal=journal, decisions=decisions_with(parts, journal)))
