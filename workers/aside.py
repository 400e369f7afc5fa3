"""
Carry what can be read of journals that were set aside to the store.

Nothing here ever raises: whatever is wrong with an old journal, the host's own is shipped on.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Engine

from service.alerts import raise_for_damaged
from service.journal import Unstored, salvage
from service.journal.aside import DONE, FOLDER
from service.settings import Settings
from service.store import journal_positions
from workers.batches import batches

log = structlog.get_logger()

_EVERY_S: Final = 1.0
_TURN_S_MAX: Final = 0.25  # of one file at a time: the host's own journal waits no longer


@dataclass(slots=True)
class _Pass:
    """
    How far one walk through a file has come; the one that finds all of it in the store is the last.
    """

    host_id: str
    last: int
    after: int = 0
    not_stored: int = 0
    unreadable: int = 0
    not_before: float = 0.0


class AsideShipping:
    """
    Walk through each journal aside, send what the store lacks, and walk again until it lacks
    nothing that can be read.
    """

    def __init__(
        self, settings: Settings, store: Engine, send: Callable[[Sequence[Unstored]], None]
    ) -> None:
        self._settings = settings
        self._store = store
        self._send = send
        self._passes: dict[Path, _Pass] = {}
        self._failed: set[Path] = set()
        self._looked_at = 0.0

    def step(self) -> None:
        """
        Go on for a moment with each file. Never raises.
        """
        now = time.monotonic()
        if now - self._looked_at < _EVERY_S:
            return
        for path in self._files():
            try:
                self._go_on(path)
                self._failed.discard(path)
            except Exception as error:  # noqa: BLE001  the host's own journal must be shipped on
                self._passes.pop(path, None)
                if path not in self._failed:
                    self._failed.add(path)
                    log.warning("aside_waits", aside=path.name, reason=type(error).__name__)
        self._looked_at = time.monotonic()

    def _files(self) -> list[Path]:
        try:
            return sorted((self._settings.home / FOLDER).glob("*.sqlite"))
        except OSError:
            return []

    def _go_on(self, path: Path) -> None:
        host_id = salvage.host_of(path)
        if host_id is None:
            log.error("aside_unknown", aside=path.name)
            _keep(path)
            return
        walk = self._passes.get(path)
        if walk is None:
            walk = self._passes[path] = _Pass(host_id, salvage.highest(path))
        end = time.monotonic() + _TURN_S_MAX
        if walk.not_before > time.monotonic():
            return
        while walk.after < walk.last and walk.not_stored < self._settings.ship_flight_max:
            self._walk(path, walk)
            if time.monotonic() > end:
                return
        if walk.not_stored:
            again = time.monotonic() + self._settings.ship_again_s
            self._passes[path] = _Pass(host_id, walk.last, not_before=again)
            return
        self._finish(path, walk)

    def _walk(self, path: Path, walk: _Pass) -> None:
        piece = salvage.read_piece(
            path, walk.host_id, walk.after, self._settings.ship_batch_max, walk.last
        )
        numbers = [*(record.number for record in piece.records), *piece.unreadable]
        stored = journal_positions.confirmed(self._store, walk.host_id, numbers)
        lacking = [record for record in piece.records if record.number not in stored]
        for batch in batches(lacking, self._settings.ship_bytes_max):
            self._send(batch)
        walk.not_stored += len(lacking)
        walk.unreadable += len(set(piece.unreadable) - stored)
        walk.after = piece.through

    def _finish(self, path: Path, walk: _Pass) -> None:
        now = datetime.now(UTC)
        if walk.last:
            journal_positions.note_highest(self._store, walk.host_id, walk.last, now)
        is_damaged = walk.unreadable > 0 or not path.name.startswith("restored-")
        if is_damaged:
            raise_for_damaged(self._store, walk.host_id, walk.unreadable, now)
            _keep(path)
        else:
            for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                path.with_name(name).unlink(missing_ok=True)
        del self._passes[path]
        log.info("aside_shipped", aside=path.name, unreadable=walk.unreadable)


def _keep(path: Path) -> None:
    log_of = path.with_name(f"{path.name}-wal")
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    if log_of.exists():
        log_of.rename(path.with_name(f"{path.name}{DONE}-wal"))
    path.rename(path.with_name(f"{path.name}{DONE}"))
