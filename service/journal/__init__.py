"""
The journal: the file of this host that holds every record until the store has it.
"""

from service.journal.file import create_journal
from service.journal.journal import Journal
from service.journal.records import (
    Appended,
    Entry,
    LastRevision,
    Record,
    Repeat,
    Stale,
    Unstored,
    Written,
)

__all__ = [
    "Appended",
    "Entry",
    "Journal",
    "LastRevision",
    "Record",
    "Repeat",
    "Stale",
    "Unstored",
    "Written",
    "create_journal",
]
