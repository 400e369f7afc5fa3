"""
Two administrators at work on the rules over the API, with the workers' part done in between.
"""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from service.app import join, make_flask
from service.host.first_start import prepare
from service.parts import Parts
from service.settings import read_settings
from service.store import agencies, keys
from service.store.agencies import Agency
from service.store.keys import Key
from service.tuning.checks import work

BASELINE = "/v1/rulesets/national-baseline"


@dataclass(frozen=True)
class Desk:
    """
    The service with the keys of two administrators, a supervisor, a dispatcher and a system.
    """

    client: FlaskClient
    parts: Parts
    keys: dict[str, str]
    home: Path

    def ask(self, method: str, path: str, who: str = "admin", **sent: Any) -> Any:
        """
        Ask with somebody's key.
        """
        headers = {"Authorization": f"Bearer {self.keys[who]}", **sent.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **sent)

    def save(self, text: str, who: str = "admin", tag: str | None = None, name: str = "") -> Any:
        """
        Save YAML as the draft.
        """
        headers = {"If-Match": tag} if tag else {}
        path = f"/v1/rulesets/{name or 'national-baseline'}/draft"
        return self.ask(
            "PUT", path, who, data=text.encode(), content_type="application/yaml", headers=headers
        )

    def text(self) -> str:
        """
        Give the YAML of the live version.
        """
        found = self.ask("GET", BASELINE, headers={"Accept": "application/yaml"})
        return str(found.text)

    def check(self, who: str = "admin") -> Any:
        """
        Ask for a check, do the workers' part, and give the result.
        """
        asked = self.ask("POST", f"{BASELINE}/draft/check", who)
        assert asked.status_code == 202, asked.text
        self.work()
        return self.ask("GET", f"/v1/checks/{asked.json['check_id']}").json

    def work(self) -> None:
        """
        Do every piece of every check that waits.
        """
        while work(self.parts.store, self.parts.rules.config, lambda: dt.datetime.now(dt.UTC)):
            pass

    def approve(self, who: str = "second_admin", **body: Any) -> Any:
        """
        Approve the draft.
        """
        return self.ask("POST", f"{BASELINE}/draft/approve", who, json=body)

    def publish(self, digest: str, who: str = "admin", at: str | None = None) -> Any:
        """
        Publish, and let this process look at once.
        """
        done = self.ask("POST", f"{BASELINE}/publish", who, json={"digest": digest, "at": at})
        self.parts.live_rules.look()
        return done

    def decide(self, call_id: str, **facts: Any) -> Any:
        """
        Ask for a decision.
        """
        return self.ask(
            "POST", "/v1/decisions", "dispatch", json={"call_id": call_id, "facts": facts}
        ).json

    def through(self, text: str) -> int:
        """
        Take a text the whole way: saved, checked, approved, published. Gives the version.
        """
        old = self.ask("GET", f"{BASELINE}/draft")
        saved = self.save(text, tag=old.headers.get("ETag") if old.status_code == 200 else None)
        assert saved.json["problems"] == []
        failed = self.check()["result"]["scenarios"]["failed"]
        digest = saved.json["digest"]
        assert self.approve(digest=digest, accepts=failed).status_code == 200
        done = self.publish(digest)
        assert done.status_code == 201, done.text
        return int(done.json["version"])


@contextmanager
def desk(home: Path, **changes: str) -> Iterator[Desk]:
    """
    Join the service on a fresh home, without Redis.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(home), **changes})
    prepare(settings)
    parts, close = join(settings)
    secrets = json.loads((home / "credentials.json").read_text())
    roles = ("dispatch", "supervisor", "admin", "second_admin")
    found = {role: secrets[f"{role}_key"] for role in roles}
    now = dt.datetime.now(dt.UTC)
    if agencies.find(parts.store, "other") is None:
        agencies.create(parts.store, Agency("other", "Other", "UTC", "national-baseline", now))
    for name, agency, role in (
        ("system", "example", "admin"),
        ("auditor", "example", "auditor"),
        ("stranger", "other", "admin"),
    ):
        found[name] = keys.new_key()
        made = Key(keys.new_id(), agency, keys.digest(found[name]), role, None, name, now)
        keys.create(parts.store, made)
    parts.surroundings.look()
    try:
        yield Desk(make_flask(parts).test_client(), parts, found, home)
    finally:
        close()


def small(name: str = "national-baseline", urgency: str = "moderate") -> str:
    """
    Write the smallest ruleset there is.
    """
    rule = {
        "id": "somebody-comes",
        "lead": "mobile_crisis",
        "urgency": urgency,
        "why": "A team should see the person.",
        "source": {"title": "An example"},
    }
    return str(yaml.safe_dump({"name": name, "needs": [rule]}, sort_keys=False))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """
    Join the service on a fresh home.
    """
    with desk(tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture
def rules(shared: Desk) -> Iterator[Desk]:
    """
    Give the service without a draft, and leave it so.
    """
    shared.ask("DELETE", f"{BASELINE}/draft")
    yield shared
    shared.ask("DELETE", f"{BASELINE}/draft")
