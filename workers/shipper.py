"""
Carry records from this host's journal to the store, by way of the workers.

The store is asked which numbers of the journal it has; only those are confirmed there. With Redis,
the workers or the store away the records wait in the journal and are sent again, for as long as it
takes.

    python -m workers.shipper
"""

import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import structlog
from alembic.util import CommandError
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from service.errors import JournalUnavailableError, SettingsError, StoreUnavailableError
from service.host.signs_of_life import SignOfLife
from service.journal import Journal, Unstored, create_journal
from service.log import configure_log
from service.metrics import make_shipping_metrics
from service.retention import erase_aside, erase_in_journal
from service.rulesets import read_agency_defaults
from service.settings import Settings, read_settings
from service.store import journal_positions
from service.store.database import open_store
from service.store.migration import is_current, migrate
from workers.aside import AsideShipping
from workers.batches import batches, size_of
from workers.queue import Queue

log = structlog.get_logger()

_WAIT_S_MAX = 2.0  # between two tries while something is away
_AGAIN_S_MAX = 300.0  # the longest wait before records are sent once more
_LOOK_S = 0.05  # between two questions to the store while records are on their way
_TIDY_EVERY_S = 1.0
_FORGET_EVERY_S = 60.0
_ERASE_EVERY_S = 5.0
_AWAY = (
    JournalUnavailableError,
    SettingsError,
    StoreUnavailableError,
    SQLAlchemyError,
    CommandError,
    OperationalError,
    RedisError,
    OSError,
)


class _AwayError(Exception):
    """
    Say that a part that the round needs is away; it is logged already.
    """


@dataclass(frozen=True, slots=True)
class _Sent:
    """
    When a record was last sent, how often before, and how long its body is.
    """

    at: float
    tries: int
    size: int


class Shipper:
    """
    Ship one journal. `step` does one round, and never raises for what is only away.
    """

    def __init__(self, settings: Settings, journal: Journal, queue: Queue) -> None:
        self._settings = settings
        self._journal = journal
        self._metrics = make_shipping_metrics()
        self._queue = queue
        self._store = open_store(settings.database_url, wait_s_max=settings.store_wait_s_max)
        self._sent: dict[int, _Sent] = {}
        self._tries: dict[int, int] = {}  # of what waits to be sent again
        self._read_through = 0
        self._host_id = ""
        self._is_made = False
        self._is_migrated = False
        self._away: set[str] = set()
        self._is_one_back = False
        self._failures = 0
        self._tidied_at = 0.0
        self._forgot_at = time.monotonic()
        self._defaults = read_agency_defaults(settings.config)
        self._erased_at = 0.0
        self._aside = AsideShipping(settings, self._store, self._send_task)

    def step(self) -> float:
        """
        Confirm what the store has, and send what it has not.

        Gives the seconds to wait before the next round.
        """
        try:
            self._tidy()
            self._confirm()
            self._erase()
            self._look_after_what_was_sent()
            self._send()
            self._aside.step()
        except _AwayError:
            self._failures += 1
            return float(min(_WAIT_S_MAX, self._settings.ship_every_s * 2**self._failures))
        self._failures = 0
        return _LOOK_S if self._sent else self._settings.ship_every_s

    def is_drained(self) -> bool:
        """
        Tell whether the store has everything that the journal holds.
        """
        try:
            with self._needing("journal"):
                return self._journal.backlog()[0] == 0
        except _AwayError:
            return False

    def close(self) -> None:
        """
        Close the connections.
        """
        self._journal.close()
        self._store.dispose()

    def _tidy(self) -> None:
        now = time.monotonic()
        with self._needing("journal"):
            if not self._is_made:
                # A service that started on a full disk could not bring it up to date.
                create_journal(self._settings.journal_path)
                self._is_made = True
            if now - self._tidied_at > _TIDY_EVERY_S:
                self._tidied_at = now
                self._journal.checkpoint()
            is_due = now - self._forgot_at > _FORGET_EVERY_S
            if is_due or (now - self._forgot_at > _TIDY_EVERY_S and self._is_journal_narrow()):
                self._forgot_at = now
                self._journal.forget(datetime.now(UTC))

    def _is_journal_narrow(self) -> bool:
        return self._journal.room().is_bound_near

    def _confirm(self) -> None:
        with self._needing("store"):
            if not self._is_migrated:
                # A service that started while the store was away could not bring it up to date.
                if not is_current(self._store):
                    migrate(self._settings.database_url)
                self._is_migrated = True
            self._begin_anew_in_a_new_journal()
            numbers = list(self._sent)
            stored = journal_positions.confirmed(self._store, self._journal.host_id, numbers)
        with self._needing("journal"):
            if stored:
                self._journal.confirm(sorted(stored))
                self._metrics.shipped.inc(len(stored))
        for number in stored:
            del self._sent[number]

    def _look_after_what_was_sent(self) -> None:
        # Asked with nothing on its way too, so that the mark is there before the first batch.
        with self._needing("redis"):
            has_forgotten = self._queue.has_forgotten(self._host_id)
            now, wait_s = time.monotonic(), self._settings.ship_again_s
            late = {number for number, sent in self._sent.items() if now - sent.at > wait_s}
            # Where nothing waits for a worker, what is late was lost by one that died. Else each
            # wait is longer, so that a queue that nobody empties is not filled with copies.
            if late and not self._queue.is_empty():
                late = {one for one in late if now - self._sent[one].at > self._patience(one)}
        if has_forgotten or self._is_one_back:
            # What was on its way when a part went is most likely lost: it is sent again at once.
            self._is_one_back = False
            self._give_up_waiting(set(self._sent))
            self._tries = dict.fromkeys(self._tries, 0)
        else:
            self._give_up_waiting(late)

    def _begin_anew_in_a_new_journal(self) -> None:
        with self._needing("journal"):
            self._journal.unstored(1)  # a read notices that another file stands at the path
            host_id = self._journal.host_id
        if host_id != self._host_id:
            self._host_id = host_id
            self._sent.clear()
            self._tries.clear()
            self._read_through = 0

    def _patience(self, number: int) -> float:
        return float(min(self._settings.ship_again_s * 2 ** self._sent[number].tries, _AGAIN_S_MAX))

    def _erase(self) -> None:
        if time.monotonic() - self._erased_at <= _ERASE_EVERY_S:
            return
        self._erased_at = time.monotonic()
        with self._needing("store"):
            now = datetime.now(UTC)
            erase_in_journal(self._store, self._journal, self._defaults, now)
            erase_aside(self._store, self._journal, self._settings.home, self._defaults, now)

    def _give_up_waiting(self, numbers: Set[int]) -> None:
        for number in numbers:
            self._tries[number] = self._sent.pop(number).tries + 1
        if numbers:
            self._read_through = min(self._read_through, min(numbers) - 1)

    def _send(self) -> None:
        while len(self._sent) < self._settings.ship_flight_max:
            with self._needing("journal"):
                records = self._journal.unstored(self._settings.ship_batch_max, self._read_through)
            if not records:
                return
            for batch in batches(records, self._settings.ship_bytes_max):
                if not self._has_room(batch):
                    return
                self._publish([record for record in batch if record.number not in self._sent])
                self._read_through = batch[-1].number

    def _has_room(self, batch: Sequence[Unstored]) -> bool:
        on_the_way = sum(sent.size for sent in self._sent.values())
        size = sum(size_of(record) for record in batch if record.number not in self._sent)
        return not self._sent or on_the_way + size <= self._settings.ship_flight_bytes_max

    def _publish(self, batch: list[Unstored]) -> None:
        if not batch:
            return
        with self._needing("redis"):
            self._send_task(batch)
        if any(record.number in self._tries for record in batch):
            self._metrics.sent_again.inc()
        now = time.monotonic()
        self._sent |= {
            record.number: _Sent(now, self._tries.pop(record.number, 0), size_of(record))
            for record in batch
        }

    def _send_task(self, batch: Sequence[Unstored]) -> None:
        self._queue.put([_fields(record) for record in batch])

    @contextmanager
    def _needing(self, part: str) -> Iterator[None]:
        try:
            yield
        except _AWAY as error:
            if part not in self._away:
                self._away.add(part)
                log.warning("away", part=part, reason=type(error).__name__)
            raise _AwayError(part) from error
        if part in self._away:
            self._away.discard(part)
            log.info("back", part=part)
            self._is_one_back = True  # only noted: whoever asks may stand amid what was sent


class _Rounds:
    """
    Know when the last round ended. The first may bring the store up to date, for as long as it
    takes.
    """

    def __init__(self, round_s_max: float) -> None:
        self._round_s_max = round_s_max
        self._ended_at: float | None = None

    def note(self) -> None:
        """
        Note that a round ended.
        """
        self._ended_at = time.monotonic()

    def is_well(self) -> bool:
        """
        Tell whether a round ended lately.
        """
        ended_at = self._ended_at
        return ended_at is None or time.monotonic() - ended_at < self._round_s_max


def run(settings: Settings) -> int:
    """
    Ship until a SIGTERM or SIGINT comes, then for `ship_drain_s_max` at most what is left.

    Give the exit code.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    shipper = Shipper(settings, Journal(settings), Queue(settings))
    log.info("shipping", home=str(settings.home))
    rounds = _Rounds(settings.round_s_max)
    alive = SignOfLife(settings.home, "shipper")
    alive.start(rounds.is_well)
    wait_s = 0.0
    while not stop.wait(wait_s):
        wait_s = shipper.step()
        rounds.note()
    end = time.monotonic() + settings.ship_drain_s_max
    while not shipper.is_drained() and time.monotonic() < end:
        time.sleep(min(shipper.step(), max(0.0, end - time.monotonic())))
        rounds.note()
    log.info("stopped", drained=shipper.is_drained())
    shipper.close()
    alive.end()
    return 0


def _fields(record: Unstored) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


if __name__ == "__main__":
    configure_log()
    sys.exit(run(read_settings()))
