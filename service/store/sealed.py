"""
Find the records of the store that hold a sealed text.

Records with such a text have an index of their own, which holds no others: the purge of what is
years old looks at nothing that it has purged already.
"""

from typing import Final

from sqlalchemy import Index, Table, TextClause, text

from service.verify_log import SEALED

_BODY: Final = "CAST({table}body AS TEXT) LIKE '%\"{begins}%'"


def sealed_index(table: str, at: str) -> Index:
    """
    Give the index of the records of a table with a sealed text, in the order of time.
    """
    where = text(_BODY.format(table="", begins=SEALED))
    name = f"ix_{table}_sealed"
    return Index(name, "agency", at, "record_id", sqlite_where=where, postgresql_where=where)


def has_sealed(table: Table) -> TextClause:
    """
    Give the condition that a record has a sealed text.
    """
    # As the index has it, letter by letter, or no database would see that it answers this.
    return text(_BODY.format(table=f"{table.name}.", begins=SEALED))
