"""
The list of decisions: filters in the address, pages by cursor, faults at their fields, the same as
a file.
"""

import csv
import io
import json
import re
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from service.pages.decision_list import known_words
from service.routing.facts import Vocabulary
from tests.pages.browsing import Page, Service, acts, sign_in, signed_in
from tests.pages.log import GUN, NASTY, PLAN, decide, opened, queries, send, ship

ODD = "A/2026/7 ünï 🚑 ?#%"


@pytest.fixture(scope="module")
def log(service: Service) -> dict[str, str]:
    """
    Put calls on record that differ in whom they ask for and in what was sent.
    """
    made = {
        "plan": decide(service, "LIST-1"),
        "gun": decide(service, "LIST-2", **GUN),
        "away": decide(service, "LIST-3", **PLAN, availability={"mobile_crisis": False}),
        "nasty": decide(service, NASTY, **PLAN),
        "odd": decide(service, ODD, facts={"breathing": "absent", "overdose": "unknown"}),
    }
    send(service, made["plan"], responders=["mobile_crisis", "988"])
    send(service, made["gun"], responders=["ems"], reason="other", comment=NASTY)
    later = "2099-01-01T00:00:00Z"
    nobody = {"reason": "other", "comment": "Refused.", "call_back_at": later}
    send(service, made["away"], responders=[], **nobody)
    ship(service.parts)
    return made


@pytest.fixture
def supervisor(service: Service, log: dict[str, str]) -> FlaskClient:
    """
    Open a browser that the supervisor is signed in with, before the log.
    """
    return signed_in(service, service.credentials.supervisor)


def listed(text: str) -> list[str]:
    """
    Give the ids of the decisions that a list shows, in its order.
    """
    return re.findall(r'class="id call-name" href="/decisions/([0-9a-f]+)"', text)


def test_the_list_is_newest_first_and_says_how_many(
    supervisor: FlaskClient, log: dict[str, str]
) -> None:
    """
    All decisions of the agency stand there, the last one on top, and the head counts them.
    """
    text = opened(supervisor, "/decisions")
    assert listed(text) == [log[name] for name in ("odd", "nasty", "away", "gun", "plan")]
    assert "5 decisions shown, newest first" in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("responder=co_responder", ["gun"]),
        ("urgency=emergent", ["odd", "gun"]),
        ("rule=not-breathing", ["odd"]),
        ("call_id=LIST-2", ["gun"]),
        ("fallback=true", ["away"]),
        ("fallback=false&responder=mobile_crisis", ["nasty", "plan"]),
        ("overridden=true", ["away", "gun"]),
        ("overridden=false", ["plan"]),
        ("reviewed=true", []),
        ("reviewed=false&responder=co_responder", ["gun"]),
        ("q=LIST", ["away", "gun", "plan"]),
        ("q=LIST-3", ["away"]),
        ("q=list", []),
        ("q=LIST-2&overridden=true&urgency=emergent", ["gun"]),
        ("from=2020-01-01&to=2020-02-01", []),
        ("from=2020-01-01T00:00&urgency=emergent", ["odd", "gun"]),
        ("to=2099-01-01T00:00:00%2B02:00&rule=not-breathing", ["odd"]),
        ("responder=&urgency=&q=&rule=not-breathing", ["odd"]),
        ("rule=not-breathing&utm_source=mail", ["odd"]),
    ],
)
def test_each_filter_leaves_what_meets_it(
    supervisor: FlaskClient, log: dict[str, str], query: str, expected: list[str]
) -> None:
    """
    Filters stand in the address, and several of them must all hold.
    """
    text = opened(supervisor, f"/decisions?{query}")
    assert listed(text) == [log[name] for name in expected]


def test_a_decision_is_found_by_its_id(supervisor: FlaskClient, log: dict[str, str]) -> None:
    """
    The search takes the id of a decision, and the beginning of any call's id, whatever is in it.
    """
    assert listed(opened(supervisor, f"/decisions?q={log['plan']}")) == [log["plan"]]
    assert listed(opened(supervisor, f"/decisions?q={quote(ODD[:12])}")) == [log["odd"]]
    assert listed(opened(supervisor, f"/decisions?q={quote(NASTY)}")) == [log["nasty"]]


def test_pages_follow_each_other_without_a_gap(
    supervisor: FlaskClient, log: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    'Older decisions' leads on with the same filters until the end, and each decision is shown once.
    """
    monkeypatch.setattr("service.pages.decisions.PAGE_ITEMS", 2)
    path: str | None = "/decisions?fallback=false"
    seen: list[str] = []
    while path:
        text = opened(supervisor, path)
        seen += listed(text)
        found = re.search(r'href="([^"]+)" rel="next"', text)
        path = found[1].replace("&amp;", "&") if found else None
        assert path is None or "fallback=false" in path
    assert seen == [log[name] for name in ("odd", "nasty", "gun", "plan")]


def test_a_filter_that_cannot_be_read_keeps_what_was_typed(supervisor: FlaskClient) -> None:
    """
    Each fault stands above the form and at its field, everything typed is kept, and it is a 422.
    """
    query = f"urgency=loud&from=yesterday&rule={'x' * 300}&q=LIST&responder=ems"
    text = opened(supervisor, f"/decisions?{query}", 422)
    page = Page(text)
    for name in ("urgency", "from", "rule"):
        assert f'href="#{name}"' in text
        assert f'id="{name}-wrong"' in text
    values = {one.get("name"): one.get("value") for one in page.named("input")}
    assert values["from"] == "yesterday"
    assert values["q"] == "LIST"
    assert values["rule"] == "x" * 300
    assert '<option value="loud" selected>' in text
    assert '<option value="ems" selected>' in text
    assert listed(text) == []


@pytest.mark.parametrize(
    "query",
    [
        *("cursor=nothing", "cursor=%00", "q=%00", "q=%ED%A0%80", "rule=%00", "call_id=%00"),
        *("from=0001-01-01T00:00", "to=9999-12-31T23:59", f"q={'y' * 5000}"),
        *("overridden=1", "responder=fire", "from=2026-13-45", "cursor=" + "A" * 3000),
    ],
)
def test_bad_input_is_a_clear_answer(supervisor: FlaskClient, query: str) -> None:
    """
    Whatever stands in the address, the answer is a page that says what is wrong, and never a 500.
    """
    response = supervisor.get(f"/decisions?{query}")
    assert response.status_code in (200, 422)
    assert "Something went wrong" not in response.text
    assert len(Page(response.text).named("h1")) == 1


def test_an_empty_list_says_what_will_be_there(house: Service, supervisor: FlaskClient) -> None:
    """
    Filters that leave nothing say so, and an agency without calls is told how the first one comes.
    """
    assert "No decision fits" in opened(supervisor, "/decisions?call_id=NONE")
    client = house.app.test_client()
    sign_in(client, house.credentials.supervisor)
    text = opened(client, "/decisions")
    assert "Every decision will stand here" in text
    assert "none yet" in text


def test_the_export_carries_the_same_filters(
    service: Service, supervisor: FlaskClient, log: dict[str, str]
) -> None:
    """
    The list links to a file of all that its filters leave, as CSV and as JSON lines, and the trail
    notes that it was taken.
    """
    text = opened(supervisor, "/decisions?overridden=true&q=LIST")
    links = re.findall(r'href="(/decisions/export[^"]+)"', text)
    assert len(links) == 2
    for link in (one.replace("&amp;", "&") for one in links):
        response = supervisor.get(link)
        assert response.status_code == 200
        assert "attachment" in response.headers["Content-Disposition"]
        if "csv" in link:
            rows = list(csv.DictReader(io.StringIO(response.text)))
            assert [one["decision_id"] for one in rows] == [log["away"], log["gun"]]
        else:
            lines = [json.loads(line) for line in response.text.splitlines()]
            assert [one["decision_id"] for one in lines] == [log["away"], log["gun"]]
    assert acts(service)[0] == "exported"


def test_a_wrong_export_shows_its_faults_on_the_list(supervisor: FlaskClient) -> None:
    """
    Nobody saves a file of faults: what is wrong is shown on the list.
    """
    opened(supervisor, "/decisions/export?urgency=loud", 422)
    opened(supervisor, "/decisions/export?format=xml", 422)


def test_words_of_others_are_text(supervisor: FlaskClient) -> None:
    """
    Call ids and whatever is typed into a filter never become tags.
    """
    for path in ("/decisions", f"/decisions?q={quote(NASTY)}", f"/decisions?rule={quote(NASTY)}"):
        assert Page(opened(supervisor, path)).named("script") == []
    assert Page(opened(supervisor, f"/decisions?urgency={quote(NASTY)}", 422)).named("script") == []


def test_who_sees_no_reviews_is_offered_none(browser: FlaskClient, log: dict[str, str]) -> None:
    """
    A dispatcher's list has no column and no filter of reviews.
    """
    text = opened(browser, "/decisions")
    assert listed(text)
    assert 'id="reviewed"' not in text
    assert "Not reviewed yet" not in text


def test_the_list_asks_the_store_a_fixed_number_of_times(
    service: Service, supervisor: FlaskClient
) -> None:
    """
    A list costs the same queries however many rows it shows, and filters at most two more.
    """
    counts = {}
    for query in ("", "call_id=NONE", "urgency=emergent", "urgency=emergent&responder=ems"):
        with queries(service.parts) as asked:
            opened(supervisor, f"/decisions?{query}")
        counts[query] = len(asked)
    # One of them is for the alerts that wait for an answer, above every page.
    assert counts == {
        "": 8,
        "call_id=NONE": 6,
        "urgency=emergent": 8,
        "urgency=emergent&responder=ems": 10,
    }


def test_nobody_sees_the_list_without_signing_in(stranger: FlaskClient) -> None:
    """
    The list and its file lead to the sign-in, and back.
    """
    for path in ("/decisions?urgency=urgent", "/decisions/export?format=csv"):
        response = stranger.get(path)
        assert response.status_code == 303
        assert response.headers["Location"].startswith("/sign-in?to=/decisions")


def test_what_was_known_is_told_shortly(vocabulary: Vocabulary) -> None:
    """
    Dangers come first in the words of the radio; what nobody knows is told, and nothing is made up.
    """
    facts = {"weapon": "firearm", "caller": "remote", "violence": "none", "overdose": "unknown"}
    assert (
        "Gun; caller: somewhere else; violence towards others: none in the last hour;"
        " nobody knows: overdose"
    ) == known_words(facts, vocabulary)
    assert known_words({}, vocabulary) == "Nothing was told yet"
    assert known_words({"gone": "x", "weapon": "gone"}, vocabulary) == "Nothing was told yet"
