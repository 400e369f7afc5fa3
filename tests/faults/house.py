"""
The house under test: the real service by `crisis-router up`, in a home of its own, and what stands
beside it.
"""

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.servers import Child, child_environment, free_port, python
from tests.whole_service import fetch

WHOLE_S_MAX = 90.0


@dataclass(slots=True)
class House:
    """
    Say where the service is, and find its processes.
    """

    url: str
    home: Path
    store_url: str
    up: Child

    @property
    def key(self) -> str:
        """
        Give a key that may decide and read the state.
        """
        return str(self._credentials()["dispatch_key"])

    def pid(self, part: str) -> int | None:
        """
        Give a process of a part that runs now; `api` is one that answers, `granian` their parent.
        """
        name = "api" if part == "granian" else part
        listed = json.loads((self.home / "processes.json").read_text())
        found = [int(one["pid"]) for one in listed if one["part"] == name]
        if not found or not psutil.pid_exists(found[0]):
            return None
        if part != "api":
            return found[0]
        with suppress(psutil.Error):
            workers = [
                int(path.name.rpartition("-")[2]) for path in (self.home / "alive").glob("api-*")
            ]
            return next((pid for pid in workers if psutil.pid_exists(pid)), None)
        return None

    def is_whole(self, *, under_load: bool = False) -> bool:
        """
        Tell whether every part runs, nothing is degraded and, but for what a load brings at each
        moment, nothing waits for the store.
        """
        try:
            told = fetch(f"{self.url}/readyz", self._credentials()["admin_key"])
        except (OSError, ValueError):
            return False
        parts = {one["part"] for one in told["processes"]}
        is_all_there = parts >= {"api", "shipper", "worker", "beat", "redis"}
        nothing_waits = under_load or told["journal"]["not_stored"] == 0
        return bool(is_all_there and not told["degraded"] and nothing_waits)

    def until_whole(self, wait_s_max: float = WHOLE_S_MAX, *, under_load: bool = False) -> float:
        """
        Wait until the house is whole, and give how many seconds it took.
        """
        start = time.monotonic()
        while not self.is_whole(under_load=under_load):
            if time.monotonic() - start > wait_s_max:
                raise AssertionError(f"not whole after {wait_s_max:g} s: {self.up.log}")
            time.sleep(0.1)
        return time.monotonic() - start

    def _credentials(self) -> dict[str, str]:
        read: dict[str, str] = json.loads((self.home / "credentials.json").read_text())
        return read


@contextmanager
def house(store_url: str = "", home: Path | None = None) -> Iterator[House]:
    """
    Run a house until the block ends; *store_url* is empty for SQLite in its home.
    """
    made = Path(tempfile.mkdtemp(prefix="cf-", dir="/tmp"))
    home = home or made / "home"
    port = free_port()
    changes = {"CRISIS_ROUTER_HOME": str(home), "PORT": str(port)}
    changes["CRISIS_ROUTER_DATABASE_URL"] = store_url
    changes["CRISIS_ROUTER_REDIS_URL"] = ""
    up = Child(python("service.cli", "up"), made / "up.log", env=child_environment(changes))
    url = f"http://127.0.0.1:{port}"
    try:
        store = store_url or f"sqlite:///{home / 'store.sqlite'}"
        found = House(url, home, store, up)
        found.until_whole()
        yield found
    finally:
        _wake(up.process.pid)
        with suppress(Exception):
            up.stop()
        if up.process.poll() is None:
            os.kill(up.process.pid, signal.SIGKILL)
            up.process.wait()
        shutil.rmtree(made, ignore_errors=True)


def _wake(pid: int) -> None:
    # A part that is still stopped could not end when it is asked to.
    with suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):
                child.send_signal(signal.SIGCONT)
