"""
Name every table of the store in one place, for migrations and their test.
"""

from service.store import (
    agencies,
    alerts,
    audit,
    considered,
    decision_marks,
    decisions,
    dispatches,
    findings,
    keys,
    openings,
    people,
    reviews,
    sample,
    sessions,
)
from service.store.database import metadata

TABLES = (
    agencies.agencies,
    people.people,
    keys.keys,
    decisions.decisions,
    decisions.repeats,
    decision_marks.marks,
    dispatches.dispatches,
    sessions.sessions,
    sessions.failures,
    alerts.alerts,
    audit.audit,
    reviews.reviews,
    findings.findings,
    openings.openings,
    sample.tickets,
    considered.considered,
)

__all__ = ["TABLES", "metadata"]
