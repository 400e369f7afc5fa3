"""
A joined application on a home of its own, with a key of each role and a second agency.
"""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import join, make_flask
from service.host.first_start import prepare
from service.parts import Parts
from service.settings import read_settings
from service.store import agencies, keys, records
from service.store.agencies import Agency
from service.store.keys import Key

CALL = {
    "received_at": "2026-11-23T02:15:00-08:00",
    "facts": {"caller": "with_person", "suicide": "plan", "weapon": "none", "violence": "none"},
    "remarks": "RP ADV SON TALKING ABOUT SUICIDE, DENIES WEAPONS, CALM",
}


def kinds(answer: dict[str, Any]) -> list[str]:
    """
    Give who goes, in the order to act.
    """
    return [one["kind"] for one in answer["recommendation"]["responders"]]


@dataclass(frozen=True, slots=True)
class Api:
    """
    The service as a client sees it.
    """

    client: FlaskClient
    parts: Parts
    keys: dict[str, str]

    def post(self, path: str, body: Any, role: str = "dispatch", **headers: str) -> Any:
        """
        Post a JSON body with the key of a role.
        """
        sent = {"Authorization": f"Bearer {self.keys[role]}", **headers}
        return self.client.post(path, json=body, headers=sent)

    def raw(self, body: bytes, content_type: str = "application/json") -> Any:
        """
        Post bytes as a decision.
        """
        headers = {"Authorization": f"Bearer {self.keys['dispatch']}"}
        return self.client.post(
            "/v1/decisions", data=body, content_type=content_type, headers=headers
        )

    def get(self, path: str, role: str = "dispatch") -> Any:
        """
        Get with the key of a role.
        """
        return self.client.get(path, headers={"Authorization": f"Bearer {self.keys[role]}"})


def ship(parts: Parts) -> None:
    """
    Store what the journal holds, as shipper and worker do.
    """
    unstored = parts.journal.unstored(10_000)
    sent = [{one.name: getattr(record, one.name) for one in fields(record)} for record in unstored]
    count, refused = records.insert(parts.store, sent, dt.datetime.now(dt.UTC))
    assert (count, refused) == (len(sent), ())
    parts.journal.confirm([record.number for record in unstored])


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """
    Join the service on a fresh home, without Redis.
    """
    home: Path = tmp_path_factory.mktemp("home")
    settings = read_settings({"CRISIS_ROUTER_HOME": str(home)})
    prepare(settings)
    parts, close = join(settings)
    secrets = json.loads((home / "credentials.json").read_text())
    found = {
        role: secrets[f"{role}_key"] for role in ("dispatch", "supervisor", "admin", "second_admin")
    }
    now = dt.datetime.now(dt.UTC)
    agencies.create(parts.store, Agency("other", "Other", "UTC", "national-baseline", now))
    for name, agency, role in (("other", "other", "dispatch"), ("auditor", "example", "auditor")):
        found[name] = keys.new_key()
        made = Key(keys.new_id(), agency, keys.digest(found[name]), role, None, name, now)
        keys.create(parts.store, made)
    parts.surroundings.look()
    yield Api(make_flask(parts).test_client(), parts, found)
    close()
