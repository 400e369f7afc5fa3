"""
The matcher against the naive evaluator, on the same rules and the same calls, and the whole of
`decide`.

*Fresh* empties the memory of the matcher and of the router before each call, as if no call like it
had ever come; *remembered* is a process that has seen such calls before.
"""

import datetime as dt
import random
import statistics
import time
from dataclasses import dataclass

from benchmarks.calls import random_calls, read_weights
from benchmarks.naive import fire_naively
from benchmarks.rounds import Case, Rounds, Timed, interleave
from benchmarks.rules import random_ruleset
from benchmarks.table import number, show
from service.routing.decide import Router, decide
from service.routing.facts import CallFacts
from service.routing.matcher import compile_ruleset
from service.routing.recommendation import Call
from service.rulesets import Config, load_config

SIZES = (30, 300, 3000)
TARGET_SIZE, TARGET_RATIO = 300, 20.0
DAY = dt.date(2026, 11, 24)


@dataclass(frozen=True, slots=True)
class Plan:
    """
    How many random calls are matched, how many of them decided, how often, and how often a ruleset
    is made.
    """

    calls: int
    decided: int
    makes: int
    rounds: Rounds


FULL = Plan(calls=200, decided=40, makes=3, rounds=Rounds(9, s_max=45))
QUICK = Plan(calls=30, decided=5, makes=1, rounds=Rounds(3, s_max=3))


@dataclass(frozen=True, slots=True)
class Sized:
    """
    A ruleset of one size, and what it costs to make, in milliseconds: to compile, and to publish as
    a whole.
    """

    size: int
    router: Router
    compile_ms: float
    publish_ms: float


def measure_matching(*, quick: bool, seed: int) -> None:
    """
    Check that both evaluators agree on every call, then time them, and print the tables.
    """
    plan = QUICK if quick else FULL
    config = load_config()
    weights = read_weights(config.vocabulary)
    rng = random.Random(seed)
    documents = {size: random_ruleset(config.vocabulary, weights, rng, size) for size in SIZES}
    sized = [_make(config, documents[size], size, plan.makes) for size in SIZES]
    calls = random_calls(config.vocabulary, weights, rng, plan.calls)
    fired = {one.size: _agree(one.router, calls) for one in sized}
    print(
        f"\nBoth evaluators fire the same rules on each of {len(calls)} random calls"
        f" at {', '.join(f'{size:,}' for size in SIZES)} rules (seed {seed})."
    )
    cases = [case for one in sized for case in _cases(one, calls, plan.decided)]
    timed = interleave(cases, plan.rounds, time.thread_time_ns)
    _show(sized, timed, fired)


def _make(config: Config, document: dict[str, object], size: int, makes: int) -> Sized:
    compile_ms, publish_ms = [], []
    for _ in range(makes):
        began = time.thread_time()
        router = config.publish(document, 1).router
        publish_ms.append(1000 * (time.thread_time() - began))
        began = time.thread_time()
        compile_ruleset(config.vocabulary, router.matcher.ruleset, config.ways.without_988)
        compile_ms.append(1000 * (time.thread_time() - began))
    return Sized(size, router, statistics.median(compile_ms), statistics.median(publish_ms))


def _agree(router: Router, calls: list[CallFacts]) -> float:
    """
    Hold both evaluators against each other on every call; gives the mean number of rules that fire.

    Raises:
        RuntimeError: they do not agree, and then no time means anything.
    """
    matcher = router.matcher
    count = 0
    for facts in calls:
        by_masks = matcher.fired(matcher.match(facts, DAY))
        if by_masks != fire_naively(matcher.ruleset, facts, DAY):
            raise RuntimeError(f"the matcher and the naive evaluator differ on {dict(facts.known)}")
        count += 1 + len(by_masks.hazards)
    return count / len(calls)


def _cases(one: Sized, calls: list[CallFacts], decided: int) -> list[Case]:
    router, matcher, size = one.router, one.router.matcher, one.size
    whole = [Call(facts) for facts in calls[:decided]]

    def fire(facts: CallFacts) -> object:
        return matcher.fired(matcher.match(facts, DAY))

    def fire_fresh(facts: CallFacts) -> object:
        matcher.remembered.clear()
        return fire(facts)

    def decide_it(call: Call) -> object:
        return decide(call, router, {}, DAY)

    def decide_fresh(call: Call) -> object:
        matcher.remembered.clear()
        router.remembered.clear()
        return decide_it(call)

    def fired_before() -> list[CallFacts]:
        # What was remembered is gone after the fresh ones, so it is made again, untimed.
        return [facts for facts in calls if fire(facts)]

    def decided_before() -> list[Call]:
        return [call for call in whole if decide_it(call)]

    return [
        Case(
            f"naive {size}", lambda: calls, lambda facts: fire_naively(matcher.ruleset, facts, DAY)
        ),
        Case(f"fresh {size}", lambda: calls, fire_fresh),
        Case(f"remembered {size}", fired_before, fire),
        Case(f"match {size}", lambda: calls[:decided], lambda facts: matcher.match(facts, DAY)),
        Case(f"decide {size}", decided_before, decide_it),
        Case(f"decide fresh {size}", lambda: whole, decide_fresh),
    ]


def _show(sized: list[Sized], timed: dict[str, Timed], fired: dict[int, float]) -> None:
    rows = []
    for one in sized:
        naive, fresh = timed[f"naive {one.size}"], timed[f"fresh {one.size}"]
        remembered = timed[f"remembered {one.size}"]
        words = (naive.ratio(fresh), naive.ratio(remembered), naive.us, fresh.us, remembered.us)
        rows.append([f"{one.size:,}", number(fired[one.size]), *map(number, words)])
    header = ["rules", "fire", "naive/fresh", "naive/remembered", "naive µs", "fresh µs", "rem. µs"]
    show("Matcher (match and name the rules) against the naive evaluator", header, rows)
    ratio = timed[f"naive {TARGET_SIZE}"].ratio(timed[f"fresh {TARGET_SIZE}"])
    verdict = "met" if ratio >= TARGET_RATIO else "NOT met"
    print(f"  target at {TARGET_SIZE} rules: {TARGET_RATIO:g}x, fresh: {ratio:.0f}x: {verdict}")
    rows = []
    smallest = timed[f"decide {sized[0].size}"]
    for one in sized:
        whole, fresh = timed[f"decide {one.size}"], timed[f"decide fresh {one.size}"]
        share = 100 * timed[f"match {one.size}"].ratio(whole)
        cells = (whole.ratio(smallest), fresh.ratio(whole), whole.us, fresh.us)
        costs = (one.compile_ms, one.publish_ms)
        rows.append([f"{one.size:,}", f"{share:.1f} %", *map(number, (*cells, *costs))])
    header = ["rules", "match in it", f"x of {sized[0].size}", "fresh/remembered"]
    header += ["remembered µs", "fresh µs", "compile ms", "publish ms"]
    show("The whole of `decide`, and what a ruleset costs to make", header, rows)
