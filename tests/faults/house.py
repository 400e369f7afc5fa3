"""
The house under test: the real service by `crisis-router up`, in a home of its own, and what stands
beside it.
"""

import http.client
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.faults.surroundings import Clock, Disk, own_clock, own_disk
from tests.servers import Child, child_environment, free_port, python
from tests.whole_service import fetch

WHOLE_S_MAX = 90.0
API_PROCESSES = 2


@dataclass(slots=True)
class House:
    """
    Say where the service is, and find its processes.
    """

    url: str
    home: Path
    store_url: str
    start: Callable[[], Child]
    up: Child
    disk: Disk | None
    clock: Clock | None
    degraded: Any = None  # as it was said last

    @property
    def key(self) -> str:
        """
        Give a key that may decide and read the state.
        """
        return str(self._credentials()["dispatch_key"])

    def pids(self, part: str) -> list[int]:
        """
        Give the processes of a part that live, and are ready where they say so: `api` are those
        that answer, `granian` their parent.
        """
        name = "api" if part == "granian" else part
        try:
            listed = json.loads((self.home / "processes.json").read_text())
            found = [int(one["pid"]) for one in listed if one["part"] == name]
            if part == "api":
                signs = (self.home / "alive").glob("api-*")
                found = sorted(int(path.name.rpartition("-")[2]) for path in signs)
        except (OSError, ValueError):
            return []
        if part in ("worker", "shipper", "beat"):
            found = [pid for pid in found if (self.home / "alive" / f"{part}-{pid}").exists()]
        return [pid for pid in found if lives(pid)]

    def start_again(self) -> None:
        """
        Start the service anew after it was stopped; it is not waited for.
        """
        self.up = self.start()

    def is_whole(self, *, under_load: bool = False) -> bool:
        """
        Tell whether every part runs, nothing is degraded and, but for what a load brings at each
        moment, nothing waits for the store.
        """
        try:
            told = fetch(f"{self.url}/readyz", self._credentials()["admin_key"])
        except (OSError, ValueError, http.client.HTTPException):
            return False
        # A dead process that answered is named nowhere, until granian has a new one.
        if len(self.pids("api")) < API_PROCESSES:
            return False
        self.degraded = told["degraded"]
        parts = {one["part"] for one in told["processes"]}
        is_all_there = parts >= {"api", "shipper", "worker", "beat", "redis"}
        is_all_well = all(one["state"] == "ok" for one in told["parts"])
        nothing_waits = under_load or told["journal"]["not_stored"] == 0
        return bool(is_all_there and is_all_well and not told["degraded"] and nothing_waits)

    def until_whole(self, wait_s_max: float = WHOLE_S_MAX, *, under_load: bool = False) -> float:
        """
        Wait until the house is whole, and give how many seconds it took.
        """
        start = time.monotonic()
        while not self.is_whole(under_load=under_load):
            if time.monotonic() - start > wait_s_max:
                said = f"not whole after {wait_s_max:g} s: {self.degraded}"
                raise AssertionError(f"{said}: {self.up.log.read_text()}")
            time.sleep(0.1)
        return time.monotonic() - start

    def until_back(self, since: float, part: str, pid: int | None, *, at_least: int) -> float:
        """
        Wait until *at_least* processes of a part live and *pid* is none of them, and the house is
        whole; gives the seconds since *since*.
        """
        end = time.monotonic() + WHOLE_S_MAX
        while pid is not None:
            found = self.pids(part)
            if pid not in found and len(found) >= at_least:
                break
            if time.monotonic() > end:
                raise AssertionError(f"{part} did not come back: {self.up.log.read_text()}")
            time.sleep(0.05)
        self.until_whole(under_load=True)
        return time.monotonic() - since

    def _credentials(self) -> dict[str, str]:
        read: dict[str, str] = json.loads((self.home / "credentials.json").read_text())
        return read


@contextmanager
def house(store_url: str = "") -> Iterator[House]:
    """
    Run a house until the block ends; *store_url* is empty for SQLite in its home.
    """
    made = Path(tempfile.mkdtemp(prefix="cf-", dir="/tmp"))
    port = free_port()
    with ExitStack() as held:
        held.callback(shutil.rmtree, made, ignore_errors=True)
        disk_folder = made / "disk"
        disk_folder.mkdir()
        disk, clock = held.enter_context(own_disk(disk_folder)), own_clock(made)
        home = disk_folder / "home"
        changes = {"CRISIS_ROUTER_HOME": str(home), "PORT": str(port)}
        changes["CRISIS_ROUTER_DATABASE_URL"] = store_url
        changes["CRISIS_ROUTER_REDIS_URL"] = ""
        changes["CRISIS_ROUTER_API_PROCESSES"] = str(API_PROCESSES)
        changes |= clock.environment if clock is not None else {}

        def start() -> Child:
            environment = child_environment(changes)
            return Child(python("service.cli", "up"), made / "up.log", env=environment)

        store = store_url or f"sqlite:///{home / 'store.sqlite'}"
        found = House(f"http://127.0.0.1:{port}", home, store, start, start(), disk, clock)
        held.callback(lambda: _end(found.up))
        found.until_whole()
        yield found


def _end(up: Child) -> None:
    _wake(up.process.pid)
    with suppress(Exception):
        up.stop()
    if up.process.poll() is None:
        os.kill(up.process.pid, signal.SIGKILL)
        up.process.wait()


def lives(pid: int) -> bool:
    """
    Tell whether a process runs: a dead one that its parent has not looked at does not.
    """
    with suppress(psutil.Error):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def _wake(pid: int) -> None:
    # A part that is still stopped could not end when it is asked to.
    with suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):
                child.send_signal(signal.SIGCONT)
