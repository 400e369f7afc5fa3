"""
Say how much room the journal uses, how much it may, and how much its disk has left.
"""

import os
from dataclasses import dataclass
from typing import Final

from service.journal.file import JournalFile
from service.settings import Settings

# Of the bound: a backlog is told while there is still time to do something about it.
_NARROW_SHARE: Final = 0.8
_MIB: Final = 1_048_576
_USED = (
    "SELECT (page_count - freelist_count) * page_size"
    " FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)


@dataclass(frozen=True, slots=True)
class Room:
    """
    One look: what the records take, what they may take, what the disk has free and should have, in
    bytes.
    """

    used: int
    used_max: int
    free: int
    free_min: int

    @property
    def is_bound_near(self) -> bool:
        """
        Tell whether the records take 80 % of what they may.
        """
        return self.used >= self.used_max * _NARROW_SHARE

    @property
    def is_disk_narrow(self) -> bool:
        """
        Tell whether the disk has less left than it should.
        """
        return self.free < self.free_min

    @property
    def warnings(self) -> tuple[str, ...]:
        """
        Say what is narrow, with figures and the way out; empty where nothing is.
        """
        said = []
        if self.is_bound_near:
            said.append(
                f"the journal holds {self.used // _MIB} of {self.used_max // _MIB} MiB; when it is"
                " full decisions are answered but not recorded: see that the store takes records,"
                " or raise `CRISIS_ROUTER_JOURNAL_BYTES_MAX`"
            )
        if self.is_disk_narrow:
            said.append(
                f"the disk of the journal has {self.free // _MIB} MiB left, less than"
                f" {self.free_min // _MIB}; when it is full decisions are answered but not"
                " recorded: make room on it"
            )
        return tuple(said)


def look(file: JournalFile, settings: Settings) -> Room:
    """
    Look at the journal and its disk.

    Raises:
        JournalUnavailableError: the journal cannot be read.
    """
    used = int(file.read(_USED)[0][0])
    disk = os.statvfs(settings.home)
    free = disk.f_bavail * disk.f_frsize
    return Room(used, settings.journal_bytes_max, free, settings.disk_free_bytes_min)
