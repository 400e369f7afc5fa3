"""
The folder of a run's counters: private, one for each run, and nothing stays behind.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.host import counter_folder as module
from service.host.counter_folder import MEMORY, ROOM_BYTES_MIN, counter_folder
from tests.faults.surroundings import own_disk


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """
    Give an empty home.
    """
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """
    Give a folder that stands for the memory of the machine.
    """
    folder = tmp_path / "memory"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == [], "nothing stays behind"


def test_it_is_private_found_from_the_home_and_removed_at_the_end(home: Path, memory: Path) -> None:
    """
    Its owner alone may open it, the home says where it is, and both are gone after the run.
    """
    with counter_folder(home, [memory]) as folder:
        assert folder is not None
        assert folder.parent == memory
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (home / "metrics").readlink() == folder
        (folder / "counter_1.db").touch()
    assert list(home.iterdir()) == []


def test_two_services_never_share_one(home: Path, memory: Path) -> None:
    """
    A second home has its own folder, also one that was copied from a home that is in use.
    """
    copied = home.with_name("copied")
    with counter_folder(home, [memory]) as first:
        shutil.copytree(home, copied, symlinks=True)
        with counter_folder(copied, [memory]) as second:
            assert first is not None
            assert second not in (first, None)
            assert first.is_dir()
        assert first.is_dir()


def test_what_a_killed_run_left_goes_at_the_next_start(
    home: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Its folder is removed, with what was in it, and so are counters that once lay in the home.
    """
    left = Path(os.path.realpath(memory)) / "crisis-router-metrics-left"
    left.mkdir()
    (left / "counter_1.db").touch()
    (home / "metrics").symlink_to(left)
    with counter_folder(home, [memory]) as folder:
        assert folder is not None
        assert list(memory.iterdir()) == [folder]
    (home / "metrics").mkdir()
    (home / "metrics" / "counter_1.db").touch()
    with counter_folder(home, [memory]) as folder:
        assert (home / "metrics").readlink() == folder


def test_a_link_to_what_is_not_ours_costs_nobody_a_file(home: Path, memory: Path) -> None:
    """
    Whatever the note in the home points at, only a folder of counters is ever removed.
    """
    other = home.with_name("records")
    other.mkdir()
    (other / "kept").touch()
    (home / "metrics").symlink_to(other)
    with counter_folder(home, [memory]):
        assert (other / "kept").exists()
    assert (other / "kept").exists()


def test_the_next_place_is_taken_where_one_is_missing_or_narrow(
    home: Path, memory: Path, tmp_path: Path
) -> None:
    """
    Memory, the temporary folder, the home; and none of them leaves each process to count alone.
    """
    missing = tmp_path / "missing"
    with counter_folder(home, [missing, memory]) as folder:
        assert folder is not None
        assert folder.parent == memory
    with counter_folder(home, [missing]) as nowhere:
        assert nowhere is None
    narrow = tmp_path / "narrow"
    narrow.mkdir()
    with ExitStack() as held:
        disk = held.enter_context(own_disk(narrow))
        if disk is None:
            pytest.skip("this user may not mount a disk")
        disk.fill()
        with counter_folder(home, [narrow, memory]) as folder:
            assert folder is not None
            assert folder.parent == memory


def test_memory_is_the_first_choice(home: Path) -> None:
    """
    Where the machine has such a folder with room, the counters are in it.
    """
    if not MEMORY.is_dir() or _free(MEMORY) < ROOM_BYTES_MIN:
        pytest.skip("this machine has no folder in memory")
    with counter_folder(home) as folder:
        assert folder is not None
        assert folder.parent == module.MEMORY


def _free(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
