"""
A disk that is full to its last byte: calls are answered, and no process ends.
"""

import http.client
import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.faults.disturb import PARTS
from tests.faults.house import House, house, lives
from tests.faults.surroundings import Disk

FULL_S_MAX = 60.0
# What stands in the command of each part.
WORDS = {
    "granian": "granian",
    "worker": "worker",
    "shipper": "workers.shipper",
    "beat": "beat",
    "redis": "redis.sock",
}
REGISTRIES = ("apco", "nfirs", "seattle", "mpds", "fire", "nobodys")


def ask(found: House, path: str, body: bytes, key: str) -> tuple[int, Any]:
    """
    Post, and give status and document; a connection that breaks off is an error.
    """
    connection = http.client.HTTPConnection(found.url.removeprefix("http://"), timeout=20)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    finally:
        connection.close()


def call(number: int, registry: str = "") -> bytes:
    """
    Give the body of a call, with an incident code that nobody knows where a registry is named.
    """
    body: dict[str, Any] = {"call_id": f"full-{number}", "facts": {"weapon": "none"}}
    if registry:
        body["incident_type"] = {"registry": registry, "code": "no such code"}
    return json.dumps(body).encode()


def refused_in_every_way(found: House) -> set[int]:
    """
    Have requests refused with every status that comes easily; each is a new value of a label.
    """
    key, good = found.key, call(0)
    asked = [
        ("/v1/decisions", b"{", key),
        ("/v1/decisions", b"{}", key),
        ("/v1/decisions", b" " * 300_000, key),
        ("/v1/decisions", good, "nobodys"),
        ("/v1/nothing", good, key),
        ("/healthz", good, key),
        ("/v1/people", good, key),
    ]
    return {ask(found, *one)[0] for one in asked}


def test_on_a_full_disk_every_process_lives_and_answers() -> None:
    """
    With no byte left, calls with ever new labels are answered with the recommendation and
    `recorded: false`, by the same processes; once there is room they are recorded again.
    """
    with house() as found:
        if found.disk is None:
            pytest.skip("this user may not mount a disk")
        before = found.pids("api")
        answers = when_full(found, found.disk)
        assert {status for status, _ in answers} <= {201, 503}
        for status, document in answers:
            assert document["recommendation"]["responders"]
            assert status == 201 or document["recorded"] is False
        assert answers[-1][0] == 503
        assert found.pids("api") == before
        found.until_whole()
        until_recorded(found, found.key)
        assert found.pids("api") == before


def test_what_dies_on_a_full_disk_is_started_again() -> None:
    """
    Each part that is killed with no byte left is started again by the same supervisor, with the
    disk still full, and calls are answered with `recorded: false`; with room the house is whole.
    """
    with house() as found:
        if found.disk is None:
            pytest.skip("this user may not mount a disk")
        key, supervisor = found.key, found.up.process.pid
        try:
            for part in PARTS:
                found.disk.fill()
                old = processes(supervisor, part)
                old[0].kill()
                until_replaced(found.disk, supervisor, part, old)
            assert_answers_unrecorded(found, key)
        finally:
            found.disk.free()
        assert found.up.process.poll() is None
        found.until_whole()
        until_recorded(found, key)


def test_a_service_that_ran_before_starts_on_a_full_disk() -> None:
    """
    With no byte left at its start it answers with `recorded: false`, and is whole once there is
    room.
    """
    with house() as found:
        if found.disk is None:
            pytest.skip("this user may not mount a disk")
        key = found.key
        assert found.up.stop() == 0
        try:
            found.disk.fill()
            found.start_again()
            found.up.ready(lambda: ask(found, "/healthz", b"", key))
            found.disk.fill()
            assert_answers_unrecorded(found, key)
            assert free_bytes(found.home) == 0
        finally:
            found.disk.free()
        found.until_whole()
        until_recorded(found, key)


def until_recorded(found: House, key: str) -> None:
    """
    Ask until a call is recorded: a process whose journal failed leaves it alone for a moment.
    """

    def recorded() -> None:
        assert ask(found, "/v1/decisions", call(1_000_001), key)[0] == 201

    found.up.ready(recorded)


def assert_answers_unrecorded(found: House, key: str) -> None:
    """
    Ask about a call, and see that the answer is whole and says that it is not recorded.
    """
    status, document = found.up.ready(lambda: ask(found, "/v1/decisions", call(1_000_000), key))
    assert status == 503
    assert document["recorded"] is False
    assert document["recommendation"]["responders"]


def processes(supervisor: int, part: str) -> list[psutil.Process]:
    """
    Give the processes of a part by what they were started with: its lists of them may be old.
    """
    child = psutil.Process(supervisor).children()
    if part == "api":
        granian = [one for one in child if said_in(one, WORDS["granian"])]
        return [one for parent in granian for one in parent.children() if lives(one.pid)]
    return [one for one in child if said_in(one, WORDS[part]) and lives(one.pid)]


def said_in(process: psutil.Process, word: str) -> bool:
    """
    Tell whether a word is in the command of a process.
    """
    with suppress(psutil.Error):
        return any(one == word or one.endswith("/" + word) for one in process.cmdline())
    return False


def until_replaced(disk: Disk, supervisor: int, part: str, old: Sequence[psutil.Process]) -> None:
    """
    Wait, on a disk that stays full, until a part has as many processes as before, and one is new.
    """
    end = time.monotonic() + FULL_S_MAX
    while True:
        disk.fill()
        now = processes(supervisor, part)
        if len(now) >= len(old) and old[0] not in now:
            return
        assert time.monotonic() < end, f"{part} is not started again"
        time.sleep(0.1)


def when_full(found: House, disk: Disk) -> list[tuple[int, Any]]:
    """
    Fill the disk, ask until calls can no more be recorded, and then much that is new; gives the
    answers to calls.
    """
    answers: list[tuple[int, Any]] = []
    end = time.monotonic() + FULL_S_MAX
    try:
        while not answers or answers[-1][0] != 503:
            # What was allotted to the journal before is written to for a while.
            assert time.monotonic() < end
            disk.fill()
            answers.append(ask(found, "/v1/decisions", call(len(answers)), found.key))
        for registry in 8 * REGISTRIES:
            disk.fill()
            answers.append(ask(found, "/v1/decisions", call(len(answers), registry), found.key))
            assert {400, 401, 404, 405, 413, 422} <= refused_in_every_way(found)
        assert free_bytes(found.home) == 0
    finally:
        disk.free()
    return answers


def free_bytes(folder: Path) -> int:
    """
    Give what the disk of a folder has left.
    """
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
