"""
The four invariants of the design, over random calls and over random rulesets that keep the shapes.
"""

import datetime as dt
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing.decide import Router, decide
from service.routing.facts import Fact
from service.routing.recommendation import Call, Recommendation
from service.routing.rules import POLICE
from tests.routing import spaces

DAY = dt.date(2026, 11, 24)
routers = st.one_of(
    st.just(spaces.BASELINE),
    spaces.rulesets().map(lambda document: spaces.CONFIG.publish(document, 1).router),
)


def answer(
    router: Router, raw: dict[str, Any], available: dict[str, bool] | None = None, *guesses: str
) -> Recommendation:
    """
    Decide a call told as *raw*.
    """
    return decide(Call(spaces.call_facts(raw, guesses)), router, available or {}, DAY)


def steps(fact: Fact) -> list[tuple[Any, Any]]:
    """
    Give every step of a danger fact to more danger: up its values, the mildest to unknown, unknown
    to the worst.
    """
    values = fact.values
    up = list(pairwise(values))
    return [*up, (values[0], "unknown"), ("unknown", values[-1])]


@given(routers, spaces.raw_facts(), spaces.availabilities)
def test_somebody_always_answers(
    router: Router, raw: dict[str, Any], available: dict[str, bool]
) -> None:
    """
    INVARIANT (somebody-always-answers): no call, rule or availability gives an empty answer, and
    nobody who is stated unavailable is in it but EMS, the last resort.
    """
    got = answer(router, raw, available)
    assert got.responders
    out = {kind for kind, free in available.items() if not free}
    assert not (got.kinds & out) - {"ems"}
    assert got.mode == "full"


@given(routers, spaces.raw_facts(), spaces.availabilities)
def test_police_only_for_a_reason(
    router: Router, raw: dict[str, Any], available: dict[str, bool]
) -> None:
    """
    INVARIANT (police-only-for-a-reason): police are in the answer only with a rule that fired on a
    hazard fact above its mildest value or unknown by name, or in place of a lead that was police by
    such a rule.
    """
    got = answer(router, raw, available)
    if not got.kinds & POLICE:
        assert got.police_because == ()
        return
    named = {reason.rule for reason in got.police_because if reason.rule}
    assert named
    for rule in got.rules:
        if rule.id in named:
            assert any(spaces.VOCABULARY.facts[name].hazard for name in rule.facts)
            assert not any(spaces.VOCABULARY.facts[name].parity for name in rule.facts)


@given(routers, spaces.raw_facts(), st.sampled_from(spaces.DANGERS), st.data())
def test_more_danger_is_never_less_protection(
    router: Router, raw: dict[str, Any], fact: Fact, data: st.DataObject
) -> None:
    """
    INVARIANT (more-danger-never-less): raising a danger fact, turning its mildest value into
    unknown, or unknown into the worst, takes no EMS away and lowers no lead.
    """
    milder, worse = data.draw(st.sampled_from(steps(fact)))
    before = answer(router, {**raw, fact.name: milder})
    after = answer(router, {**raw, fact.name: worse})
    spaces.assert_not_less(frozenset(before.preferred), frozenset(after.preferred))


@given(spaces.raw_facts(), st.sampled_from(spaces.DANGERS), spaces.availabilities, st.data())
def test_more_danger_is_never_less_with_the_same_availability(
    raw: dict[str, Any], fact: Fact, available: dict[str, bool], data: st.DataObject
) -> None:
    """
    Under the national baseline the same holds of who finally goes, EMS as the last resort not
    counted.
    """
    milder, worse = data.draw(st.sampled_from(steps(fact)))
    before = answer(spaces.BASELINE, {**raw, fact.name: milder}, available)
    after = answer(spaces.BASELINE, {**raw, fact.name: worse}, available)
    was_last_resort = any(warned.code == "last_resort" for warned in before.warnings)
    kinds = (
        before.kinds - {"ems"}
        if was_last_resort and "ems" not in before.preferred
        else before.kinds
    )
    if kinds:
        spaces.assert_not_less(kinds, after.kinds)


@given(routers, spaces.raw_facts(), st.sampled_from(spaces.PARITY), st.data())
def test_who_somebody_is_adds_no_police_and_takes_no_ems(
    router: Router, raw: dict[str, Any], fact: Fact, data: st.DataObject
) -> None:
    """
    A parity fact, at any value and against its being unknown or false, adds no police and takes no
    EMS away; and a mark that becomes true lowers nothing.
    """
    milder = data.draw(st.sampled_from((fact.values[0], "unknown")))
    worse = data.draw(st.sampled_from(fact.values))
    before, after = (
        answer(router, {**raw, fact.name: milder}),
        answer(router, {**raw, fact.name: worse}),
    )
    assert frozenset(after.preferred) & POLICE == frozenset(before.preferred) & POLICE
    assert ("ems" in before.preferred) <= ("ems" in after.preferred) or fact.kind != "flag"
    if fact.kind == "flag" and worse is True:
        spaces.assert_not_less(frozenset(before.preferred), frozenset(after.preferred))


@given(routers, spaces.raw_facts(), st.sampled_from(spaces.CALMING))
def test_no_calming_fact_lowers_anything_but_a_vouched_safety_plan(
    router: Router, raw: dict[str, Any], fact: Fact
) -> None:
    """
    A calming fact that becomes true lowers nothing against its being unknown, but a safety plan
    that a counselor or clinician vouches for, with weapon and means known to be gone.
    """
    gone = raw.get("weapon") == "none" and raw.get("lethal_means") == "none"
    vouched = raw.get("on_988_line") is True or raw.get("caller") in ("clinician", "crisis_line")
    if fact.name == "safety_plan" and gone and vouched:
        return
    unknown = {name: value for name, value in raw.items() if name != fact.name}
    before, after = answer(router, unknown), answer(router, {**raw, fact.name: True})
    spaces.assert_not_less(frozenset(before.preferred), frozenset(after.preferred))


@given(routers, spaces.raw_facts(), st.data())
def test_a_guess_raises_and_never_calms(
    router: Router, raw: dict[str, Any], data: st.DataObject
) -> None:
    """
    A danger fact that is only assumed is answered at least as well as if it were told, and as if it
    were unknown.
    """
    known = [
        name for name in raw if raw[name] != "unknown" and spaces.VOCABULARY.facts[name].is_danger
    ]
    if not known:
        return
    name = data.draw(st.sampled_from(known))
    guessed = answer(router, raw, {}, name)
    unknown = answer(router, {**raw, name: "unknown"})
    spaces.assert_not_less(frozenset(answer(router, raw).preferred), frozenset(guessed.preferred))
    spaces.assert_not_less(frozenset(unknown.preferred), frozenset(guessed.preferred))


@given(routers, spaces.raw_facts(), spaces.availabilities, st.randoms())
def test_the_order_of_what_is_told_changes_nothing(
    router: Router, raw: dict[str, Any], available: dict[str, bool], random: Any
) -> None:
    """
    The same facts in another order give the same answer, to the last word.
    """
    names = list(raw)
    random.shuffle(names)
    shuffled = {name: raw[name] for name in names}
    kinds = dict(sorted(available.items(), reverse=True))
    assert answer(router, raw, available) == answer(router, shuffled, kinds)


@given(spaces.raw_facts())
def test_unknown_in_words_is_unknown(raw: dict[str, Any]) -> None:
    """
    Who goes is the same whether a fact is left out, null, or was asked in vain.
    """
    told = {name: value for name, value in raw.items() if value != "unknown"}
    nothing = {name: None for name in spaces.VOCABULARY.asked if name not in told}
    assert answer(spaces.BASELINE, raw).kinds == answer(spaces.BASELINE, told).kinds
    assert answer(spaces.BASELINE, {**told, **nothing}).kinds == answer(spaces.BASELINE, told).kinds


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(st.one_of(st.sampled_from(spaces.VOCABULARY.asked), st.text(max_size=9)), junk)
)
def test_no_input_raises(raw: dict[str, Any]) -> None:
    """
    Evaluation is total: whatever stands in a fact's place counts as unknown, and somebody answers.
    """
    assert answer(spaces.BASELINE, raw).responders


@pytest.mark.parametrize(
    "name", [name for name, fact in spaces.VOCABULARY.facts.items() if fact.protected]
)
def test_a_protected_fact_changes_nothing(name: str) -> None:
    """
    No value of a protected fact changes an answer.
    """
    bare = answer(spaces.BASELINE, {"caller": "self"})
    for value in spaces.VOCABULARY.facts[name].values:
        assert answer(spaces.BASELINE, {"caller": "self", name: value}) == bare
