"""
The rules from a draft to the next decision, by two administrators over the API.
"""

import datetime as dt
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.app import join
from service.settings import read_settings, shipped_config
from service.store import alerts, drafts, rulesets
from service.store.database import writing
from service.store.drafts import Approval, Draft
from service.store.rulesets import Live, Version
from tests.api.conftest import kinds, ship
from tests.api.rule_writing import BASELINE, Desk, desk, small


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


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_from_a_draft_to_the_next_decision(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    """
    Saved, checked, not approved by its author, approved by another, published, rolled back: the
    next decision of each step is by the rules that are live.
    """
    where = {}
    if kind == "postgresql":
        where["CRISIS_ROUTER_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    with desk(tmp_path / "home", **where) as new:
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


def test_a_publication_for_a_time_waits_for_it(draft: Desk) -> None:
    """
    Planned for a time to come, a version goes live when it has come; an edit before that voids it.
    """
    text = draft.text() + "# planned\n"
    saved = draft.save(text.replace("violence-likely", "violence-likely-planned"))
    digest = saved.json["digest"]
    failed = draft.check()["result"]["scenarios"]["failed"]
    assert draft.approve(digest=digest, accepts=failed).status_code == 200
    before = draft.ask("GET", BASELINE).json["version"]
    past = (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=2)).isoformat()
    refused = draft.publish(digest, at=past)
    assert (refused.status_code, refused.json["errors"][0]["path"]) == (422, "at")
    assert "leave it null" in refused.json["errors"][0]["message"]
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)).isoformat()
    planned = draft.publish(digest, at=soon)
    assert (planned.status_code, planned.json["version"]) == (201, before + 1)
    assert draft.ask("GET", f"{BASELINE}/draft").json["approval"]["publish_at"] is not None
    assert draft.parts.publishing.publish_due() == 0
    assert draft.ask("GET", BASELINE).json["version"] == before
    time.sleep(1.1)
    assert draft.parts.publishing.publish_due() == 1
    assert draft.parts.publishing.publish_due() == 0
    assert draft.ask("GET", BASELINE).json["version"] == before + 1
    assert draft.ask("GET", BASELINE).json["published_by"] == "Example Administrator"


def test_an_edit_voids_a_planned_publication(draft: Desk) -> None:
    """
    Saved again, a planned draft is approved no more and is not published.
    """
    saved = draft.save(small())
    failed = draft.check()["result"]["scenarios"]["failed"]
    draft.approve(digest=saved.json["digest"], accepts=failed)
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=0.5)).isoformat()
    draft.publish(saved.json["digest"], at=soon)
    draft.save(small(urgency="urgent"), tag=saved.headers["ETag"])
    time.sleep(0.6)
    assert draft.parts.publishing.publish_due() == 0
    assert draft.ask("GET", f"{BASELINE}/draft").json["approval"] is None


def test_versions_and_what_differs_between_them(draft: Desk) -> None:
    """
    Versions are listed newest first in pages, and any two are compared in sentences.
    """
    made = draft.through(
        draft.text()
        .replace("at_least: mobile_crisis", "at_least: co_responder", 1)
        .replace("name: national-baseline", "name: national-baseline\nabsent_fills: [weapon]", 1)
        if "absent_fills" not in draft.text()
        else draft.text().replace("urgency: urgent", "urgency: emergent", 1)
    )
    page = draft.ask("GET", f"{BASELINE}/versions?limit=1").json
    assert [one["version"] for one in page["items"]] == [made]
    following = draft.ask("GET", f"{BASELINE}/versions?cursor={page['next']}").json
    assert following["items"][0]["version"] == made - 1
    assert following["next"] is None
    assert draft.ask("GET", f"{BASELINE}/versions?cursor=x").status_code == 422
    found = draft.ask("GET", f"{BASELINE}/differences?from={made - 1}&to={made}").json
    assert found["changed"] or found["other"]
    for one in found["changed"]:
        assert one["before"] != one["sentence"]
    same = draft.ask("GET", f"{BASELINE}/differences?from={made}&to={made}").json
    assert not any(same[key] for key in ("added", "removed", "changed", "moved", "other"))
    assert draft.ask("GET", f"{BASELINE}/versions/99999").status_code == 404
    assert draft.ask("GET", f"{BASELINE}/differences?from=1&to=99").status_code == 404
    yaml = draft.ask("GET", f"{BASELINE}/versions/1", headers={"Accept": "application/yaml"})
    assert yaml.text.startswith("# The national baseline")


def test_what_a_draft_moves_is_counted(draft: Desk) -> None:
    """
    A check decides the stored calls again under both, and says from whom to whom, with examples.
    """
    for number in range(3):
        draft.decide(f"moved-{number}", caller="with_person", violence="threat")
    ship(draft.parts)
    draft.save(small())
    changes = draft.check()["result"]["changes"]
    assert changes["moved"] >= 3
    [row] = [one for one in changes["moves"] if one["from"] == ["co_responder"]]
    assert row["to"] == ["mobile_crisis"]
    assert row["count"] >= 3
    assert 0 < len(row["examples"]) <= 5
    assert changes["decisions"] == sum(one["count"] for one in changes["leads"])


def write_past_the_loader(new: Desk) -> None:
    """
    Publish straight in the store what no process can load, with every signature it needs.
    """
    now, name = dt.datetime.now(dt.UTC), "national-baseline"
    content = {"name": name, "needs": []}
    ada, ben = ("person:a", "A"), ("person:b", "B")
    told = ("sha256:bad", "bad", "yaml", content, ())
    drafted = Draft("d", "example", name, 1, told[0], 1, *told[1:4], (), (), *ada, now)
    authors = [{"identity": ada[0], "name": ada[1]}]
    version = Version(
        *("example", name, 2),
        *told,
        authors,
        "d",
        *ben,
        None,
        (),
        *ada,
        now,
    )
    with writing(new.parts.store) as connection:
        drafts.add(connection, drafted)
        drafts.approve(connection, Approval("d", 1, "sha256:bad", *ben, None, (), "c", now))
        rulesets.add_version(connection, version)
        rulesets.set_live(connection, Live("example", name, 2, now, *ada))


def test_a_version_that_cannot_be_loaded_leaves_the_old_one(tmp_path: Path) -> None:
    """
    What a process cannot load changes no answer: the old version decides, the mode says so, and an
    alarm stands for the agency.
    """
    with desk(tmp_path / "home") as new:
        write_past_the_loader(new)
        new.parts.live_rules.look()
        decided = new.decide("old", caller="with_person", violence="threat")
        assert (decided["ruleset"]["version"], decided["mode"]) == (1, "last_good_rules")
        assert kinds(decided) == ["co_responder"]
        ready = new.ask("GET", "/readyz").json
        assert "version 2 of national-baseline could not be loaded" in str(ready["degraded"])
        assert ready["processes"][0]["ruleset"]["version"] == 1
        alarms, _ = alerts.page(
            new.parts.store, "example", is_open=True, now=dt.datetime.now(dt.UTC)
        )
        assert [(one.kind, one.subject_id) for one in alarms] == [
            ("rules_not_loaded", "national-baseline@2")
        ]
        body = {"version": 1, "reason": "the second cannot be loaded"}
        assert new.ask("POST", f"{BASELINE}/rollback", json=body).status_code == 201
        new.parts.live_rules.look()
        assert new.decide("again", violence="threat")["mode"] != "last_good_rules"


def test_a_start_with_the_store_away_has_the_last_good_rules(tmp_path: Path) -> None:
    """
    A process that starts with the store away decides by the version that was live.
    """
    home = tmp_path / "home"
    with desk(home) as new:
        number = new.through(small())
        digest = new.ask("GET", BASELINE).json["digest"]
    nowhere = {"CRISIS_ROUTER_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    settings = read_settings({"CRISIS_ROUTER_HOME": str(home), **nowhere})
    parts, close = join(settings)
    try:
        agency = parts.surroundings.seen.agencies["example"]
        found = parts.rules.published(agency)
        assert found is not None
        assert (found.version, found.digest) == (number, digest)
    finally:
        close()


def test_a_newer_shipped_file_becomes_a_draft(tmp_path: Path) -> None:
    """
    A file that changed is never published by itself: it waits as a draft by `shipped`, unless
    somebody has a draft.
    """
    home, config = tmp_path / "home", tmp_path / "config"
    shutil.copytree(shipped_config(), config)
    with desk(home, CRISIS_ROUTER_CONFIG=str(config)):
        pass
    path = config / "rulesets" / "national-baseline" / "rules.yaml"
    path.write_text(path.read_text().replace("violence-likely", "violence-likely-new"))
    with desk(home, CRISIS_ROUTER_CONFIG=str(config)) as new:
        held = new.ask("GET", f"{BASELINE}/draft").json
        assert (held["saved_by"], held["problems"]) == ("shipped", [])
        assert new.ask("GET", BASELINE).json["version"] == 1
        failed = new.check()["result"]["scenarios"]["failed"]
        assert new.approve(digest=held["digest"], accepts=failed).status_code == 200
        assert new.publish(held["digest"]).json["author"] == "shipped"
    with desk(home, CRISIS_ROUTER_CONFIG=str(config)) as again:
        assert again.ask("GET", f"{BASELINE}/draft").status_code == 404
        assert again.ask("GET", BASELINE).json["version"] == 2


def test_a_decision_is_found_again_under_its_own_version(tmp_path: Path) -> None:
    """
    After another version went live, a replay still decides by the version that a record names.
    """
    with desk(tmp_path / "home") as new:
        first = new.decide("old", caller="with_person", violence="threat")
        new.through(small())
        agency = new.parts.surroundings.seen.agencies["example"]
        found = new.parts.trials.of_record(agency, first["ruleset"])
        assert found is not None
        assert (found.version, found.digest) == (1, first["ruleset"]["digest"])
        gone = new.parts.trials.of_record(agency, {**first["ruleset"], "digest": "sha256:gone"})
        assert gone is not None
        assert gone.digest != "sha256:gone"
