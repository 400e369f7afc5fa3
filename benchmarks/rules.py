"""
Draws rulesets of any size that keep the five shapes, as documents, as an administrator would write
them.

A quarter of the rules are needs and the rest hazards; each has 4 to 8 tests, and one in five has
alternatives.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.calls import Weights
from service.routing.facts import Fact, Vocabulary

TESTS_MIN, TESTS_MAX = 4, 8
ONE_IN_NEED, ONE_IN_ANY = 4, 5
LEADS = ("warm_line", "988", "mobile_crisis")
SOURCE = {"title": "drawn at random, for a benchmark"}

MakeTest = Callable[[random.Random, Fact], object]


def random_ruleset(
    vocabulary: Vocabulary, weights: Weights, rng: random.Random, count: int
) -> dict[str, Any]:
    """
    Draw a ruleset of *count* rules; its last need catches all.
    """
    need_count = max(2, count // ONE_IN_NEED)
    needs = _needs(vocabulary, weights, rng, need_count)
    hazards = [_hazard(weights, rng, place) for place in range(count - need_count)]
    fallback = {
        "warm_line": ["988", "mobile_crisis"],
        "988": ["mobile_crisis"],
        "mobile_crisis": ["988"],
        "co_responder": ["law_enforcement + mobile_crisis", "law_enforcement", "mobile_crisis"],
        "law_enforcement": ["co_responder", "mobile_crisis", "988"],
    }
    return {"name": f"drawn-{count}", "needs": needs, "hazards": hazards, "fallback": fallback}


def _needs(
    vocabulary: Vocabulary, weights: Weights, rng: random.Random, count: int
) -> list[dict[str, Any]]:
    # Shape 1: leads and urgencies never fall down the list.
    urgencies = tuple(vocabulary.urgencies)
    leads = sorted(rng.choices(LEADS, k=count), key=LEADS.index)
    ranks = sorted(rng.randrange(len(urgencies)) for _ in range(count))
    table = []
    for place in range(count):
        rule: dict[str, Any] = {"id": f"n{place}", "lead": leads[place]}
        rule["urgency"] = urgencies[ranks[place]]
        if place < count - 1:
            rule["when"] = _when(weights, rng, weights.facts, _need_test)
        table.append({**rule, "why": "why", "source": SOURCE})
    return table


def _hazard(weights: Weights, rng: random.Random, place: int) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": f"h{place}", "why": "why", "source": SOURCE}
    allowed = [
        fact
        for fact in weights.facts
        if not fact.calming and (not fact.parity or fact.kind == "flag")
    ]
    manner = rng.choice(("police", "raise", "alone", "beside", "ask"))
    if manner == "police":
        # Shape 4: police come for a danger, and for nobody's mark.
        unmarked = [fact for fact in allowed if not fact.parity]
        dangers = [fact for fact in unmarked if fact.hazard]
        rule["when"] = _when(weights, rng, unmarked, _hazard_test, must=dangers)
        rule["at_least"] = rng.choice(("co_responder", "law_enforcement"))
        rule["with"] = rng.sample(("ems", "988", "mobile_crisis"), rng.randrange(3))
        return rule
    rule["when"] = _when(weights, rng, allowed, _hazard_test)
    if manner == "raise":
        rule["at_least"] = rng.choice(LEADS)
    elif manner == "alone":
        rule |= {"with": ["ems"], "alone": True}
    elif manner == "beside":
        rule["with"] = [rng.choice(("ems", "988"))]
    else:
        rule["ask"] = [fact.name for fact in weights.draw(rng, 2)]
    return rule


def _when(
    weights: Weights,
    rng: random.Random,
    facts: Sequence[Fact],
    make_test: MakeTest,
    *,
    must: Sequence[Fact] = (),
) -> dict[str, Any]:
    """
    Draw a condition of 4 to 8 tests, one of them on a fact of *must* where there are any.
    """
    count = rng.randint(TESTS_MIN, TESTS_MAX)
    first = weights.draw(rng, 1, must) if must else []
    rest = [fact for fact in weights.draw(rng, count, facts) if fact not in first]
    drawn = [*first, *rest][:count]
    tests = {fact.name: make_test(rng, fact) for fact in drawn}
    if rng.randrange(ONE_IN_ANY):
        return tests
    names = list(tests)
    shared, one, other = names[:-2], names[-2], names[-1]
    when: dict[str, Any] = {name: tests[name] for name in shared}
    when["any"] = [{one: tests[one]}, {other: tests[other]}]
    return when


def _need_test(rng: random.Random, fact: Fact) -> object:
    """
    Draw a test that shapes 1 and 5 allow in a need.
    """
    if fact.is_danger:
        if fact.kind == "flag":
            return False
        return f"at most {rng.choice(fact.values[:-1])}"
    if fact.parity:
        if fact.kind == "flag":
            return "not true"
        if fact.kind == "number":
            return f"at most {rng.choice(fact.values)} or unknown"
        return [*rng.sample(fact.values, min(2, len(fact.values))), "unknown"]
    if fact.calming:
        return rng.choice(("not false", "not true"))
    return _plain_test(rng, fact)


def _hazard_test(rng: random.Random, fact: Fact) -> object:
    """
    Draw a test that shapes 2, 3 and 4 allow in a hazard; half of them count the unknown as the
    worst.
    """
    tail = rng.choice(("", " or unknown"))
    if fact.is_danger:
        if fact.kind == "flag":
            return f"true{tail}"
        return f"at least {rng.choice(fact.values[1:])}{tail}"
    if fact.parity:
        return True
    return _plain_test(rng, fact)


def _plain_test(rng: random.Random, fact: Fact) -> object:
    if fact.kind == "flag":
        return rng.choice((True, False, "not true", "not false", "true or unknown"))
    if fact.kind == "number":
        return f"{rng.choice(('at least', 'at most'))} {rng.choice(fact.values)} or unknown"
    if fact.kind == "ordered":
        return f"at least {rng.choice(fact.values[1:])} or unknown"
    return [*rng.sample(fact.values, min(3, len(fact.values))), "unknown"]
