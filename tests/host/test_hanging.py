"""
Prove on the whole service that what hangs is replaced, and that nothing outlives its supervisor.
"""

import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil

from tests.whole_service import fetch, running, until, until_ready


def processes(url: str, key: str) -> dict[str, int]:
    """
    Give a process of each part that runs.
    """
    return {one["part"]: one["pid"] for one in fetch(f"{url}/readyz", key)["processes"]}


def test_every_part_that_hangs_is_ended_started_again_and_counted(tmp_path: Path) -> None:
    """
    With one process of each part stopped at once, all of them are replaced, the service is whole
    again, and the state says that they hung.
    """
    home = tmp_path / "home"
    with running(home) as (url, _):
        key = json.loads((home / "credentials.json").read_text())["admin_key"]
        until_ready(url)
        # A sign was given by each, so that none is still in its time for starting.
        before = processes(url, key)
        assert set(before) == {"api", "shipper", "worker", "beat", "redis"}
        until(lambda: _signs(home) >= {"api", "shipper", "worker", "beat"}, True)
        for pid in before.values():
            os.kill(pid, signal.SIGSTOP)

        def replaced() -> bool:
            now = processes(url, key)
            return set(now) == set(before) and not set(now.values()) & set(before.values())

        until(replaced, True)
        until_ready(url)
        told = {one["part"]: one["hung"] for one in fetch(f"{url}/readyz", key)["restarts"]}
        # A part may be replaced twice: what it stands on hung, too.
        assert {part for part, hung in told.items() if hung} == set(before)
        troubles = fetch(f"{url}/readyz", key)["troubles"]
        assert any("no sign of life" in one["text"] for one in troubles)


def test_all_end_with_a_supervisor_that_is_killed_and_a_new_one_goes_on(tmp_path: Path) -> None:
    """
    SIGKILL of the supervisor ends every process that descends from it, and the next start on the
    same home and port, at once, while they may still hold the address, has every record.
    """
    home = tmp_path / "home"
    body: dict[str, Any] = {"call_id": "killed-1"}
    with running(home) as (url, up):
        key = json.loads((home / "credentials.json").read_text())["dispatch_key"]
        until_ready(url)
        first = fetch(f"{url}/v1/decisions", key, body)
        children = psutil.Process(up.pid).children(recursive=True)
        assert len(children) >= 7  # Redis, granian and its two, the shipper, a worker, beat
        up.kill()
        up.wait()
    with running(home, int(url.rpartition(":")[2])) as (url, _):
        _, left = psutil.wait_procs(children, timeout=20)
        assert left == []
        until_ready(url)
        again = fetch(f"{url}/v1/decisions", key, body)
        assert (first["revision"], again["revision"]) == (1, 2)
        for one in (first, again):
            address = f"{url}/v1/decisions/{one['decision_id']}"
            until(lambda address=address: fetch(address, key)["record"]["state"], "stored")


def _signs(home: Path) -> set[str]:
    return {path.name.rpartition("-")[0] for path in (home / "alive").iterdir()}
