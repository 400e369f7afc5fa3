"""
Name every table of the store in one place, for migrations and their test.
"""

from service.store import agencies, decisions, dispatches, keys, people
from service.store.database import metadata

TABLES = (
    agencies.agencies,
    people.people,
    keys.keys,
    decisions.decisions,
    decisions.repeats,
    dispatches.dispatches,
)

__all__ = ["TABLES", "metadata"]
