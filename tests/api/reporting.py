"""
How the tests decide a call and report what was sent, on one host or on several.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from service.app import join, make_flask
from service.host.first_start import prepare
from service.settings import read_settings
from tests.api.conftest import Api

CALM = {"caller": "with_person", "suicide": "plan", "weapon": "none", "violence": "none"}
ARMED = {**CALM, "weapon": "firearm", "weapon_access": "in_hand"}


def decided(api: Api, call_id: str, facts: dict[str, Any]) -> Any:
    """
    Decide a call, and give the answer.
    """
    response = api.post("/v1/decisions", {"call_id": call_id, "facts": facts})
    assert response.status_code == 201
    return response.json


def kinds(answer: dict[str, Any]) -> list[str]:
    """
    Give who is recommended.
    """
    return [one["kind"] for one in answer["recommendation"]["responders"]]


def report(api: Api, decision_id: str, body: Any, role: str = "dispatch", **headers: str) -> Any:
    """
    Report what was sent.
    """
    return api.post(f"/v1/decisions/{decision_id}/dispatch", body, role, **headers)


def faults(response: Any) -> dict[str, Any]:
    """
    Give the faults of a 422 by their path; each path once.
    """
    assert response.status_code == 422
    entries = response.json["errors"]
    found = {one["path"]: one for one in entries}
    assert len(found) == len(entries)
    return found


@contextmanager
def served(
    home: Path, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC), **changes: str
) -> Iterator[Api]:
    """
    Join the service on a home with settings changed, as a host of its own.
    """
    names = {f"CRISIS_ROUTER_{name.upper()}": value for name, value in changes.items()}
    settings = read_settings({"CRISIS_ROUTER_HOME": str(home), **names})
    prepare(settings)
    parts, close = join(settings, now)
    made = home / "credentials.json"
    keys = {"dispatch": json.loads(made.read_text())["dispatch_key"]} if made.exists() else {}
    try:
        yield Api(make_flask(parts).test_client(), parts, keys)
    finally:
        close()
