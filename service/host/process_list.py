"""
Which processes of this host run, and with which rules: what `/readyz` shows to a caller with a key.

The supervisor writes `processes.json`; each process that answers calls writes a line of its own
under `run/`. On a full disk both are old, and are written as soon as there is room.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from service.host.shown_file import show

_PARTS = "processes.json"


class PartList:
    """
    The processes that the supervisor of a home runs; the supervisor's alone.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / _PARTS
        self._shown: dict[str, int] | None = None

    def is_there(self) -> bool:
        """
        Tell whether a run left its list behind: it was killed.
        """
        return self._path.exists()

    def show(self, running: Mapping[str, int]) -> None:
        """
        Write the process of each part, where one is another than before. Never raises: what could
        not be written is written when it is called again.
        """
        if running == self._shown:
            return
        found = [{"part": name, "pid": pid} for name, pid in running.items()]
        if show(self._path, found):
            self._shown = dict(running)

    def remove(self) -> None:
        """
        Take the list away: the run ended as it should.
        """
        self._path.unlink(missing_ok=True)


class Announcement:
    """
    Say that this process answers calls, and by which ruleset for each agency.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / "run" / f"api-{os.getpid()}.json"
        self._said: dict[str, dict[str, Any]] | None = None

    def say(self, rulesets: dict[str, dict[str, Any]]) -> None:
        """
        Say it where it is other than before. Never raises: what could not be written is written
        when it is called again.
        """
        if rulesets == self._said:
            return
        if self._said is None:
            _remove_dead(self._path.parent)
        if show(self._path, {"part": "api", "pid": os.getpid(), "rulesets": rulesets}):
            self._said = rulesets

    def take_back(self) -> None:
        """
        Say no more: the process ends.
        """
        self._path.unlink(missing_ok=True)


def listed(home: Path, agency: str) -> list[dict[str, Any]]:
    """
    List the processes that run: those that answer, each with the ruleset of an agency, then the
    others. Never raises.
    """
    found = [_of_agency(path, agency) for path in sorted((home / "run").glob("api-*.json"))]
    others = _read(home / _PARTS) or []
    found += [{**one, "ruleset": None} for one in others if one.get("part") != "api"]
    return [one for one in found if one and _is_running(one["pid"])]


def _of_agency(path: Path, agency: str) -> Any:
    one = _read(path)
    if not one:
        return None
    ruleset = (one.get("rulesets") or {}).get(agency)
    return {"part": one["part"], "pid": one["pid"], "ruleset": ruleset}


def _read(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _remove_dead(folder: Path) -> None:
    for path in folder.glob("api-*.json"):
        if not _is_running(int(path.stem.partition("-")[2])):
            path.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
