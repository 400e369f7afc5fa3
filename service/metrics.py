"""
What the service counts about itself, for Prometheus; never anything about a person.
"""

import os
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

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
        Give everything that all processes counted, in the text format of Prometheus.
        """
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        gathered = CollectorRegistry()
        MultiProcessCollector(gathered)  # type: ignore[no-untyped-call]  # the library has no types here
        return generate_latest(gathered)


def make_metrics() -> Metrics:
    """
    Make the counters of this process.
    """
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
