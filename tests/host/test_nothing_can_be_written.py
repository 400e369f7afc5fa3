"""
Prove that the supervisor and what it runs go on where the disk or the machine takes no more.

A folder that is a file stands for a disk that is full; the real one is in `tests/faults`.
"""

import json
import os
import signal
import sqlite3
import subprocess
from functools import partial
from pathlib import Path

import pytest

from service.errors import JournalUnavailableError, SettingsError
from service.host.child_process import ChildProcess, Plan
from service.host.first_start import prepare
from service.host.oversight import Oversight
from service.host.process_list import Announcement, PartList, listed
from service.host.restarts import restarts
from service.host.supervise import ready, say_room
from service.journal import create_journal
from service.journal import file as journal_file
from service.settings import read_settings
from tests.servers import child_environment, free_port, python
from tests.whole_service import until

FULL = Path("/dev/full")
RULESETS = {"example": {"name": "national-baseline", "version": 1}}


def test_a_list_of_parts_that_cannot_be_written_is_written_once_there_is_room(
    tmp_path: Path,
) -> None:
    """
    Nothing is raised, and the next try puts the same list on disk.
    """
    home = tmp_path / "home"
    home.touch()
    parts = PartList(home)
    parts.show({"worker": os.getpid()})
    assert not parts.is_there()
    home.unlink()
    home.mkdir()
    parts.show({"worker": os.getpid()})
    assert listed(home, "example") == [{"part": "worker", "pid": os.getpid(), "ruleset": None}]
    parts.remove()
    assert not parts.is_there()


def test_an_announcement_that_cannot_be_written_is_made_once_there_is_room(tmp_path: Path) -> None:
    """
    A process that answers starts on a full disk, and is in the list as soon as it can be.
    """
    (tmp_path / "run").touch()
    announcement = Announcement(tmp_path)
    announcement.say(RULESETS)
    assert listed(tmp_path, "example") == []
    (tmp_path / "run").unlink()
    announcement.say(RULESETS)
    said = {"part": "api", "pid": os.getpid(), "ruleset": RULESETS["example"]}
    assert listed(tmp_path, "example") == [said]
    (tmp_path / "run" / f"api-{os.getpid()}.json").unlink()
    announcement.say(dict(RULESETS))  # what was said is not written again and again
    assert listed(tmp_path, "example") == []


def test_a_part_whose_log_cannot_be_opened_runs_all_the_same(tmp_path: Path) -> None:
    """
    It writes where its supervisor does.
    """
    (tmp_path / "logs").touch()
    log = tmp_path / "logs" / "part.log"
    child = ChildProcess(Plan("part", ("/bin/sh", "-c", "exit 3"), {}, log), 100)
    child.start()
    codes: list[int | None] = []
    until(lambda: codes.append(child.look()) or codes[-1], 3)
    child.stop(1)
    assert codes[-1] == 3


def test_a_part_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    """
    Where the machine has no process, memory or program for a part, it starts once it has.
    """
    program = tmp_path / "program"
    child = ChildProcess(Plan("part", (str(program),), {}, None), 100)
    child.start()
    assert child.pid is None
    assert child.look() is None
    # Moved into place: a file that is still open for writing cannot be run.
    draft = tmp_path / "draft"
    draft.write_text("#!/bin/sh\nexec sleep 61\n")
    draft.chmod(0o755)
    draft.replace(program)
    until(lambda: child.look() is None and child.pid is not None, True)
    child.stop(0.1)


def test_a_look_that_fails_keeps_no_other_part_from_being_looked_at(tmp_path: Path) -> None:
    """
    A part that cannot be looked at is told once, and those behind it are started again.
    """

    class Broken(ChildProcess):
        looks = 0

        def look(self) -> int | None:
            self.looks += 1
            raise OSError("no room")

    broken = Broken(Plan("redis", ("/bin/true",), {}, None), 100)
    worker = ChildProcess(Plan("worker", ("/bin/sh", "-c", "exit 3"), {}, None), 100)
    worker.start()
    (tmp_path / "logs").mkdir()
    settings = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path)})
    said: list[str] = []
    oversight = Oversight(settings, {"redis": broken, "worker": worker}, None, said.append)
    until(lambda: oversight.look() is None and bool(said), True)
    worker.stop(1)
    assert broken.looks > 0
    assert said == ["worker ended with code 3 and is started again"]


def full_disk(*_: object) -> sqlite3.Connection:
    """
    Fail as SQLite does on a disk that is full.
    """
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = "SQLITE_FULL"
    raise error


def test_a_host_that_ran_before_starts_without_room_for_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A first start says that there is no room; a later one goes on, for calls can be answered.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path / "home")})
    with monkeypatch.context() as full:
        full.setattr(journal_file, "_connect", full_disk)
        with pytest.raises(JournalUnavailableError, match="cannot be made: database or disk is"):
            prepare(settings)
    made = prepare(settings)
    assert made is not None
    with monkeypatch.context() as full:
        full.setattr(journal_file, "_connect", full_disk)
        assert prepare(settings) is None
    assert json.loads((settings.home / "credentials.json").read_text())["admin_key"]


def test_a_journal_that_cannot_be_made_for_another_reason_is_for_a_person_to_mend(
    tmp_path: Path,
) -> None:
    """
    What time or room does not mend keeps the service from starting, with one clear line.
    """
    (tmp_path / "folder").mkdir()
    with pytest.raises(SettingsError, match="cannot be made"):
        create_journal(tmp_path / "folder")


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a file that is always full")
def test_a_terminal_that_takes_no_line_stops_nothing(tmp_path: Path) -> None:
    """
    With its own output and every log on a full disk the service starts, answers, no part of it
    dies, and it ends when it is asked to.
    """
    port, home = free_port(), tmp_path / "home"
    changes = {"CRISIS_ROUTER_HOME": str(home), "PORT": str(port)}
    (home / "logs").mkdir(parents=True)
    for part in ("redis", "shipper", "worker", "beat"):
        (home / "logs" / f"{part}.log").symlink_to(FULL)
    with FULL.open("w") as full:
        up = subprocess.Popen(
            python("service.cli", "up"),
            env=child_environment({**changes, "CRISIS_ROUTER_REDIS_URL": ""}),
            stdout=full,
            stderr=full,
            start_new_session=True,
        )
    try:
        assert ready(f"http://127.0.0.1:{port}", wait_s_max=60)
        for part in ("shipper", "worker", "beat"):
            until(partial(has_sign, home, part), True)
        assert up.poll() is None
        assert restarts(home) == []
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(60)
    assert not (home / "processes.json").exists()


def has_sign(home: Path, part: str) -> bool:
    """
    Tell whether a part gave a sign of life: a process makes its file once it is ready.
    """
    return any((home / "alive").glob(f"{part}-*"))


def test_a_disk_with_little_room_is_told_at_the_start(tmp_path: Path) -> None:
    """
    One sentence names the home, what is left, and what that means; with room nothing is said.
    """
    said: list[str] = []
    for least in ("1", str(2**60)):
        changes = {"CRISIS_ROUTER_DISK_FREE_BYTES_MIN": least}
        say_room(read_settings({"CRISIS_ROUTER_HOME": str(tmp_path), **changes}), said.append)
    assert len(said) == 1
    assert said[0].startswith(f"the disk of {tmp_path} has ")
    assert "calls are answered" in said[0]
