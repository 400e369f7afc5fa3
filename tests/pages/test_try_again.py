"""
'Try it again with…': a trial of a recorded call with other facts, and nothing of it on record.
"""

import copy
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.pages.browsing import Page, Service, sign_in, token_of
from tests.pages.log import NASTY, decide, opened

CALL = {
    "facts": {"caller": "with_person", "suicide": "plan", "weapon": "none", "child_present": True},
    "fact_sources": {"weapon": {"from": "assumed"}},
    "availability": {"mobile_crisis": False, "ems": True},
    "incident_type": {"registry": "seattle", "code": "CRISIS COMPLAINT - GENERAL"},
    "remarks": "CALM",
}


@pytest.fixture(scope="module")
def decision_id(service: Service) -> str:
    """
    Put one call on record.
    """
    return decide(service, "TRY-1", **CALL)


def seeded(text: str) -> dict[str, str]:
    """
    Give what the form holds before anything is changed.
    """
    found = {}
    for name, options in re.findall(
        r'<select[^>]* name="([\w.]+)"[^>]*>(.*?)</select>', text, re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def tried(client: FlaskClient, decision_id: str, **changed: object) -> TestResponse:
    """
    Change what the form holds, and press 'Try it'.
    """
    text = opened(client, f"/decisions/{decision_id}/try")
    away = [
        one["value"]
        for one in Page(text).named("input")
        if one.get("name") == "away" and "checked" in one
    ]
    data = {**seeded(text), "away": away, "csrf_token": token_of(text), **changed}
    return client.post(f"/decisions/{decision_id}/try", data=data)


def test_the_form_holds_the_call_as_it_was_told(supervisor: FlaskClient, decision_id: str) -> None:
    """
    Facts, who could not come and the live rules are filled in.
    """
    text = opened(supervisor, f"/decisions/{decision_id}/try")
    held = {name: value for name, value in seeded(text).items() if value}
    assert held == {
        "ruleset": "national-baseline",
        "fact.caller": "with_person",
        "fact.suicide": "plan",
        "fact.weapon": "none",
        "fact.child_present": "true",
    }
    assert "Was only a guess" in text


def test_nothing_changed_gives_the_same_answer(supervisor: FlaskClient, decision_id: str) -> None:
    """
    The same facts, guesses among them, the same who is free and the same rules: the same answer.
    """
    response = tried(supervisor, decision_id)
    assert response.status_code == 200
    assert "The same responders on both sides." in response.text
    assert "The same facts on both sides." in response.text


def test_another_fact_gives_both_answers_and_records_nothing(
    service: Service, supervisor: FlaskClient, decision_id: str
) -> None:
    """
    The answer as recorded stands beside the one as tried, with what is not the same.
    """
    response = tried(supervisor, decision_id, **{"fact.weapon": "firearm"})
    assert response.status_code == 200
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text))
    assert "As recorded" in text
    assert "As tried" in text
    assert "Weapon None Gun" in text
    assert "gun-in-reach" in text
    assert "nothing is recorded" in text
    assert len(service.parts.records.of_call("example", "TRY-1")) == 1


def test_somebody_free_again_changes_the_answer(supervisor: FlaskClient, decision_id: str) -> None:
    """
    Who cannot come is part of the trial.
    """
    response = tried(supervisor, decision_id, away=[])
    assert "Added" in response.text


def save_draft(service: Service, content: dict[str, Any]) -> None:
    """
    Save the draft of the baseline with the administrator's key, over what is there.
    """
    client = service.app.test_client()
    headers = {"Authorization": f"Bearer {service.credentials.admin_key}"}
    path = "/v1/rulesets/national-baseline/draft"
    there = client.get(path, headers=headers)
    tag = {"If-Match": there.headers["ETag"]} if there.status_code == 200 else {}
    made = client.put(path, json=content, headers=headers | tag)
    assert made.status_code == 200, made.text


def test_a_call_is_tried_under_the_draft(
    service: Service, supervisor: FlaskClient, decision_id: str
) -> None:
    """
    The draft stands among the rules for who may read rules, and one with problems says so.
    """
    content = copy.deepcopy(dict(service.parts.rules.config.rulesets["national-baseline"].content))
    content["hazards"] = [
        *content["hazards"],
        {
            "id": "tried-in-a-draft",
            "when": {"suicide": "at least plan"},
            "with": ["ems"],
            "why": "A draft that sends EMS too.",
            "source": {"title": "Made up"},
        },
    ]
    save_draft(service, content)
    assert "national-baseline, the draft" in opened(supervisor, f"/decisions/{decision_id}/try")
    response = tried(supervisor, decision_id, ruleset="national-baseline@draft")
    assert response.status_code == 200
    assert "tried-in-a-draft" in response.text
    save_draft(service, {**content, "hazards": [{"id": "broken"}]})
    response = tried(supervisor, decision_id, ruleset="national-baseline@draft")
    assert response.status_code == 422
    assert "mend it under Rules" in response.text


def test_a_dispatcher_is_offered_no_draft(browser: FlaskClient, decision_id: str) -> None:
    """
    Who may not read rules tries published ones only, whatever their form says.
    """
    assert "the draft" not in opened(browser, f"/decisions/{decision_id}/try")
    response = tried(browser, decision_id, ruleset="national-baseline@draft")
    assert response.status_code == 422


def test_what_cannot_be_tried_is_said_and_nothing_typed_is_lost(
    supervisor: FlaskClient, decision_id: str
) -> None:
    """
    A ruleset that is not there and a value that is none are faults at their fields.
    """
    response = tried(supervisor, decision_id, ruleset=NASTY, **{"fact.weapon": "firearm"})
    assert response.status_code == 422
    assert 'id="ruleset-wrong"' in response.text
    assert '<option value="firearm" selected>' in response.text
    response = tried(supervisor, decision_id, **{"fact.age": "old", "fact.weapon": NASTY})
    assert response.status_code == 422
    assert 'id="f-age-wrong"' in response.text
    assert Page(response.text).named("script") == []


def test_a_form_of_nowhere_is_not_taken(supervisor: FlaskClient, decision_id: str) -> None:
    """
    Without the token of the page nothing is tried.
    """
    data = {"ruleset": "national-baseline"}
    assert supervisor.post(f"/decisions/{decision_id}/try", data=data).status_code == 400


def test_only_who_reads_calls_may_try_them(service: Service, decision_id: str) -> None:
    """
    An administrator tries rules elsewhere: a recorded call is not theirs to read.
    """
    client = service.app.test_client()
    sign_in(client, service.credentials.admin)
    assert client.get(f"/decisions/{decision_id}/try").status_code == 403
    assert client.get(f"/decisions/{decision_id}").status_code == 403
