"""
`/v1/decisions` and its neighbours, as the contract has them.
"""

from typing import Any

import orjson
import pytest

from service.scenarios import Scenario, read_scenarios
from service.settings import shipped_config
from tests.api.conftest import CALL, Api, kinds

ANSWER = {
    *("decision_id", "call_id", "revision", "decided_at", "recommendation", "because"),
    *("law_enforcement", "ask_next", "would_change", "signals", "change", "guidance", "note"),
    *("ruleset", "mode", "warnings"),
}
SCENARIOS = read_scenarios(shipped_config() / "rulesets" / "national-baseline" / "scenarios.yaml")


def test_a_call_gets_the_whole_answer(api: Api) -> None:
    """
    A decision answers 201 with every member of the contract, and says where it can be read again.
    """
    response = api.post("/v1/decisions", {"call_id": "whole", **CALL})
    assert response.status_code == 201
    assert set(response.json) == ANSWER
    assert kinds(response.json) == ["mobile_crisis", "988"]
    assert [one["how"] for one in response.json["recommendation"]["responders"]] == [
        "send",
        "join_call",
    ]
    assert response.headers["Location"] == f"/v1/decisions/{response.json['decision_id']}"


def test_only_the_call_id_is_required(api: Api) -> None:
    """
    A call of which nothing is known gets a team, and the questions that matter.
    """
    response = api.post("/v1/decisions", {"call_id": "bare"})
    assert response.status_code == 201
    assert kinds(response.json) == ["mobile_crisis"]
    assert [one["fact"] for one in response.json["ask_next"]] == ["suicide", "weapon", "violence"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[one.id for one in SCENARIOS])
def test_every_scenario_over_http(api: Api, scenario: Scenario) -> None:
    """
    The scenarios of the ruleset are answered over HTTP as they are in the core.
    """
    response = api.post("/v1/decisions", dict(scenario.request))
    assert response.status_code == 201
    asked = [one["fact"] for one in response.json["ask_next"]]
    assert scenario.faults(kinds(response.json), asked) == []


def test_a_decision_can_be_read_at_once_with_its_remarks(api: Api) -> None:
    """
    The record is readable right after the 201, with the request's texts open again for who may read
    them.
    """
    decision_id = api.post("/v1/decisions", {"call_id": "read", **CALL}).json["decision_id"]
    record = api.get(f"/v1/decisions/{decision_id}").json
    assert record["request"]["remarks"] == CALL["remarks"]
    assert record["record"]["state"] == "journaled"
    assert record["decision_id"] == decision_id


def test_remarks_are_sealed_on_disk(api: Api) -> None:
    """
    No word of a remark, nor of why a signal was taken back, stands in the journal's files.
    """
    secret = "ZEBRA CROSSING WORDS"
    dismissed = [{"fact": "weapon", "source": "remarks", "reason": secret}]
    api.post("/v1/decisions", {"call_id": "sealed", "remarks": secret, "dismissed": dismissed})
    for path in api.parts.settings.home.glob("journal.sqlite*"):
        assert secret.encode() not in path.read_bytes()


def test_the_same_call_again_is_its_next_revision(api: Api) -> None:
    """
    A call told again is revision 2, and says who is added and who is no longer asked for.
    """
    first = api.post("/v1/decisions", {"call_id": "again", **CALL}).json
    told = {**CALL, "facts": {**CALL["facts"], "weapon": "firearm", "weapon_access": "in_hand"}}
    second = api.post("/v1/decisions", {"call_id": "again", **told}).json
    assert (first["revision"], first["change"]) == (1, None)
    assert second["revision"] == 2
    assert second["change"] == {"add": ["co_responder", "ems"], "release": ["mobile_crisis"]}
    revisions = api.get("/v1/calls/again").json["revisions"]
    assert [one["revision"] for one in revisions] == [1, 2]


def test_an_idempotency_key_gives_the_first_answer_again(api: Api) -> None:
    """
    The same key and body is a 200 with the first answer; the same key with another body is a 409.
    """
    body = {"call_id": "once", **CALL}
    first = api.post("/v1/decisions", body, **{"Idempotency-Key": "k-1"})
    again = api.post("/v1/decisions", dict(reversed(body.items())), **{"Idempotency-Key": "k-1"})
    other = api.post("/v1/decisions", {**body, "remarks": "else"}, **{"Idempotency-Key": "k-1"})
    assert [first.status_code, again.status_code, other.status_code] == [201, 200, 409]
    assert again.json == first.json


def test_two_agencies_may_use_the_same_idempotency_key(api: Api) -> None:
    """
    A key of idempotency belongs to its agency.
    """
    mine = api.post("/v1/decisions", {"call_id": "x"}, **{"Idempotency-Key": "shared"})
    theirs = api.post("/v1/decisions", {"call_id": "y"}, "other", **{"Idempotency-Key": "shared"})
    assert [mine.status_code, theirs.status_code] == [201, 201]


def test_no_key_sees_another_agencys_calls(api: Api) -> None:
    """
    Another agency's decision is a 404, by its id and by its call.
    """
    decision_id = api.post("/v1/decisions", {"call_id": "mine", **CALL}).json["decision_id"]
    assert api.get(f"/v1/decisions/{decision_id}", "other").status_code == 404
    assert api.get("/v1/calls/mine", "other").status_code == 404
    assert api.post("/v1/decisions", {"call_id": "mine"}, "other").json["revision"] == 1


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("post", "/v1/decisions", {"dispatch"}),
        ("post", "/v1/simulations", {"dispatch", "supervisor", "admin"}),
        ("post", "/v1/decisions/nobody/dispatch", {"dispatch"}),
        ("get", "/v1/decisions/export", {"dispatch", "supervisor", "auditor"}),
        ("get", "/v1/decisions", {"dispatch", "supervisor", "auditor"}),
        ("get", "/v1/calls/nobody", {"dispatch", "supervisor", "auditor"}),
        ("get", "/readyz", {"dispatch", "supervisor", "admin", "auditor"}),
    ],
)
def test_each_role_may_do_what_the_table_says(
    api: Api, method: str, path: str, allowed: set[str]
) -> None:
    """
    A key of another role is a 403, and no key or a wrong one is a 401.
    """
    for role in ("dispatch", "supervisor", "admin", "auditor"):
        answered = (
            api.post(path, {"call_id": "role"}, role) if method == "post" else api.get(path, role)
        )
        assert (answered.status_code != 403) == (role in allowed), role
    wrong = {"Authorization": "Bearer cr_wrong"}
    assert getattr(api.client, method)(path, headers=wrong).status_code == 401
    if path != "/readyz":
        assert getattr(api.client, method)(path).status_code == 401


def test_a_protected_fact_is_ignored_with_a_warning(api: Api) -> None:
    """
    A protected fact on a call is no error, changes nothing, and is said not to have been read.
    """
    body = {"call_id": "protected", "facts": {"caller": "self", "housing": "unhoused"}}
    response = api.post("/v1/decisions", body)
    assert response.status_code == 201
    warnings = [(one["code"], one["path"]) for one in response.json["warnings"]]
    assert warnings == [("protected_fact_ignored", "facts.housing")]


def test_a_code_fills_what_nobody_told_and_never_lowers(api: Api) -> None:
    """
    A known code is a signal with its source; an unknown one is a warning; taking back what was
    never signalled too.
    """
    typed = {"registry": "seattle", "code": "Person in behavioral / emotional crisis"}
    known = api.post("/v1/decisions", {"call_id": "code", "incident_type": typed}).json
    assert [(one["fact"], one["value"], one["used"]) for one in known["signals"]] == [
        ("behavioral_health", True, True)
    ]
    unknown = {"registry": "nowhere", "code": "ABC"}
    dismissed = [{"fact": "weapon", "source": "remarks", "reason": "both hands empty"}]
    body = {"call_id": "code", "incident_type": unknown, "dismissed": dismissed}
    codes = [one["code"] for one in api.post("/v1/decisions", body).json["warnings"]]
    assert codes == ["unknown_incident_type", "nothing_to_dismiss"]


def test_a_protected_record_routes_and_stands_in_no_note(api: Api) -> None:
    """
    A fact from a protected record raises the answer, and the note does not speak of it.
    """
    facts = {"weapon": "firearm", "weapon_access": "in_hand"}
    source = {"weapon": {"from": "protected_record"}, "weapon_access": {"from": "protected_record"}}
    told = api.post("/v1/decisions", {"call_id": "n1", "facts": facts}).json
    kept = api.post("/v1/decisions", {"call_id": "n2", "facts": facts, "fact_sources": source}).json
    assert kinds(told) == kinds(kept)
    assert "gun" in told["note"]
    assert "gun" not in kept["note"]


def test_a_simulation_answers_the_same_and_records_nothing(api: Api) -> None:
    """
    A simulation gives what a decision would, under the ruleset asked for, and leaves no record.
    """
    decided = api.post("/v1/decisions", {"call_id": "sim", **CALL}).json
    count = api.parts.journal.backlog()[0]
    body = {"call_id": "sim", **CALL, "ruleset": "national-baseline@1"}
    tried = api.post("/v1/simulations", body)
    assert tried.status_code == 200
    own = {"decision_id", "revision", "decided_at", "change"}
    assert {k: v for k, v in tried.json.items() if k not in own} == {
        k: v for k, v in decided.items() if k not in own
    }
    assert api.parts.journal.backlog()[0] == count


def test_a_simulation_takes_a_whole_ruleset_or_names_its_faults(api: Api) -> None:
    """
    A ruleset sent as an object decides, or is refused with every fault; an unknown name is named
    with the nearest.
    """
    source = {"title": "for a test"}
    rule = {"id": "all", "lead": "988", "urgency": "routine", "why": "All talk.", "source": source}
    ruleset: dict[str, Any] = {"name": "mine", "needs": [rule], "hazards": []}
    tried = api.post("/v1/simulations", {"call_id": "s", "ruleset": ruleset})
    assert kinds(tried.json) == ["988"]
    ruleset["hazards"] = [
        {"id": "h", "when": {"housing": "unhoused"}, "at_least": "law_enforcement"}
    ]
    refused = api.post("/v1/simulations", {"call_id": "s", "ruleset": ruleset})
    assert refused.status_code == 422
    codes = {one["code"] for one in refused.json["errors"]}
    assert {"protected_fact", "shape_4_police", "no_why", "no_source"} <= codes
    unknown = api.post("/v1/simulations", {"call_id": "s", "ruleset": "national-basline"})
    assert "did you mean `national-baseline`" in unknown.json["errors"][0]["message"]


def test_a_remark_is_read_with_its_evidence_and_what_contradicts_is_said(api: Api) -> None:
    """
    A remark fills a fact, shows where it says so, and a contradiction in it is a warning.
    """
    body = {"call_id": "remark", "remarks": "SUBJ HAS A GUN. RP DENIES ANY WEAPONS"}
    told = api.post("/v1/decisions", body).json
    read = {(one["fact"], one["outcome"]): one for one in told["signals"]}
    gun, denied = read["weapon", "present"], read["weapon", "absent"]
    assert (gun["value"], gun["used"], gun["source"]) == ("firearm", True, "remarks")
    assert body["remarks"][slice(*gun["text_span"])] == "HAS A GUN"
    assert body["remarks"][slice(*denied["text_span"])] == "DENIES ANY WEAPONS"
    assert not denied["used"]
    assert [one["code"] for one in told["warnings"]] == ["signals_contradict"]
    told = api.post("/v1/decisions", {"call_id": "nothing", "remarks": "NAIL GUN STOLEN"}).json
    assert "weapon" not in [one["fact"] for one in told["signals"]]


def test_a_hazard_from_a_protected_record_is_never_shown_as_none(api: Api) -> None:
    """
    A note that leaves a hazard out says so, so that nobody reads it as safe.
    """
    body = {
        "call_id": "withheld",
        "facts": {"weapon": "firearm"},
        "fact_sources": {"weapon": {"from": "protected_record"}},
    }
    note = api.post("/v1/decisions", body).json["note"]
    assert "none reported" not in note
    assert "ask the call-taker" in note


def test_the_answer_is_the_same_again(api: Api) -> None:
    """
    A recorded call decided again under the same ruleset gives the same bytes.
    """
    decided = api.post("/v1/decisions", {"call_id": "replay", **CALL}).json
    record = api.get(f"/v1/decisions/{decided['decision_id']}").json
    again = api.post("/v1/simulations", record["request"]).json
    for name in ("recommendation", "because", "ask_next", "would_change", "note", "ruleset"):
        assert orjson.dumps(again[name]) == orjson.dumps(decided[name])
