"""
Prove that a journal has a bound: it is told before it is reached, at it nothing is taken that
cannot be kept, and it takes records again as soon as there is room.
"""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.errors import JournalUnavailableError
from service.journal import Entry, Journal, create_journal
from service.settings import Settings, read_settings

BYTES_MAX = 1_048_576
BODY = {"words": "w" * 10_000}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """
    Give the settings of a home with a journal of 1 MiB.
    """
    variables = {
        "CRISIS_ROUTER_HOME": str(tmp_path),
        "CRISIS_ROUTER_JOURNAL_BYTES_MAX": str(BYTES_MAX),
        "CRISIS_ROUTER_DISK_FREE_BYTES_MIN": "0",
    }
    made = read_settings(variables)
    create_journal(made.journal_path)
    return made


@pytest.fixture
def journal(settings: Settings) -> Iterator[Journal]:
    """
    Give the open journal.
    """
    made = Journal(settings)
    yield made
    made.close()


def append(journal: Journal, name: str) -> None:
    """
    Append one record of 10 kB.
    """
    at = "2026-01-01T00:00:00Z"
    journal.append(Entry("decision", name, "a", f"call-{name}", at, None, None, BODY))


def fill(journal: Journal) -> int:
    """
    Append until the journal takes no more; gives how many records it took.
    """
    for count in range(BYTES_MAX // 10_000 + 1):
        try:
            append(journal, str(count))
        except JournalUnavailableError:
            return count
    raise AssertionError("the journal grew over its bound")


def test_a_full_journal_refuses_says_so_before_and_records_again(journal: Journal) -> None:
    """
    At the bound an append is refused; all that was taken is there; what the store has is forgotten
    at once, early, and the next append is taken.
    """
    assert journal.room().warnings == ()
    count = fill(journal)
    assert "CRISIS_ROUTER_JOURNAL_BYTES_MAX" in journal.room().warnings[0]
    assert journal.backlog()[0] == count
    assert journal.forget(datetime.now(UTC)) == 0  # the store has nothing yet
    journal.confirm([one.number for one in journal.unstored(count // 2)])
    assert journal.forget(datetime.now(UTC)) == count // 2
    append(journal, "again")
    assert journal.backlog()[0] == count - count // 2 + 1
    assert journal.room().warnings == ()


def test_a_narrow_disk_is_told_with_its_figures(tmp_path: Path) -> None:
    """
    Less free space than `disk_free_bytes_min` is a warning with the way out.
    """
    variables = {
        "CRISIS_ROUTER_HOME": str(tmp_path),
        "CRISIS_ROUTER_DISK_FREE_BYTES_MIN": str(2**60),
    }
    made = read_settings(variables)
    create_journal(made.journal_path)
    journal = Journal(made)
    (warning,) = journal.room().warnings
    assert f"less than {2**40}" in warning
    assert "make room" in warning
    journal.close()


def test_a_body_that_is_no_json_keeps_nothing_from_being_forgotten(
    settings: Settings, journal: Journal
) -> None:
    """
    A stored record whose body was damaged is forgotten with the others.
    """
    fill(journal)
    with sqlite3.connect(settings.journal_path) as connection:
        connection.execute("UPDATE records SET body = x'ff00' WHERE number = 1")
    connection.close()
    assert journal.last_of_call("a", "call-0")[:3] == (1, "0", {})
    journal.confirm([1, 2])
    assert journal.forget(datetime.now(UTC)) == 2
