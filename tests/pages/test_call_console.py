"""
A call taken on the page without a script: who said what, signals, questions that come first, a call
taken up again.
"""

import dataclasses
import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from service.access import Actor
from service.store import audit
from service.store.audit import Entry, Search
from tests.pages.browsing import Page, Service, decision_id_of, police_of, sign_in, tell
from tests.pages.pressing import form_of, press

FIELDS = (
    *("answer", "undo", "said_next", "said.weapon", "fact.weapon", "fact.age", "unknown.age"),
    *("remarks", "away", "seen", "seen_revision", "registry", "type_code", "received", "place"),
    *("dismiss.incident_type.weapon", "sent", "sent_after", "else.kinds", "else.reason"),
    *("else.comment", "nobody.call_back", "nobody.reason", "as.reason", "asked", "last"),
)
ODD = st.sampled_from(
    [
        *("else", "nobody", "as", "weapon=firearm", "weapon=", "age=1e9", "housing=housed"),
        *("0001-01-01T00:00:00", "9999-12-31T23:59:59", "nan,inf", "1,", "\0", "²", "ems", "other"),
    ]
)


def request_of(service: Service, page: TestResponse) -> dict[str, object]:
    """
    Give the request of the decision that a page shows, as it is on record.
    """
    record = service.parts.records.find("example", decision_id_of(page))
    assert record is not None
    request = record["request"]
    assert isinstance(request, dict)
    return request


def questions_of(page: TestResponse) -> list[str]:
    """
    Name the facts that a page asks about, in order.
    """
    return re.findall(r'id="q-(\w+)"', page.text)


def words_of(text: str) -> str:
    """
    Give the words of a piece of a page.
    """
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


def test_a_whole_call_by_buttons_alone(service: Service, browser: FlaskClient) -> None:
    """
    From a new call to what was sent, each step is a button of the form as the page holds it.
    """
    page = press(browser, browser.get("/"), "a-caller-with_person")
    page = press(browser, page, "a-suicide-intent")
    page = press(browser, page, "a-weapon-none", {"said_next": "saw"})
    call_id = dict(form_of(page).fields)["call_id"]
    assert "Revision 3" in page.text
    page = press(browser, page, "sent-as")
    assert page.status_code == 200
    assert 'id="sent-latest"' in page.text
    revisions = service.parts.records.of_call("example", call_id)
    assert [one["revision"] for one in revisions] == [1, 2, 3]
    assert [len(one["dispatches"]) for one in revisions] == [0, 0, 1]
    sources = revisions[-1]["request"]["fact_sources"]
    assert {name: one["says"] for name, one in sources.items()} == {
        "caller": "told",
        "suicide": "told",
        "weapon": "saw",
    }


def test_a_gun_asks_first_where_it_is_and_whom_it_is_turned_on(browser: FlaskClient) -> None:
    """
    A gun asks both at once, before what else is urgent, and once each is answered it is gone.
    """
    told = {"fact_breathing": "difficult", "fact_caller": "with_person"}
    page = tell(browser, "gun-1", "weapon=firearm", **told)
    assert questions_of(page)[:2] == ["weapon_access", "weapon_toward"]
    assert page.text.count("Ask at once") == 2
    page = press(browser, page, "a-weapon_access-unknown")
    assert questions_of(page)[0] == "weapon_toward"
    page = press(browser, page, "a-weapon_toward-self_only")
    assert not {"weapon_access", "weapon_toward"} & set(questions_of(page))


def test_a_gun_in_a_type_code_asks_the_same(service: Service, browser: FlaskClient) -> None:
    """
    Where only the type code speaks of a gun, it is asked about at once too.
    """
    codes = service.parts.rules.config.incident_types.registries["seattle"].codes
    code = next(name for name, facts in codes.items() if facts.get("weapon") == "firearm")
    page = tell(browser, "gun-2", registry="seattle", type_code=code)
    assert questions_of(page)[:2] == ["weapon_access", "weapon_toward"]


def test_what_is_only_assumed_calms_nothing_and_is_said(browser: FlaskClient) -> None:
    """
    An assumed 'no weapon' and 'no violence' stand beside the police line and under 'Not known'.
    """
    told = {"said_next": "assumed", "fact_violence": "none", "fact_suicide": "none"}
    page = tell(browser, "assumed-1", "weapon=none", **told)
    line = police_of(page)
    assert "Only assumed: suicide, violence towards others, weapon." in line
    assert "Nothing reported asks for them" not in line
    assert "Only assumed, so it calms nothing" in page.text
    assert "Weapon: none" in page.text


def test_who_said_a_fact_can_be_changed(service: Service, browser: FlaskClient) -> None:
    """
    Each fact shows who said it, and its own field changes that and nothing else.
    """
    page = tell(browser, "said-1", "weapon=none")
    assert "was told" in page.text
    page = press(browser, page, "again-weapon", {"said.weapon": "saw"})
    assert "saw it" in words_of(page.text.split('id="told-weapon"')[1].split("</summary>")[0])
    assert request_of(service, page)["fact_sources"] == {"weapon": {"says": "saw"}}
    page = press(browser, page, "a-suicide-none", {"said_next": "assumed"})
    assert request_of(service, page)["fact_sources"] == {
        "suicide": {"says": "assumed"},
        "weapon": {"says": "saw"},
    }


def test_a_source_that_there_is_not_is_a_fault(service: Service, browser: FlaskClient) -> None:
    """
    A source that nobody offers is refused at its fact, and nothing is recorded.
    """
    page = tell(browser, "said-2", "weapon=none", said_next="rumour")
    assert page.status_code == 422
    assert "rumour cannot stand here" in page.text
    assert service.parts.records.of_call("example", "said-2") == []


def test_undo_takes_the_last_answer_back(service: Service, browser: FlaskClient) -> None:
    """
    'Undo' takes away the answer that was just given, and it is asked again.
    """
    page = tell(browser, "undo-1", "weapon=blade", fact_caller="with_person")
    assert "Recorded: Weapon: knife or blade (was told)." in words_of(page.text)
    page = press(browser, page, "undo-press")
    assert request_of(service, page)["facts"] == {"caller": "with_person"}
    assert "weapon" in questions_of(page)
    assert 'id="undo"' not in page.text


def test_a_code_that_no_list_has_is_a_warning(browser: FlaskClient) -> None:
    """
    A type code that is not known is said to be so, and stops nothing.
    """
    page = tell(browser, "code-1", "caller=self", registry="seattle", type_code="NOT A TYPE")
    assert page.status_code == 200
    assert "No table knows this code" in page.text


def test_the_call_keeps_the_time_of_its_first_answer(
    service: Service, browser: FlaskClient
) -> None:
    """
    Without a time the first answer is when the call was received, and later revisions keep it; one
    that was typed is read where the agency is.
    """
    page = tell(browser, "time-1", "caller=self")
    first = dict(form_of(page).fields)["received"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", first)
    page = press(browser, page, "a-suicide-none")
    assert str(request_of(service, page)["received_at"]).startswith(first)
    page = tell(browser, "time-2", "caller=self", received="2026-03-01T02:15:00")
    assert request_of(service, page)["received_at"] == "2026-03-01T02:15:00+00:00"
    page = tell(browser, "time-3", "caller=self", received="yesterday")
    assert page.status_code == 422
    assert '<a href="#received">Received</a>' in page.text


def test_a_call_is_taken_up_again(service: Service, browser: FlaskClient) -> None:
    """
    The newest revision opens with everything that was told, and the next press goes on from it.
    """
    told = {
        "fact_caller": "with_person",
        "fact_age": "24",
        "fact_driving": "true",
        "remarks": "RP on\nthe porch",
        "away": "mobile_crisis",
        "place": "47.62,-122.28",
        "received": "2026-03-01T02:15:00",
    }
    before = tell(browser, "again/1 é", "weapon=none", **told)
    page = browser.get("/", query_string={"call": "again/1 é"})
    assert page.status_code == 200
    after = form_of(page)
    assert sorted(one for one in form_of(before).fields if one[0] != "csrf_token") == sorted(
        one for one in after.fields if one[0] != "csrf_token"
    )
    page = press(browser, page, "a-suicide-none")
    assert "Revision 2" in page.text
    first, second = service.parts.records.of_call("example", "again/1 é")
    assert second["request"]["facts"] == {**first["request"]["facts"], "suicide": "none"}
    for name in ("remarks", "availability", "location", "received_at"):
        assert second["request"][name] == first["request"][name]
    assert second["request"]["location"] == {"lat": 47.62, "lon": -122.28}
    assert "read" in [one.act for one in acts_about(service, "again/1 é")]


def acts_about(service: Service, call_id: str) -> list[Entry]:
    """
    Give the entries of the audit trail about a call.
    """
    page = audit.page(service.parts.store, "example", Search())[0]
    return [one for one in page if one.subject_id == call_id]


def test_the_log_leads_back_to_the_call(service: Service, browser: FlaskClient) -> None:
    """
    Who takes calls can go on with one from its revisions; a supervisor reads it and takes none.
    """
    tell(browser, "log/1", "caller=self")
    link = '<a class="button button-small" href="/?call=log%2F1">'
    assert link in browser.get("/calls/log/1").text
    assert browser.get("/?call=log%2F1").status_code == 200
    supervisor = service.app.test_client()
    sign_in(supervisor, service.credentials.supervisor)
    assert link not in supervisor.get("/calls/log/1").text
    assert supervisor.get("/?call=log%2F1").status_code == 303


@pytest.mark.parametrize("call_id", ["no-such-call", "a\0b", "x" * 5000, "' OR 1=1"])
def test_a_call_that_there_is_not(browser: FlaskClient, call_id: str) -> None:
    """
    A call that is not on record is a 404 that says what to do.
    """
    page = browser.get("/", query_string={"call": call_id})
    assert page.status_code == 404
    assert "There is no such call" in page.text


def test_another_agencys_call_is_not_there(service: Service, browser: FlaskClient) -> None:
    """
    A call of another agency cannot be taken up, and its decision cannot stand beside a form.
    """
    seen = service.parts.surroundings.seen.agencies["example"]
    other = dataclasses.replace(seen, id="other")
    actor = Actor("other", "dispatch", None, "p-1", "Somebody Else")
    answered = service.parts.decisions.decide(actor, other, {"call_id": "theirs-1"}, None)
    assert browser.get("/", query_string={"call": "theirs-1"}).status_code == 404
    foreign = str(answered.document["decision_id"])
    page = tell(browser, "theirs-1", fact_age="-", seen=foreign)
    assert page.status_code == 422
    assert "Recommended before this" not in page.text


def test_a_call_typed_anew_is_told_of_its_earlier_revisions(browser: FlaskClient) -> None:
    """
    Whoever types the id of a call that was taken before is told so, with a way to look at it.
    """
    tell(browser, "known & 1", "weapon=firearm")
    page = tell(browser, "known & 1", "caller=with_person")
    assert "This call was taken before." in page.text
    assert 'href="/calls/known%20%26%201"' in page.text
    assert browser.get("/calls/known%20%26%201").status_code == 200
    page = press(browser, page, "a-suicide-none")
    assert "This call was taken before." not in page.text


def test_the_note_can_be_copied(browser: FlaskClient) -> None:
    """
    The note stands as text that can be marked, with a button for those who have scripts.
    """
    page = Page(tell(browser, "note-1", "weapon=blade").text)
    note = next(one for one in page.named("pre") if one.get("id") == "note")
    assert note["tabindex"] == "0"
    copy = next(one for one in page.named("button") if one.get("id") == "copy-note")
    assert copy["type"] == "button"
    assert "needs-script" in str(copy["class"])


def test_two_who_tell_the_same_call_hear_of_each_other(browser: FlaskClient) -> None:
    """
    A press whose form came from an older revision says that somebody else told more meanwhile.
    """
    mine = tell(browser, "both-1", "caller=with_person")
    theirs = browser.get("/", query_string={"call": "both-1"})
    assert "Somebody else" not in press(browser, theirs, "a-suicide-none").text
    late = press(browser, mine, "a-weapon-none")
    assert "Somebody else told more of this call meanwhile." in late.text
    assert "Revision 3" in late.text
    assert "Somebody else" not in press(browser, late, "a-violence-none").text


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=40) | ODD, max_size=6))
def test_no_form_is_too_odd(browser: FlaskClient, data: dict[str, str]) -> None:
    """
    Whatever is sent in the fields of the form, it is answered as a page, and never fails.
    """
    token = dict(form_of(browser.get("/")).fields)["csrf_token"]
    for path in ("/", "/sent", "/practice", "/practice/sent"):
        page = browser.post(path, data={"csrf_token": token, "call_id": "odd-1", **data})
        assert page.status_code in (200, 409, 422)
        assert "<h1>" in page.text
