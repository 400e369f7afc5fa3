"""
A disk that is full to its last byte: calls are answered, and no process ends.
"""

import http.client
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults.house import House, house
from tests.faults.surroundings import Disk

FULL_S_MAX = 60.0
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
        assert ask(found, "/v1/decisions", call(1_000_000), found.key)[0] == 201
        assert found.pids("api") == before


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
