"""
Holds, erasures by two people, and facts from protected records, as a client sees them.
"""

import json
from typing import Any

from service.retention import erase_in_journal
from service.store import disclosures, erasing
from service.store.database import writing
from tests.api.conftest import CALL, Api, ship

SECRET = "MARKED-WORDS-OF-A-CALL"
HOLD = {"authority": "County prosecutor", "matter": "case 26-4711", "reason": "their letter"}


def told(api: Api, call_id: str, key: str, **more: Any) -> dict[str, Any]:
    """
    Tell a call with a remark, by a key of idempotency.
    """
    body = {**CALL, "remarks": SECRET, "call_id": call_id, **more}
    made = api.post("/v1/decisions", body, **{"Idempotency-Key": key})
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json
    return answer


def reported(api: Api, decision_id: str) -> None:
    """
    Report what was sent, with a comment.
    """
    sent = {"responders": ["ems"], "reason": "other", "comment": SECRET}
    path = f"/v1/decisions/{decision_id}/dispatch"
    assert api.post(path, sent).status_code == 201


def in_journal(api: Api) -> int:
    """
    Do what the shipper does on this host.
    """
    defaults, now = api.parts.rules.config.agency, api.parts.now()
    return erase_in_journal(api.parts.store, api.parts.journal, defaults, now)


def test_a_call_is_erased_by_two_and_nothing_brings_it_back(api: Api) -> None:
    """
    Asked for by one and confirmed by another it is gone from store, journal, lists and exports; its
    key of idempotency gets nothing, no report is taken, and the call told again begins anew.
    """
    made = told(api, "forget-1", "key-1")
    second = told(api, "forget-1", "key-2", facts={"weapon": "firearm"})
    reported(api, made["decision_id"])
    ship(api.parts)
    assert (
        api.post("/v1/erasures", {"call_id": "nobody", "reason": "r"}, "admin").status_code == 404
    )
    assert api.post("/v1/erasures", {"call_id": "forget-1"}, "admin").status_code == 422
    asked = api.post("/v1/erasures", {"call_id": "forget-1", "reason": SECRET}, "admin")
    assert (asked.status_code, asked.json["state"]) == (201, "asked")
    path = f"/v1/erasures/{asked.json['erasure_id']}"
    again = api.post("/v1/erasures", {"call_id": "forget-1", "reason": "r"}, "second_admin")
    assert again.json["code"] == "already_asked"
    assert api.post(f"{path}/confirm", {}, "admin").json["code"] == "same_person"
    assert api.get(f"/v1/decisions/{made['decision_id']}").status_code == 200
    done = api.post(f"{path}/confirm", {}, "second_admin")
    assert (done.status_code, done.json["state"]) == (200, "confirmed")
    assert done.json["waits_for"] == [api.parts.journal.host_id]
    assert in_journal(api) == 3
    listed = api.get("/v1/erasures", "auditor").json["items"][0]
    assert [(one["host"], one["records"]) for one in listed["done_on"]] == [
        (api.parts.journal.host_id, 3)
    ]
    assert listed["waits_for"] == []
    for one in (made, second):
        gone = api.get(f"/v1/decisions/{one['decision_id']}")
        assert (gone.status_code, gone.json["erased"]["why"]) == (410, "erasure")
        assert gone.json["record"]["number"] > 0
    assert api.get("/v1/calls/forget-1").status_code == 404
    items = [one for one in api.get("/v1/decisions").json["items"] if one.get("erased")]
    ids = {made["decision_id"], second["decision_id"]}
    assert {one["decision_id"] for one in items} == ids
    exported = api.get("/v1/decisions/export?format=jsonl").text.splitlines()
    assert {one["decision_id"] for one in map(json.loads, exported) if one.get("erased")} == ids
    assert made["decision_id"] in api.get("/v1/decisions/export").text
    body = {**CALL, "remarks": SECRET, "call_id": "forget-1"}
    repeated = api.post("/v1/decisions", body, **{"Idempotency-Key": "key-1"})
    assert (repeated.status_code, repeated.json["type"].split(":")[-1]) == (409, "key-reused")
    late = {"responders": ["ems"], "reason": "other", "comment": "c"}
    about = f"/v1/decisions/{made['decision_id']}/dispatch"
    assert api.post(about, late).status_code == 404
    anew = told(api, "forget-1", "key-3")
    assert (anew["revision"], anew["change"]) == (1, None)
    assert api.post(f"{path}/withdraw", {}, "admin").json["code"] == "already_ended"


def test_no_byte_of_an_erased_call_stays_in_the_journal(api: Api) -> None:
    """
    The sealed texts of an erased call stand neither in the journal's file nor in its log.
    """
    made = told(api, "forget-2", "key-4")
    record = api.parts.journal.find("example", made["decision_id"])
    assert record is not None
    sealed = record.body["request"]["remarks"].encode()
    path = api.parts.settings.journal_path
    files = (path, path.with_name(path.name + "-wal"))
    asked = api.post("/v1/erasures", {"call_id": "forget-2", "reason": "r"}, "admin").json
    api.post(f"/v1/erasures/{asked['erasure_id']}/confirm", {}, "second_admin")
    assert in_journal(api) == 0, "it is still to be sent to the store"
    assert any(sealed in one.read_bytes() for one in files)
    ship(api.parts)
    assert in_journal(api) == 1
    assert not any(sealed in one.read_bytes() for one in files)
    assert not any(b"forget-2" in one.read_bytes() for one in files)


def test_a_hold_stops_an_erasure_and_says_whose_it_is(api: Api) -> None:
    """
    Under a hold nobody asks for an erasure and nobody confirms one, and is told whose hold it is;
    lifted by one with a reason, it goes on.
    """
    told(api, "held-1", "key-5")
    ship(api.parts)
    request = {"call_id": "held-1", "reason": "r"}
    asked = api.post("/v1/erasures", request, "admin").json
    held = api.post("/v1/legal-holds", {**HOLD, "call_id": "held-1"}, "admin")
    assert held.status_code == 201
    refused = api.post(f"/v1/erasures/{asked['erasure_id']}/confirm", {}, "second_admin")
    assert (refused.status_code, refused.json["code"]) == (409, "held")
    assert "County prosecutor (case 26-4711)" in refused.json["detail"]
    assert api.post("/v1/erasures", request, "second_admin").json["code"] == "held"
    path = f"/v1/legal-holds/{held.json['hold_id']}/lift"
    assert api.post(path, {}, "admin").status_code == 422
    lifted = api.post(path, {"reason": "closed"}, "second_admin")
    assert (lifted.json["state"], lifted.json["lift_reason"]) == ("lifted", "closed")
    assert api.post(path, {"reason": "closed"}, "admin").json["code"] == "already_lifted"
    done = api.post(f"/v1/erasures/{asked['erasure_id']}/confirm", {}, "second_admin")
    assert done.status_code == 200
    assert api.post("/v1/legal-holds", {"call_id": "x"}, "admin").status_code == 422
    assert api.get("/v1/legal-holds", "auditor").json["items"][0]["matter"] == "case 26-4711"


def test_a_purged_remark_reads_as_one_that_was_not_kept(api: Api) -> None:
    """
    After its words are erased a record still opens, says that there was a remark, and is decided
    again from its signals.
    """
    made = told(api, "purged-1", "key-6")
    reported(api, made["decision_id"])
    ship(api.parts)
    due = ("example", api.parts.now())
    with writing(api.parts.store) as connection:
        for kind in erasing.WORDED:
            erasing.erase_texts(connection, kind, due, None, 500)
    assert api.parts.journal.erase_texts("example", api.parts.now(), ()) >= 2
    found = api.get(f"/v1/decisions/{made['decision_id']}").json
    assert (found["request"]["remarks"], found["request"]["remarks_kept"]) == (None, False)
    assert "text_erased" in [one["code"] for one in found["warnings"]]
    assert found["dispatches"][0]["comment"] is None
    assert found["signals"] == made["signals"]


def test_protected_facts_leave_only_with_a_row_and_the_notice(api: Api) -> None:
    """
    An export leaves out the rules that a protected fact made fire, and says so; with a recipient
    and a purpose it holds them with the notice, and a row says what went to whom. One alone
    is a 422. Inside, the notice stands on the record.
    """
    source = {"weapon": {"from": "protected_record"}, "weapon_access": {"from": "protected_record"}}
    facts = {"weapon": "firearm", "weapon_access": "in_hand", "suicide": "plan"}
    made = told(api, "protected-1", "key-7", facts=facts, fact_sources=source)
    ship(api.parts)
    rules = {one["rule"] for one in made["because"] if set(one["facts"]) & set(source)}
    assert rules
    path = "/v1/decisions/export?format=jsonl&call_id=protected-1"
    line = json.loads(api.get(path).text)
    assert line["withheld"] == ["protected_record"]
    assert not rules & set(line["rules"])
    assert not rules & {one.get("rule") for one in line["law_enforcement"]["because"]}
    assert disclosures.page(api.parts.store, "example", None, 10)[0] == ()
    assert api.get(f"{path}&recipient=court").status_code == 422
    whole = json.loads(api.get(f"{path}&recipient=court&purpose=order+26-1").text)
    assert rules <= set(whole["rules"])
    assert "42 CFR part 2 prohibits unauthorized use or disclosure" in whole["redisclosure_notice"]
    row = api.get("/v1/disclosures", "auditor").json["items"][0]
    assert (row["recipient"], row["purpose"]) == ("court", "order 26-1")
    assert (row["facts"], row["records"]) == (sorted(source), [made["decision_id"]])
    found = api.get(f"/v1/decisions/{made['decision_id']}").json
    assert found["redisclosure_notice"] == whole["redisclosure_notice"]
    csv = api.get("/v1/decisions/export?call_id=protected-1").text
    assert "protected_record" in csv
    assert not [one for one in rules if one in csv]
