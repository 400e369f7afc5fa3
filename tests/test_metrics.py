"""
The counters of several processes, in files that never need more room than they were given.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from service.metrics import COUNTER_FILE_BYTES, COUNTER_FOLDER
from tests.faults.surroundings import own_disk
from tests.servers import child_environment

# Far more values of each label than there are: every status, and forty registries.
COUNT_EVERYTHING = """
from http import HTTPStatus
from service.metrics import make_metrics
counted = make_metrics()
for mode in ("full", "journal_only", "last_good_rules", "floor"):
    for police in ("true", "false"):
        counted.decisions.labels(mode, police).inc()
for number in range(40):
    counted.unknown_codes.labels(f"a_registry_of_{number}").inc()
for status in HTTPStatus:
    counted.refused.labels(str(int(status))).inc()
counted.latency_s.observe(0.1)
"""
SCRAPE = "from service.metrics import make_metrics\nprint(make_metrics().text().decode())"


def run(program: str, changes: Mapping[str, str]) -> str:
    """
    Run a process of its own, since the library reads its environment once; gives what it printed.
    """
    argv = [sys.executable, "-c", program]
    environment = child_environment(changes)
    done = subprocess.run(argv, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def test_what_every_process_counted_is_added_up(tmp_path: Path) -> None:
    """
    Also of those that are dead by now.
    """
    changes = {COUNTER_FOLDER: str(tmp_path)}
    for _ in range(2):
        run(COUNT_EVERYTHING, changes)
    told = run(SCRAPE, changes)
    assert 'crisis_router_refused_requests_total{status="422"} 2.0' in told
    assert "crisis_router_decision_seconds_count 2.0" in told


def test_all_the_room_that_a_process_ever_needs_is_taken_at_its_start(tmp_path: Path) -> None:
    """
    The files have neither holes nor another size after everything that can be counted was counted:
    nothing that is written later needs room.
    """
    run(COUNT_EVERYTHING, {COUNTER_FOLDER: str(tmp_path)})
    found = sorted(tmp_path.iterdir())
    assert [path.name.partition("_")[0] for path in found] == ["counter", "histogram"]
    for path in found:
        size = path.stat()
        assert size.st_size == COUNTER_FILE_BYTES
        assert size.st_blocks * 512 >= COUNTER_FILE_BYTES
        assert size.st_mode & 0o777 == 0o600


def test_a_process_without_room_counts_for_itself_and_lives(tmp_path: Path) -> None:
    """
    With no room for its files it says so, ends of nothing, and disturbs no scrape.
    """
    with own_disk(tmp_path) as disk:
        if disk is None:
            pytest.skip("this user may not mount a disk")
        disk.fill()
        changes = {COUNTER_FOLDER: str(tmp_path)}
        assert "counters_alone" in run(COUNT_EVERYTHING, changes)
        assert [path.name for path in tmp_path.iterdir()] == ["ballast"]
        assert "crisis_router" not in run(SCRAPE, changes)


def test_a_folder_that_somebody_cleared_is_made_again(tmp_path: Path) -> None:
    """
    Systems clear their memory folder when the last session of a user ends.
    """
    folder = tmp_path / "cleared"
    run(COUNT_EVERYTHING, {COUNTER_FOLDER: str(folder)})
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(list(folder.iterdir())) == 2


def test_a_folder_that_is_not_ours_is_not_counted_in(tmp_path: Path) -> None:
    """
    Not through a link, and not in a folder of another user, who could cut a file short.
    """
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert "counters_alone" in run(SCRAPE, {COUNTER_FOLDER: str(tmp_path / "link")})
    assert list((tmp_path / "real").iterdir()) == []
    if os.geteuid() == 0:
        os.chown(tmp_path / "real", 65534, 65534)
        assert "counters_alone" in run(SCRAPE, {COUNTER_FOLDER: str(tmp_path / "real")})
        assert list((tmp_path / "real").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"\x00\x10\x00\x00"], ids=["empty", "cut short"])
def test_a_file_that_holds_anything_breaks_no_scrape(tmp_path: Path, content: bytes) -> None:
    """
    What cannot be read is left out, and that is said.
    """
    (tmp_path / "counter_1.db").write_bytes(content)
    told = run(SCRAPE, {COUNTER_FOLDER: str(tmp_path)})
    assert "counters_not_read" in told
