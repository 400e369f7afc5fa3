"""
Run the whole service as `make run` does, and talk to it over HTTP.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
WAIT_S_MAX = 60


@contextmanager
def running(home: Path, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """
    Run `crisis-router up` on *port*, or a free one, until the block ends.
    """
    port = port or free_port()
    environment = {**os.environ, "CRISIS_ROUTER_HOME": str(home), "PORT": str(port)}
    command = [sys.executable, "-m", "service.cli", "up"]
    with (home.parent / f"{home.name}.log").open("ab") as log:
        up = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: fetch(f"{url}/healthz")["status"], "ok")
        yield url, up
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(WAIT_S_MAX)


def fetch(url: str, key: str = "", body: Any = None, method: str | None = None) -> Any:
    """
    Get, or send JSON (by POST, unless another method is named), and read the answer.
    """
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return json.load(answer)


def until(ask: Callable[[], Any], wanted: Any) -> None:
    """
    Ask until the answer is what is wanted; what was answered last is in the failure.
    """
    end, last = time.monotonic() + WAIT_S_MAX, None
    while time.monotonic() < end:
        try:
            last = ask()
        except (OSError, http.client.HTTPException) as error:  # it starts, or dies as it answers
            last = error
        if last == wanted:
            return
        time.sleep(0.05)
    pytest.fail(f"still {last!r}, and not {wanted!r}")


def until_ready(url: str) -> None:
    """
    Wait until nothing of the service is degraded: every part runs.
    """
    until(lambda: fetch(f"{url}/readyz")["degraded"], [])
