"""
Prove that a damaged journal stops nothing, and that what can be read of it reaches the store.
"""

import datetime as dt
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from service.errors import JournalUnavailableError
from service.journal import Entry, Journal, Unstored, Written, create_journal
from service.journal.aside import waiting
from service.settings import read_settings
from service.store import alerts, journal_numbers, journal_positions, records
from service.store.database import open_store
from service.store.migration import migrate
from workers.aside import AsideShipping

COUNT = 200
NOW = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
PAGE = 4096


def append(journal: Journal, record_id: str) -> int:
    answer = {"recommendation": {"responders": [{"kind": "ems"}], "urgency": "moderate"}}
    body = {"answer": answer, "filled": "x" * 500}
    entry = Entry("decision", record_id, "a", record_id, NOW.isoformat(), None, None, body)
    made = journal.append(entry)
    assert isinstance(made, Written)
    return made.record.number


def overwrite_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"x" * 100)


def halve(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 // PAGE * PAGE)


def zero_pages(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // PAGE * PAGE)
        file.write(bytes(3 * PAGE))


def empty(path: Path) -> None:
    path.open("w").close()


@pytest.mark.parametrize("harm", [overwrite_header, halve, zero_pages, Path.unlink, empty])
@pytest.mark.parametrize("is_started_anew", [False, True])
def test_a_damaged_journal_is_set_aside_and_shipped(
    tmp_path: Path, harm: Callable[[Path], None], is_started_anew: bool
) -> None:
    """
    Both writers go on in one new journal, and every record of the old one is in the store or
    counted as missing.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path)})
    settings = replace(settings, ship_again_s=0.0)
    create_journal(settings.journal_path)
    migrate(settings.database_url)
    store = open_store(settings.database_url)

    def send(batch: Sequence[Unstored]) -> None:
        records.insert(store, [asdict(one) for one in batch], NOW)

    journals = [Journal(settings), Journal(settings)]
    for count in range(COUNT):
        append(journals[count % 2], f"r-{count}")
    old = journals[0].host_id
    send(journals[0].unstored(10))
    if is_started_anew:
        for one in journals:
            one.close()
    else:
        journals[0].checkpoint()
    harm(settings.journal_path)
    if is_started_anew:
        create_journal(settings.journal_path)
        journals = [Journal(settings), Journal(settings)]
    for count in range(COUNT):  # deep damage is met only where it lies
        for one in journals:
            one.find("a", f"r-{count}")
    new = [append(journals[count % 2], f"n-{count}") for count in range(4)]
    assert journals[0].host_id == journals[1].host_id != old
    assert new == [1, 2, 3, 4]
    assert waiting(tmp_path) == 1
    shipping = AsideShipping(settings, store, send)
    for _ in range(5):
        shipping._looked_at = 0.0
        shipping.step()
    assert waiting(tmp_path) == 0
    assert len(list((tmp_path / "journals_aside").glob(f"damaged-{old}-*.shipped"))) == 1
    stored = journal_positions.confirmed(store, old, range(1, COUNT + 1))
    assert stored >= set(range(1, 11))
    gone = set(range(1, COUNT + 1)) - stored
    if harm is zero_pages and is_started_anew:  # else the log beside it still has all pages
        assert 0 < len(gone) < COUNT // 2
        later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
        gaps = journal_numbers.gaps(store, stored_before=later)
        named = {n for gap in gaps for n in range(gap.first, gap.last + 1) if gap.host_id == old}
        assert named == gone
    found, count = alerts.newest_open(
        store, "a", dt.datetime.now(dt.UTC), about_calls=True, identity="x", limit=9
    )
    assert "journal_damaged" in {one.kind for one in found}
    for one in journals:
        one.close()
    store.dispose()


def test_ordinary_trouble_sets_nothing_aside(tmp_path: Path) -> None:
    """
    A full journal and one that is locked by somebody refuse appends, and stay where they are; a
    body that is no JSON is a record without words.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path)})
    create_journal(settings.journal_path)
    journal = Journal(settings)
    append(journal, "r-1")
    old = journal.host_id
    full = Journal(replace(settings, journal_bytes_max=PAGE))
    with pytest.raises(JournalUnavailableError):
        for count in range(COUNT):
            append(full, f"f-{count}")
    with closing(sqlite3.connect(settings.journal_path, isolation_level=None)) as other:
        other.execute("UPDATE records SET body = X'FF7B' WHERE record_id = 'r-1'")
        other.execute("BEGIN IMMEDIATE")
        locked = Journal(replace(settings, journal_wait_s_max=0.1))
        with pytest.raises(JournalUnavailableError):
            append(locked, "l-1")
        other.execute("ROLLBACK")
    assert journal.find("a", "r-1") is None
    assert waiting(tmp_path) == 0
    assert journal.host_id == old
    for one in (full, locked, journal):
        one.close()
