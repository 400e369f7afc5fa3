"""
Every scenario of every shipped ruleset, through the core; `tests/api` runs the same over HTTP.
"""

import datetime as dt
from itertools import combinations
from pathlib import Path

import pytest

from service.routing.decide import decide
from service.routing.facts import CallFacts
from service.routing.recommendation import Call
from service.rulesets import load_config
from service.scenarios import Scenario, read_scenarios
from service.settings import shipped_config

CONFIG = load_config()
PATHS = sorted((shipped_config() / "rulesets").glob("*/scenarios.yaml"))
ALL = [(path.parent.name, one) for path in PATHS for one in read_scenarios(path)]


@pytest.mark.parametrize(
    ("ruleset", "scenario"), ALL, ids=[f"{name}:{one.id}" for name, one in ALL]
)
def test_every_scenario_is_answered_rightly(ruleset: str, scenario: Scenario) -> None:
    """
    The ruleset answers each of its scenarios as its source has it, no more and no less.
    """
    request = scenario.request
    coded = request.get("incident_type")
    signals = CONFIG.incident_types.signals(coded["registry"], coded["code"]) if coded else ()
    call = Call(CallFacts.of(CONFIG.vocabulary, request["facts"]), signals or ())
    answer = decide(
        call, CONFIG.router(ruleset), request.get("availability", {}), dt.date(2026, 11, 24)
    )
    assert scenario.faults(answer.kinds, [one.fact for one in answer.questions]) == []


@pytest.mark.parametrize("path", PATHS, ids=[path.parent.name for path in PATHS])
def test_no_one_answer_to_every_call_passes_half(path: Path) -> None:
    """
    A router that sends the same set to every call, whoever is in it, gets less than half of the
    scenarios right.
    """
    scenarios = read_scenarios(path)
    kinds = tuple(CONFIG.vocabulary.responders)
    sets = [
        frozenset(one) for size in range(1, len(kinds) + 1) for one in combinations(kinds, size)
    ]
    every_fact = tuple(CONFIG.vocabulary.facts)
    passed = {one: sum(not case.faults(one, every_fact) for case in scenarios) for one in sets}
    best = max(passed, key=lambda one: passed[one])
    assert passed[best] * 2 < len(scenarios), (
        f"{sorted(best)} passes {passed[best]} of {len(scenarios)}"
    )


def test_every_scenario_names_facts_of_the_vocabulary() -> None:
    """
    A scenario's facts are of the vocabulary, so that a misspelt one cannot pass as unknown.
    """
    for _, scenario in ALL:
        for name, value in scenario.request["facts"].items():
            assert value == "unknown" or CONFIG.vocabulary.facts[name].has(value), (
                scenario.id,
                name,
                value,
            )


def test_every_rule_of_the_baseline_can_fire() -> None:
    """
    No rule of the national baseline is dead: for each there is a call on which it fires.
    """
    router = CONFIG.router("national-baseline")
    day = dt.date(2026, 11, 24)
    for rule in (*router.matcher.ruleset.needs, *router.matcher.ruleset.hazards):
        told = {
            test.fact: max(test.values, key=CONFIG.vocabulary.facts[test.fact].values.index)
            for test in rule.rows[0]
            if test.values
        }
        facts = CallFacts.of(CONFIG.vocabulary, told)
        fired = router.matcher.fired(router.matcher.match(facts, day))
        assert rule in (fired.need, *fired.hazards), rule.id
