"""
Which processes of this host run, and with which rules: what `/readyz` shows to a caller with a key.

The supervisor writes `processes.json`; each process that answers calls writes a line of its own
under `run/`.
"""

import os
from pathlib import Path
from typing import Any

import orjson


def announce(home: Path, rulesets: dict[str, dict[str, Any]]) -> Path:
    """
    Say that this process answers calls, and by which ruleset for each agency; gives the file, which
    the process removes at its end.
    """
    folder = home / "run"
    folder.mkdir(exist_ok=True)
    for path in folder.glob("api-*.json"):
        if not _is_running(int(path.stem.partition("-")[2])):
            path.unlink(missing_ok=True)
    path = folder / f"api-{os.getpid()}.json"
    draft = path.with_suffix(".new")
    draft.write_bytes(orjson.dumps({"part": "api", "pid": os.getpid(), "rulesets": rulesets}))
    draft.replace(path)
    return path


def listed(home: Path, agency: str) -> list[dict[str, Any]]:
    """
    List the processes that run: those that answer, each with the ruleset of an agency, then the
    others. Never raises.
    """
    found = [_of_agency(path, agency) for path in sorted((home / "run").glob("api-*.json"))]
    others = _read(home / "processes.json") or []
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


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
