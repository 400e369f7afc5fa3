"""
Blind reviews: what is shown before the answer, and who has seen too much to review.
"""

import datetime as dt
import json
from typing import Any

import pytest

from service.alerts import NOBODY_SENT, NOBODY_SENT_TEXT
from service.store import alerts
from service.store.alerts import Alert
from tests.api.conftest import Api
from tests.api.reporting import CALM, decided, report
from tests.api.reviewing import (
    claim,
    give_answer,
    items,
    new_key,
    new_person,
    review_of,
    select,
    to_review,
)

ANSWER_WORDS = ("recommendation", "because", "law_enforcement", "would_change", "ask_next", "note")


@pytest.fixture(scope="module", autouse=True)
def second_reviewer(api: Api) -> None:
    """
    Let a second person review.
    """
    new_key(api, "second", "supervisor", person_id=new_person(api, "second"))


def test_before_the_answer_the_call_is_as_the_call_taker_had_it(api: Api) -> None:
    """
    The review shows facts, their sources, remarks, incident type, channel and times, and nothing of
    the answer, its reasons or what was sent.
    """
    told = {
        "call_id": "as-it-was",
        "received_at": "2026-11-23T02:15:00-08:00",
        "channel": "text",
        "facts": {**CALM, "weapon": "blade"},
        "remarks": "HE IS IN THE KITCHEN",
        "incident_type": {"registry": "seattle", "code": "SUICIDE"},
        "fact_sources": {"weapon": {"from": "saw", "at": "2026-11-23T02:15:20-08:00"}},
    }
    decision = api.post("/v1/decisions", told).json
    report(
        api,
        decision["decision_id"],
        {"responders": ["warm_line"], "reason": "closer_unit"},
    )
    select(api.parts)
    review_id = review_of(api, decision["decision_id"])
    for response in (claim(api, review_id), api.get(f"/v1/reviews/{review_id}", "supervisor")):
        shown = response.json
        assert shown["decision"] is None
        assert shown["finding"] is None
        assert shown["reasons"] is None
        for name in ("call_id", "received_at", "channel", "facts", "remarks", "incident_type"):
            assert shown["call"][name] == told[name]
        assert shown["call"]["fact_sources"] == told["fact_sources"]
        text = json.dumps(shown["call"])
        for word in (*ANSWER_WORDS, "closer_unit", "warm_line", "override", "revision"):
            assert word not in text


def walk(api: Api, decision_id: str, call_id: str, role: str) -> dict[str, Any]:
    """
    Ask every GET route of the API for what it has, with the decision's and the call's id in its
    place, and give each answer by its path.
    """
    found = {}
    for rule in api.client.application.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or not str(rule).startswith("/v1/"):
            continue
        path = str(rule).replace("<path:call_id>", call_id)
        for name in rule.arguments:
            path = path.replace(f"<{name}>", decision_id)
        found[path] = api.get(path, role)
    found["?call_id"] = api.get(f"/v1/decisions?call_id={call_id}", role)
    found["jsonl"] = api.get("/v1/decisions/export?format=jsonl", role)
    return found


def test_a_claimed_decision_is_hidden_on_every_route(api: Api) -> None:
    """
    Until the answer no GET route gives the claimed decision, nor another revision of its call, to
    whoever claimed it; others see it as before.
    """
    later = decided(api, "walk-1", {**CALM, "weapon": "blade"})["decision_id"]
    review_id, decision_id = to_review(api, "walk-1")
    assert claim(api, review_id).status_code == 200
    for about in (decision_id, later):
        for path, response in walk(api, about, "walk-1", "supervisor").items():
            if path in (f"/v1/decisions/{about}", "/v1/calls/walk-1"):
                assert response.status_code == 403, path
            elif path != "/v1/reviews" and response.status_code == 200:
                assert about not in response.text, path
    simulated = api.post("/v1/simulations", {"call_id": "walk-1", "facts": CALM}, "supervisor")
    assert simulated.status_code == 403
    assert api.get(f"/v1/decisions/{decision_id}", "dispatch").status_code == 200
    assert api.get(f"/v1/decisions/{decision_id}", "auditor").status_code == 200
    assert give_answer(api, review_id).status_code == 200
    assert api.get(f"/v1/decisions/{decision_id}", "supervisor").status_code == 200
    assert items(api, "/v1/decisions?call_id=walk-1")


def test_alerts_about_a_claimed_call_wait_for_the_answer(api: Api) -> None:
    """
    An alert says what was sent: whoever holds the claim is not told before they have answered.
    """
    review_id, decision_id = to_review(api, "alerted")
    now = dt.datetime.now(dt.UTC)
    about = (alerts.new_id(), "example", NOBODY_SENT, decision_id, "alerted")
    alerts.create(api.parts.store, Alert(*about, NOBODY_SENT_TEXT, now, now))
    assert "alerted" in api.get("/v1/alerts", "supervisor").text
    claim(api, review_id)
    assert "alerted" not in api.get("/v1/alerts", "supervisor").text
    assert "alerted" in api.get("/v1/alerts", "second").text
    give_answer(api, review_id)
    assert "alerted" in api.get("/v1/alerts", "supervisor").text


def test_a_claimed_call_is_hidden_from_every_key_of_the_person(api: Api) -> None:
    """
    Somebody who claimed by one key is refused by another key of theirs, of whatever role.
    """
    person_id = new_person(api, "two-keys")
    new_key(api, "as supervisor", "supervisor", person_id=person_id)
    new_key(api, "as dispatch", "dispatch", person_id=person_id)
    review_id, decision_id = to_review(api, "two-keys")
    assert claim(api, review_id, "as supervisor").status_code == 200
    assert api.get(f"/v1/decisions/{decision_id}", "as dispatch").status_code == 403


@pytest.mark.parametrize("path", ["/v1/decisions/{}", "/v1/calls/{}"])
def test_who_opened_a_decision_may_not_review_it(api: Api, path: str) -> None:
    """
    A supervisor who has opened the decision, or the call, gets `already_seen`; a list opens none.
    """
    call_id = f"seen-{len(path)}"
    review_id, decision_id = to_review(api, call_id)
    assert items(api, f"/v1/decisions?call_id={call_id}")
    shown = path.format(decision_id if "decisions" in path else call_id)
    assert api.get(shown, "second").status_code == 200
    refused = claim(api, review_id, "second")
    assert (refused.status_code, refused.json["code"]) == (409, "already_seen")
    assert claim(api, review_id).status_code == 200


def test_who_opened_another_revision_may_not_review_the_call(api: Api) -> None:
    """
    Another revision tells enough of the answer.
    """
    first = decided(api, "revisions-seen", CALM)["decision_id"]
    assert api.get(f"/v1/decisions/{first}", "second").status_code == 200
    review_id, _ = to_review(api, "revisions-seen")
    assert claim(api, review_id, "second").json["code"] == "already_seen"


@pytest.mark.parametrize("act", ["decided", "reported"])
def test_who_took_the_call_may_not_review_it(api: Api, act: str) -> None:
    """
    Whoever decided any revision, or reported what was sent, as the same person by another key, gets
    `already_seen`.
    """
    person_id = new_person(api, f"taker-{act}", "dispatch")
    new_key(api, f"takes {act}", "dispatch", person_id=person_id)
    new_key(api, f"reviews {act}", "supervisor", person_id=person_id)
    call_id = f"took-{act}"
    if act == "decided":
        body = {"call_id": call_id, "facts": CALM}
        assert api.post("/v1/decisions", body, f"takes {act}").status_code == 201
        review_id, _ = to_review(api, call_id)
    else:
        decision_id = decided(api, call_id, CALM)["decision_id"]
        told = {"responders": ["law_enforcement"], "reason": "closer_unit"}
        assert report(api, decision_id, told, f"takes {act}").status_code == 201
        select(api.parts)
        review_id = review_of(api, decision_id)
    refused = claim(api, review_id, f"reviews {act}")
    assert (refused.status_code, refused.json["code"]) == (409, "already_seen")
