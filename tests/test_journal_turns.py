"""
Prove that processes take fair turns at one journal, and that one which is stopped in its turn holds
the others up no longer than it must.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from service.errors import JournalUnavailableError
from service.journal import Entry, Journal, Written, create_journal
from service.settings import Settings, read_settings
from tests.servers import child_environment

COMMITS = 400  # of each process
# Some commits of the other pass while the kernel wakes one that waits, more on a busy machine; one
# that starved would wait for all of them.
WAITED_FOR_MAX = COMMITS // 2
# It appends one record with each commit, has always something to append, and counts how many
# commits of others pass while it waits for each turn.
WRITER = """
import fcntl, sqlite3, sys
from concurrent.futures import ThreadPoolExecutor
from service.journal import Entry, Journal, file
from service.settings import read_settings
home, name, count = sys.argv[1:]
settings = read_settings({
    "CRISIS_ROUTER_HOME": home,
    "CRISIS_ROUTER_JOURNAL_BATCH_MAX": "1",
    "CRISIS_ROUTER_JOURNAL_WAIT_S_MAX": "60",
})
journal, waited_for = Journal(settings), []
looking = sqlite3.connect(settings.journal_path, check_same_thread=False)
def newest():
    return looking.execute("SELECT ifnull(max(number), 0) FROM records").fetchone()[0]
class Turns:
    LOCK_EX, LOCK_UN = fcntl.LOCK_EX, fcntl.LOCK_UN
    def flock(self, handle, how):
        before = newest()
        fcntl.flock(handle, how)
        waited_for.append(newest() - before)
def append(number):
    told = Entry("decision", f"{name}-{number}", "a", name, "2026-01-01T00:00:00Z", None, None, {})
    return journal.append(told).record.number
file.fcntl = Turns()
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(4) as pool:
    numbers = list(pool.map(append, range(int(count))))
print(max(waited_for), *numbers)
journal.close()
"""
# It is stopped within a transaction that holds the turn.
HOLDER = """
import os, signal, sys
from service.journal import Entry, Journal
from service.journal.file import transaction
from service.journal.rows import write
from service.settings import read_settings
journal = Journal(read_settings({"CRISIS_ROUTER_HOME": sys.argv[1]}))
told = Entry("decision", "held", "a", "c", "2026-01-01T00:00:00Z", None, None, {})
with journal._file.appending() as connection, transaction(connection):
    write(connection, journal.host_id, [(told, b"{}")])
    os.kill(os.getpid(), signal.SIGSTOP)
journal.close()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """
    Give the settings of a home with an empty journal.
    """
    made = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path)})
    create_journal(made.journal_path)
    return replace(made, journal_wait_s_max=60.0)


@pytest.fixture
def journal(settings: Settings) -> Iterator[Journal]:
    """
    Give an open journal.
    """
    made = Journal(settings)
    yield made
    made.close()


@pytest.fixture
def child() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """
    Give what runs a program of this test in a process of its own; none is left in the end.
    """
    started = []

    def start(program: str, *words: object) -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", program, *map(str, words)]
        environment, pipe = child_environment({}), subprocess.PIPE
        made = subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, env=environment)
        started.append(made)
        return made

    yield start
    for one in started:
        one.kill()
        one.communicate()


def append(journal: Journal, record_id: str) -> int:
    """
    Append a record, and give its number.
    """
    told = Entry("decision", record_id, "a", record_id, "2026-01-01T00:00:00Z", None, None, {})
    made = journal.append(told)
    assert isinstance(made, Written)
    return made.record.number


def test_no_process_starves_another_and_no_number_is_lost(
    settings: Settings, child: Callable[..., subprocess.Popen[str]]
) -> None:
    """
    With two processes that always have something to write, neither waits for one turn while the
    other takes most of its own, and each number is acknowledged once.
    """
    writers = [child(WRITER, settings.home, name, COMMITS) for name in ("p", "q")]
    for one in writers:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in writers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [[int(word) for word in one.communicate()[0].split()] for one in writers]
    assert [one.returncode for one in writers] == [0, 0]
    assert sorted(said[0][1:] + said[1][1:]) == list(range(1, 2 * COMMITS + 1))
    # Each did wait for the other, or nothing was shown.
    assert all(0 < waited_for <= WAITED_FOR_MAX for waited_for, *_ in said)
    with sqlite3.connect(settings.journal_path) as connection:
        query = "SELECT record_id, number FROM records ORDER BY number"
        there = dict(connection.execute(query).fetchall())
    acknowledged = {
        f"{name}-{place}": number
        for name, (_, *numbers) in zip(("p", "q"), said, strict=True)
        for place, number in enumerate(numbers)
    }
    assert there == acknowledged


@pytest.mark.parametrize("end", [signal.SIGCONT, signal.SIGKILL])
def test_a_process_stopped_in_its_turn_holds_nobody_up_for_ever(
    settings: Settings,
    journal: Journal,
    child: Callable[..., subprocess.Popen[str]],
    end: signal.Signals,
) -> None:
    """
    Others are refused in time and still read; one that waits goes on as soon as the stopped one
    does, or is killed; what was refused is not written, and no number is missing.
    """
    assert append(journal, "before") == 1
    holder = child(HOLDER, settings.home)
    _, status = os.waitpid(holder.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    impatient = Journal(replace(settings, journal_wait_s_max=0.2))
    for _ in range(2):
        with pytest.raises(JournalUnavailableError, match="in time"):
            append(impatient, "refused")
    assert impatient.find("a", "before") is not None
    numbers: list[int] = []
    waits = threading.Thread(target=lambda: numbers.append(append(journal, "waits")))
    waits.start()
    holder.send_signal(end)
    holder.communicate()
    waits.join()
    impatient._settings = settings
    numbers.append(append(impatient, "after"))
    is_held_there = end == signal.SIGCONT
    assert numbers == [2 + is_held_there, 3 + is_held_there]
    assert (journal.find("a", "held") is not None) == is_held_there
    assert journal.find("a", "refused") is None
    impatient.close()
