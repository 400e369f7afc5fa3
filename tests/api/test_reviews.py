"""
Reviews: who may claim one, what is shown before the answer, and what is kept after it.
"""

import datetime as dt
import json

import pytest

from service.store import reviews
from service.store.database import reading, writing
from tests.api.conftest import Api
from tests.api.reporting import CALM, decided, faults, report
from tests.api.reviewing import (
    claim,
    find,
    give_answer,
    items,
    new_key,
    new_person,
    overridden,
    queue,
    select,
    to_review,
)

DANGERS = {**CALM, "suicide": "plan", "weapon": "blade"}


@pytest.fixture(scope="module", autouse=True)
def second_reviewer(api: Api) -> None:
    """
    Let a second person review.
    """
    new_key(api, "second", "supervisor", person_id=new_person(api, "second"))


def test_a_review_from_the_queue_to_the_finding(api: Api) -> None:
    """
    A reviewer claims, answers without having seen the answer, sees it, and says what they found.
    """
    review_id, decision_id = to_review(api, "whole-way")
    (waiting,) = [one for one in queue(api) if one["review_id"] == review_id]
    assert (waiting["reasons"], waiting["state"], waiting["claimed_by"]) == (None, "open", None)
    claimed = claim(api, review_id)
    assert claimed.status_code == 200
    assert claimed.json["claimed_by"] is not None
    assert claimed.json["call"]["facts"] == CALM
    answered = give_answer(api, review_id)
    assert answered.status_code == 200
    assert answered.json["decision_id"] == decision_id
    assert answered.json["recommendation"]["responders"]
    assert answered.json["dispatches"][0]["responders"] == ["law_enforcement"]
    assert "override" in answered.json["review"]["reasons"]
    comment = "<script>alert('x')</script> the son was calm"
    told = {
        "verdict": "over_triaged",
        "should_have_sent": ["mobile_crisis"],
        "wrong_facts": ["weapon"],
        "wrong_rule": answered.json["because"][0]["rule"],
        "comment": comment,
    }
    found = find(api, review_id, **told)
    assert found.status_code == 201
    assert {name: found.json[name] for name in told} == told
    whole = api.get(f"/v1/reviews/{review_id}", "supervisor").json
    assert whole["finding"] == found.json
    assert whole["decision"]["decision_id"] == decision_id
    assert (whole["state"], whole["would_send"]) == ("done", ["mobile_crisis"])
    assert found.json in items(api, "/v1/findings?verdict=over_triaged&reviewer=me")
    assert [one["review_id"] for one in queue(api) if one["review_id"] == review_id] == []
    assert review_id in [one["review_id"] for one in queue(api, "done")]


def test_the_comment_is_sealed_in_the_store(api: Api) -> None:
    """
    What a reviewer wrote about a call stands in the store only sealed.
    """
    review_id, _ = to_review(api, "sealed")
    claim(api, review_id)
    give_answer(api, review_id)
    assert find(api, review_id, comment="a secret word").status_code == 201
    with reading(api.parts.store) as connection:
        rows = connection.exec_driver_sql("SELECT comment FROM findings").scalars().all()
        trail = connection.exec_driver_sql("SELECT detail FROM audit").scalars().all()
    assert "a secret word" not in json.dumps([rows, list(trail)])
    assert any(str(one).startswith("enc:") for one in rows)


def test_a_claim_keeps_others_out_until_it_runs_out(api: Api) -> None:
    """
    One reviewer holds a review; the same one may claim again; when the claim has run out another
    may, and the first can no longer answer.
    """
    review_id, _ = to_review(api, "held")
    assert claim(api, review_id).status_code == 200
    assert claim(api, review_id).status_code == 200
    refused = claim(api, review_id, "second")
    assert (refused.status_code, refused.json["code"]) == (409, "already_claimed")
    assert give_answer(api, review_id, "second").json["code"] == "already_claimed"
    run_out(api, review_id)
    assert give_answer(api, review_id).json["code"] == "claim_expired"
    assert [one["claimed_by"] for one in queue(api) if one["review_id"] == review_id] == [None]
    assert claim(api, review_id, "second").status_code == 200
    assert give_answer(api, review_id).json["code"] == "already_claimed"
    assert give_answer(api, review_id, "second").status_code == 200
    assert claim(api, review_id).json["code"] == "already_answered"


def run_out(api: Api, review_id: str) -> None:
    """
    Let a claim run out.
    """
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    with writing(api.parts.store) as connection:
        connection.execute(
            reviews.reviews.update()
            .where(reviews.reviews.c.id == review_id)
            .values(claimed_until=past)
        )


def test_who_looked_after_the_claim_ran_out_may_not_claim_again(api: Api) -> None:
    """
    A claim that ran out lets its holder see the decision, and then no longer review it.
    """
    review_id, decision_id = to_review(api, "looked")
    claim(api, review_id)
    run_out(api, review_id)
    assert api.get(f"/v1/decisions/{decision_id}", "supervisor").status_code == 200
    assert claim(api, review_id).json["code"] == "already_seen"


def test_a_review_is_answered_once_and_found_once(api: Api) -> None:
    """
    A second answer and a second finding are 409, and the first stay as they were.
    """
    review_id, _ = to_review(api, "once")
    unclaimed = give_answer(api, review_id)
    assert (unclaimed.status_code, unclaimed.json["code"]) == (409, "not_claimed")
    claim(api, review_id)
    assert find(api, review_id).json["code"] == "not_answered"
    assert give_answer(api, review_id, "supervisor", "988").status_code == 200
    again = give_answer(api, review_id, "supervisor", "ems")
    assert (again.status_code, again.json["code"]) == (409, "already_answered")
    stolen = find(api, review_id, "second")
    assert (stolen.status_code, stolen.json["code"]) == (409, "answered_by_another")
    assert find(api, review_id).status_code == 201
    twice = find(api, review_id, verdict="cannot_tell")
    assert (twice.status_code, twice.json["code"]) == (409, "already_found")
    whole = api.get(f"/v1/reviews/{review_id}", "supervisor").json
    assert (whole["would_send"], whole["finding"]["verdict"]) == (["988"], "right")


def test_fault_is_found_only_where_something_else_is_wanted(api: Api) -> None:
    """
    Who finds that too little or too much was sent cannot name what was recommended as right; such a
    finding without a name is no scenario where the reviewer answered the same.
    """
    review_id, _ = to_review(api, "faulted", DANGERS)
    claim(api, review_id)
    early = find(api, review_id, verdict="under_triaged", should_have_sent=["ems"])
    assert early.json["code"] == "not_answered"
    alike = decided(api, "faulted-too", DANGERS)["recommendation"]["responders"]
    same = [one["kind"] for one in alike]
    give_answer(api, review_id, "supervisor", *same)
    for verdict in ("under_triaged", "over_triaged"):
        refused = faults(find(api, review_id, verdict=verdict, should_have_sent=same[::-1]))
        assert set(refused) == {"should_have_sent"}
        assert refused["should_have_sent"]["message"].startswith("is what was recommended: ")
    found = find(api, review_id, verdict="under_triaged").json
    made = api.post(f"/v1/findings/{found['finding_id']}/scenario", {}, "supervisor")
    assert (made.status_code, made.json["code"]) == (409, "says_nobody")


@pytest.mark.parametrize("verdict", ["under_triaged", "over_triaged"])
def test_the_scenario_of_a_fault_forbids_what_was_recommended(api: Api, verdict: str) -> None:
    """
    It is named by the dangers that were told, and never met by the answer that was at fault.
    """
    review_id, _ = to_review(api, f"forbids-{verdict}", DANGERS)
    claim(api, review_id)
    seen = give_answer(api, review_id, "supervisor", "warm_line")
    sent = [one["kind"] for one in seen.json["recommendation"]["responders"]]
    found = find(api, review_id, verdict=verdict).json
    made = api.post(f"/v1/findings/{found['finding_id']}/scenario", {}, "supervisor")
    assert made.status_code == 201
    scenario = made.json["scenario"]
    assert (scenario["expect"], scenario["never_exactly"]) == ([["warm_line"]], [sent])
    assert scenario["name"].startswith("A reviewer found too ")
    assert scenario["name"].endswith(" was sent: has a plan for suicide, knife or blade")


def test_another_agency_finds_nothing(api: Api) -> None:
    """
    Another agency's supervisor gets a 404 for everything about the review, and sees no finding.
    """
    new_key(api, "other supervisor", "supervisor", agency="other")
    review_id, _ = to_review(api, "not-yours")
    for response in (
        claim(api, review_id, "other supervisor"),
        give_answer(api, review_id, "other supervisor"),
        find(api, review_id, "other supervisor"),
        api.get(f"/v1/reviews/{review_id}", "other supervisor"),
        api.post("/v1/findings/nothing/scenario", {}, "other supervisor"),
    ):
        assert response.status_code == 404
    assert queue(api, "open", "other supervisor") == []
    assert items(api, "/v1/findings", "other supervisor") == []
    assert api.get("/v1/reviews/%00", "supervisor").status_code == 404


def test_faults_are_named_all_at_once(api: Api) -> None:
    """
    Each fault of an answer and of a finding has its place, and what may stand there.
    """
    review_id, _ = to_review(api, "faulty")
    claim(api, review_id)
    kinds = list(api.parts.rules.config.vocabulary.responders)
    nobody = faults(api.post(f"/v1/reviews/{review_id}/answer", {"would_send": []}, "supervisor"))
    assert nobody["would_send"]["allowed"] == kinds
    wrong = faults(
        api.post(f"/v1/reviews/{review_id}/answer", {"would_send": ["polic", 3]}, "supervisor")
    )
    assert set(wrong) == {"would_send[0]", "would_send[1]"}
    give_answer(api, review_id)
    told = {
        "verdict": "rigth",
        "should_have_sent": ["988", "988"],
        "wrong_facts": ["weapn"],
        "wrong_rule": "no-such-rule",
        "comment": "x" * 2001,
        "more": 1,
    }
    found = faults(api.post(f"/v1/reviews/{review_id}/finding", told, "supervisor"))
    assert set(found) == {
        *("verdict", "should_have_sent[1]", "wrong_facts[0]", "wrong_rule", "comment", "more"),
    }
    assert "did you mean `right`?" in found["verdict"]["message"]
    assert "did you mean `weapon`?" in found["wrong_facts[0]"]["message"]
    assert found["wrong_rule"]["allowed"]
    for body in (b"", b"[]", b"\xff", b'{"verdict": "right", "comment": "\\ud800"}'):
        response = api.client.post(
            f"/v1/reviews/{review_id}/finding",
            data=body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {api.keys['supervisor']}"},
        )
        assert response.status_code in (400, 422)


@pytest.mark.parametrize("role", ["dispatch", "admin"])
def test_only_reviewers_review(api: Api, role: str) -> None:
    """
    A key that may not read reviews is refused, and an auditor reads them and changes nothing.
    """
    review_id, _ = to_review(api, f"only-{role}")
    assert api.get("/v1/reviews", role).status_code == 403
    assert api.get("/v1/findings", role).status_code == 403
    assert claim(api, review_id, role).status_code == 403
    assert claim(api, review_id, "auditor").status_code == 403
    assert api.get(f"/v1/reviews/{review_id}", "auditor").json["decision"] is None


def test_reviewed_is_a_filter_of_decisions(api: Api) -> None:
    """
    `reviewed=true` leaves the decisions whose review is answered, `false` the others; in the export
    too.
    """
    review_id, decision_id = to_review(api, "filtered")
    path = "/v1/decisions?call_id=filtered&reviewed="
    assert [len(items(api, path + one, "dispatch")) for one in ("true", "false")] == [0, 1]
    claim(api, review_id)
    give_answer(api, review_id)
    assert [len(items(api, path + one, "dispatch")) for one in ("true", "false")] == [1, 0]
    exported = api.get("/v1/decisions/export?reviewed=true&format=jsonl", "dispatch").text
    assert decision_id in exported


def test_what_reviewers_do_is_in_the_trail(api: Api) -> None:
    """
    Claiming, answering and finding each leave an entry by the reviewer.
    """
    review_id, _ = to_review(api, "trail")
    claim(api, review_id)
    give_answer(api, review_id)
    find(api, review_id)
    with reading(api.parts.store) as connection:
        acts = connection.exec_driver_sql(
            "SELECT act FROM audit WHERE subject_kind = 'review' AND subject_id ="
            f" '{review_id}' ORDER BY at"
        ).scalars()
        assert list(acts) == ["claimed", "answered", "found"]


def test_an_override_of_each_revision_is_a_review_and_a_reason_is_added(api: Api) -> None:
    """
    Each overridden decision has one review, however often a report comes; the same call comes to
    review for another reason only once.
    """
    first, second = (overridden(api, "many-revisions") for _ in range(2))
    report(api, first, {"responders": ["ems"], "reason": "closer_unit"})
    for _ in range(2):
        select(api.parts)
    found = [one["decision_id"] for one in queue(api)]
    assert (found.count(first), found.count(second)) == (1, 1)


def test_figures_keep_the_sample_apart(api: Api) -> None:
    """
    The figures count the findings, the random sample apart from what was chosen, with intervals,
    and say what they cannot tell.
    """
    figures = api.get("/v1/findings/figures", "supervisor").json
    chosen, sampled = figures["chosen"], figures["sample"]
    assert sampled["reviewed"] + chosen["reviewed"] == len(items(api, "/v1/findings?limit=200"))
    assert sampled["right"]["low"] <= sampled["right"]["part"] <= sampled["right"]["high"]
    assert figures["by_rule"][0]["reviewed"] >= 1
    assert figures["cannot_say"]
    empty = api.get("/v1/findings/figures?from=2999-01-01T00:00:00Z", "supervisor").json
    assert (empty["sample"]["right"]["part"], empty["sample"]["drawn"]) == (None, 0)
