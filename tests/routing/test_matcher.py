"""
The matcher against a naive evaluator of the same rules, and the questions against trying every
value.
"""

import datetime as dt
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.routing.availability import choose
from service.routing.conditions import row_holds
from service.routing.decide import Router, decide
from service.routing.facts import AGE_AXIS, CallFacts, Fact
from service.routing.matcher import Fired
from service.routing.needed import brought_by, protection, who_is_needed
from service.routing.recommendation import Call
from service.routing.rules import Rule
from service.routing.signals import Signal
from service.routing.ways import any_holds
from service.routing.weighing import weigh
from tests.routing import spaces
from tests.routing.test_invariants import DAY, routers


def naive(router: Router, facts: CallFacts, day: dt.date) -> Fired:
    """
    Evaluate every rule by reading its tests one by one: the model that the masks must agree with.
    """
    ruleset = router.matcher.ruleset

    def holds(rule: Rule) -> bool:
        raises = rule.table == "hazards"
        return rule.is_in_force(day) and any(
            row_holds(row, facts, raises=raises) for row in rule.rows
        )

    need = next(rule for rule in ruleset.needs if holds(rule))
    return Fired(need, tuple(rule for rule in ruleset.hazards if holds(rule)))


@given(routers, spaces.raw_facts(), st.data())
def test_the_matcher_agrees_with_the_naive_reading(
    router: Router, raw: dict[str, Any], data: st.DataObject
) -> None:
    """
    Masks give exactly the rules that reading each test gives, guesses included.
    """
    guesses = tuple(data.draw(st.lists(st.sampled_from(sorted(raw)), unique=True))) if raw else ()
    facts = spaces.call_facts(raw, guesses)
    assert router.matcher.fired(router.matcher.match(facts, DAY)) == naive(router, facts, DAY)


def test_a_rule_with_dates_holds_on_its_days_only() -> None:
    """
    `from` and `until` both count in, and outside them the matcher and the naive reading agree that
    it is away.
    """
    catch = {
        "id": "all",
        "lead": "mobile_crisis",
        "urgency": "moderate",
        "why": "w",
        "source": spaces.SOURCE,
    }
    dated = {
        "id": "heat",
        "when": {"exposure": True},
        "with": ["ems"],
        "from": dt.date(2026, 6, 1),
        "until": "2026-08-31",
        "why": "w",
        "source": spaces.SOURCE,
    }
    router = spaces.CONFIG.publish({"name": "d", "needs": [catch], "hazards": [dated]}, 1).router
    facts = spaces.call_facts({"exposure": True})
    fired = {
        day: bool(router.matcher.fired(router.matcher.match(facts, day)).hazards)
        for day in (
            dt.date(2026, 5, 31),
            dt.date(2026, 6, 1),
            dt.date(2026, 8, 31),
            dt.date(2026, 9, 1),
        )
    }
    assert list(fired.values()) == [False, True, True, False]
    assert all(bool(naive(router, facts, day).hazards) is held for day, held in fired.items())


def kinds_of(
    router: Router, call: Call, available: dict[str, bool], facts: CallFacts | None = None
) -> frozenset[str]:
    """
    Give who goes by the naive reading, for the call or for the same call with *facts* told.
    """
    told = call.facts if facts is None else facts
    weighed, _ = weigh(router.vocabulary, told, call.signals, call.dismissed)
    no_988 = any_holds(router.ways.without_988, router.vocabulary, weighed)
    needed = who_is_needed(brought_by(naive(router, weighed, DAY), no_988=no_988))
    return choose(needed, router.matcher.ruleset.fallback, available, no_988=no_988).kinds


def every_value(router: Router, fact: Fact) -> tuple[Any, ...]:
    """
    Give every value of a fact; of a number that no rule reads, the ends will do.
    """
    is_read = fact.name in router.matcher.tested or fact.name in AGE_AXIS
    return fact.values if is_read or fact.kind != "number" else (fact.values[0], fact.values[-1])


@st.composite
def signals(draw: st.DrawFn) -> tuple[Signal, ...]:
    """
    Draw what a code may say of a danger.
    """
    facts = draw(st.lists(st.sampled_from(spaces.DANGERS), max_size=3))
    return tuple(
        Signal(fact.name, "present", draw(st.sampled_from(fact.values[1:])), "incident_type")
        for fact in facts
    )


# Each call is decided some hundred times over, so a quarter of the calls take as long as the rest.
@settings(max_examples=max(60, settings().max_examples // 4))
@given(routers, spaces.raw_facts(8), spaces.availabilities, signals())
def test_questions_and_changes_are_what_trying_every_value_finds(
    router: Router, raw: dict[str, Any], available: dict[str, bool], coded: tuple[Signal, ...]
) -> None:
    """
    `ask_next` and `would_change` equal trying every value of every fact one by one.
    """
    call = Call(spaces.call_facts(raw), coded)
    got = decide(call, router, available, DAY)
    tried: dict[str, list[tuple[Any, frozenset[str]]]] = {}
    assert got.kinds == kinds_of(router, call, available)
    for fact in spaces.ASKED:
        for value in every_value(router, fact):
            if got.known.get(fact.name) != value:
                kinds = kinds_of(router, call, available, call.facts.told(fact.name, value))
                if kinds != got.kinds:
                    tried.setdefault(fact.name, []).append((value, kinds))
    mildest = [(name, changes[0][0], changes[0][1]) for name, changes in tried.items()]
    mildest.sort(
        key=lambda change: (
            not spaces.VOCABULARY.facts[change[0]].volunteered,
            protection(change[2]),
        ),
        reverse=True,
    )
    assert [(change.fact, change.to, change.kinds) for change in got.changes] == mildest[:10]
    assert [question.fact for question in got.questions] == expected_questions(got, call, tried)
    assert got.is_provisional == any(
        is_worth_asking(name, call, got, tried) for name in spaces.VOCABULARY.asked
    )


def is_worth_asking(name: str, call: Call, got: Any, tried: dict[str, Any]) -> bool:
    """
    Tell whether a fact is open, changes who goes, and is not left to the caller to volunteer.
    """
    asked = {fact for rule in got.rules for fact in rule.ask}
    volunteered = spaces.VOCABULARY.facts[name].volunteered and name not in asked
    is_open = call.facts.is_open(name) and name not in got.known
    return name in tried and is_open and not volunteered


def expected_questions(got: Any, call: Call, tried: dict[str, Any]) -> list[str]:
    """
    Order the questions as the design has it: what the rules ask, then the most protective change
    first.
    """
    asked = [name for rule in got.rules for name in rule.ask]
    rest = [name for name in spaces.VOCABULARY.asked if is_worth_asking(name, call, got, tried)]
    rest.sort(key=lambda name: max(protection(kinds) for _, kinds in tried[name]), reverse=True)
    found: list[str] = []
    for name in (*asked, *rest):
        axis_taken = name in AGE_AXIS and any(one in AGE_AXIS for one in found)
        is_open = call.facts.is_open(name) and name not in got.known
        if is_open and name not in found and not axis_taken:
            found.append(name)
    return found[:3]
