"""
The page of one decision, from what was known to the record, and the revisions of a call side by
side.
"""

import datetime as dt
import re
from dataclasses import fields
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from service.store import audit, openings, people, records
from service.store.audit import Search
from service.store.database import reading, writing
from service.store.decisions import decisions
from service.store.reviews import Review, add, new_id, reviews
from tests.pages.browsing import Page, Service, signed_in
from tests.pages.log import GUN, NASTY, PLAN, decide, opened, queries, send, ship

CODED = {"registry": "seattle", "code": "SUICIDE, SUICIDAL PERSON AND ATTEMPTS"}


@pytest.fixture(scope="module")
def log(service: Service) -> dict[str, str]:
    """
    Put a call of two revisions on record, with everything that a page can tell; and others.
    """
    first = {
        "facts": {"caller": "with_person", "suicide": "plan", "weapon": "none", "age": 31},
        "fact_sources": {"weapon": {"from": "saw"}, "suicide": {"from": "assumed"}},
        "channel": "text",
        "remarks": f"RM SAYS HE IS CALM {NASTY}",
        "incident_type": CODED,
        "availability": {"mobile_crisis": False},
        "dismissed": [{"fact": "suicide", "source": "incident_type", "reason": f"Told {NASTY}"}],
    }
    second = {"facts": {**first["facts"], "weapon": "firearm", "overdose": "unknown"}}
    made = {
        "first": decide(service, "E/26 1", **first),
        "second": decide(service, "E/26 1", **second),
        "nasty": decide(service, NASTY, **PLAN),
        "one": decide(service, "ONE", **GUN),
    }
    send(service, made["first"], responders=["ems"], reason="other", comment=f"Why {NASTY}")
    return made


@pytest.fixture
def supervisor(service: Service, log: dict[str, str]) -> FlaskClient:
    """
    Open a browser that the supervisor is signed in with, before the log.
    """
    return signed_in(service, service.credentials.supervisor)


def words_of(text: str) -> str:
    """
    Give what a page says, without its tags.
    """
    plain = re.sub(r"<[^>]+>", " ", text[text.index("<main") :])
    return re.sub(r"\s+", " ", plain)


def section(text: str, number: int) -> str:
    """
    Give what one section of the story says.
    """
    found = re.search(rf'<section aria-labelledby="d{number}">(.*?)</section>', text, re.DOTALL)
    assert found, number
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[1]))


def test_the_story_tells_what_was_known_and_who_said_it(
    supervisor: FlaskClient, log: dict[str, str]
) -> None:
    """
    Facts stand with whose word they are; remarks, the code, signals and what was taken back too.
    """
    told = section(opened(supervisor, f"/decisions/{log['first']}"), 1)
    assert "Weapon None saw it" in told
    assert "Suicide Intent and a plan assumes it" in told
    assert "Age 31 was told" in told
    assert "Channel Text message was told" in told
    assert "RM SAYS HE IS CALM" in told
    assert CODED["code"] in told
    assert "Taken back" in told
    assert "Not yet answered" in told
    second = section(opened(supervisor, f"/decisions/{log['second']}"), 1)
    assert "Overdose Asked, nobody knows counts as unknown" in second


def test_the_rules_that_fired_stand_as_sentences_with_their_sources(
    supervisor: FlaskClient, log: dict[str, str]
) -> None:
    """
    Each rule has its sentence, its reason, its id that leads to other decisions, and its source.
    """
    text = opened(supervisor, f"/decisions/{log['second']}")
    told = section(text, 2)
    assert "When the kind of weapon is gun and the weapon&#39;s place is at least within" in told
    assert "A gun is within reach, or nobody knows where it is." in told
    assert 'href="/decisions?rule=gun-in-reach"' in text
    assert re.search(r"\d+ of 7\d", told)
    assert 'rel="noreferrer"' in text


def test_police_of_a_co_responder_unit_are_told_as_such(
    service: Service, supervisor: FlaskClient
) -> None:
    """
    Where police come only as the officer of a co-responder unit the page says so; where they come
    by themselves it does not.
    """
    unit = decide(service, "UNIT", **GUN)
    alone = decide(service, "ALONE", **GUN, availability={"co_responder": False})
    said = "Police were in the answer (a co-responder unit brings an officer) because:"
    assert said in words_of(opened(supervisor, f"/decisions/{unit}"))
    told = words_of(opened(supervisor, f"/decisions/{alone}"))
    assert "Police were in the answer because:" in told


def test_a_rule_of_a_version_that_is_not_here_is_told_by_its_recorded_words(
    service: Service, supervisor: FlaskClient, log: dict[str, str]
) -> None:
    """
    Where the digest is another, no sentence of today's rules stands in for the one that decided.
    """
    written = service.parts.journal.find("example", log["one"])
    assert written is not None
    old = {one.name: getattr(written, one.name) for one in fields(written)}
    answer = {**written.body["answer"], "decision_id": "old", "call_id": "OLD"}
    answer["ruleset"] = {**answer["ruleset"], "digest": "sha256:0"}
    old |= {"record_id": "old", "call_id": "OLD", "host_id": "elsewhere"}
    old["body"] = {**written.body, "answer": answer}
    assert records.insert(service.parts.store, [old], dt.datetime.now(dt.UTC)) == (1, ())
    told = section(opened(supervisor, "/decisions/old"), 2)
    assert "A gun is within reach, or nobody knows where it is." in told
    assert "When the kind" not in told


def test_the_story_tells_who_was_wanted_sent_and_why_not(
    supervisor: FlaskClient, log: dict[str, str]
) -> None:
    """
    Who was wanted, who could not come and why, what was sent instead, by whom and for what reason.
    """
    text = opened(supervisor, f"/decisions/{log['first']}")
    assert "Mobile crisis" in section(text, 3)
    assert "said to be unavailable" in section(text, 4)
    sent = section(text, 6)
    assert "Not as recommended" in sent
    assert "first start: dispatch" in sent
    assert "Why &lt;script&gt;" in sent
    assert "No outcome reported yet" in section(text, 7)
    assert "No reviewer has said anything" in section(text, 8)
    assert "Not reported yet" in section(opened(supervisor, f"/decisions/{log['second']}"), 6)


def test_the_record_can_be_checked(supervisor: FlaskClient, log: dict[str, str]) -> None:
    """
    Ids, host and number, the ruleset's digest, the program and the command that replays it.
    """
    told = section(opened(supervisor, f"/decisions/{log['first']}"), 9)
    for words in (
        f"crisis-router replay {log['first']}",
        "national-baseline, version 1",
        "sha256:",
        "mode: journal_only",
        "In the journal",
        "first start: dispatch",
    ):
        assert words in told


def test_a_stored_decision_reads_the_same(
    service: Service, supervisor: FlaskClient, log: dict[str, str]
) -> None:
    """
    Once the workers have it the page says so, and tells the same story.
    """
    before = section(opened(supervisor, f"/decisions/{log['one']}"), 2)
    ship(service.parts)
    text = opened(supervisor, f"/decisions/{log['one']}")
    assert section(text, 2) == before


def test_words_of_others_are_text(supervisor: FlaskClient, log: dict[str, str]) -> None:
    """
    A call's id, remarks, a comment and a reason never become tags, on any of the pages.
    """
    for path in (
        f"/decisions/{log['first']}",
        f"/decisions/{log['nasty']}",
        f"/decisions/{log['nasty']}/try",
        f"/calls/{quote(NASTY)}",
    ):
        text = opened(supervisor, path)
        assert Page(text).named("script") == []
        assert "&lt;script&gt;" in text


def test_the_revisions_of_a_call_stand_side_by_side(
    supervisor: FlaskClient, log: dict[str, str]
) -> None:
    """
    Two revisions are compared by facts, responders and rules; the last two without being asked.
    """
    text = opened(supervisor, f"/calls/{quote('E/26 1')}")
    told = words_of(text)
    assert "2 revisions" in told
    assert "Weapon None Gun" in told
    assert "Overdose Not asked Asked, nobody knows" in told
    assert "gun-in-reach" in told
    assert "Co-responder" in told
    back = words_of(opened(supervisor, f"/calls/{quote('E/26 1')}?a=2&b=1"))
    assert "Weapon Gun None" in back
    for odd in ("a=0&b=9", "a=x&b=-1", "a=%00", "a=9999999999"):
        assert "Weapon None Gun" in words_of(opened(supervisor, f"/calls/{quote('E/26 1')}?{odd}"))


def test_a_call_with_one_revision_says_how_the_next_comes(
    supervisor: FlaskClient, log: dict[str, str]
) -> None:
    """
    With nothing to compare the page says what will be here.
    """
    assert "This call has one so far" in opened(supervisor, "/calls/ONE")


def test_what_is_not_there_is_a_page_with_a_way_out(
    service: Service, supervisor: FlaskClient
) -> None:
    """
    An id of nothing, of nonsense or of another agency gives a 404 and no more.
    """
    decision_id = decide(service, "ELSEWHERE", **GUN)
    ship(service.parts)
    with writing(service.parts.store) as connection:
        connection.execute(
            update(decisions).where(decisions.c.record_id == decision_id).values(agency="other")
        )
    for path in ("/decisions/nothing", "/decisions/%00", "/calls/nothing", "/calls/%00"):
        assert supervisor.get(path).status_code == 404
    for path in ("/decisions/nothing/try", "/decisions/x/y"):
        assert supervisor.get(path).status_code == 404


def test_who_claimed_the_review_sees_nothing_until_the_answer(
    service: Service, supervisor: FlaskClient
) -> None:
    """
    The list leaves the call out, and its pages say to answer first, as long as the claim holds.
    """
    decision_id = decide(service, "BLIND", **GUN)
    ship(service.parts)
    now = dt.datetime.now(dt.UTC)
    session = service.parts.store
    person = _person_id(service)
    review = Review(
        new_id(),
        "example",
        decision_id,
        "BLIND",
        ("override",),
        False,
        now,
        now,
        f"person:{person}",
        "Example Supervisor",
        now + dt.timedelta(hours=1),
    )
    with writing(session) as connection:
        add(connection, review)
    for path in (f"/decisions/{decision_id}", f"/decisions/{decision_id}/try", "/calls/BLIND"):
        text = opened(supervisor, path, 403)
        assert "Answer your review first" in text
        assert 'href="/reviews"' in text
        assert "gun-in-reach" not in text
    assert decision_id not in opened(supervisor, "/decisions")
    assert decision_id not in opened(supervisor, "/decisions/export?format=jsonl")
    with writing(session) as connection:
        connection.execute(update(reviews).where(reviews.c.id == review.id).values(answered_at=now))
    opened(supervisor, f"/decisions/{decision_id}")
    assert "Reviewed" in opened(supervisor, "/decisions?call_id=BLIND")


def test_what_reviewers_found_is_told(
    service: Service, supervisor: FlaskClient, log: dict[str, str]
) -> None:
    """
    Verdict, who should have been sent, the rule and the comment stand there once they are given.
    """
    decision_id, now = decide(service, "FOUND", **GUN), dt.datetime.now(dt.UTC)
    ship(service.parts)
    due = now + dt.timedelta(days=7)
    review = Review(new_id(), "example", decision_id, "FOUND", ("override",), False, now, due)
    with writing(service.parts.store) as connection:
        add(connection, review)
    client = service.app.test_client()
    headers = {"Authorization": f"Bearer {service.credentials.supervisor_key}"}
    finding = {
        "verdict": "over_triaged",
        "should_have_sent": ["mobile_crisis"],
        "wrong_facts": ["weapon"],
        "wrong_rule": "gun-in-reach",
        "comment": f"Locked away {NASTY}",
    }
    for path, body in (("claim", {}), ("answer", {"would_send": ["ems"]}), ("finding", finding)):
        made = client.post(f"/v1/reviews/{review.id}/{path}", json=body, headers=headers)
        assert made.status_code < 300, made.text
    text = opened(supervisor, f"/decisions/{decision_id}")
    told = section(text, 8)
    assert "Too much was recommended" in told
    assert "Should have been sent: Mobile crisis" in told
    assert "Locked away &lt;script&gt;" in told
    assert 'href="#rule-gun-in-reach"' in text
    assert "Facts that were not right: weapon." in told
    assert "Supervisor" in told


def _person_id(service: Service) -> str:
    found = people.find_by_email(service.parts.store, service.credentials.supervisor.email)
    assert found is not None
    return found.id


def test_opening_is_noted(service: Service, supervisor: FlaskClient, log: dict[str, str]) -> None:
    """
    Who reads a decision or a call stands in the audit trail, and can no longer review it.
    """
    opened(supervisor, f"/decisions/{log['one']}")
    entry = audit.page(service.parts.store, "example", Search())[0][0]
    assert (entry.act, entry.subject_kind, entry.subject_id) == ("read", "decision", log["one"])
    with reading(service.parts.store) as connection:
        who = ("example", f"person:{_person_id(service)}")
        assert openings.is_opened(connection, who, [log["one"]])


def test_the_page_asks_the_store_a_fixed_number_of_times(
    service: Service, supervisor: FlaskClient, log: dict[str, str]
) -> None:
    """
    A decision costs the same queries however many revisions its call has.
    """
    ship(service.parts)
    counts = []
    for name in ("one", "second"):
        with queries(service.parts) as asked:
            opened(supervisor, f"/decisions/{log[name]}")
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert counts[0] <= 14


def test_who_sees_no_reviews_is_told_of_none(browser: FlaskClient, log: dict[str, str]) -> None:
    """
    A dispatcher's page has no section of reviews.
    """
    assert 'id="d8"' not in opened(browser, f"/decisions/{log['one']}")


def test_a_decision_is_replayed_on_its_page(supervisor: FlaskClient, log: dict[str, str]) -> None:
    """
    The button decides the call again, and the page says in a sentence how the answers compare.
    """
    path = f"/decisions/{log['first']}"
    token = re.search(r'name="csrf_token" value="([^"]+)"', supervisor.get(path).text)
    assert token is not None
    answer = supervisor.post(f"{path}/replay", data={"csrf_token": token[1]})
    assert (answer.status_code, "The same answer, to the byte" in answer.text) == (200, True)
    assert supervisor.post(f"{path}/replay").status_code != 200
