"""
How signals meet what people told: they fill and raise, never lower, and count as if told.
"""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing.decide import decide
from service.routing.facts import UNKNOWN, CallFacts, Value
from service.routing.recommendation import Call, Recommendation
from service.routing.signals import Signal
from service.routing.weighing import contradicted, weigh
from tests.routing import spaces

ROUTER, VOCABULARY = spaces.BASELINE, spaces.VOCABULARY
DAY = dt.date(2026, 11, 28)
FACTS = [fact for fact in VOCABULARY.facts.values() if not fact.protected]
NAMES = [fact.name for fact in FACTS]
SPOKEN = [fact for fact in FACTS if not fact.is_of_the_past and not fact.calming]


@st.composite
def present(draw: st.DrawFn) -> Signal:
    """
    Draw a signal that something is there: any value but the mildest of a danger or a flag.
    """
    fact = draw(st.sampled_from(SPOKEN))
    is_graded = fact.is_danger or fact.kind == "flag"
    value = draw(st.sampled_from(fact.values[1:] if is_graded else fact.values))
    return Signal(fact.name, "present", value, draw(st.sampled_from(("incident_type", "remarks"))))


@st.composite
def of_any_kind(draw: st.DrawFn) -> Signal:
    """
    Draw a signal of any outcome, for any fact and value.
    """
    fact = draw(st.sampled_from(FACTS))
    outcome = draw(st.sampled_from(("present", "absent", "unknown", "historical")))
    value: Value | None = None if outcome == "unknown" else draw(st.sampled_from(fact.values))
    return Signal(fact.name, outcome, value, "remarks")


@given(spaces.raw_facts(12), st.lists(of_any_kind(), max_size=6), st.booleans())
def test_no_signal_changes_a_stated_fact_downwards(
    raw: dict[str, Any], signals: list[Signal], fills: bool
) -> None:
    """
    Whatever signals say, a fact that was told stays, or rises if it is a danger or a flag.
    """
    told = spaces.call_facts(raw)
    absent_fills = frozenset(VOCABULARY.facts) if fills else frozenset()
    facts, weighed = weigh(VOCABULARY, told, signals, absent_fills=absent_fills)
    assert len(weighed) == len(signals)
    assert all(one.why for one in weighed)
    for name, value in told.known.items():
        now = facts.value(name)
        fact = VOCABULARY.facts[name]
        if now != value and name != "age_group":
            assert now is not UNKNOWN
            assert fact.is_danger or (fact.kind == "flag" and not fact.calming)
            assert fact.worst_of(now, value) == now


def _answer(facts: CallFacts, *signals: Signal) -> Recommendation:
    return decide(Call(facts, signals), ROUTER, {}, DAY)


@given(spaces.raw_facts(10), present())
def test_a_fact_that_a_signal_filled_is_answered_as_if_a_person_had_stated_it(
    raw: dict[str, Any], signal: Signal
) -> None:
    """
    Who goes, how, how fast, why, the questions and the note are the same, whoever said it.
    """
    raw.pop(signal.fact, None)
    if signal.fact in ("age", "age_group"):
        raw = {name: value for name, value in raw.items() if name not in ("age", "age_group")}
    told = spaces.call_facts(raw)
    assert signal.value is not None
    filled, stated = _answer(told, signal), _answer(told.told(signal.fact, signal.value))
    for part in (
        *("responders", "urgency", "send_now", "notify", "preferred", "fallback", "rules"),
        *("police_because", "questions", "is_provisional", "note", "known", "warnings"),
    ):
        assert getattr(filled, part) == getattr(stated, part), part


@given(spaces.raw_facts(10), present())
def test_a_signal_that_raises_a_stated_fact_never_lowers_the_recommendation(
    raw: dict[str, Any], signal: Signal
) -> None:
    """
    With the signal the lead is not lower, and EMS is not gone.
    """
    told = spaces.call_facts(raw)
    if told.value(signal.fact) is UNKNOWN or not VOCABULARY.facts[signal.fact].is_danger:
        return
    before, after = _answer(told), _answer(told, signal)
    spaces.assert_not_less(frozenset(before.preferred), frozenset(after.preferred))


@given(spaces.raw_facts(6), st.lists(of_any_kind(), max_size=5), st.sets(st.sampled_from(NAMES)))
def test_an_absent_signal_fills_only_what_the_ruleset_allows(
    raw: dict[str, Any], signals: list[Signal], allowed: set[str]
) -> None:
    """
    'None' from a remark fills a fact only where the rules name it, nobody told anything, and no
    other signal speaks of it.
    """
    names = frozenset(allowed)
    told = spaces.call_facts(raw)
    _, weighed = weigh(VOCABULARY, told, signals, absent_fills=names)
    spoken = {one.fact for one in signals if one.outcome in ("present", "unknown")}
    for one in weighed:
        if one.outcome == "absent" and one.used:
            assert one.fact in names
            assert told.is_open(one.fact)
            assert one.fact not in spoken


def test_unknown_is_never_read_as_none() -> None:
    """
    'UNK IF ARMED' beside 'NO WEAPONS SEEN' leaves the weapon unknown, even where 'none' may fill.
    """
    said = [
        Signal("weapon", "absent", "none", "remarks"),
        Signal("weapon", "unknown", None, "remarks"),
    ]
    facts, _ = weigh(VOCABULARY, CallFacts(), said, absent_fills=frozenset(("weapon",)))
    assert facts.value("weapon") is UNKNOWN
    assert "weapon" in facts.asked


def test_what_is_past_fills_the_facts_of_the_past_only() -> None:
    """
    A past attempt fills the history of attempts, and says nothing of suicide now.
    """
    said = [
        Signal("suicide", "historical", None, "remarks"),
        Signal("suicide_history", "historical", "past", "remarks"),
    ]
    facts, weighed = weigh(VOCABULARY, CallFacts(), said)
    assert facts.known == {"suicide_history": "past"}
    assert [one.used for one in weighed] == [False, True]


@pytest.mark.parametrize(
    ("told", "said", "named"),
    [
        ({}, [("present", "blade"), ("absent", "none")], ("weapon",)),
        ({"weapon": "none"}, [("present", "firearm")], ("weapon",)),
        ({"weapon": "blade"}, [("present", "firearm")], ()),
        ({}, [("present", "blade"), ("unknown", None)], ()),
        ({}, [("absent", "none")], ()),
    ],
)
def test_contradictions_are_named(
    told: dict[str, Any], said: list[tuple[str, str | None]], named: tuple[str, ...]
) -> None:
    """
    One signal for and one against, or a signal against a stated 'none', is a contradiction.
    """
    signals = [Signal("weapon", outcome, value, "remarks") for outcome, value in said]
    facts = CallFacts.of(VOCABULARY, told)
    assert contradicted(VOCABULARY, facts, signals) == named
    back = frozenset({("weapon", "remarks")})
    assert contradicted(VOCABULARY, facts, signals, back) == ()
