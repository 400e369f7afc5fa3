"""
What type codes say: how files of them are read, and what the shipped ones say of a call.
"""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from service.incident_type_files import read_incident_types
from service.incident_types import Facts, IncidentTypes
from service.routing.decide import kinds_of
from service.routing.facts import CallFacts
from service.routing.problems import Problem
from service.routing.recommendation import Call
from service.routing.signals import Signal
from service.yaml_files import read_yaml_text
from tests.routing import spaces

TYPES = spaces.CONFIG.incident_types
DAY = dt.date(2026, 11, 24)
CRIME = ("none", "nonviolent", "in_progress", "violent")


def read(**files: str) -> tuple[IncidentTypes, list[Problem]]:
    """
    Read files of types, given as their text by name.
    """
    documents = {f"{name}.yaml": read_yaml_text(text) for name, text in files.items()}
    return read_incident_types(spaces.VOCABULARY, documents)


def said(types: IncidentTypes, registry: str, code: str) -> dict[str, Any] | None:
    """
    Give what a code says, as a mapping.
    """
    signals = types.signals(registry, code)
    return None if signals is None else {one.fact: one.value for one in signals}


OWN = """
registry: own
prefixes: [OBS]
types:
  - {code: "SUI 1", facts: {suicide: intent}}
  - {pattern: "SUI*", facts: {behavioral_health: true}}
  - {pattern: "SUI-A*", facts: {overdose: suspected}}
  - {code: "5-A-1", facts: {medical: serious}}
  - {pattern: "5-*", facts: {}}
suffixes:
  W: {weapon: firearm}
  VW: {violence: potential, weapon: firearm}
"""


def test_an_exact_code_wins_then_a_suffix_then_the_longest_pattern() -> None:
    """
    The more a line has in common with a code, the more it says of it.
    """
    types, problems = read(own=OWN)
    assert problems == []
    assert said(types, "own", "obs - sui-01") == {"suicide": "intent"}
    assert said(types, "OWN", "SUI 2") == {"behavioral_health": True}
    assert said(types, "own", "SUI-ABC") == {"overdose": "suspected"}
    assert said(types, "own", "5A1W") == {"medical": "serious", "weapon": "firearm"}
    assert said(types, "own", "5-A-1-VW") == {
        "medical": "serious",
        "violence": "potential",
        "weapon": "firearm",
    }
    assert said(types, "own", "5-A-9-W") == {"weapon": "firearm"}
    assert said(types, "own", "5-W") == {}
    assert said(types, "own", "nothing") is None
    assert said(types, "elsewhere", "SUI 1") is None


def test_what_the_agency_says_itself_wins() -> None:
    """
    An own mapping stands over the file, in every way to write the code, and takes a suffix too.
    """
    types, _ = read(own=OWN)
    own = {types.normalised("Own", "SUI-1"): {"lethal_means": "in_hand"}}
    mapped = types.signals("own", "OBS sui 001", own)
    assert mapped == (Signal("lethal_means", "present", "in_hand", "incident_type"),)
    local: dict[tuple[str, str], Facts] = {("local", "q7"): {"medical": "serious"}}
    assert [one.fact for one in types.signals("local", "LOCAL Q-07", local) or ()] == ["medical"]
    assert types.signals("local", "Q8", local) is None


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ('{code: "A", facts: {weapon: none}}', "bad_type", "cannot say that there is no `weapon`"),
        ('{code: "A", facts: {hostage: false}}', "bad_type", "there is no `hostage`"),
        ('{code: "A", facts: {scene_safe: true}}', "bad_type", "a code cannot calm"),
        ('{code: "A", facts: {weapn: blade}}', "bad_type", "`weapn` is not in the vocabulary"),
        ('{code: "A", facts: {weapon: knife}}', "bad_type", "has no value `knife`"),
        ('{code: "A", facts: {housing: housed}}', "bad_type", "not in the vocabulary"),
        ('{code: "A", facts: [weapon]}', "bad_type", "must be a mapping"),
        ("{facts: {}}", "no_code", "a `code` or a `pattern`"),
        ('{code: "A", pattern: "A*", facts: {}}', "no_code", "a `code` or a `pattern`"),
        ("{code: 7, facts: {}}", "no_code", "a `code` or a `pattern`"),
        ('{code: "--", facts: {}}', "no_code", "neither letters nor numbers"),
        ('{pattern: "*", facts: {}}', "no_code", "neither letters nor numbers"),
        ('{pattern: "A", facts: {}}', "bad_pattern", "letters and a `*`"),
        ("A", "no_code", "a `code` or a `pattern`"),
    ],
)
def test_a_bad_line_is_named_with_its_place(line: str, code: str, words: str) -> None:
    """
    Each fault says in which file and line it is, and what is wrong.
    """
    _, problems = read(own=f"types:\n  - {line}\n")
    assert [(one.code, one.line, one.file) for one in problems] == [(code, 2, "own.yaml")]
    assert words in problems[0].message


def test_codes_that_are_one_and_say_two_things_are_a_fault() -> None:
    """
    Two spellings of one code may stand in a file only if they say the same; so may two patterns.
    """
    _, problems = read(
        own="""
types:
  - {code: "25-A-1", facts: {suicide: intent}}
  - {code: "25A01", facts: {suicide: intent}}
  - {code: "own 25 a 1", facts: {}}
  - {pattern: "X-*", facts: {}}
  - {pattern: "x*", facts: {suicide: plan}}
"""
    )
    assert [(one.code, one.line) for one in problems] == [("type_twice", 5), ("type_twice", 7)]


def test_other_faults_of_a_file() -> None:
    """
    Lists that are none, suffixes that are no letters, and a registry in two files are named, all at
    once.
    """
    one = "registry: a\nprefixes: OBS\nsuffixes: {1: {}, W: {weapon: none}}\ntypes: 5\n"
    _, problems = read(one=one, two="registry: A\nsuffixes: []\n", three="[]\n")
    assert sorted(problem.code for problem in problems) == sorted(
        ["bad_list", "bad_suffix", "bad_type", "bad_type", "registry_twice"]
    )


def every_saying() -> list[tuple[str, Facts]]:
    """
    Give every different thing that a shipped code, pattern or suffix says, with one that says it.
    """
    found: dict[tuple[tuple[str, Any], ...], tuple[str, Facts]] = {}
    for name, one in TYPES.registries.items():
        for code, facts in [
            *one.codes.items(),
            *((f"{pattern.pieces}", facts) for pattern, facts in one.patterns),
            *one.suffixes.items(),
        ]:
            found.setdefault(tuple(sorted(facts.items())), (f"{name} {code}", facts))
    return [one for one in found.values() if one[1]]


EVERY_SAYING = every_saying()


@given(st.one_of(spaces.raw_facts(), spaces.raw_facts(most=3)))
def test_no_code_makes_an_answer_milder(raw: dict[str, Any]) -> None:
    """
    With a shipped code the lead is not below what it is without, and EMS is not taken away,
    whatever else is known.

    One thing is left out: a counselor who vouches for a safety plan is believed by the rules where
    intent is known, and not where nobody knows of it. A suicide code may say no more than intent.
    """
    raw.pop("safety_plan", None)
    facts = CallFacts.of(spaces.VOCABULARY, raw)
    before = kinds_of(Call(facts), spaces.BASELINE, {}, DAY)
    for named, said_by_code in EVERY_SAYING:
        signals = tuple(
            Signal(fact, "present", value, "incident_type") for fact, value in said_by_code.items()
        )
        note(named)
        spaces.assert_not_less(before, kinds_of(Call(facts, signals), spaces.BASELINE, {}, DAY))


def test_every_shipped_saying_keeps_to_the_principle() -> None:
    """
    Somebody in a crisis is a parity fact and nothing more; a petty offence is nonviolent; a threat
    of suicide is intent at most; nothing is said to be at its mildest.
    """
    facts = spaces.VOCABULARY.facts
    for named, said_by_code in EVERY_SAYING:
        for name, value in said_by_code.items():
            assert not (facts[name].is_danger and value in (facts[name].values[0], False)), named
            assert not facts[name].calming, named
        assert said_by_code.get("suicide") in (None, "intent", "attempt"), named
        if said_by_code.get("suicide") == "attempt":
            assert "suicideattempt" in named
        assert said_by_code.get("crime", "none") in CRIME, named


def test_every_common_type_of_the_eido_registry_is_known() -> None:
    """
    All 245 values that NENA-STA-021.1b-2022, chapter 3, names for EIDO-IncidentType-Common are in
    the table of APCO.
    """
    path = Path(__file__).parent / "eido_common_values.csv"
    values = path.read_text(encoding="utf-8").split()[1:]
    assert len(values) == 245
    assert [one for one in values if TYPES.signals("apco", one) is None] == []


@pytest.mark.parametrize(
    ("registry", "code", "facts"),
    [
        ("apco", "EDP", {"behavioral_health": True}),
        ("apco", "MNTL", {"behavioral_health": True}),
        ("apco", "MTLV", {"behavioral_health": True, "violence": "potential"}),
        ("apco", "SUICTHRT", {"behavioral_health": True, "suicide": "intent"}),
        ("apco", "trespass", {"crime": "nonviolent"}),
        ("apco", "INDECENT", {"crime": "nonviolent"}),
        ("apco", "DRUGS", {"crime": "nonviolent"}),
        ("apco", "DISORD", {"crime": "nonviolent"}),
        ("apco", "INTOX", {"crime": "nonviolent", "intoxication": "mild"}),
        ("apco", "RESPARR", {"breathing": "absent"}),
        ("apco", "DVNA", {}),
        ("apco", "TROUBLE", {}),
        ("mpds", "MPDS 25-A-2", {"behavioral_health": True, "suicide": "intent"}),
        (
            "mpds",
            "25A1B",
            {"behavioral_health": True, "violence": "potential", "weapon": "firearm"},
        ),
        ("mpds", "25-B", {"behavioral_health": True}),
        (
            "ppds",
            "127-D-1-E",
            {"behavioral_health": True, "suicide": "intent", "medical": "serious"},
        ),
        ("ppds", "113-B-2", {"crime": "nonviolent"}),
        ("new_orleans", "mental patient", {"behavioral_health": True}),
        ("dallas", "46 - CIT", {"behavioral_health": True}),
        ("dallas", "6x - major dist (violence)", {"violence": "potential"}),
        ("seattle", "OBS - TRESPASS", {"crime": "nonviolent"}),
    ],
)
def test_what_codes_that_matter_say(registry: str, code: str, facts: dict[str, Any]) -> None:
    """
    A code says what it says and no more.
    """
    assert said(TYPES, registry, code) == facts
    assert said(TYPES, registry, f"  {code.lower()}. ") == facts
