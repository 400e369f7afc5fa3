"""
The rules from a draft to the next decision, by two administrators over the API.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.conftest import kinds, ship
from tests.api.rule_writing import BASELINE, Desk, desk

WEAK = "at_least: co_responder"


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """
    Join the service on a fresh home.
    """
    with desk(tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture
def draft(rules: Desk) -> Iterator[Desk]:
    """
    Give the service without a draft, and leave it so.
    """
    rules.ask("DELETE", f"{BASELINE}/draft")
    yield rules
    rules.ask("DELETE", f"{BASELINE}/draft")


def test_the_shipped_ruleset_is_the_first_version(tmp_path: Path) -> None:
    """
    At first start the shipped files are published under `shipped`, and decide.
    """
    with desk(tmp_path / "home") as new:
        found = new.ask("GET", BASELINE)
        assert found.status_code == 200
        told = {key: found.json[key] for key in ("version", "author", "approver", "published_by")}
        assert told == {
            "version": 1,
            "author": "shipped",
            "approver": None,
            "published_by": "shipped",
        }
        assert found.headers["ETag"]
        assert found.json["content"]["name"] == "national-baseline"
        decided = new.decide("first", violence="threat")
        assert decided["ruleset"]["digest"] == found.json["digest"]
        assert new.ask("GET", "/v1/rulesets").json["items"][0]["in_use"] is True


def test_from_a_draft_to_the_next_decision(tmp_path: Path) -> None:
    """
    Saved, checked, not approved by its author, approved by another, published, rolled back: the
    next decision of each step is by the rules that are live.
    """
    with desk(tmp_path / "home") as new:
        facts = {"caller": "with_person", "violence": "threat"}
        before = new.decide("walk-1", **facts)
        assert kinds(before) == ["co_responder"]
        ship(new.parts)
        text = new.text().replace("- id: violence-likely", "- id: violence-likely-now", 1)
        saved = new.save(text)
        assert (saved.status_code, saved.json["problems"]) == (200, [])
        digest = saved.json["digest"]
        assert new.approve("admin", digest=digest).json["code"] == "author_is_approver"
        assert new.approve(digest=digest).json["code"] == "not_checked"
        checked = new.check()
        assert (checked["state"], checked["digest"]) == ("done", digest)
        assert checked["result"]["problems"] == []
        assert checked["result"]["scenarios"]["run"] > 100
        assert checked["result"]["scenarios"]["failed"] == []
        assert checked["result"]["changes"]["decisions"] == 1
        assert new.approve(digest="sha256:" + "0" * 64).json["code"] == "digest_changed"
        assert new.publish(digest).json["code"] == "not_approved"
        approved = new.approve(digest=digest, comment="read it")
        assert approved.status_code == 200
        published = new.publish(digest)
        assert published.status_code == 201
        assert (published.json["version"], published.json["digest"]) == (2, digest)
        assert published.json["author"] == "Example Administrator"
        assert published.json["approver"] == "Second Administrator"
        after = new.decide("walk-2", **facts)
        assert after["ruleset"] == {"name": "national-baseline", "version": 2, "digest": digest}
        assert "violence-likely-now" in {one["rule"] for one in after["because"]}
        assert new.ask("GET", f"{BASELINE}/draft").status_code == 404
        body = {"version": 1, "reason": "the first one was better"}
        back = new.ask("POST", f"{BASELINE}/rollback", json=body)
        assert (back.status_code, back.json["version"]) == (201, 1)
        new.parts.live_rules.look()
        assert new.decide("walk-3", **facts)["ruleset"]["version"] == 1
        again = new.ask("POST", f"{BASELINE}/rollback", json=body)
        assert (again.status_code, again.json["code"]) == (409, "already_live")
        acts = new.ask("GET", "/readyz").json["processes"][0]["ruleset"]
        assert (acts["name"], acts["version"], acts["mode"]) == ("national-baseline", 1, "full")
