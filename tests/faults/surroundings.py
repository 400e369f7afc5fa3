"""
What stands around a house under test and can be made to fail: its disk, and its wall clock.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

DISK_BYTES = 2_147_483_648
_SOURCE = Path(__file__).with_name("clock.c")


class Disk:
    """
    A small disk of the house's own, which can be full.
    """

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """
        Take all that is free.
        """
        with self._ballast.open("ab") as file:
            size = file.tell()
            # What others free while we fill is taken by smaller and smaller pieces.
            for piece in (2**24, 2**20, 2**12):
                with suppress(OSError):
                    while True:
                        os.posix_fallocate(file.fileno(), size, piece)
                        size += piece

    def free(self) -> None:
        """
        Give it back.
        """
        self._ballast.unlink(missing_ok=True)


class Clock:
    """
    The wall clock of every process of a house.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self._back_s = 0
        self.set_back(0)
        self.environment = {
            "LD_PRELOAD": str(folder / "clock.so"),
            "CLOCK_BACK": str(self._file),
        }

    def set_back(self, seconds: int) -> None:
        """
        Set it back by so many seconds more.
        """
        self._back_s += seconds
        with self._file.open("r+b" if self._file.exists() else "w+b") as file:
            file.write(self._back_s.to_bytes(8, "little"))


@contextmanager
def own_disk(folder: Path) -> Iterator[Disk | None]:
    """
    Put a small disk at *folder* until the block ends; None where this user may not.
    """
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    asked = [mount, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder]
    if mount is None or unmount is None or not _works(asked):
        yield None
        return
    try:
        yield Disk(folder)
    finally:
        subprocess.run([unmount, "--lazy", folder], check=True)


def own_clock(folder: Path) -> Clock | None:
    """
    Make a clock for a house; None where there is no compiler, or another system than Linux.
    """
    compiler = shutil.which("cc")
    if compiler is None or os.uname().sysname != "Linux":
        return None
    made = [compiler, "-shared", "-fPIC", "-O2", "-o", folder / "clock.so", _SOURCE, "-ldl"]
    return Clock(folder) if _works(made) else None


def _works(argv: list[Any]) -> bool:
    return subprocess.run(argv, check=False, capture_output=True).returncode == 0
