"""
The call page: what a press does, what the answer says, and that it says what is not known.
"""

import dataclasses
import re
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import make_flask
from service.pages.call_answer import answer_of
from service.routing.facts import Vocabulary
from service.rulesets import load_config
from tests.pages.browsing import (
    BrokenDecisions,
    Page,
    Service,
    SilentJournal,
    decision_id_of,
    police_of,
    sign_in,
    tell,
    token_of,
)


def test_first_answer_is_decided_and_recorded(service: Service, browser: FlaskClient) -> None:
    """
    One press gives a recommendation, and its record is in the journal with what was told.
    """
    response = tell(browser, "first-1", "caller=with_person", remarks="RP with son")
    assert response.status_code == 200
    assert "Mobile crisis" in response.text
    assert "On record" in response.text
    record = service.parts.records.find("example", decision_id_of(response))
    assert record is not None
    assert record["call_id"] == "first-1"
    assert record["request"]["facts"] == {"caller": "with_person"}
    assert record["request"]["remarks"] == "RP with son"


def test_second_answer_is_revision_two(service: Service, browser: FlaskClient) -> None:
    """
    The next press is the next revision, with every answer so far, and says what it added.
    """
    tell(browser, "second-1", "caller=with_person")
    response = tell(browser, "second-1", "breathing=absent", fact_caller="with_person")
    assert "Revision 2" in response.text
    assert "Added in revision 2" in response.text
    record = service.parts.records.find("example", decision_id_of(response))
    assert record is not None
    assert record["revision"] == 2
    assert record["request"]["facts"] == {"caller": "with_person", "breathing": "absent"}


def test_a_page_sent_twice_records_once(service: Service, browser: FlaskClient) -> None:
    """
    A reload or a double press of the same form gives the first answer again, and no revision 2.
    """
    data = {
        "csrf_token": token_of(browser.get("/").text),
        "call_id": "twice-1",
        "answer": "caller=self",
    }
    pages = [browser.post("/", data=data) for _ in range(2)]
    assert [page.status_code for page in pages] == [200, 200]
    assert len({decision_id_of(page) for page in pages}) == 1
    assert len(service.parts.records.of_call("example", "twice-1")) == 1


def test_release_is_for_a_person(browser: FlaskClient) -> None:
    """
    What is no longer asked for is named, and EMS is not released without a reason.
    """
    tell(browser, "release-1", fact_breathing="difficult")
    response = tell(browser, "release-1", fact_breathing="normal")
    assert "No longer asked for" in response.text
    assert "Confirm with a reason before releasing" in response.text


def test_who_cannot_come(service: Service, browser: FlaskClient) -> None:
    """
    A kind that was ticked cannot come: what goes instead is said in words, and the tick stays.
    """
    response = tell(browser, "away-1", "caller=with_person", away="mobile_crisis")
    assert "who cannot come" in response.text
    assert "said to be unavailable" in response.text
    ticked = [one for one in Page(response.text).named("input") if one.get("name") == "away"]
    assert [one["value"] for one in ticked if "checked" in one] == ["mobile_crisis"]
    record = service.parts.records.find("example", decision_id_of(response))
    assert record is not None
    assert record["request"]["availability"] == {"mobile_crisis": False}


def test_call_without_id_gets_one(service: Service, browser: FlaskClient) -> None:
    """
    A call is not kept waiting for an id: it gets one that no other call has.
    """
    ids = set()
    for _ in range(2):
        record = service.parts.records.find("example", decision_id_of(tell(browser, "  ")))
        assert record is not None
        ids.add(record["call_id"])
    assert len(ids) == 2
    assert all(re.fullmatch(r"CALL-\d{8}-\d{6}-[0-9a-f]{4}", one) for one in ids)


def test_faults_are_shown_where_they_are(service: Service, browser: FlaskClient) -> None:
    """
    A fault stands at its field, nothing typed is lost, and the answer before it stays in sight.
    """
    seen = decision_id_of(tell(browser, "fault-1", "caller=with_person"))
    response = tell(
        browser, "fault-1", "weapon=none", fact_caller="with_person", fact_age="abc", seen=seen
    )
    assert response.status_code == 422
    assert "abc will not do" in response.text
    age = next(one for one in Page(response.text).named("input") if one.get("id") == "f-age")
    assert age["value"] == "abc"
    assert age["aria-invalid"] == "true"
    assert f'id="{age["aria-describedby"]}"' in response.text
    assert '<option value="none" selected>' in response.text
    assert "Recommended before this" in response.text
    assert "Mobile crisis" in response.text
    assert len(service.parts.records.of_call("example", "fault-1")) == 1


def test_long_call_id_is_a_fault(browser: FlaskClient) -> None:
    """
    A call id that is too long is a fault at its field, and is kept.
    """
    response = tell(browser, "x" * 201)
    assert response.status_code == 422
    assert 'id="call_id-wrong"' in response.text
    assert "x" * 201 in response.text


def test_too_much_is_refused_as_a_page(service: Service, browser: FlaskClient) -> None:
    """
    A form above the limit of a body is refused in words, not in JSON.
    """
    response = tell(browser, "long-1", remarks="x" * service.parts.settings.body_bytes_max)
    assert response.status_code == 413
    assert "too long" in response.text


def test_police_line_is_always_there(browser: FlaskClient) -> None:
    """
    Police have a line in every answer: why they are in it, or that they are not.
    """
    calm = tell(browser, "police-1", fact_weapon="none", fact_violence="none", fact_suicide="none")
    assert "Police not recommended so far." in police_of(calm)
    armed = tell(browser, "police-2", fact_weapon="firearm", fact_weapon_access="in_hand")
    assert police_of(armed).startswith("Police with the co-responder unit, because")
    assert "gun" in police_of(armed).lower()


def test_unknown_danger_is_never_shown_as_safe(browser: FlaskClient) -> None:
    """
    Where no police are recommended, a danger nobody has told of is named beside it, asked or not.
    """
    response = tell(browser, "unknown-1", "weapon=unknown", fact_caller="with_person")
    line = police_of(response)
    assert "Not yet answered: suicide, violence towards others" in line
    assert "Asked, and nobody knows: weapon." in line
    assert "Nothing reported asks for them" not in line


def test_not_known_is_listed(browser: FlaskClient) -> None:
    """
    What nobody told stands under 'Not known', and what was asked is told apart from what was not.
    """
    response = tell(browser, "unknown-2", "weapon=unknown", fact_caller="with_person")
    listed = re.search(r'<dl class="not-known">(.*?)</dl>', response.text, re.DOTALL)
    assert listed
    words = re.findall(r"[A-Z][^<>]+", re.sub(r"</?svg[^>]*>|<use[^>]*>|</use>", "", listed[1]))
    assert words[:3] == ["Asked, nobody knows", "Weapon", "Not yet answered"]
    assert {"Suicide", "Violence towards others", "Breathing"} <= set(words[3:])


def test_mode_is_said_in_words(browser: FlaskClient) -> None:
    """
    With the queue away the page says that the answer is kept on this machine only.
    """
    assert "kept on this machine only" in tell(browser, "mode-1", "caller=self").text


def test_reasons_and_record_are_shown(service: Service, browser: FlaskClient) -> None:
    """
    Each rule that holds stands with its id and source, and so does the ruleset that answered.
    """
    response = tell(browser, "why-1", "suicide=plan")
    record = service.parts.records.find("example", decision_id_of(response))
    assert record is not None
    text = unescape(response.text)
    for one in record["because"]:
        assert one["text"] in text
        assert one["rule"] in text
        assert one["basis"]["title"] in text
    assert record["note"] in text
    assert f"{record['ruleset']['name']}, version {record['ruleset']['version']}" in text
    assert "Advice, not an order. A person decides." in text


def test_not_on_record_is_said_loudly(service: Service) -> None:
    """
    An answer that could not be recorded is shown all the same, and is marked NOT on record.
    """
    agency = service.parts.surroundings.seen.agencies["example"]
    document = service.parts.decisions.simulate(
        agency, {"call_id": "lost-1"}, service.parts.rules.published(agency)
    )
    silent: Any = SilentJournal(service.parts.decisions, document)
    client = make_flask(dataclasses.replace(service.parts, decisions=silent)).test_client()
    sign_in(client, service.credentials.dispatcher)
    response = tell(client, "lost-1", "caller=with_person")
    assert response.status_code == 503
    assert "NOT on record" in response.text
    assert 'role="alert"' in response.text
    assert "Mobile crisis" in response.text


def test_our_fault_is_a_page(service: Service) -> None:
    """
    A bug of ours is answered with what to do now, and with nothing of its own words; who is signed
    in goes on from their first page.
    """
    broken: Any = BrokenDecisions(service.parts.decisions)
    client = make_flask(dataclasses.replace(service.parts, decisions=broken)).test_client()
    sign_in(client, service.credentials.dispatcher)
    response = tell(client, "broken-1", "caller=with_person")
    assert response.status_code == 500
    assert "Go on by the agency" in response.text
    assert "secret detail" not in response.text
    assert '<a class="button" href="/">Go to your first page</a>' in response.text
    assert "Sign in<" not in response.text


def test_our_fault_is_a_page_where_nobody_can_tell_who_is_in(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Where the bug is in what every page asks, who is signed in or their alerts, there is a page too;
    to somebody who is not at a call it speaks of none.
    """
    client = service.app.test_client()
    sign_in(client, service.credentials.dispatcher)

    def broken(*_asked: Any) -> None:
        raise ZeroDivisionError("secret detail")

    for named in ("service.pages.frame.open_alerts", "service.pages.visitor.actor_in"):
        with monkeypatch.context() as patched:
            patched.setattr(named, broken)
            response = client.get("/account")
        assert (response.status_code, "text/html" in response.content_type) == (500, True)
        assert "What is on record is not touched by it" in response.text
        assert "own card" not in response.text
        assert "secret detail" not in response.text


def test_source_is_a_link_only_to_the_web(service: Service, vocabulary: Vocabulary) -> None:
    """
    A rule's source is a link only where it begins with http; anything else stands as text.
    """
    agency = service.parts.surroundings.seen.agencies["example"]
    document = service.parts.decisions.simulate(agency, {"call_id": "link-1"}, None)
    document["because"] = [
        {"rule": "a", "text": "One.", "basis": {"title": "Web", "url": "https://example.org/a"}},
        {"rule": "b", "text": "Two.", "basis": {"title": "Bad", "url": "javascript:alert(1)"}},
    ]
    answer = answer_of(
        document, {}, load_config(), None, time_zone="UTC", is_recorded=True, sources={}
    )
    with service.app.test_request_context():
        text = service.app.jinja_env.get_template("answer.html").render(
            answer=answer, kinds=vocabulary.responders, is_before=False
        )
    assert '<a href="https://example.org/a" rel="noreferrer">Web</a>' in text
    assert "javascript:" not in text
    assert "<span>Bad</span>" in text
    assert "911 stays on the line." in text
