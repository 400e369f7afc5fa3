"""
What the service counts about itself, for Prometheus; never anything about a person.

With several processes each counts in files of its own, which all of them read. They are mapped into
memory, where a write that finds no room ends the process: so all their room is taken before they
are mapped, and every label has few values.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

log = structlog.get_logger()

COUNTER_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"  # the library's own name for it
# A file is made larger by the library only when it is full; ours hold far less.
COUNTER_FILE_BYTES: Final = 65_536
# A dispatcher waits at most 2 s; the buckets are dense where the service should be.
LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Metrics:
    """
    The counters of one process; with several processes a scrape adds them up.
    """

    registry: CollectorRegistry
    decisions: Counter
    latency_s: Histogram
    unknown_codes: Counter
    refused: Counter

    def text(self) -> bytes:
        """
        Give everything that all processes counted, in the text format of Prometheus. Never raises;
        counters that cannot be read are left out.
        """
        if COUNTER_FOLDER not in os.environ:
            return generate_latest(self.registry)
        gathered = CollectorRegistry()
        try:
            MultiProcessCollector(gathered)  # type: ignore[no-untyped-call]  # the library has no types here
            return generate_latest(gathered)
        except Exception as error:  # noqa: BLE001  a file of a process that was killed may hold anything
            log.warning("counters_not_read", error=type(error).__name__)
            return b""


@dataclass(frozen=True, slots=True)
class ShippingMetrics:
    """
    The counters of the shipper.
    """

    shipped: Counter
    sent_again: Counter


def make_metrics() -> Metrics:
    """
    Make the counters of a process that answers.
    """
    _take_room("counter", "histogram")
    registry = CollectorRegistry()
    return Metrics(
        registry,
        Counter(
            "crisis_router_decisions",
            "Recommendations answered, by mode and whether law enforcement is in them",
            ("mode", "law_enforcement"),
            registry=registry,
        ),
        Histogram(
            "crisis_router_decision_seconds",
            "Time from reading the request to the answer, fsync included",
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        ),
        Counter(
            "crisis_router_unknown_incident_codes",
            "Calls with an incident code that no table knows, by registry",
            ("registry",),
            registry=registry,
        ),
        Counter(
            "crisis_router_refused_requests",
            "Requests refused, by HTTP status",
            ("status",),
            registry=registry,
        ),
    )


def make_shipping_metrics() -> ShippingMetrics:
    """
    Make the counters of a shipper; those who answer show them.
    """
    _take_room("counter")
    registry = CollectorRegistry()
    return ShippingMetrics(
        Counter(
            "crisis_router_shipped_records",
            "Records of this host's journal that the store confirmed to the shipper",
            registry=registry,
        ),
        Counter(
            "crisis_router_batches_sent_again",
            "Batches with a record that was sent before and that the store did not confirm",
            registry=registry,
        ),
    )


def _take_room(*kinds: str) -> None:
    """
    Take the room for this process's files, before its first counter is made. Where there is none
    the process counts for itself alone, and nobody reads it.
    """
    folder = os.environ.get(COUNTER_FOLDER)
    if folder is None:
        return
    try:
        _make_files(Path(folder), kinds)
    except OSError as error:
        log.warning("counters_alone", error=type(error).__name__)
        values.ValueClass = values.MutexValue


def _make_files(folder: Path, kinds: Iterable[str]) -> None:
    # A system may clear its memory folder when the user who started the service signs out.
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise PermissionError(folder)
    for kind in kinds:
        path = folder / f"{kind}_{os.getpid()}.db"
        if path.exists():
            continue  # of a process that died and had our number: its counts go on
        draft = path.with_suffix(".new")
        try:
            draft.touch(mode=0o600)
            # Zeros that are written have room; a file that is only made long has none.
            draft.write_bytes(bytes(COUNTER_FILE_BYTES))
            draft.replace(path)  # whole, since a scrape may read it at once
        finally:
            draft.unlink(missing_ok=True)
