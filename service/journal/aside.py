"""
Tell whether a journal is damaged, and set it aside for the shipper.

Only what a fresh look confirms is damage: a lock, a full disk or one failed read is none.
"""

import os
import re
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger()

FOLDER: Final = "journals_aside"
SHIPPED: Final = ".shipped"  # at the end of the name, in the store and kept
_UNKNOWN: Final = "unknown"
_HOST_ID: Final = re.compile(r"[0-9a-f]{32}")
_DAMAGE: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_TABLES: Final = {"host", "records", "calls"}


def is_damage(error: BaseException) -> bool:
    """
    Tell whether SQLite says that the file itself is no whole database.
    """
    return str(getattr(error, "sqlite_errorname", "")).startswith(_DAMAGE)


def is_damaged(path: Path, connect: Callable[[], sqlite3.Connection], *, whole: bool) -> bool:
    """
    Look at the journal anew; the caller holds its lock.

    Args:
        whole: read all of it, not only its beginning.
    """
    try:
        # SQLite must not open an empty file: it would remove the log beside it.
        if path.stat().st_size == 0:
            return True
        with closing(connect()) as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not _TABLES <= {name for (name,) in names}:
                return True
            if not connection.execute("SELECT 1 FROM host WHERE name = 'host_id'").fetchone():
                return True
            return whole and connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok"
    except FileNotFoundError:
        return True
    except (OSError, sqlite3.Error) as error:
        return is_damage(error)


def set_aside(path: Path) -> None:
    """
    Give the damaged file and its log another name, and leave nothing at their own; the caller holds
    the lock. One that is gone leaves an empty file, so that somebody is told.

    Cut short at any point it is done again: the file goes before its log, so that a file without
    its log is never taken for a whole one.
    """
    folder = path.parent / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    host_id = known_host(path) or _UNKNOWN
    aside = folder / f"damaged-{host_id}-{uuid.uuid4().hex[:12]}.sqlite"
    with suppress(FileNotFoundError):
        os.link(_beside(path, "-wal"), _beside(aside, "-wal"))
    try:
        os.link(path, aside)
    except FileNotFoundError:
        aside.touch(mode=0o600)
    sync(folder)
    path.unlink(missing_ok=True)
    sync(path.parent)
    for name in ("-wal", "-shm"):
        _beside(path, name).unlink(missing_ok=True)
    log.error("journal_damaged", host_id=host_id, aside=aside.name)


def known_host(path: Path) -> str | None:
    """
    Give the host id that was noted beside the journal when it was made; None where there is none.
    """
    try:
        noted = _beside(path, ".host").read_text().strip()
    except (OSError, ValueError):
        return None
    return noted if _HOST_ID.fullmatch(noted) else None


def note_host(path: Path, host_id: str) -> None:
    """
    Note the host id beside the journal, for when the journal cannot be read.
    """
    fresh = _beside(path, ".host-new")
    fresh.touch(mode=0o600)
    fresh.write_text(f"{host_id}\n")
    fresh.replace(_beside(path, ".host"))


def waiting(home: Path) -> int:
    """
    Count the journals aside that are not shipped.
    """
    return sum(1 for _ in (home / FOLDER).glob("*.sqlite"))


def shipped(home: Path) -> list[Path]:
    """
    Give the journals aside that are kept though the store has all that can be read of them.
    """
    return sorted((home / FOLDER).glob(f"*.sqlite{SHIPPED}"))


def remove(path: Path) -> None:
    """
    Remove a journal aside with what stands beside it.
    """
    for ending in ("-wal", "-shm", ""):  # the file last: cut short, it is found again
        _beside(path, ending).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class SetAside:
    """
    One journal that was set aside: its file, why, whose it was (None: nobody can tell), whether the
    shipper is done with it, and when its file got the name that it has.
    """

    name: str
    is_damaged: bool
    host_id: str | None
    is_done: bool
    at: datetime


def listed(home: Path) -> tuple[SetAside, ...]:
    """
    Give every journal aside, the newest first. Never raises.
    """
    found = []
    for ending in (".sqlite", f".sqlite{SHIPPED}"):
        for path in (home / FOLDER).glob(f"*{ending}"):
            why, _, rest = path.name.partition("-")
            host = _HOST_ID.match(rest)
            with suppress(OSError):  # the shipper may rename or remove it meanwhile
                at = datetime.fromtimestamp(path.stat().st_ctime, UTC)
                found.append(
                    SetAside(
                        path.name,
                        is_damaged=why != "restored",
                        host_id=host[0] if host else None,
                        is_done=ending.endswith(SHIPPED),
                        at=at,
                    )
                )
    return tuple(sorted(found, key=lambda one: (one.at, one.name), reverse=True))


def sync(path: Path) -> None:
    """
    Wait until a file, or the names in a folder, are on disk.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
