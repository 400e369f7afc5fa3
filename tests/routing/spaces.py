"""
The spaces that properties are tested over: random calls, and random rulesets that keep the five
shapes.
"""

from typing import Any

from hypothesis import note
from hypothesis import strategies as st

from service.routing.facts import CallFacts, Fact, Vocabulary
from service.routing.rules import LEADS
from service.rulesets import Config, load_config

CONFIG: Config = load_config()
VOCABULARY: Vocabulary = CONFIG.vocabulary
BASELINE = CONFIG.router("national-baseline")
ASKED = [VOCABULARY.facts[name] for name in VOCABULARY.asked]
DANGERS = [fact for fact in ASKED if fact.is_danger]
PARITY = [fact for fact in ASKED if fact.parity]
CALMING = [fact for fact in ASKED if fact.calming]
KINDS = tuple(VOCABULARY.responders)


def rank(kinds: frozenset[str]) -> int:
    """
    Give the place of the lead on the ladder; EMS alone ranks with a civilian team.
    """
    ranks = [LEADS.index(kind) for kind in kinds if kind in LEADS]
    return max([*ranks, LEADS.index("mobile_crisis") if "ems" in kinds else -1])


def assert_not_less(before: frozenset[str], after: frozenset[str]) -> None:
    """
    Assert that EMS is not taken away and the lead does not fall.
    """
    note(f"{sorted(before)} -> {sorted(after)}")
    assert "ems" not in before or "ems" in after
    assert rank(after) >= rank(before)


def values(fact: Fact) -> st.SearchStrategy[Any]:
    """
    Draw a value of a fact, the mildest and the worst often.
    """
    return st.one_of(
        st.sampled_from(fact.values), st.sampled_from((fact.values[0], fact.values[-1]))
    )


@st.composite
def raw_facts(draw: st.DrawFn, most: int = 14) -> dict[str, Any]:
    """
    Draw facts as a request holds them: a few of any value, some of them asked in vain.
    """
    chosen = draw(st.lists(st.sampled_from(ASKED), max_size=most, unique_by=lambda fact: fact.name))
    raw = {fact.name: draw(st.one_of(values(fact), st.just("unknown"))) for fact in chosen}
    if "age" in raw:
        raw.pop("age_group", None)
    return raw


def call_facts(raw: dict[str, Any], assumed: tuple[str, ...] = ()) -> CallFacts:
    """
    Read facts against the vocabulary.
    """
    return CallFacts.of(VOCABULARY, raw, assumed)


availabilities = st.dictionaries(st.sampled_from(KINDS), st.booleans(), max_size=6)


def or_unknown(text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """
    Draw a test with or without `or unknown`.
    """
    return st.one_of(text, text.map(lambda test: f"{test} or unknown"))


def number_tests(fact: Fact) -> st.SearchStrategy[str]:
    """
    Draw a bound on a number.
    """
    words = st.sampled_from(("at least", "at most"))
    return st.tuples(words, st.sampled_from(fact.values)).map(lambda two: f"{two[0]} {two[1]}")


def plain_tests(fact: Fact) -> st.SearchStrategy[Any]:
    """
    Draw any test of a fact that carries no mark and is no danger.
    """
    common = st.sampled_from(("known", "unknown"))
    if fact.kind == "flag":
        flags = ("true", "false", "not true", "not false", "true or unknown", "false or unknown")
        return st.one_of(st.sampled_from(flags), st.booleans(), common)
    if fact.kind == "number":
        return st.one_of(or_unknown(number_tests(fact)), common)
    listed = st.lists(
        st.sampled_from((*fact.values, "unknown")), min_size=1, max_size=4, unique=True
    )
    return st.one_of(listed, or_unknown(st.sampled_from(fact.values).map(str)), common)


def need_tests(fact: Fact) -> st.SearchStrategy[Any]:
    """
    Draw a test that shapes 1 and 5 allow in a need.
    """
    if fact.is_danger:
        if fact.kind == "flag":
            return st.sampled_from(("false", False))
        return st.sampled_from(fact.values[:-1]).map(lambda value: f"at most {value}")
    if fact.parity:
        if fact.kind == "flag":
            return st.sampled_from(("not true", "false or unknown"))
        if fact.kind == "number":
            return number_tests(fact).map(lambda test: f"{test} or unknown")
        return st.lists(st.sampled_from(fact.values), max_size=2, unique=True).map(
            lambda vs: [*vs, "unknown"]
        )
    if fact.calming:
        return st.sampled_from(("not false", "not true", "true or unknown", "false or unknown"))
    return plain_tests(fact)


def hazard_tests(fact: Fact) -> st.SearchStrategy[Any]:
    """
    Draw a test that shapes 2, 3 and 4 allow in a hazard.
    """
    if fact.is_danger:
        if fact.kind == "flag":
            return st.sampled_from(("true", True, "true or unknown"))
        return or_unknown(st.sampled_from(fact.values[1:]).map(lambda value: f"at least {value}"))
    if fact.parity:
        return st.just("true")
    return plain_tests(fact)


@st.composite
def rows(
    draw: st.DrawFn, facts: list[Fact], tests: Any, least: int, must: list[Fact]
) -> dict[str, Any]:
    """
    Draw one conjunction, with one fact of *must* in it where there are any.
    """
    chosen = draw(
        st.lists(st.sampled_from(facts), min_size=least, max_size=4, unique_by=lambda f: f.name)
    )
    if must and not any(fact in must for fact in chosen):
        chosen.append(draw(st.sampled_from(must)))
    return {fact.name: draw(tests(fact)) for fact in chosen}


@st.composite
def conditions(
    draw: st.DrawFn, facts: list[Fact], tests: Any, least: int = 1, must: list[Fact] | None = None
) -> dict[str, Any]:
    """
    Draw a `when`, sometimes with alternatives.
    """
    when = draw(rows(facts, tests, least, must or []))
    if draw(st.integers(0, 3)) == 0:
        alternatives = st.lists(rows(facts, tests, 1, must or []), min_size=1, max_size=3)
        when["any"] = draw(alternatives)
    return when


SOURCE = {"title": "drawn at random, for a test"}
LADDER = ("warm_line", "988", "mobile_crisis")
URGENCIES = tuple(VOCABULARY.urgencies)
EXCEPTIONS = (
    {"accepts_988": False, "suicide": "at most none", "violence": "at most none"},
    {
        "safety_plan": True,
        "weapon": "at most none",
        "lethal_means": "at most none",
        "on_988_line": True,
    },
)


@st.composite
def needs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """
    Draw needs from the least to the most, ending with one that catches all.
    """
    count = draw(st.integers(1, 5))
    leads = sorted(
        draw(st.lists(st.sampled_from(LADDER), min_size=count, max_size=count)), key=LADDER.index
    )
    urgencies = draw(st.lists(st.sampled_from(URGENCIES), min_size=count, max_size=count))
    urgencies.sort(key=URGENCIES.index)
    table = []
    facts = [fact for fact in ASKED if fact.name not in ("accepts_988", "safety_plan")]
    for place in range(count):
        rule = {"id": f"n{place}", "lead": leads[place], "urgency": urgencies[place], "why": "why"}
        rule["source"] = SOURCE
        if place < count - 1:
            when = draw(conditions(facts, need_tests))
            if draw(st.integers(0, 4)) == 0:
                when = {**when, **draw(st.sampled_from(EXCEPTIONS))}
                when.pop("any", None)
            rule["when"] = when
        table.append(rule)
    return table


@st.composite
def hazards(draw: st.DrawFn) -> list[dict[str, Any]]:
    """
    Draw hazards of every kind: police, EMS alone, with others, asking only.
    """
    table = []
    for place in range(draw(st.integers(0, 8))):
        rule: dict[str, Any] = {"id": f"h{place}", "why": "why", "source": SOURCE}
        manner = draw(st.sampled_from(("police", "raise", "alone", "beside", "ask")))
        allowed = [
            fact for fact in ASKED if not fact.calming and (not fact.parity or fact.kind == "flag")
        ]
        if manner == "police":
            marked = [fact for fact in allowed if fact.hazard]
            facts = [fact for fact in allowed if not fact.parity]
            rule["when"] = draw(conditions(facts, hazard_tests, 0, marked))
            rule["at_least"] = draw(st.sampled_from(("co_responder", "law_enforcement")))
            beside = st.sampled_from(("ems", "988", "mobile_crisis"))
            rule["with"] = draw(st.lists(beside, max_size=3, unique=True))
        else:
            rule["when"] = draw(conditions(allowed, hazard_tests))
            beside = st.sampled_from(("ems", "988"))
            if manner == "raise":
                rule["at_least"] = draw(st.sampled_from(LADDER))
                rule["with"] = draw(st.lists(beside, max_size=2, unique=True))
            elif manner == "alone":
                rule |= {"with": ["ems"], "alone": True}
            elif manner == "beside":
                rule["with"] = draw(st.lists(beside, min_size=1, max_size=2, unique=True))
            else:
                rule["ask"] = [draw(st.sampled_from(ASKED)).name]
        table.append(rule)
    return table


@st.composite
def rulesets(draw: st.DrawFn) -> dict[str, Any]:
    """
    Draw a ruleset that keeps the shapes, with the fallback of the national baseline.
    """
    fallback = CONFIG.rulesets["national-baseline"].content["fallback"]
    return {
        "name": "drawn",
        "needs": draw(needs()),
        "hazards": draw(hazards()),
        "fallback": fallback,
    }
