"""
Prove that reviews are chosen, claimed and drawn alike on SQLite and on PostgreSQL.
"""

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from service.agency_settings import AgencyDefaults, Retention, ReviewRules
from service.reviewing.review_selection import BATCH_RECORDS, Selecting, select_for_review
from service.reviewing.sample import compare, size_of, ticket_of, week_of
from service.store import agencies, considered, records, reviews, sample
from service.store.agencies import Agency
from service.store.database import reading, writing
from service.store.reviews import Claim, Review

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
KEY = "a key for tests"
NOTHING = ReviewRules(
    override=True,
    police_without_hazard=True,
    fallback=True,
    dismissed_signal=True,
    contradiction=True,
    sample_percent=0,
    sample_per_week=0,
    due_days=7,
    claim_minutes=30,
)


def decision(number: int, **answer: Any) -> dict[str, Any]:
    """
    Give a decision as the journal sends it; *answer* are members of its answer, `call_id`,
    `decided_at` and `dismissed` are the record's.
    """
    call_id = answer.pop("call_id", f"c-{number}")
    at = answer.pop("decided_at", NOW + dt.timedelta(seconds=number))
    request = {"dismissed": answer.pop("dismissed", None)}
    recommendation = {
        "responders": [{"kind": "mobile_crisis"}],
        "fallback": answer.pop("fallback", None),
    }
    return {
        "number": number,
        "host_id": "h1",
        "kind": "decision",
        "record_id": f"d-{number}",
        "agency": answer.pop("agency", "a"),
        "call_id": call_id,
        "decided_at": at.isoformat(),
        "body": {"request": request, "answer": {"recommendation": recommendation, **answer}},
    }


def dispatch(number: int, about: int, *, override: bool, kinds: tuple[str, ...] = ("ems",)) -> Any:
    """
    Give a report as the journal sends it.
    """
    answer = {
        "dispatch_id": f"s-{number}",
        "decision_id": f"d-{about}",
        "responders": list(kinds),
        "override": override,
        "released": [],
        "reason": "closer_unit",
        "call_back_at": None,
        "warnings": [],
    }
    made = decision(number)
    body = {"request": {"comment": None}, "answer": answer, "by": {"key": "k", "person": None}}
    return {**made, "kind": "dispatch", "record_id": f"s-{number}", "body": body}


@pytest.fixture
def agency(store: Engine) -> Agency:
    """
    Make the agency that the records belong to.
    """
    made = Agency("a", "A", "America/Los_Angeles", "national-baseline", NOW)
    agencies.create(store, made)
    return made


def select(store: Engine, rules: ReviewRules = NOTHING, at: dt.datetime = NOW) -> int:
    """
    Fill the queue.
    """
    return select_for_review(store, Selecting(AgencyDefaults(rules, {}, Retention(90, 6)), KEY, at))


def queue(store: Engine) -> dict[str, tuple[str, ...]]:
    """
    Give the reasons of every open review, by the id of its decision.
    """
    found, _ = reviews.page(store, "a", is_open=True, limit=100_000)
    return {one.decision_id: one.reasons for one in found}


POLICE_BY_RULE = {"included": True, "because": [{"rule": "weapon-in-hand", "text": "…"}]}
POLICE_BY_FALLBACK = {"included": True, "because": [{"fallback": "mobile_crisis", "text": "…"}]}


def test_each_reason_brings_its_decisions_to_review(store: Engine, agency: Agency) -> None:
    """
    Overrides, police that no hazard asked for, fallbacks, signals taken back and contradictions are
    chosen; an answer that is none of these is not.
    """
    batch = [
        decision(1),
        decision(2, fallback={"wanted": "mobile_crisis"}),
        decision(3, law_enforcement=POLICE_BY_FALLBACK),
        decision(4, law_enforcement=POLICE_BY_RULE),
        decision(5, dismissed=[{"fact": "weapon"}]),
        decision(6),
        dispatch(7, 6, override=True),
        decision(8),
        dispatch(9, 8, override=False),
        decision(10),
        dispatch(11, 10, override=True, kinds=("law_enforcement",)),
        decision(12, warnings=[{"code": "signals_contradict"}]),
        decision(13, warnings=[{"code": "unknown_incident_type"}, None], dismissed=[]),
    ]
    records.insert(store, batch, NOW)
    assert select(store) == len(batch)
    assert queue(store) == {
        "d-2": ("fallback",),
        "d-3": ("police_without_hazard",),
        "d-5": ("dismissed_signal",),
        "d-6": ("override",),
        "d-10": ("override", "police_without_hazard"),
        "d-12": ("contradiction",),
    }
    assert select(store) == 0
    found, _ = reviews.page(store, "a", is_open=True)
    assert {one.due_at for one in found} == {NOW + dt.timedelta(days=7)}


def test_reasons_can_be_turned_off_by_the_agency(store: Engine, agency: Agency) -> None:
    """
    What the agency has set counts, not what it started with.
    """
    with writing(store) as connection:
        own = {"review": {"fallback": False, "due_days": 1}}
        agencies.set_settings(connection, "a", own, agency.time_zone)
    batch = [decision(1, fallback={}), decision(2, dismissed=[{}])]
    records.insert(store, batch, NOW)
    select(store)
    found, _ = reviews.page(store, "a", is_open=True)
    assert [(one.decision_id, one.due_at) for one in found] == [("d-2", NOW + dt.timedelta(days=1))]


def test_the_latest_report_says_whether_it_was_an_override(store: Engine, agency: Agency) -> None:
    """
    A report that was set right before anybody looked brings nothing to review; one that comes
    before its decision, or later, does.
    """
    corrected = [decision(1), dispatch(2, 1, override=True), dispatch(3, 1, override=False)]
    records.insert(store, [*corrected, dispatch(5, 4, override=True)], NOW)
    select(store)
    assert queue(store) == {}
    records.insert(store, [decision(4)], NOW)
    select(store)
    assert queue(store) == {"d-4": ("override",)}
    records.insert(store, [dispatch(6, 1, override=True)], NOW)
    select(store)
    assert set(queue(store)) == {"d-1", "d-4"}


def test_a_call_comes_to_review_once_for_a_reason(store: Engine, agency: Agency) -> None:
    """
    Later revisions with the same reason are left out, since nobody may review a call twice; an
    override is reviewed each time.
    """
    batch = [decision(number, call_id="c", fallback={}) for number in (1, 2, 3)]
    records.insert(store, batch, NOW)
    select(store)
    records.insert(store, [decision(4, call_id="c", fallback={}, dismissed=[{}])], NOW)
    records.insert(store, [dispatch(5, 3, override=True), dispatch(6, 2, override=True)], NOW)
    select(store)
    assert queue(store) == {
        "d-1": ("fallback",),
        "d-2": ("override",),
        "d-3": ("override",),
        "d-4": ("dismissed_signal",),
    }


def test_nothing_stored_late_is_overlooked(store: Engine, agency: Agency) -> None:
    """
    A record that turns up with an earlier stamp, and a backlog longer than a batch, are looked at;
    what is older than the first look is left alone.
    """
    old = NOW - considered.FIRST_LOOK - dt.timedelta(minutes=1)
    records.insert(store, [decision(1, fallback={})], old)
    early = NOW - dt.timedelta(hours=3)
    many = [decision(number) for number in range(10, 11 + 2 * BATCH_RECORDS)]
    records.insert(store, [*many, decision(2, fallback={})], early)
    records.insert(store, [dispatch(3, 10, override=True)], NOW)
    assert select(store) == len(many) + 2
    records.insert(store, [decision(4, fallback={})], early - dt.timedelta(minutes=5))
    select(store)
    assert set(queue(store)) == {"d-2", "d-4", "d-10"}


def test_of_many_who_claim_at_once_one_gets_it(store: Engine) -> None:
    """
    Eight reviewers race for one review: exactly one wins; the same for its answer.
    """
    review = Review("r", "a", "d", "c", ("override",), False, NOW, NOW)
    with writing(store) as connection:
        reviews.add(connection, review)
    won = race(lambda number: _claims(store, f"person:{number}"))
    assert won.count(True) == 1
    winner = f"person:{won.index(True)}"
    answered = race(lambda _number: _answers(store, review, winner))
    assert answered.count(True) == 1


def _claims(store: Engine, identity: str) -> bool:
    until = NOW + dt.timedelta(minutes=30)
    with writing(store) as connection:
        return reviews.claim(connection, "a", "r", Claim(identity, identity, NOW, until))


def _answers(store: Engine, review: Review, identity: str) -> bool:
    with writing(store) as connection:
        return reviews.answer(connection, review, identity, ["988"], NOW)


def race(act: Callable[[int], bool]) -> list[bool]:
    """
    Let eight threads act at once, and give what each got.
    """
    start = threading.Barrier(8)
    found = [False] * 8

    def run(number: int) -> None:
        start.wait()
        found[number] = act(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return found


SAMPLING = replace(NOTHING, sample_percent=2, sample_per_week=10)


def sampled(store: Engine, agency: Agency, week: str) -> set[str]:
    """
    Give the calls that are in the sample of a week.
    """
    with reading(store) as connection:
        return set(sample.calls_reviewed(connection, agency.id, week))


def test_the_sample_is_what_the_key_draws(store: Engine, agency: Agency) -> None:
    """
    However calls come, a week's sample is its calls with the lowest tickets: ten, or 2 % rounded
    up, whichever is more; those that were pushed out have left the queue.
    """
    week = week_of(NOW, agency.time_zone)
    for start in (1, 6, 100, 300):
        batch = [decision(number, call_id=f"c-{number}") for number in range(start, start + 250)]
        again = [decision(number + 5000, call_id=f"c-{number}") for number in range(1, 5)]
        records.insert(store, [*batch, *again], NOW)
        select(store, SAMPLING)
        calls = {f"c-{number}" for number in range(1, start + 250)}
        by_ticket = sorted(calls, key=lambda one: ticket_of(KEY, "a", one))
        expected = set(by_ticket[: size_of(len(calls), 2, 10)])
        assert sampled(store, agency, week) == expected
        assert len(queue(store)) == len(expected)
        found = compare(store, agency, week, KEY, SAMPLING)
        assert found.is_right
        assert (found.calls, set(found.drawn)) == (len(calls), expected)
    assert len(expected) == 11


def test_a_week_begins_in_the_agencys_own_time(store: Engine, agency: Agency) -> None:
    """
    A call on Sunday evening there belongs to the old week, though it is Monday in UTC; each week
    has a sample of its own.
    """
    monday = dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC)
    before = [decision(n, decided_at=monday - dt.timedelta(minutes=n)) for n in range(1, 15)]
    after = [decision(n, decided_at=monday + dt.timedelta(minutes=n)) for n in range(20, 35)]
    records.insert(store, [*before, *after], NOW)
    select(store, SAMPLING)
    for week, calls in (("2026-W47", before), ("2026-W48", after)):
        found = compare(store, agency, week, KEY, SAMPLING)
        assert (found.calls, len(found.drawn), found.is_right) == (len(calls), 10, True)


def test_a_sampled_review_that_somebody_holds_is_not_taken_away(
    store: Engine, agency: Agency
) -> None:
    """
    When later calls push a call out of the sample, a review that is claimed or answered stays, and
    is no longer counted as sampled; one with another reason keeps that one.
    """
    rules = replace(SAMPLING, sample_per_week=1, sample_percent=0)
    numbers = sorted(range(1, 200), key=lambda n: ticket_of(KEY, "a", f"c-{n}"), reverse=True)
    until = NOW + dt.timedelta(minutes=30)
    for place, number in enumerate(numbers[:4]):
        fallback = {} if place == 2 else None
        records.insert(store, [decision(number, fallback=fallback)], NOW)
        select(store, rules)
        found = {one.decision_id: one for one in _all(store)}
        mine = found[f"d-{number}"]
        assert [one.decision_id for one in found.values() if one.is_sample] == [f"d-{number}"]
        if place == 0:
            with writing(store) as connection:
                reviews.claim(connection, "a", mine.id, Claim("person:p", "p", NOW, until))
    reasons = {one.decision_id: one.reasons for one in _all(store)}
    held, gone, other, last = (f"d-{number}" for number in numbers[:4])
    assert gone not in reasons
    assert reasons[held] == ("random_sample",)
    assert reasons[other] == ("fallback",)
    assert reasons[last] == ("random_sample",)


def _all(store: Engine) -> tuple[Review, ...]:
    found, _ = reviews.page(store, "a", is_open=True, limit=1000)
    return found


def test_a_forged_sample_shows(store: Engine, agency: Agency) -> None:
    """
    A ticket that the key does not give, and a review that was taken out or put in, are named.
    """
    rules = replace(SAMPLING, sample_per_week=3)
    records.insert(store, [decision(number) for number in range(1, 30)], NOW)
    select(store, rules)
    week = week_of(NOW, agency.time_zone)
    drawn = compare(store, agency, week, KEY, rules).drawn
    with writing(store) as connection:
        connection.execute(
            sample.tickets.update()
            .where(sample.tickets.c.call_id == drawn[0])
            .values(ticket="f" * 64)
        )
        connection.execute(reviews.reviews.delete().where(reviews.reviews.c.call_id == drawn[1]))
    found = compare(store, agency, week, KEY, rules)
    assert (found.forged, found.missing, found.is_right) == ((drawn[0],), (drawn[1],), False)
    assert not compare(store, agency, week, "another key", rules).is_right


def test_two_workers_at_once_make_one_review(store: Engine, agency: Agency) -> None:
    """
    The queue is filled by several workers at the same moment as by one.
    """
    batch = [decision(number, fallback={}) for number in range(1, 40)]
    records.insert(store, batch, NOW)
    race(lambda _number: bool(select(store, SAMPLING)))
    assert len(queue(store)) == len(batch)
    assert compare(store, agency, week_of(NOW, agency.time_zone), KEY, SAMPLING).is_right
