"""
Recorded calls decided again: the same to the byte, or a plain word why that cannot be told.
"""

import datetime as dt
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from service.access import command_line
from service.app import join, make_flask
from service.cli import main
from service.encryption import KeyRing, new_key
from service.host.first_start import prepare
from service.replay import Replay
from service.settings import read_settings, shipped_config
from service.store.database import reading, writing
from service.store.decisions import decisions
from service.store.kept_rules import kept
from tests.api.conftest import CALL, Api, ship
from tests.routing.spaces import availabilities, raw_facts

WORDS = st.sampled_from(
    (
        *("", "HE HAS A GUN, HX OF SI", "DENIES WEAPONS. CALM.", "no meds 3 wks, hearing voices"),
        *("not breathing", "mi hijo quiere morir", "PT IS 34 YOA, UNK IF ARMED"),
    )
)
CODES = st.sampled_from((None, "MENTAL PERSON", "SUICIDE - IP/JO SUICIDAL PERSON", "no such code"))
AT = st.sampled_from((None, "2026-11-23T02:15:00-08:00", "2026-01-01T00:00:01+13:00"))


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    """
    Draw a request; a few ids, so that many are revisions of a call told before.
    """
    code = draw(CODES)
    drawn = {
        "call_id": draw(st.sampled_from("abcdef")),
        "facts": draw(raw_facts()),
        "remarks": draw(WORDS),
        "availability": draw(availabilities),
        "received_at": draw(AT),
        "incident_type": code and {"registry": "seattle", "code": code},
    }
    return {name: value for name, value in drawn.items() if value is not None}


def replayed(api: Api, decision_id: str) -> dict[str, Any]:
    found: dict[str, Any] = api.post(f"/v1/decisions/{decision_id}/replay", None).json
    return found


def result(api: Api, decision_id: str) -> tuple[str, list[str]]:
    found = replayed(api, decision_id)
    return found["result"], found["different"]


@pytest.fixture
def stored(api: Api) -> Iterator[tuple[Api, str, dict[str, Any]]]:
    """
    Give a stored decision that the journal does not have any more, and its body, which is put back
    afterwards.
    """
    answered = api.post("/v1/decisions", {"call_id": "stored", **CALL}).json
    ship(api.parts)
    decision_id = answered["decision_id"]
    with api.parts.journal._file.changing() as connection:
        connection.execute("DELETE FROM records")
    with reading(api.parts.store) as connection:
        query = select(decisions.c.body).where(decisions.c.record_id == decision_id)
        body = connection.execute(query).scalar_one()
    yield api, decision_id, body
    rewrite(api, decision_id, body)


def rewrite(api: Api, decision_id: str, body: Mapping[str, Any]) -> None:
    with writing(api.parts.store) as connection:
        where = decisions.c.record_id == decision_id
        connection.execute(update(decisions).where(where).values(body=body))


def other(value: Any) -> Any:
    """
    Give something that differs from a value in one character, or in as little as there is.
    """
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, list):
        return [*value[:-1], other(value[-1])] if value else [0]
    name = next(iter(value), None)
    return {**value, name: other(value[name])} if name else {"x": 0}


@given(call=calls())
def test_every_call_replays_to_the_byte(api: Api, call: dict[str, Any]) -> None:
    """
    Whatever is told, the recorded answer is found again, from the journal and from the store.
    """
    answered = api.post("/v1/decisions", call).json
    assert result(api, answered["decision_id"]) == ("same", [])
    ship(api.parts)
    with api.parts.journal._file.changing() as connection:
        connection.execute("DELETE FROM records")
    found = replayed(api, answered["decision_id"])
    assert (found["result"], found["different"]) == ("same", [])
    assert {"recommendation", "because", "change", "note", "signals"} <= set(found["compared"])


def test_one_byte_of_the_answer_is_found(stored: tuple[Api, str, dict[str, Any]]) -> None:
    """
    A stored answer of which any part was changed by one character is different, and names the part.
    """
    api, decision_id, body = stored
    compared = replayed(api, decision_id)["compared"]
    for name in compared:
        told = body["answer"][name]
        warned = [{"code": "made_up", "message": "", "path": None}]
        changed = {
            "mode": "floor",
            "warnings": warned,
            "ruleset": {**body["answer"]["ruleset"], "name": "another"},
        }
        answer = {**body["answer"], name: changed.get(name, other(told))}
        rewrite(api, decision_id, {**body, "answer": answer})
        found, different = result(api, decision_id)
        assert (found, name in different) == ("different", True), name


def test_a_changed_request_is_found(stored: tuple[Api, str, dict[str, Any]]) -> None:
    """
    A fact that was changed answers otherwise, and a sealed remark that was changed does not open.
    """
    api, decision_id, body = stored
    facts = {**body["request"]["facts"], "weapon": "firearm"}
    rewrite(api, decision_id, {**body, "request": {**body["request"], "facts": facts}})
    found, different = result(api, decision_id)
    assert found == "different"
    assert {"recommendation", "note"} <= set(different)
    sealed = body["request"]["remarks"]
    at = len(sealed) // 2
    broken = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
    rewrite(api, decision_id, {**body, "request": {**body["request"], "remarks": broken}})
    assert result(api, decision_id) == ("different", ["request.remarks"])


def test_what_is_erased_or_sealed_is_no_difference(
    stored: tuple[Api, str, dict[str, Any]],
) -> None:
    """
    A purged remark replays from the signals on record; a record erased whole says so; a key that
    is not here is named.
    """
    api, decision_id, body = stored
    purged = {**body["request"], "remarks": {"erased": "sha256:00"}}
    rewrite(api, decision_id, {**body, "request": purged})
    found = replayed(api, decision_id)
    assert (found["result"], found["different"]) == ("same", [])
    assert "gone" in found["text"]
    rewrite(api, decision_id, {"erased": {"why": "retention", "at": "2032-11-23T00:00:00Z"}})
    assert result(api, decision_id) == ("erased", [])
    rewrite(api, decision_id, body)
    parts = api.parts
    ring = KeyRing(new_key())
    blind = Replay(parts.rules, parts.journal, parts.store, ring, parts.audit)
    again = _one(blind, api, decision_id)
    assert again.result == "sealed"
    assert body["request"]["remarks"].split(":")[1] in again.text


def _one(replay: Replay, api: Api, decision_id: str) -> Any:
    agency = api.parts.surroundings.seen.agencies["example"]
    every = replay.every(command_line("example"), agency, dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    return next(one for one in every if one.decision_id == decision_id)


@pytest.mark.parametrize("changed", ["facts.yaml", "remarks/en.yaml", "rules.yaml"])
def test_old_decisions_replay_after_the_configuration_changed(tmp_path: Path, changed: str) -> None:
    """
    What decided is kept by its digest: with other facts, other phrases or other rules in force, and
    another live version, an old decision is still decided again as it was. Where what decided is
    not kept, that is said, and is no difference.
    """
    config, home = tmp_path / "config", tmp_path / "home"
    shutil.copytree(shipped_config(), config)
    environment = {"CRISIS_ROUTER_HOME": str(home), "CRISIS_ROUTER_CONFIG": str(config)}
    settings = read_settings(environment)
    made = prepare(settings)
    assert made is not None
    parts, close = join(settings)
    try:
        client = make_flask(parts).test_client()
        headers = {"Authorization": f"Bearer {made.dispatch_key}"}
        sent = {"call_id": "old", **CALL}
        decision_id = client.post("/v1/decisions", json=sent, headers=headers).json["decision_id"]
        was = parts.rules.config.tables_digest
    finally:
        close()
    if changed == "rules.yaml":
        (home / "last_good_rules.json").unlink()
        path = config / "rulesets" / "national-baseline" / changed
        path.write_text(path.read_text().replace("why:", "why: In short,", 1))
    else:
        path = config / changed
        path.write_text(path.read_text() + "\n# another text\n")
        facts = config / "facts.yaml"
        facts.write_text(facts.read_text().replace("question: ", "question: So, ", 1))
    parts, close = join(settings)
    try:
        assert changed == "rules.yaml" or parts.rules.config.tables_digest != was
        agency, actor = parts.surroundings.seen.agencies["example"], command_line("example")
        found = parts.replay.one(actor, agency, decision_id)
        assert found is not None
        assert (found.result, found.different) == ("same", ())
        with writing(parts.store) as connection:
            connection.execute(
                delete(kept).where(kept.c.digest != parts.rules.config.tables_digest)
            )
        fresh = Replay(parts.rules, parts.journal, parts.store, parts.key_ring, parts.audit)
        lost = fresh.one(actor, agency, decision_id)
        assert lost is not None
        assert lost.result == ("same" if changed == "rules.yaml" else "other_ruleset")
        assert changed == "rules.yaml" or "cannot be compared" in lost.text
    finally:
        close()


def test_the_floor_replays(api: Api) -> None:
    """
    A call that was answered with no ruleset in force is decided again with none.
    """
    rules = api.parts.rules
    rules.mode = "floor"
    try:
        answered = api.post("/v1/decisions", {"call_id": "floor", **CALL}).json
    finally:
        rules.mode = "full"
    assert answered["mode"] == "floor"
    assert result(api, answered["decision_id"]) == ("same", [])


def test_what_an_agency_says_of_codes_may_change(api: Api) -> None:
    """
    A code that the agency mapped itself replays as it was read then, when it is mapped otherwise.
    """
    own = {("local", "zz9"): {"weapon": "firearm"}}
    surroundings = api.parts.surroundings
    before = surroundings.seen
    call = {"call_id": "own", "incident_type": {"registry": "local", "code": "ZZ9"}}
    surroundings._seen = replace(before, own_types={"example": own})
    try:
        config = api.parts.rules.config
        name, code = config.incident_types.normalised("local", "ZZ9")
        own[name, code] = own.pop(("local", "zz9"))
        answered = api.post("/v1/decisions", call).json
    finally:
        surroundings._seen = before
    assert answered["signals"]
    assert result(api, answered["decision_id"]) == ("same", [])


def test_only_who_reads_calls_may_replay(api: Api) -> None:
    """
    An administrator is refused, another agency finds nothing, and what is not there is a 404; who
    replays stands in the audit trail.
    """
    decision_id = api.post("/v1/decisions", {"call_id": "mine", **CALL}).json["decision_id"]
    path = f"/v1/decisions/{decision_id}/replay"
    assert api.post(path, None, "admin").status_code == 403
    assert api.post(path, None, "other").status_code == 404
    assert api.post("/v1/decisions/none/replay", None).status_code == 404
    assert api.post(path, None, "auditor").json["result"] == "same"
    trail = api.get("/v1/audit", "auditor").json["items"]
    noted = [one for one in trail if one["act"] == "replayed"]
    assert noted[0]["subject"] == {"kind": "decision", "id": decision_id}
    assert noted[0]["detail"] == {"result": "same"}


def test_the_command_counts_results_and_names_what_differs(
    stored: tuple[Api, str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    `replay --all --since` ends with 0 where nothing differs, else with 1 and the ids.
    """
    api, decision_id, body = stored
    monkeypatch.setenv("CRISIS_ROUTER_HOME", str(api.parts.settings.home))
    words = ["replay", "--all", "--since", "2020-01-01", "--agency", "example"]
    good = CliRunner().invoke(main, words)
    assert good.exit_code == 0, good.output
    assert "0  different" in good.stdout
    rewrite(api, decision_id, {**body, "answer": {**body["answer"], "note": "another"}})
    bad = CliRunner().invoke(main, words)
    assert bad.exit_code == 1
    assert f"{decision_id}  Not the same answer: it differs in note." in bad.stdout
    one = CliRunner().invoke(main, ["replay", decision_id])
    assert (one.exit_code, "differs in note" in one.stdout) == (1, True)
    assert CliRunner().invoke(main, ["replay", "--all"]).exit_code == 1
