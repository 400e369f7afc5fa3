"""
Prove that a type code that nobody knows is counted and can be mapped, and that calls are read by
the mapping at once, in every process, with the store away too.
"""

import time
from typing import Any

import pytest

from service.app import join
from service.errors import StoreUnavailableError
from service.store import mapped_types
from tests.api.conftest import Api, ship
from tests.api.test_people import acts_on, send

MAPPED = "/v1/incident-types/mapped"
UNMAPPED = "/v1/incident-types/unmapped"
INTENT = {"behavioral_health": True, "suicide": "intent"}


def call(api: Api, code: str, registry: str = "local", **more: Any) -> Any:
    """
    Take a call with a type code.
    """
    typed = {"registry": registry, "code": code}
    return api.post("/v1/decisions", {"call_id": code, "incident_type": typed, **more}).json


def said(answer: Any) -> dict[str, Any]:
    """
    Give what the signals of an answer say.
    """
    return {one["fact"]: one["value"] for one in answer["signals"]}


def warned(answer: Any) -> bool:
    """
    Tell whether an answer says that nobody knows the code.
    """
    return "unknown_incident_type" in [one["code"] for one in answer["warnings"]]


def put(api: Api, code: str, facts: Any, registry: str = "local", **more: Any) -> Any:
    """
    Map a code.
    """
    body = {"registry": registry, "code": code, "facts": facts, **more}
    return send(api, "PUT", MAPPED, body=body)


def listed(api: Api) -> dict[tuple[str, str], int]:
    """
    Give every code that nobody knows, and how often it came.
    """
    found, cursor = {}, ""
    while cursor is not None:
        shown = send(api, "GET", f"{UNMAPPED}?limit=2{cursor}").json
        found |= {(one["registry"], one["code"]): one["count"] for one in shown["items"]}
        cursor = f"&cursor={shown['next']}" if shown["next"] else None
    return found


def test_an_unknown_code_is_counted_mapped_and_read_at_once(api: Api) -> None:
    """
    However it is written it is one row, the most frequent first; mapped, it leaves the list and is
    read on the next call; taken back, all is as before.
    """
    for code in ("Q-7", "local q07", "Q7", "ZZ", "ZZ 1-0"):
        assert warned(call(api, code))
    assert warned(call(api, "Q7", registry="LOCAL"))
    assert not warned(call(api, "EDP", registry="Apco"))
    ship(api.parts)
    first = send(api, "GET", UNMAPPED).json["items"][0]
    assert (first["registry"], first["code"], first["count"]) == ("local", "Q7", 4)
    assert first["first_seen_at"] < first["last_seen_at"]
    assert listed(api) == {("local", "Q7"): 4, ("local", "ZZ"): 1, ("local", "ZZ 1-0"): 1}
    made = put(api, "q 7", INTENT, comment="threatens suicide")
    assert made.status_code == 200
    assert made.json.items() >= {
        *(("registry", "local"), ("code", "q 7"), ("comment", "threatens suicide")),
        ("mapped_by", "Example Administrator"),
    }
    assert (made.json["facts"], sorted(listed(api))) == (
        INTENT,
        [("local", "ZZ"), ("local", "ZZ 1-0")],
    )
    answer = call(api, "Q-07")
    assert (said(answer), warned(answer)) == (INTENT, False)
    assert send(api, "GET", MAPPED).json == {"items": [made.json], "next": None}
    assert send(api, "DELETE", f"{MAPPED}?registry=Local&code=Q7").status_code == 204
    assert send(api, "DELETE", f"{MAPPED}?registry=local&code=Q7").status_code == 404
    assert warned(call(api, "Q7"))
    assert ("local", "Q7") in listed(api)
    assert acts_on(api, "local q7") == ["mapped type", "took back type"]


def test_an_own_mapping_wins_over_a_table_and_may_say_nothing(api: Api) -> None:
    """
    What an agency says itself is read in place of a file; with no facts the code is known and
    silent. Another agency reads the file.
    """
    typed = {"registry": "apco", "code": "FIGHT"}
    assert said(call(api, "FIGHT", "apco")) == {"violence": "potential"}
    assert put(api, "fight", {}, "apco").status_code == 200
    answer = call(api, "FIGHT", "apco")
    assert (said(answer), warned(answer)) == ({}, False)
    assert put(api, "fight", {"violence": "physical"}, "APCO").status_code == 200
    assert said(call(api, "FIGHT", "apco")) == {"violence": "physical"}
    body = {"call_id": "theirs", "incident_type": typed}
    assert said(api.post("/v1/decisions", body, role="other").json) == {"violence": "potential"}
    body = {"registry": "apco", "code": "FIGHT"}
    assert send(api, "DELETE", MAPPED, body=body).status_code == 204


def test_every_fault_of_a_mapping_is_named_at_once(api: Api) -> None:
    """
    An unknown fact, a value that it lacks, that there is no danger, what calms, and a code without
    letters: each with its place, its way out and what could stand there.
    """
    facts = {"weapn": "blade", "weapon": "knife", "hostage": False, "violence": "none"}
    facts |= {"scene_safe": True, "housing": "housed"}
    refused = put(api, "--", facts, "", comment=7, more=1)
    assert refused.status_code == 422
    errors = {one["path"]: one for one in refused.json["errors"]}
    assert set(errors) == {
        *("registry", "code", "comment", "more"),
        *(f"facts.{name}" for name in facts),
    }
    assert "did you mean `weapon`" in errors["facts.weapn"]["message"]
    assert errors["facts.weapon"]["allowed"] == ["improvised", "blade", "firearm"]
    assert "cannot say that there is no" in errors["facts.violence"]["message"]
    assert "a code cannot calm" in errors["facts.scene_safe"]["message"]
    assert put(api, "A", ["weapon"]).status_code == 422
    assert put(api, "A", None).status_code == 422
    assert send(api, "DELETE", f"{MAPPED}?code=A").status_code == 422
    assert send(api, "GET", f"{UNMAPPED}?cursor=x").status_code == 422


@pytest.mark.parametrize("role", ["dispatch", "supervisor", "auditor"])
def test_only_administrators_map(api: Api, role: str) -> None:
    """
    An auditor reads both lists and changes nothing; nobody else sees them.
    """
    reads = 200 if role == "auditor" else 403
    assert api.get(UNMAPPED, role).status_code == reads
    assert api.get(MAPPED, role).status_code == reads
    headers = {"Authorization": f"Bearer {api.keys[role]}"}
    body = {"registry": "local", "code": "A", "facts": {}}
    assert api.client.put(MAPPED, json=body, headers=headers).status_code == 403
    path = f"{MAPPED}?registry=local&code=A"
    assert api.client.delete(path, headers=headers).status_code == 403


def test_another_agency_sees_none_of_it(api: Api) -> None:
    """
    Codes and mappings belong to the agency of the key.
    """
    typed = {"registry": "local", "code": "THEIRS"}
    api.post("/v1/decisions", {"call_id": "t", "incident_type": typed}, role="other")
    ship(api.parts)
    assert ("local", "THEIRS") not in listed(api)


def test_a_call_told_twice_counts_once(api: Api) -> None:
    """
    A request that comes again with its idempotency key is one decision, and counts once.
    """
    typed = {"registry": "local", "code": "TWICE"}
    for _ in range(3):
        body = {"call_id": "twice", "incident_type": typed}
        api.post("/v1/decisions", body, **{"Idempotency-Key": "twice"})
    ship(api.parts)
    assert listed(api)["local", "TWICE"] == 1


def test_what_a_simulation_does_not_know_is_counted_nowhere(api: Api) -> None:
    """
    Trying a call is no call.
    """
    typed = {"registry": "local", "code": "TRIED"}
    tried = api.post("/v1/simulations", {"call_id": "t", "incident_type": typed}).json
    assert warned(tried)
    ship(api.parts)
    assert ("local", "TRIED") not in listed(api)


def test_every_process_reads_a_mapping_within_two_seconds(api: Api) -> None:
    """
    A process that did not take the change, and is never asked to look, decides by it too.
    """
    parts, close = join(api.parts.settings)
    try:
        agency = parts.surroundings.seen.agencies["example"]
        body = {"call_id": "e", "incident_type": {"registry": "local", "code": "ELSEWHERE"}}
        assert put(api, "elsewhere", INTENT).status_code == 200
        until = time.monotonic() + 2
        while said(parts.decisions.simulate(agency, body, None)) != INTENT:
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        close()


def test_mappings_hold_with_the_store_away(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What was seen last decides on, in a process that starts without the store as well; neither list
    nor change is answered then.
    """
    assert put(api, "KEPT", INTENT).status_code == 200

    def away(*_: Any) -> Any:
        raise StoreUnavailableError("away, for a test")

    monkeypatch.setattr(mapped_types, "own_types", away)
    api.parts.surroundings.look()
    assert said(call(api, "kept")) == INTENT
    parts, close = join(api.parts.settings)
    try:
        assert not parts.surroundings.seen.has_store
        agency = parts.surroundings.seen.agencies["example"]
        body = {"call_id": "e", "incident_type": {"registry": "local", "code": "KEPT"}}
        assert said(parts.decisions.simulate(agency, body, None)) == INTENT
    finally:
        close()
    monkeypatch.undo()
    api.parts.surroundings.look()


def test_a_code_that_a_file_has_come_to_know_is_listed_no_more(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A row counted before a table knew the code is passed over, and pages stay whole.
    """
    for code in ("N-1", "N-2", "N-2", "N-3"):
        call(api, code, "nowhere")
    ship(api.parts)
    types = api.parts.type_mappings._types
    knows = type(types).signals

    def as_if_known(self: Any, registry: str, code: str, *own: Any) -> Any:
        return () if code == "N-2" else knows(self, registry, code, *own)

    monkeypatch.setattr(type(types), "signals", as_if_known)
    found = [code for registry, code in listed(api) if registry == "nowhere"]
    assert found == ["N-1", "N-3"]
