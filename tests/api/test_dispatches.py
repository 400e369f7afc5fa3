"""
`/v1/decisions/{id}/dispatch`: what was really sent, and what it owes an explanation for.
"""

from typing import Any

import pytest

from service.errors import JournalUnavailableError
from service.journal import Journal
from tests.api.conftest import Api, ship
from tests.api.reporting import ARMED, CALM, decided, faults, kinds, report

REASONS = [
    *("caller_refused", "person_refused", "team_unavailable", "closer_unit", "scene_changed"),
    *("information_not_in_call", "local_protocol", "supervisor_order", "other"),
]
LATER = "2999-01-01T08:00:00-08:00"
ANSWER = {
    *("dispatch_id", "decision_id", "responders", "override", "released", "reason"),
    *("call_back_at", "reported_at", "warnings"),
}


def test_what_was_recommended_needs_no_reason(api: Api) -> None:
    """
    The recommended kinds, in any order, are a 201 with every member, and no override.
    """
    call = decided(api, "as-told", CALM)
    response = report(api, call["decision_id"], {"responders": kinds(call)[::-1]})
    assert response.status_code == 201
    assert set(response.json) == ANSWER
    assert response.json["decision_id"] == call["decision_id"]
    assert response.json["responders"] == ["988", "mobile_crisis"]
    assert (response.json["override"], response.json["released"]) == (False, [])
    assert (response.json["reason"], response.json["warnings"]) == (None, [])


def test_a_difference_needs_one_of_the_agencys_reasons(api: Api) -> None:
    """
    Without a reason, or with one that there is not, the 422 lists the reasons; with one it is an
    override.
    """
    decision_id = decided(api, "differs", CALM)["decision_id"]
    for body in ({"responders": ["co_responder"]}, {"responders": [*kinds_of_calm(), "ems"]}):
        assert faults(report(api, decision_id, body))["reason"]["allowed"] == REASONS
    body = {"responders": ["co_responder"], "reason": "scene_chnged"}
    unknown = faults(report(api, decision_id, body))["reason"]
    assert unknown["allowed"] == REASONS
    assert "did you mean `scene_changed`" in unknown["message"]
    taken = report(api, decision_id, {**body, "reason": "scene_changed"})
    assert (taken.status_code, taken.json["override"]) == (201, True)
    assert taken.json["reason"] == "scene_changed"


def kinds_of_calm() -> list[str]:
    """
    Give who is recommended for the calm call.
    """
    return ["mobile_crisis", "988"]


def test_other_needs_a_comment(api: Api) -> None:
    """
    The reason `other` without a comment, or with an empty one, is a fault of the comment.
    """
    decision_id = decided(api, "other", CALM)["decision_id"]
    body = {"responders": ["ems"], "reason": "other"}
    for comment in (None, "", "  "):
        assert set(faults(report(api, decision_id, {**body, "comment": comment}))) == {"comment"}
    assert report(api, decision_id, {**body, "comment": "a flood"}).status_code == 201


def test_nobody_sent_needs_a_reason_and_a_call_back(api: Api) -> None:
    """
    An empty list owes a reason and a time in the future, both named at once.
    """
    decision_id = decided(api, "nobody", CALM)["decision_id"]
    owed = faults(report(api, decision_id, {"responders": []}))
    assert set(owed) == {"reason", "call_back_at"}
    assert owed["reason"]["allowed"] == REASONS
    body = {"responders": [], "reason": "caller_refused", "call_back_at": "2020-01-01T00:00:00Z"}
    assert set(faults(report(api, decision_id, body))) == {"call_back_at"}
    taken = report(api, decision_id, {**body, "call_back_at": LATER})
    assert taken.status_code == 201
    assert (taken.json["override"], taken.json["call_back_at"]) == (True, LATER)


def test_a_call_back_that_has_passed_is_a_warning_where_somebody_was_sent(api: Api) -> None:
    """
    A report told late is taken, and says that its call-back has passed.
    """
    call = decided(api, "late", CALM)
    body = {"responders": kinds(call), "call_back_at": "2020-01-01T00:00:00Z"}
    taken = report(api, call["decision_id"], body)
    assert taken.status_code == 201
    assert [one["code"] for one in taken.json["warnings"]] == ["call_back_passed"]


def test_releasing_what_an_earlier_revision_asked_for_needs_a_reason(api: Api) -> None:
    """
    EMS and police that revision 1 asked for are released by sending what revision 2 recommends, and
    that needs a reason; before them nothing is released.
    """
    first = decided(api, "calmer", ARMED)
    assert {"ems", "co_responder"} <= set(kinds(first))
    second = decided(api, "calmer", CALM)
    body = {"responders": kinds(second)}
    owed = faults(report(api, second["decision_id"], body))
    assert owed["reason"]["allowed"] == REASONS
    assert "`ems`, `co_responder`" in owed["reason"]["message"]
    taken = report(api, second["decision_id"], {**body, "reason": "scene_changed"})
    assert taken.status_code == 201
    assert (taken.json["override"], taken.json["released"]) == (False, ["ems", "co_responder"])
    calm = decided(api, "worse", CALM)
    decided(api, "worse", ARMED)
    assert report(api, calm["decision_id"], {"responders": kinds(calm)}).status_code == 201


def test_either_kind_of_police_stands_for_the_other(api: Api) -> None:
    """
    Officers alone in place of a co-responder are an override and release nobody.
    """
    call = decided(api, "officers", ARMED)
    sent = ["law_enforcement" if kind == "co_responder" else kind for kind in kinds(call)]
    body = {"responders": sent, "reason": "team_unavailable"}
    taken = report(api, call["decision_id"], body).json
    assert (taken["override"], taken["released"]) == (True, [])
    body["responders"] = ["mobile_crisis"]
    taken = report(api, call["decision_id"], body).json
    assert taken["released"] == ["ems", "co_responder"]


def test_every_fault_is_named_at_once(api: Api) -> None:
    """
    Faults of form and what is owed against the decision stand in one answer, each path once.
    """
    decision_id = decided(api, "faults", CALM)["decision_id"]
    body = {
        "responders": ["mobile_crises", "ems", "ems", 7],
        "reason": "because",
        "comment": "x" * 501,
        "call_back_at": "soon",
        "surprise": 1,
    }
    found = faults(report(api, decision_id, body))
    assert set(found) == {
        *("responders[0]", "responders[2]", "responders[3]", "reason", "comment"),
        *("call_back_at", "surprise"),
    }
    assert "did you mean `mobile_crisis`" in found["responders[0]"]["message"]
    assert "988" in found["responders[0]"]["allowed"]
    mixed = {"responders": ["ems"], "call_back_at": "soon"}
    assert set(faults(report(api, decision_id, mixed))) == {"reason", "call_back_at"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"responders": None},
        {"responders": "ems"},
        {"responders": {"ems": True}},
        {"responders": [["ems"]]},
        {"responders": ["ems"] * 100},
        {"responders": ["ems"], "reason": 7},
        {"responders": ["ems"], "reason": ["other"]},
        {"responders": ["ems"], "reason": ""},
        {"responders": ["ems"], "reason": "other", "comment": 5},
        {"responders": ["ems"], "reason": "other", "comment": "\0"},
        {"responders": [], "reason": "closer_unit", "call_back_at": "2999-01-01T08:00:00"},
        {"responders": [], "reason": "closer_unit", "call_back_at": 5},
        [],
    ],
)
def test_bad_reports_are_a_422_and_leave_nothing(api: Api, body: Any) -> None:
    """
    A report with faults is never a 500, and nothing of it is recorded.
    """
    decision_id = decided(api, "bad", CALM)["decision_id"]
    count = api.parts.journal.backlog()[0]
    assert faults(report(api, decision_id, body))
    assert api.parts.journal.backlog()[0] == count


def test_other_agencies_and_unknown_decisions_are_a_404(api: Api) -> None:
    """
    A report is only taken for a decision of the key's own agency, and never for a report.
    """
    call = decided(api, "mine", CALM)
    body = {"responders": kinds(call)}
    assert report(api, call["decision_id"], body, "other").status_code == 404
    assert report(api, "0" * 32, body).status_code == 404
    assert report(api, "%00", body).status_code == 404
    dispatch_id = report(api, call["decision_id"], body).json["dispatch_id"]
    assert report(api, dispatch_id, body).status_code == 404
    assert api.get(f"/v1/decisions/{dispatch_id}").status_code == 404
    ship(api.parts)
    assert api.get(f"/v1/decisions/{dispatch_id}").status_code == 404
    assert report(api, call["decision_id"], body, "supervisor").status_code == 403


def test_an_idempotency_key_gives_the_first_report_again(api: Api) -> None:
    """
    Key and body again are a 200 with the first answer and no second report; another body, or the
    same one for another decision, is a 409. A decision may have had the same key.
    """
    key = {"Idempotency-Key": "told-once"}
    call = api.post("/v1/decisions", {"call_id": "once", "facts": CALM}, **key).json
    body = {"responders": ["ems"], "reason": "closer_unit"}
    first = report(api, call["decision_id"], body, **key)
    again = report(api, call["decision_id"], dict(reversed(body.items())), **key)
    other = report(api, call["decision_id"], {**body, "reason": "scene_changed"}, **key)
    elsewhere = report(api, decided(api, "once-more", CALM)["decision_id"], body, **key)
    statuses = [one.status_code for one in (first, again, other, elsewhere)]
    assert statuses == [201, 200, 409, 409]
    assert again.json == first.json
    assert len(api.get(f"/v1/decisions/{call['decision_id']}").json["dispatches"]) == 1
    assert (
        report(api, call["decision_id"], body, **{"Idempotency-Key": "x" * 201}).status_code == 422
    )


def test_reports_are_read_at_once_and_the_same_from_the_store(api: Api) -> None:
    """
    Every report is read with its comment, the earliest first, from the journal and from the store,
    by the decision and by the call.
    """
    call = decided(api, "read", CALM)
    decision_id = call["decision_id"]
    assert api.get(f"/v1/decisions/{decision_id}").json["dispatches"] == []
    first = report(api, decision_id, {"responders": kinds(call)}).json
    told = {"responders": ["ems"], "reason": "other", "comment": "she fell"}
    second = report(api, decision_id, told).json
    states = []
    for _ in range(2):
        found = api.get(f"/v1/decisions/{decision_id}", "supervisor").json["dispatches"]
        (revision,) = api.get("/v1/calls/read").json["revisions"]
        assert revision["dispatches"] == found
        assert [one["comment"] for one in found] == [None, "she fell"]
        assert [{name: one[name] for name in ANSWER} for one in found] == [first, second]
        assert found[0]["record"]["number"] < found[1]["record"]["number"]
        states.append({one["record"]["state"] for one in found})
        ship(api.parts)
    assert states == [{"journaled"}, {"stored"}]


def test_lists_say_whether_a_decision_was_overridden(api: Api) -> None:
    """
    Null, false or true by the latest report, and the filter finds the same.
    """
    call = decided(api, "listed", CALM)
    path = "/v1/decisions?call_id=listed"

    def listed(query: str = "") -> list[Any]:
        ship(api.parts)
        return [one["override"] for one in api.get(path + query).json["items"]]

    assert (listed(), listed("&overridden=true"), listed("&overridden=false")) == ([None], [], [])
    report(api, call["decision_id"], {"responders": ["ems"], "reason": "closer_unit"})
    assert (listed(), listed("&overridden=true"), listed("&overridden=false")) == (
        *([True], [True]),
        [],
    )
    report(api, call["decision_id"], {"responders": kinds(call)})
    assert (listed(), listed("&overridden=true"), listed("&overridden=false")) == (
        *([False], []),
        [False],
    )


def test_comments_are_sealed_on_disk_and_in_no_log(
    api: Api, capfd: pytest.CaptureFixture[str]
) -> None:
    """
    No word of a comment stands in the journal, the store or the log.
    """
    secret = "QUAGGA CROSSING"
    decision_id = decided(api, "sealed", CALM)["decision_id"]
    body = {"responders": ["ems"], "reason": "other", "comment": secret}
    assert report(api, decision_id, body).status_code == 201
    report(api, decision_id, {**body, "reason": secret})
    ship(api.parts)
    home = api.parts.settings.home
    for path in (*home.glob("journal.sqlite*"), *home.glob("store.sqlite*")):
        assert secret.encode() not in path.read_bytes()
    assert secret not in "".join(capfd.readouterr())


@pytest.mark.parametrize("name", ["append", "find"])
def test_a_report_that_cannot_be_recorded_is_a_503(
    api: Api, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """
    With the journal gone the report is a 503 problem that says it is not recorded.
    """
    call = decided(api, "lost", CALM)

    def gone(self: Journal, *args: object) -> None:
        raise JournalUnavailableError("the disk is full")

    monkeypatch.setattr(Journal, name, gone)
    response = report(api, call["decision_id"], {"responders": kinds(call)})
    assert response.status_code == 503
    assert response.mimetype == "application/problem+json"
    assert response.json["recorded"] is False
    assert response.json["dispatch_id"] is None
    assert response.headers["Retry-After"] == "2"
