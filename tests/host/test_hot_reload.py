"""
The rules of the whole service, changed while calls come in: every process takes the new version up.
"""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.whole_service import fetch, running, until, until_ready

SWAPPED_WITHIN_S = 2.0
DRAFT = "/v1/rulesets/national-baseline/draft"


class Caller(threading.Thread):
    """
    A CAD that asks without a pause, and keeps what it was answered and when.
    """

    def __init__(self, url: str, key: str, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._ask = lambda number: fetch(
            f"{url}/v1/decisions", key, {"call_id": f"{name}-{number}", "facts": {"caller": "self"}}
        )
        self.answers: list[tuple[float, int]] = []
        self.faults: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        """
        Ask until it is told to stop.
        """
        number = 0
        while not self.stopping.is_set():
            number += 1
            sent = time.monotonic()
            try:
                self.answers.append((sent, self._ask(number)["ruleset"]["version"]))
            except Exception as error:  # noqa: BLE001  # whatever it is, a call was not answered
                self.faults.append(repr(error))


def drafted(url: str, keys: dict[str, Any], text: str) -> str:
    """
    Save, check by the real workers, and approve; gives the digest.
    """
    content = yaml.safe_load(text)
    digest = put(f"{url}{DRAFT}", keys["admin_key"], content)["digest"]
    check = fetch(f"{url}{DRAFT}/check", keys["admin_key"], {})["check_id"]
    one = f"{url}/v1/checks/{check}"
    until(lambda: fetch(one, keys["admin_key"])["state"], "done")
    failed = fetch(one, keys["admin_key"])["result"]["scenarios"]["failed"]
    body = {"digest": digest, "accepts": failed}
    approved = fetch(f"{url}{DRAFT}/approve", keys["second_admin_key"], body)
    assert approved["approver"] == "Second Administrator"
    return str(digest)


def put(url: str, key: str, body: Any) -> Any:
    """
    Put JSON, and read the answer.
    """
    return fetch(url, key, body, "PUT")


def versions(url: str, key: str) -> set[int]:
    """
    Give the versions by which the processes that answer calls decide.
    """
    listed = fetch(f"{url}/readyz", key)["processes"]
    return {one["ruleset"]["version"] for one in listed if one["part"] == "api"}


def test_every_process_takes_a_version_up_while_calls_come_in(tmp_path: Path) -> None:
    """
    Within 2 s of a publication no call is decided by the old version any more, and none was left
    without an answer; a rollback and a planned publication act in the same way.
    """
    home = tmp_path / "home"
    with running(home) as (url, _):
        until_ready(url)
        keys = json.loads((home / "credentials.json").read_text())
        admin = keys["admin_key"]
        live = fetch(f"{url}/v1/rulesets/national-baseline", admin)
        text = yaml.safe_dump({**live["content"], "absent_fills": ["weapon"]})
        digest = drafted(url, keys, text)
        callers = [Caller(url, keys["dispatch_key"], f"cad-{number}") for number in range(3)]
        for one in callers:
            one.start()
        time.sleep(1)
        published = f"{url}/v1/rulesets/national-baseline/publish"
        assert fetch(published, admin, {"digest": digest})["version"] == 2
        at = time.monotonic()
        until(lambda: versions(url, admin), {2})
        assert time.monotonic() - at < SWAPPED_WITHIN_S
        time.sleep(1)
        for one in callers:
            one.stopping.set()
            one.join()
        answers = [answer for one in callers for answer in one.answers]
        assert [fault for one in callers for fault in one.faults] == []
        assert {version for _, version in answers} == {1, 2}
        late = [version for sent, version in answers if sent > at + SWAPPED_WITHIN_S]
        assert set(late) <= {2}
        back = {"version": 1, "reason": "as it was"}
        fetch(f"{url}/v1/rulesets/national-baseline/rollback", admin, back)
        until(lambda: versions(url, admin), {1})
        planned = drafted(url, keys, yaml.safe_dump({**live["content"], "absent_fills": []}))
        soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
        assert fetch(published, admin, {"digest": planned, "at": soon})["version"] == 3
        until(lambda: versions(url, admin), {3})
        shown = fetch(f"{url}/v1/rulesets/national-baseline", admin)
        assert shown["published_by"] == "Example Administrator"
