"""
Prove what the journal promises: on disk before the answer, no gaps, agencies apart.
"""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.errors import JournalUnavailableError, SettingsError
from service.journal import Entry, Journal, Record, Repeat, Stale, Written, create_journal
from service.settings import Settings, read_settings
from tests.servers import child_environment

WRITER = """
import sys
from service.journal import Entry, Journal
from service.settings import read_settings
journal = Journal(read_settings({"CRISIS_ROUTER_HOME": sys.argv[1]}))
for count in range(int(sys.argv[3])):
    record_id = f"{sys.argv[2]}-{count}"
    journal.append(Entry("decision", record_id, "a", "c", "2026-01-01T00:00:00Z", None, None, {}))
    print(record_id, flush=True)
journal.close()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """
    Give the settings of a home with an empty journal.
    """
    made = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path)})
    create_journal(made.journal_path)
    return made


@pytest.fixture
def journal(settings: Settings) -> Iterator[Journal]:
    """
    Give an open journal.
    """
    made = Journal(settings)
    yield made
    made.close()


def entry(record_id: str, call_id: str = "call-1", **changes: object) -> Entry:
    """
    Give an entry of agency `a` about one call.
    """
    body = {"answer": {"recommendation": {"urgency": "moderate"}}, "request": {"call_id": call_id}}
    made = Entry("decision", record_id, "a", call_id, "2026-01-01T00:00:00Z", None, None, body)
    return replace(made, **changes)


def written(journal: Journal, made: Entry) -> Record:
    """
    Append an entry that must be written, and give its record.
    """
    appended = journal.append(made)
    assert isinstance(appended, Written)
    return appended.record


def start_writer(home: Path, prefix: str, count: int) -> subprocess.Popen[str]:
    """
    Start a process that appends, and prints the id of each record as soon as it is acknowledged.
    """
    argv = [sys.executable, "-c", WRITER, str(home), prefix, str(count)]
    environment = child_environment({})
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment)


def numbers(settings: Settings) -> list[int]:
    """
    Read the numbers of all records with SQLite alone.
    """
    with sqlite3.connect(settings.journal_path) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM records ORDER BY number")]


def test_what_is_appended_is_found_by_another_process_s_connection(
    journal: Journal, settings: Settings
) -> None:
    """
    A record is in the file when `append` comes back, as it was given.
    """
    record = written(journal, entry("r-1", fingerprint="f"))
    other = Journal(settings)
    assert other.find("a", "r-1") == record
    assert (record.number, record.revision, record.state, record.host_id) == (
        1,
        1,
        "journaled",
        other.host_id,
    )
    other.close()


def test_making_it_twice_changes_nothing(journal: Journal, settings: Settings) -> None:
    """
    A second start finds the same host id and the same records.
    """
    written(journal, entry("r-1"))
    create_journal(settings.journal_path)
    assert Journal(settings).host_id == journal.host_id
    assert numbers(settings) == [1]


def test_the_file_is_for_its_owner_only(settings: Settings) -> None:
    """
    Nobody but the owner reads the journal.
    """
    assert settings.journal_path.stat().st_mode & 0o777 == 0o600


def test_waiting_requests_share_one_commit(settings: Settings) -> None:
    """
    Requests that come while the disk is busy are written together.
    """
    journal = Journal(settings)
    turns = []
    write_batch = journal._write_batch
    journal._write_batch = lambda batch: (turns.append(len(batch)), write_batch(batch))[1]  # type: ignore[method-assign]  # counts batches
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda count: journal.append(entry(f"r-{count}", f"c-{count}")), range(320)))
    journal.close()
    assert sum(turns) == 320
    assert len(turns) < 160


def test_numbers_without_gaps(journal: Journal, settings: Settings) -> None:
    """
    Neither a repeat nor a stale or impossible entry takes a number.
    """
    written(journal, entry("r-1"))
    journal.append(entry("r-1"))
    journal.append(entry("r-2", after_revision=7))
    with pytest.raises(ValueError, match="another agency"):
        journal.append(entry("r-1", agency="b"))
    written(journal, entry("r-3"))
    assert numbers(settings) == [1, 2]


def test_a_repeat_gives_the_first_record(journal: Journal) -> None:
    """
    The same record id again gives what was written first, with its fingerprint.
    """
    first = written(journal, entry("r-1", fingerprint="f1"))
    assert journal.append(entry("r-1", fingerprint="f2")) == Repeat(first)


def test_a_revision_that_came_in_between_is_stale(journal: Journal) -> None:
    """
    Who has not seen the newest revision of a call is told so, and nothing is written.
    """
    assert written(journal, entry("r-1", after_revision=0)).revision == 1
    assert journal.append(entry("r-2", after_revision=0)) == Stale(1)
    assert written(journal, entry("r-2", after_revision=1)).revision == 2
    assert [one.record_id for one in journal.revisions("a", "call-1")] == ["r-1", "r-2"]


def test_the_last_of_a_call_is_remembered(journal: Journal) -> None:
    """
    The newest revision and its recommendation are known without a network; an unknown call is None.
    """
    written(journal, entry("r-1"))
    assert journal.last_of_call("a", "call-1")[:3] == (1, "r-1", {"urgency": "moderate"})
    assert journal.last_of_call("a", "call-2") is None


def test_what_was_sent_is_no_revision(journal: Journal) -> None:
    """
    A record of another kind is written in order and does not move the call's revision.
    """
    written(journal, entry("r-1"))
    assert written(journal, entry("d-1", kind="dispatch")).revision == 1
    assert written(journal, entry("r-2")).revision == 2
    assert [one.record_id for one in journal.unstored(10)] == ["r-1", "d-1", "r-2"]


def test_agencies_apart(journal: Journal) -> None:
    """
    No question of one agency is answered with another's record; calls are counted apart.
    """
    written(journal, entry("r-1", agency="a"))
    assert journal.find("b", "r-1") is None
    assert journal.last_of_call("b", "call-1") is None
    assert journal.revisions("b", "call-1") == ()
    assert written(journal, entry("r-2", agency="b")).revision == 1


def test_confirmed_records_are_stored_and_later_forgotten(
    journal: Journal, settings: Settings
) -> None:
    """
    What the store has leaves the list of unstored at once and the file after a day; the rest stays.
    """
    for count in range(3):
        written(journal, entry(f"r-{count}", f"c-{count}"))
    assert journal.backlog()[0] == 3
    journal.confirm([1, 3, 99])
    assert [one.record_id for one in journal.unstored(10)] == ["r-1"]
    found = journal.find("a", "r-0")
    assert found is not None
    assert found.state == "stored"
    now = datetime.now(UTC)
    assert journal.forget(now) == 0
    assert journal.forget(now + timedelta(hours=settings.journal_keep_h, seconds=5)) == 2
    assert journal.find("a", "r-0") is None
    assert journal.last_of_call("a", "c-0") is not None
    assert [one.record_id for one in journal.unstored(10)] == ["r-1"]


def test_revisions_never_restart(journal: Journal, settings: Settings) -> None:
    """
    A call is forgotten late, and never while the store lacks its newest record; numbers go on.
    """
    written(journal, entry("r-1", "old"))
    written(journal, entry("r-2", "not stored"))
    journal.confirm([1])
    journal.forget(datetime.now(UTC) + timedelta(hours=settings.calls_keep_h, seconds=5))
    assert journal.last_of_call("a", "old") is None
    assert written(journal, entry("r-3", "not stored")).revision == 2
    assert written(journal, entry("r-4")).number == 4


def test_two_processes_write_one_journal(journal: Journal, settings: Settings) -> None:
    """
    Two processes at once lose nothing, leave no gap, and count one call's revisions together.
    """
    writers = [start_writer(settings.home, prefix, 200) for prefix in ("p", "q")]
    printed = [writer.communicate(timeout=30)[0].split() for writer in writers]
    assert [len(ids) for ids in printed] == [200, 200]
    assert numbers(settings) == list(range(1, 401))
    revisions = [one.revision for one in journal.revisions("a", "c")]
    assert revisions == list(range(1, 401))


def test_a_killed_process_loses_nothing_that_it_acknowledged(
    journal: Journal, settings: Settings
) -> None:
    """
    After SIGKILL at any moment every acknowledged record is there, and the numbers have no gap.
    """
    for prefix in ("p", "q", "s"):
        writer = start_writer(settings.home, prefix, 1_000_000)
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(50)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += writer.communicate()[0].split("\n")[:-1]
        assert all(journal.find("a", record_id) is not None for record_id in acknowledged)
    found = numbers(settings)
    assert found == list(range(1, len(found) + 1))
    written(journal, entry("after"))


def test_a_journal_that_hangs_is_given_up_in_time(settings: Settings) -> None:
    """
    A request waits no longer than its limit, and what was given up is not written afterwards.
    """
    journal = Journal(replace(settings, journal_wait_s_max=0.2))
    written(journal, entry("r-1"))
    with journal._file.changing():  # as a process that was stopped while it held the lock
        start = time.monotonic()
        threads = [threading.Thread(target=_append_late, args=(journal, "late"))]
        for thread in threads:
            thread.start()
            thread.join()
        assert 0.15 < time.monotonic() - start < 1.5
    assert written(journal, entry("r-2")).number == 2
    assert journal.find("a", "late") is None
    journal.close()


def _append_late(journal: Journal, record_id: str) -> None:
    with pytest.raises(JournalUnavailableError):
        journal.append(entry(record_id))


def test_a_full_queue_refuses_at_once(settings: Settings) -> None:
    """
    No more requests wait than the limit says.
    """
    journal = Journal(replace(settings, journal_wait_s_max=0.3, journal_waiting_max=1))
    written(journal, entry("r-1"))
    with journal._file.changing(), ThreadPoolExecutor(4) as pool:
        errors = [
            pool.submit(journal.append, entry(f"w-{count}")).exception() for count in range(4)
        ]
    assert all(isinstance(error, JournalUnavailableError) for error in errors)
    journal.close()


def test_a_journal_that_is_gone_says_so(tmp_path: Path) -> None:
    """
    Without the file nothing is written anywhere else and no empty file is made.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path)})
    journal = Journal(settings)
    with pytest.raises(JournalUnavailableError):
        journal.append(entry("r-1"))
    with pytest.raises(JournalUnavailableError):
        journal.find("a", "r-1")
    assert not settings.journal_path.exists()
    create_journal(settings.journal_path)
    assert written(journal, entry("r-1")).number == 1
    journal.close()


def test_closing_writes_what_waits_and_refuses_the_rest(settings: Settings) -> None:
    """
    Nothing that was accepted is dropped by a stop.
    """
    journal = Journal(settings)
    with ThreadPoolExecutor(16) as pool:
        waiting = [
            pool.submit(journal.append, entry(f"r-{count}", f"c-{count}")) for count in range(64)
        ]
        journal.close()
    refused = [one for one in waiting if isinstance(one.exception(), JournalUnavailableError)]
    assert len(numbers(settings)) == len(waiting) - len(refused)
    with pytest.raises(JournalUnavailableError, match="closed"):
        journal.append(entry("later"))


def test_a_file_that_cannot_be_made_is_a_setting_to_mend(tmp_path: Path) -> None:
    """
    A journal in a folder that is not there names its path.
    """
    with pytest.raises(SettingsError, match="journal"):
        create_journal(tmp_path / "no" / "journal.sqlite")
