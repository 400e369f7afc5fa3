"""
What `/metrics` says of this host at the moment it is asked: what waits, what is away, what was
started again.

Nothing of it is counted in a process, so each value is given once, whichever process is asked. It
never raises, and what cannot be read is left out.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from service.host import restarts
from service.journal import aside
from service.parts import Parts
from service.surroundings import QUARANTINED_MAX

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class VitalSigns:
    """
    Look at one host; made for each scrape.
    """

    parts: Parts

    def text(self) -> bytes:
        """
        Give all of them in the text format of Prometheus.
        """
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def describe(self) -> Iterable[Metric]:
        """
        Name nothing beforehand: the library would look only to learn the names.
        """
        return ()

    def collect(self) -> Iterator[Metric]:
        """
        Look, and give what could be read.
        """
        looks: tuple[Callable[[Parts], Iterator[Metric]], ...] = (
            *(_backlog, _journal_bytes, _disk, _aside, _quarantine, _reached, _restarts),
        )
        for look in looks:
            found: list[Metric] = []
            try:
                found += look(self.parts)
            except Exception as error:  # noqa: BLE001  what can be read is told all the same
                log.warning("vital_sign_not_read", sign=look.__name__, error=type(error).__name__)
            yield from found


def _backlog(parts: Parts) -> Iterator[Metric]:
    count, oldest_s = parts.journal.backlog()
    yield _gauge(
        "journal_backlog_records", "Records of this host's journal that the store lacks", count
    )
    yield _gauge(
        "journal_oldest_seconds", "Age of the oldest of them; 0 where there is none", oldest_s
    )


def _journal_bytes(parts: Parts) -> Iterator[Metric]:
    room = parts.journal.room()
    yield _gauge("journal_bytes", "What the records of the journal take on disk", room.used)


def _disk(parts: Parts) -> Iterator[Metric]:
    disk = os.statvfs(parts.settings.home)
    free = disk.f_bavail * disk.f_frsize
    yield _gauge("disk_free_bytes", "What the disk of the home has free", free)


def _aside(parts: Parts) -> Iterator[Metric]:
    count = aside.waiting(parts.settings.home)
    yield _gauge("journals_aside", "Journals set aside that wait to be shipped", count)


def _quarantine(parts: Parts) -> Iterator[Metric]:
    count = parts.surroundings.seen.quarantined_of(None)
    if count is not None:
        words = f"Records in quarantine that nobody left there; {QUARANTINED_MAX} at most"
        yield _gauge("quarantined_records", words, count)


def _reached(parts: Parts) -> Iterator[Metric]:
    seen = parts.surroundings.seen
    yield _gauge("store_up", "1 if the last look reached the store, else 0", seen.has_store)
    yield _gauge("queue_up", "1 if the last look reached Redis, else 0", seen.has_queue)


def _restarts(parts: Parts) -> Iterator[Metric]:
    counts = restarts.counted(parts.settings.home)
    if counts is None:
        return
    told = CounterMetricFamily(
        "crisis_router_restarts",
        "How often a part was started again since the start, because it died or hung",
        labels=("part", "why"),
    )
    # A part that never was is told as 0, so that its first time is seen as a change.
    for part in sorted({*restarts.PARTS, *counts}):
        for why in restarts.WHYS:
            told.add_metric((part, why), counts.get(part, {}).get(why, 0))
    yield told


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"crisis_router_{name}", words, value=float(value))
