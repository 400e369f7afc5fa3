"""
Prove that a batch of records is written as its entries one by one would be.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.journal.file import create_journal
from service.journal.records import Appended, Entry, Repeat, Stale, Written
from service.journal.rows import write

HOST = "h"
# Few ids and calls, so that the same comes again within a batch and after it.
ENTRIES = st.builds(
    Entry,
    kind=st.sampled_from(["decision", "dispatch"]),
    record_id=st.integers(0, 5).map("r-{}".format),
    agency=st.just("example"),
    call_id=st.integers(0, 2).map("c-{}".format),
    decided_at=st.just("2026-01-01T00:00:00Z"),
    fingerprint=st.none(),
    after_revision=st.none() | st.integers(0, 3),
    body=st.just({}),
)
COLUMNS = "number, kind, record_id, call_id, revision"


@contextmanager
def opened() -> Iterator[sqlite3.Connection]:
    """
    Open the file of a new journal.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        create_journal(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            yield connection


def rows(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    """
    Give what is written.
    """
    return list(connection.execute(f"SELECT {COLUMNS} FROM records ORDER BY number"))


@given(st.lists(st.lists(ENTRIES, min_size=1, max_size=6), max_size=4))
def test_a_batch_is_written_as_its_entries_one_by_one(batches: list[list[Entry]]) -> None:
    """
    Numbers, revisions and refusals are the same, in whatever batches entries come.
    """
    with opened() as together, opened() as apart:
        for batch in batches:
            answers = write(together, HOST, [(one, b"{}") for one in batch])
            assert answers == [write(apart, HOST, [(one, b"{}")])[0] for one in batch]
        assert rows(together) == rows(apart)


def test_the_longest_batch_is_one_statement() -> None:
    """
    SQLite takes a batch of the longest length, with numbers in the order of its entries.
    """
    with opened() as connection:
        first = Entry("decision", "r", "example", "c", "2026-01-01T00:00:00Z", None, 0, {})
        told = [(replace(first, record_id=f"r-{n}", call_id=f"c-{n}"), b"{}") for n in range(256)]
        answers = write(connection, HOST, told)
        numbers = [one.record.number for one in answers if isinstance(one, Written)]
        assert numbers == list(range(1, 257))
        assert [record_id for _, _, record_id, *_ in rows(connection)] == [
            one.record_id for one, _ in told
        ]


def test_a_refused_entry_takes_no_number_and_no_other_with_it() -> None:
    """
    A repeat and one that follows no newest revision are refused; what stands between is written.
    """
    with opened() as connection:
        new = Entry("decision", "r-1", "example", "c-1", "2026-01-01T00:00:00Z", None, 0, {})
        batch = [new, new, replace(new, record_id="r-2", after_revision=7)]
        batch.append(replace(new, record_id="r-3", after_revision=1))
        answers: list[Appended] = write(connection, HOST, [(one, b"{}") for one in batch])
        assert [type(one) for one in answers] == [Written, Repeat, Stale, Written]
        assert rows(connection) == [
            (1, "decision", "r-1", "c-1", 1),
            (2, "decision", "r-3", "c-1", 2),
        ]


def test_another_agency_s_record_is_never_told_and_nothing_is_written() -> None:
    """
    An entry with the id of another agency's record fails whole, with its batch.
    """
    with opened() as connection:
        one = Entry("decision", "r-1", "example", "c-1", "2026-01-01T00:00:00Z", None, 0, {})
        write(connection, HOST, [(one, b"{}")])
        batch = [replace(one, record_id="r-2", call_id="c-2"), replace(one, agency="other")]
        with pytest.raises(ValueError, match="another agency"):
            write(connection, HOST, [(told, b"{}") for told in batch])
        assert [record_id for _, _, record_id, *_ in rows(connection)] == ["r-1"]


def test_a_row_that_the_table_refuses_for_another_reason_is_no_stale_one() -> None:
    """
    What is neither a repeat nor stale is raised: said to be stale, it would be tried for ever.
    """
    with opened() as connection:
        none = Entry("decision", "r-1", "example", "c-1", None, None, 0, {})  # type: ignore[arg-type]  # the fault
        with pytest.raises(sqlite3.IntegrityError):
            write(connection, HOST, [(none, b"{}")])
