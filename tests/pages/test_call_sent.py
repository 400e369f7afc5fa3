"""
What was sent, reported on the page: by the rules of the API, with nothing typed lost.
"""

import dataclasses
import datetime as dt
import re
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.access import Actor
from service.app import make_flask
from service.decisions import Answered
from service.dispatches import Dispatches
from tests.pages.browsing import Page, Service, decision_id_of, sign_in, tell
from tests.pages.pressing import form_of, press

CALM = {"fact_caller": "with_person", "fact_violence": "none", "fact_suicide": "intent"}


def reports_of(service: Service, page: TestResponse) -> list[dict[str, Any]]:
    """
    Give the reports about the decision that a page shows.
    """
    record = service.parts.records.find("example", decision_id_of(page))
    assert record is not None
    reports = record["dispatches"]
    assert isinstance(reports, list)
    return reports


def sent_of(page: TestResponse) -> str:
    """
    Give the words of what is on record as sent.
    """
    found = re.search(r'id="sent-latest">(.*?)</div>', page.text, re.DOTALL)
    assert found, "something is on record as sent"
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", found[1])))


def test_as_recommended_is_one_press(service: Service, browser: FlaskClient) -> None:
    """
    One press records whom the decision recommends, and the page then shows who told it and when.
    """
    page = tell(browser, "sent-1", "weapon=none", **CALM)
    assert "Not told yet" in page.text
    page = press(browser, page, "sent-as")
    assert page.status_code == 200
    (report,) = reports_of(service, page)
    assert (report["responders"], report["override"]) == (["mobile_crisis", "988"], False)
    assert report["record"]["by"]["person"]
    assert "Mobile crisis 988 Told by you at " in sent_of(page)
    assert "UTC" not in sent_of(page)
    assert "+00:00" in sent_of(page)


def test_something_else_owes_a_reason(service: Service, browser: FlaskClient) -> None:
    """
    Others than were recommended need a reason: the fault stands at its field, what was ticked and
    written stays, and so does what was typed of the call meanwhile.
    """
    page = tell(browser, "sent-2", "weapon=none", **CALM)
    typed: dict[str, str | list[str]] = {
        "else.kinds": ["ems", "mobile_crisis"],
        "else.comment": "neighbor is a nurse",
        "remarks": "half a sen",
    }
    page = press(browser, page, "sent-else-press", typed)
    assert page.status_code == 422
    assert '<a href="#else-reason">Reason</a>' in page.text
    fields = form_of(page).fields
    assert [text for name, text in fields if name == "else.kinds"] == ["mobile_crisis", "ems"]
    assert dict(fields)["else.comment"] == "neighbor is a nurse"
    assert dict(fields)["remarks"] == "half a sen"
    opened = [one for one in Page(page.text).named("details") if "open" in one]
    assert "sent-else" in [one.get("id") for one in opened]
    assert reports_of(service, page) == []
    page = press(browser, page, "sent-else-press", {"else.reason": "closer_unit"})
    assert page.status_code == 200
    (report,) = reports_of(service, page)
    assert (report["override"], report["reason"]) == (True, "closer_unit")
    assert report["comment"] == "neighbor is a nurse"
    assert "Differs from what was recommended" in sent_of(page)
    assert "Reason: Another unit was closer." in sent_of(page)
    assert dict(form_of(page).fields)["else.comment"] == ""


def test_something_else_names_somebody(service: Service, browser: FlaskClient) -> None:
    """
    Nobody ticked is a fault that names the way for it, and `other` needs a comment.
    """
    page = tell(browser, "sent-3", "weapon=none", **CALM)
    page = press(browser, page, "sent-else-press", {"else.reason": "closer_unit"})
    assert page.status_code == 422
    assert "tick who was sent" in page.text
    told: dict[str, str | list[str]] = {"else.kinds": ["ems"], "else.reason": "other"}
    page = press(browser, page, "sent-else-press", told)
    assert page.status_code == 422
    assert '<a href="#else-comment">Comment</a>' in page.text
    assert reports_of(service, page) == []


def test_nobody_sent_owes_a_reason_and_a_time(service: Service, browser: FlaskClient) -> None:
    """
    That nobody was sent needs a reason and a call-back in the future; half an hour stands there.
    """
    page = tell(browser, "sent-4", "weapon=none", **CALM)
    page = press(browser, page, "sent-nobody-press", {"nobody.call_back": "2020-01-01T08:00:00"})
    assert page.status_code == 422
    assert '<a href="#nobody-reason">Reason</a>' in page.text
    assert '<a href="#nobody-call-back">Call back at</a>' in page.text
    page = press(browser, page, "sent-nobody-press", {"nobody.call_back": ""})
    assert '<a href="#nobody-call-back">Call back at</a>' in page.text
    page = tell(browser, "sent-4", "weapon=none", **CALM)
    page = press(browser, page, "sent-nobody-press", {"nobody.reason": "caller_refused"})
    assert page.status_code == 200
    (report,) = reports_of(service, page)
    assert report["responders"] == []
    back = dt.datetime.fromisoformat(report["call_back_at"]) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(minutes=28) < back < dt.timedelta(minutes=31)
    assert "Nobody." in sent_of(page)
    assert "Call back at" in sent_of(page)


def test_releasing_ems_owes_a_reason(service: Service, browser: FlaskClient) -> None:
    """
    Where an earlier revision asked for EMS and police, the page asks for the reason beside the
    button, and sending what is recommended now is refused without it.
    """
    page = tell(browser, "sent-5", "weapon=firearm", **CALM)
    page = press(browser, page, "again-weapon", {"fact.weapon": "none"})
    assert "An earlier answer of this call asked for EMS and Co-responder." in re.sub(
        r"</?b>", "", page.text
    )
    page = press(browser, page, "sent-as")
    assert page.status_code == 422
    assert '<a href="#as-reason">Reason</a>' in page.text
    page = press(browser, page, "sent-as", {"as.reason": "scene_changed"})
    assert page.status_code == 200
    (report,) = reports_of(service, page)
    assert (report["released"], report["reason"]) == (["ems", "co_responder"], "scene_changed")
    assert "Released: EMS, Co-responder." in sent_of(page)


def test_what_was_sent_can_be_told_again(service: Service, browser: FlaskClient) -> None:
    """
    The last report counts, a correction back to the first is a third one, and the same press twice
    is one.
    """
    page = tell(browser, "sent-6", "weapon=none", **CALM)
    first = press(browser, page, "sent-as")
    told: dict[str, str | list[str]] = {"else.kinds": ["ems"], "else.reason": "closer_unit"}
    second = press(browser, first, "sent-else-press", told)
    press(browser, first, "sent-else-press", told)
    third = press(browser, second, "sent-as")
    reports = reports_of(service, third)
    kinds = [one["responders"] for one in reports]
    assert kinds == [["mobile_crisis", "988"], ["ems"], ["mobile_crisis", "988"]]
    assert "Told before that: 2" in third.text
    assert "Mobile crisis" in sent_of(third)


def test_what_was_sent_stays_in_sight_at_the_next_revision(browser: FlaskClient) -> None:
    """
    A later answer of the call shows what was told to be sent before, and so does the call taken up
    again.
    """
    page = press(browser, tell(browser, "sent-7", "weapon=none", **CALM), "sent-as")
    page = press(browser, page, "again-weapon", {"fact.weapon": "blade"})
    assert "Mobile crisis" in sent_of(page)
    page = browser.get("/", query_string={"call": "sent-7"})
    assert "Told by you" in sent_of(page)


def test_nothing_on_record_means_nothing_to_report(service: Service, browser: FlaskClient) -> None:
    """
    Without a decision of this agency and this call there is nothing to report against.
    """
    page = tell(browser, "sent-8", "weapon=none", **CALM)
    seen = service.parts.surroundings.seen.agencies["example"]
    other = dataclasses.replace(seen, id="other")
    actor = Actor("other", "dispatch", None, "p-1", "Somebody Else")
    theirs = service.parts.decisions.decide(actor, other, {"call_id": "sent-8"}, None).document
    another = decision_id_of(tell(browser, "sent-9", "weapon=none", **CALM))
    for seen_id in ("", "none", "a\0b", str(theirs["decision_id"]), another):
        answer = press(browser, page, "sent-as", {"seen": seen_id})
        assert answer.status_code == 409
        assert "Nothing was recorded" in answer.text
        assert 'value="sent-8"' in answer.text
    assert reports_of(service, page) == []


def test_odd_fields_are_faults_and_never_a_failure(service: Service, browser: FlaskClient) -> None:
    """
    A reason that there is not, a huge comment, a NUL and a time that is none are faults at their
    fields; kinds and ways that there are not are left out.
    """
    page = tell(browser, "sent-10", "weapon=none", **CALM)
    for typed, place in (
        ({"else.reason": "becaus"}, "else-reason"),
        ({"else.reason": "other", "else.comment": "x" * 501}, "else-comment"),
        ({"else.reason": "other", "else.comment": "a\0b"}, "else-comment"),
    ):
        told: dict[str, str | list[str]] = {"else.kinds": ["ems", "army"], **typed}
        answer = press(browser, page, "sent-else-press", told)
        assert answer.status_code == 422
        assert f'<a href="#{place}">' in answer.text
    late: dict[str, str | list[str]] = {
        "nobody.reason": "caller_refused",
        "nobody.call_back": "9999-12-31T23:59:59",
    }
    assert press(browser, page, "sent-nobody-press", late).status_code == 422
    assert press(browser, page, "recommend", {"sent": "army"}).status_code == 200
    assert reports_of(service, page) == []


class SilentDispatches:
    """
    Dispatches of a process whose journal cannot write.
    """

    def __init__(self, real: Dispatches) -> None:
        self._real = real

    def asked(self, agency: str, decision_id: str) -> Any:
        """
        Say whom a decision asked for.
        """
        return self._real.asked(agency, decision_id)

    def report(self, *_told: Any) -> Answered:
        """
        Record nothing.
        """
        return Answered(503, {}, is_recorded=False)


def test_what_is_not_on_record_is_said_loudly(service: Service) -> None:
    """
    A report that could not be recorded says so, and keeps what was ticked for the next press.
    """
    silent: Any = SilentDispatches(service.parts.dispatches)
    client = make_flask(dataclasses.replace(service.parts, dispatches=silent)).test_client()
    sign_in(client, service.credentials.dispatcher)
    page = tell(client, "sent-11", "weapon=none", **CALM)
    told: dict[str, str | list[str]] = {"else.kinds": ["ems"], "else.reason": "closer_unit"}
    page = press(client, page, "sent-else-press", told)
    assert page.status_code == 503
    assert "What was sent is NOT on record." in page.text
    assert dict(form_of(page).fields)["else.kinds"] == "ems"
    assert 'id="sent-latest"' not in page.text
