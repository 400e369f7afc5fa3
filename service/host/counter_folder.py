"""
Give the counters of one run a folder in memory, for every process of this host and for nobody else.

Their files are mapped into memory: on a disk that is full, writing to one ends the process.

    with counter_folder(settings.home) as folder: ...
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")  # noqa: S108  a folder of a random name and mode 0700 is made in it
# Of a process 128 KiB, and of one that died too, until the stop: room for a hundred deaths.
ROOM_BYTES_MIN: Final = 16_777_216
_NOTE: Final = "metrics"  # in the home: a link to the folder
_PREFIX: Final = "crisis-router-metrics-"


@contextmanager
def counter_folder(home: Path, places: Sequence[Path] | None = None) -> Iterator[Path | None]:
    """
    Make an empty folder until the block ends; None where there is no room for one anywhere. The
    caller holds the home for itself alone.

    What a run that was killed left behind is removed; a folder that somebody still holds stays.

    Args:
        places: where it may be, the best first; by default memory, the system's temporary folder
            and the home.
    """
    note = home / _NOTE
    _remove_left(note)
    folder = _make(places if places is not None else (MEMORY, Path(tempfile.gettempdir()), home))
    if folder is None:
        yield None
        return
    held = _hold(folder)
    with suppress(OSError):  # on a full disk the next start does not find it: that costs little
        note.symlink_to(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        note.unlink(missing_ok=True)
        if held is not None:
            os.close(held)


def _make(places: Sequence[Path]) -> Path | None:
    for place in places:
        with suppress(OSError):
            disk = os.statvfs(place)
            if disk.f_bavail * disk.f_frsize >= ROOM_BYTES_MIN:
                return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))  # of mode 0700
    return None


def _remove_left(note: Path) -> None:
    if not note.is_symlink():
        shutil.rmtree(note, ignore_errors=True)  # the counters of a version that kept them here
        return
    folder = note.readlink()
    if folder.name.startswith(_PREFIX) and folder.is_dir() and not folder.is_symlink():
        # A copy of a home names the folder of the service that runs on the home it is a copy of.
        held = _hold(folder)
        if held is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)
    note.unlink(missing_ok=True)


def _hold(folder: Path) -> int | None:
    """
    Lock a folder, and give what holds it until it is closed or we end; None where another does.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
