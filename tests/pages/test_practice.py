"""
Practice: answers as a real call is answered, marked as practice everywhere, and recorded nowhere.
"""

import re
from html import unescape

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.store import audit
from service.store.audit import Search
from tests.pages.browsing import Page, Service, sign_in, tell
from tests.pages.pressing import form_of, press

PRACTICE_ID = "practice-1"


def begin(browser: FlaskClient) -> TestResponse:
    """
    Open a practice call and give its first answer.
    """
    typed: dict[str, str | list[str]] = {"call_id": PRACTICE_ID}
    return press(browser, browser.get("/practice"), "a-caller-with_person", typed)


def test_every_practice_page_is_marked(browser: FlaskClient) -> None:
    """
    Title, heading, bar and a banner say that it is practice, with and without an answer, with
    faults too.
    """
    first = browser.get("/practice")
    answered = begin(browser)
    wrong = press(browser, answered, "recommend", {"call_id": "x" * 300})
    for page in (first, answered, wrong):
        assert "<title>Practice: call " in page.text
        assert "<h1>Practice call " in page.text
        assert 'class="bar bar-practice"' in page.text
        assert "Nothing here is recorded, nobody is sent" in page.text
        assert form_of(page).action == "/practice"
    assert wrong.status_code == 422
    assert "bar-practice" not in browser.get("/").text


def test_practice_answers_as_a_real_call(browser: FlaskClient) -> None:
    """
    The same facts give the same responders, reasons and questions as a call that is recorded.
    """
    practice = press(browser, begin(browser), "a-weapon-firearm")
    real = tell(browser, "real-1", "weapon=firearm", fact_caller="with_person")
    for pattern in (r'data-mark="(r-\w+)"', r'id="q-(\w+)"', r'<span class="id">([\w-]+)</span>'):
        found = re.findall(pattern, practice.text)
        assert found
        assert found == [one for one in re.findall(pattern, real.text) if len(one) != 32]
    assert "Added" in practice.text


def test_practice_is_recorded_nowhere(service: Service, browser: FlaskClient) -> None:
    """
    Neither the journal nor the audit trail has anything of a practice call, and there is nothing to
    send a real report about.
    """
    before = audit.page(service.parts.store, "example", Search())[0]
    page = press(browser, begin(browser), "a-weapon-firearm")
    page = press(browser, page, "sent-as")
    assert service.parts.records.of_call("example", PRACTICE_ID) == []
    assert service.parts.journal.revisions("example", PRACTICE_ID) == ()
    assert service.parts.journal.dispatches("example", PRACTICE_ID) == ()
    assert audit.page(service.parts.store, "example", Search())[0] == before
    assert "On record" not in page.text
    assert 'name="seen"' not in page.text


def test_practice_says_what_would_be_recorded(browser: FlaskClient) -> None:
    """
    What was sent is judged as a real report is, and the page says what would be on record.
    """
    page = press(browser, begin(browser), "sent-as")
    assert page.status_code == 200
    assert "In a real call this would be on record now:" in page.text
    told: dict[str, str | list[str]] = {"else.kinds": ["ems"]}
    page = press(browser, page, "sent-else-press", told)
    assert page.status_code == 422
    assert '<a href="#else-reason">Reason</a>' in page.text
    page = press(browser, page, "sent-else-press", {"else.reason": "closer_unit"})
    words = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.text)))
    assert "Reason: Another unit was closer." in words
    page = press(browser, page, "sent-nobody-press", {"nobody.call_back": ""})
    assert '<a href="#nobody-call-back">Call back at</a>' in page.text


def test_practice_remembers_what_it_asked_for(browser: FlaskClient) -> None:
    """
    EMS and police that an earlier answer of the practice call asked for are released only for a
    reason, as in a real call.
    """
    page = press(browser, begin(browser), "a-weapon-firearm")
    page = press(browser, page, "again-weapon", {"fact.weapon": "none"})
    assert "No longer asked for" in page.text
    page = press(browser, page, "sent-as")
    assert page.status_code == 422
    assert '<a href="#as-reason">Reason</a>' in page.text
    assert press(browser, page, "sent-as", {"as.reason": "scene_changed"}).status_code == 200


def test_who_may_practise(service: Service, browser: FlaskClient, stranger: FlaskClient) -> None:
    """
    Whoever may try a call may practise, a supervisor too; nobody does so without signing in, or
    with a form of another session.
    """
    assert stranger.get("/practice").status_code == 303
    assert sign_in(stranger, service.credentials.supervisor).status_code == 303
    page = press(stranger, stranger.get("/practice"), "a-caller-self")
    assert page.status_code == 200
    assert "988" in page.text
    form = dict(form_of(browser.get("/practice")).fields)
    del form["csrf_token"]
    assert browser.post("/practice", data=form).status_code == 400


def test_practice_loads_only_its_script(browser: FlaskClient) -> None:
    """
    The page runs the console's script, with the same keys.
    """
    scripts = [one["src"] for one in Page(browser.get("/practice").text).named("script")]
    assert len(scripts) == 1
    assert str(scripts[0]).startswith("/static/console.js")
