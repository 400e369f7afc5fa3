"""
Count how often each part died or hung since the service was started, where every process can read
it.
"""

from pathlib import Path
from typing import Any

import orjson

from service.host.shown_file import show

PARTS = ("api", "beat", "granian", "redis", "shipper", "worker")
_FILE = "restarts.json"
WHYS = ("died", "hung")


class Restarts:
    """
    Hold the counts of this run; the supervisor's alone.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / _FILE
        self._counts: dict[str, dict[str, int]] = {}
        show(self._path, self._counts)

    def count(self, part: str, why: str) -> None:
        """
        Count one more; *why* is `died` or `hung`.
        """
        counts = self._counts.setdefault(part, dict.fromkeys(WHYS, 0))
        counts[why] += 1
        show(self._path, self._counts)  # on a full disk the parts are started again all the same


def restarts(home: Path) -> list[dict[str, Any]]:
    """
    List how often each part died or hung since the start; a part that never did is not named.
    """
    return [{"part": part, **one} for part, one in sorted((counted(home) or {}).items())]


def counted(home: Path) -> dict[str, dict[str, int]] | None:
    """
    Give the counts of each part that died or hung since the start; None where they cannot be read.
    """
    try:
        counts = orjson.loads((home / _FILE).read_bytes())
        return {part: {why: int(one[why]) for why in WHYS} for part, one in counts.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
