"""
Name every table of the store in one place, for migrations and their test.
"""

from service.store import (
    agencies,
    alerts,
    audit,
    decision_marks,
    decisions,
    dispatches,
    keys,
    people,
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
)

__all__ = ["TABLES", "metadata"]
