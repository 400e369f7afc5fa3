"""
Name every table of the store in one place, for migrations and their test.
"""

from service.store import agencies, decisions, keys, people
from service.store.database import metadata

TABLES = (
    agencies.agencies,
    people.people,
    keys.keys,
    decisions.decisions,
    decisions.repeats,
)

__all__ = ["TABLES", "metadata"]
