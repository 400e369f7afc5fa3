"""
Prove that nobody changes the trail, on SQLite and on PostgreSQL.
"""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, Executable, delete, text, update
from sqlalchemy.exc import DBAPIError

from service.access import Actor
from service.store import audit
from service.store.audit import Search, entry_of

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ACTOR = Actor("a", "admin", "k", "p", "Ada Example", "127.0.0.1")


def test_the_database_refuses_to_change_or_remove_an_entry(store: Engine) -> None:
    """
    Updates, deletes and truncation are refused by the database itself; adding goes on.
    """
    audit.create(store, entry_of(ACTOR, "read", ("decision", "d"), NOW, {}))
    table = audit.audit
    changes: list[Executable] = [update(table).values(name="Nobody"), delete(table)]
    if store.dialect.name == "postgresql":
        changes.append(text("TRUNCATE audit"))
    for change in changes:
        with pytest.raises(DBAPIError, match="never changed"), store.begin() as connection:
            connection.execute(change)
    audit.create(store, entry_of(ACTOR, "read", ("decision", "e"), NOW, {"n": 1}))
    found, _ = audit.page(store, "a", Search())
    assert sorted(one.subject_id for one in found) == ["d", "e"]
    assert {one.name for one in found} == {"Ada Example"}
    assert audit.page(store, "b", Search())[0] == ()


def test_a_piece_of_a_name_is_no_pattern(store: Engine) -> None:
    """
    Signs that a database reads as a pattern find only themselves.
    """
    audit.create(store, entry_of(ACTOR, "read", ("decision", "d"), NOW, {}))
    for who, count in (("ada", 1), ("person:p", 1), ("%", 0), ("_da", 0), ("EXAMPLE", 1)):
        assert len(audit.page(store, "a", Search(who=who))[0]) == count
