"""
The whole service as `make run` starts it: real Redis, real Celery, real HTTP.
"""

import json
from pathlib import Path

import psutil

from tests.whole_service import fetch, running, until


def test_a_call_is_answered_recorded_and_stored_and_nothing_stays_behind(tmp_path: Path) -> None:
    """
    From a first start to a stored decision, with every part running, and a clean end after SIGTERM.
    """
    home = tmp_path / "home"
    with running(home) as (url, up):
        credentials = json.loads((home / "credentials.json").read_text())
        assert (home / "credentials.json").stat().st_mode & 0o777 == 0o600
        people = {"dispatcher", "supervisor", "admin", "second_admin"}
        keys = {"dispatch_key", "supervisor_key", "admin_key", "second_admin_key"}
        assert set(credentials) == people | keys
        key = credentials["dispatch_key"]
        parts = {"api", "shipper", "worker", "beat", "redis"}
        until(lambda: {one["part"] for one in fetch(f"{url}/readyz", key)["processes"]}, parts)
        until(lambda: fetch(f"{url}/readyz")["degraded"], [])
        answer = fetch(f"{url}/v1/decisions", key, {"call_id": "up-1", "facts": {"caller": "self"}})
        assert answer["mode"] == "full"
        one = f"{url}/v1/decisions/{answer['decision_id']}"
        until(lambda: fetch(one, key)["record"]["state"], "stored")
        listed = fetch(f"{url}/v1/decisions", key)["items"]
        assert [item["decision_id"] for item in listed] == [answer["decision_id"]]
        children = psutil.Process(up.pid).children(recursive=True)
        assert len(children) >= len(parts)
        counters = (home / "metrics").readlink()
        assert counters.stat().st_mode & 0o777 == 0o700
    assert up.returncode == 0
    assert not [child for child in children if child.is_running()]
    assert not counters.exists()


def test_a_second_start_has_the_same_keys_and_decisions(tmp_path: Path) -> None:
    """
    What was recorded before a stop is there after the next start, and a part that dies is started
    again.
    """
    home = tmp_path / "home"
    with running(home) as (url, _):
        key = json.loads((home / "credentials.json").read_text())["dispatch_key"]
        first = fetch(f"{url}/v1/decisions", key, {"call_id": "up-2"})
    with running(home) as (url, up):
        again = fetch(f"{url}/v1/decisions", key, {"call_id": "up-2"})
        assert (first["revision"], again["revision"]) == (1, 2)
        assert fetch(f"{url}/v1/decisions/{first['decision_id']}", key)["call_id"] == "up-2"
        supervisor = psutil.Process(up.pid)

        def shippers() -> list[psutil.Process]:
            return [one for one in supervisor.children() if "workers.shipper" in one.cmdline()]

        until(lambda: len(shippers()), 1)  # it is started a moment after the first answer
        shippers()[0].kill()
        one = f"{url}/v1/decisions/{again['decision_id']}"
        until(lambda: fetch(one, key)["record"]["state"], "stored")
