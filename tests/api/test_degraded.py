"""
What still answers when the rest is down: the store, the queue, the rules.
"""

import datetime as dt
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service import decisions
from service.app import join, make_flask
from service.decisions import REST_S
from service.host.first_start import prepare
from service.journal import Journal
from service.routing.decide import decide
from service.rules_in_force import read_rules
from service.settings import Settings, read_settings, shipped_config
from service.store import keys
from service.store.keys import Key
from tests.clock import Clock

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def settings_of(home: Path, **changes: str) -> Settings:
    """
    Give settings on a home, with variables changed.
    """
    names = {f"CRISIS_ROUTER_{name.upper()}": value for name, value in changes.items()}
    return read_settings({"CRISIS_ROUTER_HOME": str(home), **names})


@contextmanager
def served(settings: Settings) -> Iterator[FlaskClient]:
    """
    Join the service, as one process does at its start.
    """
    parts, close = join(settings)
    try:
        yield make_flask(parts).test_client()
    finally:
        close()


def post(client: FlaskClient, home: Path, body: dict[str, Any]) -> Any:
    """
    Ask for a decision with the key of the first start.
    """
    key = json.loads((home / "credentials.json").read_text())["dispatch_key"]
    return client.post("/v1/decisions", json=body, headers={"Authorization": f"Bearer {key}"})


def kinds(answer: dict[str, Any]) -> list[str]:
    """
    Give who goes.
    """
    return [one["kind"] for one in answer["recommendation"]["responders"]]


def test_calls_are_answered_and_read_again_with_store_and_queue_away(tmp_path: Path) -> None:
    """
    A process that starts with the store down knows the keys, answers, records, and says
    journal_only.
    """
    home = tmp_path / "home"
    prepare(settings_of(home))
    with served(settings_of(home)):
        pass  # one look at the store is kept on disk
    with served(settings_of(home, database_url=NOWHERE, store_wait_s_max="0.2")) as client:
        answered = post(client, home, {"call_id": "down", "facts": {"suicide": "plan"}})
        assert answered.status_code == 201
        assert answered.json["mode"] == "journal_only"
        key = answered.request.headers["Authorization"]
        one = client.get(answered.headers["Location"], headers={"Authorization": key})
        assert one.json["record"]["state"] == "journaled"
        assert client.get("/v1/calls/down", headers={"Authorization": key}).status_code == 200
        away = client.get("/v1/decisions/" + "0" * 32, headers={"Authorization": key})
        assert (away.status_code, away.mimetype) == (503, "application/problem+json")
        parts = {one["part"] for one in client.get("/readyz").json["degraded"]}
        assert parts == {"store", "queue"}


def test_rules_that_do_not_load_leave_the_last_good_ones_in_force(tmp_path: Path) -> None:
    """
    A broken file keeps the copy of what loaded last, and the answer and /readyz say so.
    """
    home, config = tmp_path / "home", tmp_path / "config"
    shutil.copytree(shipped_config(), config)
    prepare(settings_of(home, config=str(config)))
    with served(settings_of(home, config=str(config))):
        pass
    rules = config / "rulesets" / "national-baseline" / "rules.yaml"
    rules.write_text(rules.read_text().replace("at_least: co_responder", "at_least: swat", 1))
    with served(settings_of(home, config=str(config))) as client:
        answered = post(client, home, {"call_id": "kept", "facts": {"violence": "threat"}})
        assert answered.json["mode"] == "last_good_rules"
        assert kinds(answered.json) == ["co_responder"]
        assert "rules" in {one["part"] for one in client.get("/readyz").json["degraded"]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("facts.yaml", b""),
        ("facts.yaml", b"facts: {weapon: {values: [a]}}"),
        ("facts.yaml", b"\xff\xfe"),
        ("ways.yaml", b"ways: 5\nfirst_questions: 5"),
        ("incident_types/seattle.yaml", b"types: 5"),
        ("incident_types/seattle.yaml", b"types: [{code: A, facts: [1]}]"),
        ("rulesets/national-baseline/rules.yaml", b"\xff\xfe"),
        ("rulesets/national-baseline/rules.yaml", None),
    ],
)
def test_no_file_of_the_configuration_stops_the_service(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    """
    Whatever stands in a file, or a file that is gone, the last good rules decide, and that is said.
    """
    home, config = tmp_path / "home", tmp_path / "config"
    shutil.copytree(shipped_config(), config)
    settings = settings_of(home, config=str(config))
    prepare(settings)
    read_rules(settings)
    if content is None:
        (config / name).unlink()
    else:
        (config / name).write_bytes(content)
    rules = read_rules(settings)
    assert rules.mode == "last_good_rules"
    assert rules.config.rulesets["national-baseline"] is not None
    assert rules.faults


def test_a_look_that_cannot_be_kept_is_in_force_all_the_same(tmp_path: Path) -> None:
    """
    With the home unwritable a new key works and an ended one does not.
    """
    home = tmp_path / "home"
    prepare(settings_of(home))
    parts, close = join(settings_of(home))
    try:
        (home / f".last_seen.json.{os.getpid()}" / "x").mkdir(parents=True)
        secret = keys.new_key()
        made = Key(
            keys.new_id(),
            "example",
            keys.digest(secret),
            "dispatch",
            None,
            "",
            dt.datetime.now(dt.UTC),
        )
        keys.create(parts.store, made)
        parts.surroundings.look()
        assert parts.surroundings.seen.key(secret) is not None
        keys.revoke(parts.store, "example", made.id, dt.datetime.now(dt.UTC))
        parts.surroundings.look()
        assert parts.surroundings.seen.key(secret) is None
    finally:
        close()


def test_after_a_journal_that_does_not_answer_calls_are_answered_at_once(tmp_path: Path) -> None:
    """
    A held journal costs one wait; the next calls get their 503 with the recommendation at once.
    """
    home = tmp_path / "home"
    prepare(settings_of(home))
    with (
        served(settings_of(home, journal_wait_s_max="0.3")) as client,
        (home / "journal.sqlite.lock").open("a") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        for _ in range(3):
            answered = post(client, home, {"call_id": "held"})
            assert answered.status_code == 503
            assert answered.json["recorded"] is False
            assert answered.json["revision"] is None
        assert "journal" in {one["part"] for one in client.get("/readyz").json["degraded"]}
        fcntl.flock(lock, fcntl.LOCK_UN)


@pytest.mark.parametrize("trouble", ["held", "full"])
def test_refusals_in_a_rest_of_the_journal_do_not_make_it_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """
    However many calls are refused while the journal rests, the rest ends when it should, and the
    next call is recorded.
    """
    home, clock = tmp_path / "home", Clock()
    clock.now = REST_S  # a service that just started does not rest
    prepare(settings_of(home))
    monkeypatch.setattr(decisions, "time", clock)
    short = settings_of(home, journal_wait_s_max="2", journal_bytes_max="1048576")
    with served(short) as client, (home / "journal.sqlite.lock").open("a") as lock:
        if trouble == "held":
            fcntl.flock(lock, fcntl.LOCK_EX)
        codes = []
        while 503 not in codes:
            remark = "w" * 50_000
            call = {"call_id": f"before-{len(codes)}", "remarks": remark}
            codes.append(post(client, home, call).status_code)
            assert len(codes) < 40
        fcntl.flock(lock, fcntl.LOCK_UN)
        if trouble == "full":
            journal = Journal(short)
            journal.confirm(range(1, len(codes)))
            journal.forget(dt.datetime.now(dt.UTC))
            journal.close()
        for _ in range(7):
            clock.now += REST_S / 8
            assert post(client, home, {"call_id": "in the rest"}).status_code == 503
        clock.now += REST_S / 8
        assert post(client, home, {"call_id": "after"}).status_code == 201


def test_a_full_journal_is_answered_with_the_recommendation(tmp_path: Path) -> None:
    """
    At its bound the journal takes nothing: 503 with the recommendation and `recorded: false`, and
    `/readyz` says why and what to do.
    """
    home = tmp_path / "home"
    prepare(settings_of(home))
    with served(settings_of(home, journal_bytes_max="1048576")) as client:
        remark = "w" * 50_000
        for number in range(40):
            answered = post(client, home, {"call_id": f"full-{number}", "remarks": remark})
            if answered.status_code != 201:
                break
        assert answered.status_code == 503
        assert answered.json["recorded"] is False
        assert kinds(answered.json)
        degraded = client.get("/readyz").json["degraded"]
        assert any("JOURNAL_BYTES_MAX" in one["text"] for one in degraded)


def test_without_any_rules_the_floor_answers(tmp_path: Path) -> None:
    """
    With no rules that ever loaded, 911 stays on the line with EMS and the first questions.
    """
    home = tmp_path / "home"
    prepare(settings_of(home))
    (tmp_path / "empty").mkdir()
    with served(settings_of(home, config=str(tmp_path / "empty"))) as client:
        answered = post(client, home, {"call_id": "floor"})
        assert answered.status_code == 201
        assert answered.json["mode"] == "floor"
        assert kinds(answered.json) == ["ems"]
        assert [one["fact"] for one in answered.json["ask_next"]] == [
            "weapon",
            "violence",
            "medical",
        ]
        assert answered.json["ruleset"] == {"name": None, "version": None, "digest": None}


def test_a_bug_of_ours_leaves_nobody_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    INVARIANT (somebody-always-answers): an exception while deciding is answered by the floor, with
    an alarm.
    """
    home = tmp_path / "home"
    prepare(settings_of(home))

    def broken(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(f"service.decisions.{decide.__name__}", broken)
    with served(settings_of(home)) as client:
        answered = post(client, home, {"call_id": "bug"})
        assert answered.status_code == 201
        assert answered.json["mode"] == "floor"
    assert "decide_failed" in capsys.readouterr().out
