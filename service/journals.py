"""
The journals that are known: this host's own, those that the store has records of, and those that
were set aside on this host.
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from service.errors import JournalUnavailableError
from service.instants import iso
from service.journal import Journal, aside
from service.store import alerts, journal_numbers
from service.store.journal_numbers import Gap

KNOWN_MAX: Final = 20  # of journals in the store; each restore and each new host begins one
ASIDE_MAX: Final = 20
TOLD_MAX: Final = 100  # of alerts of missing numbers
# Workers store in any order, and a batch may be sent again: only what lacks longer is missing.
MISSING_AFTER: Final = dt.timedelta(minutes=1)


def of_this_host(journal: Journal) -> dict[str, Any] | None:
    """
    Say what waits in this host's journal, and how much room it has; None where it cannot be read.
    """
    try:
        count, oldest_s = journal.backlog()
        room, host_id = journal.room(), journal.host_id
    except (JournalUnavailableError, OSError):
        return None
    return {
        "host_id": host_id,
        "not_stored": count,
        "oldest_s": round(oldest_s, 1),
        "bytes_used": room.used,
        "bytes_max": room.used_max,
        "disk_free_bytes": room.free,
        "disk_free_bytes_min": room.free_min,
    }


def in_store(store: Engine, now: dt.datetime) -> dict[str, Any]:
    """
    Say of each journal through which number the store has everything, which is the highest that it
    is known to have given, and the first numbers that are missing between.

    Raises:
        StoreUnavailableError: the store cannot be reached.
    """
    found, count = journal_numbers.known(store, KNOWN_MAX, stored_before=now - MISSING_AFTER)
    hosts = {one.host_id for one, _ in found}
    # A record that was stored and is gone lies behind what a position says: its alert tells of it.
    told = [gap for gap in _told_missing(store) if gap.host_id in hosts]
    gone = journal_numbers.still_missing(store, told)
    found = tuple((one, gone.get(one.host_id) or gap) for one, gap in found)
    return {
        "count": count,
        "newest": [
            {
                "host_id": one.host_id,
                "through": one.through,
                "highest": one.highest,
                "missing": {"first": gap.first, "last": gap.last} if gap else None,
                "at": iso(one.at),
            }
            for one, gap in found
        ],
    }


def _told_missing(store: Engine) -> Iterator[Gap]:
    """
    Give the gaps that the last alerts were raised for.
    """
    for subject in alerts.subjects(store, alerts.RECORD_MISSING, TOLD_MAX):
        host_id, _, numbers = subject.partition(" ")
        first, _, last = numbers.partition("-")
        if first.isdecimal() and last.isdecimal():
            yield Gap(host_id, int(first), int(last))


def set_aside(home: Path) -> list[dict[str, Any]]:
    """
    List the journals that were set aside on this host, the newest first: damaged ones, and those
    that a restore brought back.
    """
    return [
        {
            "name": one.name,
            "why": "damaged" if one.is_damaged else "restored",
            "host_id": one.host_id,
            "state": "done" if one.is_done else "waits",
            "at": iso(one.at),
        }
        for one in aside.listed(home)[:ASIDE_MAX]
    ]
