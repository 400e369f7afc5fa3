"""
Keep what was seen last in a file of the home, for a start at which its source is away.
"""

import os
from pathlib import Path

import structlog

from service.encryption import write_secret

log = structlog.get_logger()


class KeptFile:
    """
    A file that is put in place whole, for its owner only.

    Where the disk does not take it, it `is_due` until the disk does: what was seen is in force all
    the same. *event* is what the log says then, once.
    """

    def __init__(self, path: Path, event: str) -> None:
        self.path = path
        self.is_due = False
        self._event = event

    def put(self, text: str) -> None:
        """
        Put a text in place of the one before. Never raises for a disk.
        """
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            draft.unlink(missing_ok=True)
            write_secret(draft, text)
            draft.replace(self.path)
        except OSError as fault:
            if not self.is_due:
                log.error(self._event, error=type(fault).__name__)
            self.is_due = True
        else:
            self.is_due = False
