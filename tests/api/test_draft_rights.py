"""
Who may do what with a draft, which ruleset an agency decides with, and what is tried under which.
"""

import datetime as dt

import orjson
import pytest
import yaml

from service.store import audit, keys
from service.store.audit import Search
from service.store.keys import Key
from tests.api.rule_writing import BASELINE, Desk, rules, shared, small

NOW = dt.datetime.now(dt.UTC)


__all__ = ["rules", "shared"]


def test_a_key_of_a_system_writes_and_does_not_approve(rules: Desk) -> None:
    """
    A key that belongs to no person may author a draft; its approval is refused.
    """
    saved = rules.save(small(), who="system")
    failed = rules.check()["result"]["scenarios"]["failed"]
    answered = rules.approve("system", digest=saved.json["digest"], accepts=failed)
    assert answered.json["code"] == "author_is_approver"
    rules.save(small(urgency="urgent"), who="admin", tag=saved.headers["ETag"])
    rules.ask("DELETE", f"{BASELINE}/draft")
    saved = rules.save(small(), who="admin")
    rules.check()
    answered = rules.approve("system", digest=saved.json["digest"], accepts=failed)
    assert answered.json["code"] == "approver_is_no_person"


def test_a_new_ruleset_takes_two_persons_to_decide_with(rules: Desk) -> None:
    """
    A second ruleset is written, approved and published; the agency decides with it only once a
    second person agrees.
    """
    saved = rules.save(small("ours"), name="ours")
    assert saved.status_code == 200
    asked = rules.ask("POST", "/v1/rulesets/ours/draft/check")
    rules.work()
    assert rules.ask("GET", f"/v1/checks/{asked.json['check_id']}").json["state"] == "done"
    body = {"digest": saved.json["digest"]}
    path = "/v1/rulesets/ours"
    assert rules.ask("POST", f"{path}/draft/approve", "second_admin", json=body).status_code == 200
    assert rules.ask("POST", f"{path}/publish", json=body).json["version"] == 1
    unknown = rules.ask("POST", "/v1/agency/ruleset", json={"name": "our"})
    assert unknown.status_code == 422
    assert "ours" in unknown.json["errors"][0]["allowed"]
    early = rules.ask("POST", "/v1/agency/ruleset/approve", "second_admin", json={"name": "ours"})
    assert early.json["code"] == "no_proposal"
    proposed = rules.ask("POST", "/v1/agency/ruleset", json={"name": "ours", "comment": "try"})
    assert (proposed.status_code, proposed.json["proposed"]["name"]) == (201, "ours")
    own = rules.ask("POST", "/v1/agency/ruleset/approve", json={"name": "ours"})
    assert own.json["code"] == "author_is_approver"
    done = rules.ask("POST", "/v1/agency/ruleset/approve", "second_admin", json={"name": "ours"})
    assert (done.status_code, done.json["name"]) == (200, "ours")
    rules.parts.live_rules.look()
    rules.parts.surroundings.look()
    assert rules.decide("ours-1", weapon="firearm")["ruleset"]["name"] == "ours"
    back = {"name": "national-baseline"}
    rules.ask("POST", "/v1/agency/ruleset", json=back)
    rules.ask("POST", "/v1/agency/ruleset/approve", "second_admin", json=back)
    rules.parts.surroundings.look()


@pytest.mark.parametrize("name", ["Bad Name", "a" * 101, "-x", "x_y", "%00", "%ff"])
def test_a_name_that_no_ruleset_can_have(rules: Desk, name: str) -> None:
    """
    A strange name is refused on every way, and never a fault of ours.
    """
    path = f"/v1/rulesets/{name}"
    for method, end in (
        ("GET", ""),
        ("GET", "/versions"),
        ("GET", "/draft"),
        ("DELETE", "/draft"),
        ("POST", "/draft/check"),
    ):
        assert rules.ask(method, path + end).status_code == 404
    put = rules.ask("PUT", f"{path}/draft", data=small(), content_type="application/yaml")
    assert put.status_code in (404, 422)


def test_who_may_do_what(rules: Desk) -> None:
    """
    Supervisors and auditors read rules, dispatchers do not; another agency's draft is not there.
    """
    rules.save(small())
    for who, status in (
        ("supervisor", 200),
        ("auditor", 200),
        ("dispatch", 403),
        ("stranger", 404),
    ):
        assert rules.ask("GET", f"{BASELINE}/draft", who).status_code == status
    for who in ("supervisor", "auditor", "dispatch"):
        assert rules.save(small(), who=who).status_code == 403
    check = rules.ask("POST", f"{BASELINE}/draft/check").json["check_id"]
    assert rules.ask("GET", f"/v1/checks/{check}", "stranger").status_code == 404
    assert rules.ask("GET", f"/v1/checks/{check}", "supervisor").status_code == 200
    for body in (b"{}", b'{"digest": 5}', b'{"digest": "x", "more": 1}', b"[]"):
        for end in ("draft/approve", "publish", "rollback"):
            answered = rules.ask(
                "POST", f"{BASELINE}/{end}", data=body, content_type="application/json"
            )
            assert answered.status_code == 422


def test_a_call_can_be_tried_under_every_ruleset(rules: Desk) -> None:
    """
    A simulation takes a name, a version, the draft or a whole ruleset; a dispatch key no draft.
    """
    call = {"call_id": "try", "facts": {"violence": "threat"}}

    def tried(ruleset: object, who: str = "admin") -> object:
        body = {**call, "ruleset": ruleset}
        answered = rules.ask("POST", "/v1/simulations", who, json=body)
        if answered.status_code != 200:
            return answered.status_code
        return [one["kind"] for one in answered.json["recommendation"]["responders"]]

    assert tried("national-baseline@draft") == 422
    rules.save(small())
    live = ["co_responder"]
    assert tried("national-baseline") == tried("national-baseline@1") == tried(None) == live
    assert tried("national-baseline@draft") == ["mobile_crisis"]
    assert tried("national-baseline@draft", "dispatch") == 403
    assert tried("national-baseline@1", "dispatch") == live
    assert tried(yaml.safe_load(small())) == ["mobile_crisis"]
    assert tried("national-baseline@99") == tried("national-baselin") == tried(5) == 422
    assert tried("\0@draft") == tried("national-baseline@" + "9" * 400) == 422


def test_a_check_of_a_draft_that_changed_says_so(rules: Desk) -> None:
    """
    A check is of one content: a draft that is saved meanwhile ends it, in words.
    """
    saved = rules.save(small())
    asked = rules.ask("POST", f"{BASELINE}/draft/check").json
    assert rules.ask("POST", f"{BASELINE}/draft/check").json == asked
    rules.save(small(urgency="urgent"), tag=saved.headers["ETag"])
    rules.work()
    found = rules.ask("GET", f"/v1/checks/{asked['check_id']}").json
    assert (found["state"], found["result"]) == ("failed", None)
    assert "check it again" in found["reason"]


def test_every_change_stands_in_the_trail(rules: Desk) -> None:
    """
    Saves, checks, and what was thrown away are in the audit trail, with who did it.
    """
    rules.save(small())
    rules.ask("POST", f"{BASELINE}/draft/check")
    rules.ask("DELETE", f"{BASELINE}/draft")
    from_trail = [one.act for one in _trail(rules)[:3]]
    assert from_trail == ["threw draft away", "asked for check", "saved draft"]
    assert all(one.identity.startswith("person:") for one in _trail(rules)[:3])
    assert orjson.dumps([dict(one.detail) for one in _trail(rules)])


def _trail(rules: Desk) -> tuple[audit.Entry, ...]:
    return audit.page(rules.parts.store, "example", Search(subject_kind="ruleset"))[0]


def test_an_account_that_an_author_made_does_not_approve(rules: Desk) -> None:
    """
    An administrator whom the author has just added, or given a password, is not somebody else.
    """
    person = {"email": "made-up@example.org", "name": "Made Up", "role": "admin"}
    made = rules.ask("POST", "/v1/people", json=person).json["person_id"]
    key = Key(keys.new_id(), "example", keys.digest("cr_made"), "admin", made, "made", NOW)
    keys.create(rules.parts.store, key)
    rules.parts.surroundings.look()
    rules.keys["made"] = "cr_made"
    digest = rules.save(rules.text() + "\n# one line more\n").json["digest"]
    accepts = rules.check()["result"]["scenarios"]["failed"]
    body = {"digest": digest, "accepts": accepts}
    refused = rules.ask("POST", f"{BASELINE}/draft/approve", "made", json=body)
    assert (refused.status_code, refused.json["code"]) == (409, "author_is_approver")
    assert "within the last 24 hours" in refused.json["detail"]
    approved = rules.ask("POST", f"{BASELINE}/draft/approve", "second_admin", json=body)
    assert approved.status_code == 200
