"""
What Seattle's call types say.
"""

from functools import cache
from typing import Any

import pytest
import yaml

from service.demo import (
    read_calls,
)
from service.incident_types import normalised
from tests.demo.makers import CALLS, CONFIG, faults_of, vocabulary


@cache
def seattle() -> list[dict[str, Any]]:
    path = CONFIG / "incident_types" / "seattle.yaml"
    types: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["types"]
    return types


def test_seattle_types_use_the_vocabulary() -> None:
    """
    Every type fills only facts and values of the vocabulary.
    """
    facts = vocabulary()

    assert {} == {
        one["code"]: faults for one in seattle() if (faults := faults_of(facts, one["facts"]))
    }


def test_seattle_types_have_no_other_keys() -> None:
    """
    A type is a code, its facts and perhaps a category; a silent type says so with empty facts.
    """
    for one in seattle():
        assert {"code", "facts"} <= one.keys() <= {"code", "facts", "category"}
        assert isinstance(one["facts"], dict)


def test_no_seattle_code_stands_twice() -> None:
    """
    No two codes are the same when case, spaces and punctuation are left out.
    """
    codes = [normalised(one["code"]) for one in seattle()]

    assert len(codes) == len(set(codes))


def test_every_type_of_the_shipped_calls_is_known() -> None:
    """
    Every opening and closing type of the demo's calls is in the file, to the letter.
    """
    known = {one["code"] for one in seattle()}
    calls = read_calls(CALLS)
    used = {one.initial_call_type for one in calls} | {one.final_call_type for one in calls}

    assert set() == used - known


def test_no_seattle_type_says_that_there_is_no_danger() -> None:
    """
    No type fills the mildest value of an ordered fact, a `none`, or a false flag.
    """
    facts = vocabulary()
    for one in seattle():
        for name, value in one["facts"].items():
            assert value is not False, one["code"]
            assert value != "none", one["code"]
            if facts[name]["kind"] == "ordered":
                assert value != next(iter(facts[name]["values"])), one["code"]


def types_with(*words: str) -> list[dict[str, Any]]:
    found = [one for one in seattle() if any(word in one["code"] for word in words)]
    assert found, words
    return found


@pytest.mark.parametrize(
    "word",
    [
        "TRESPASS",
        "PROWLER",
        "LEWD",
        "SEX IN PUBLIC",
        "URINATING",
        "NUISANCE",
        "NOISE",
        "LIQUOR",
        "LIQ VIOLS",
        "NARCOTICS",
        "PANHANDLING",
    ],
)
def test_a_petty_offence_is_no_crime_in_progress(word: str) -> None:
    """
    Trespass, indecency, nuisance, noise, drink and drugs are nonviolent, even while they happen.
    """
    for one in types_with(word):
        assert one["facts"].get("crime", "nonviolent") == "nonviolent", one["code"]
        assert "violence" not in one["facts"], one["code"]


def test_a_crisis_type_says_behavioural_health_and_no_danger_to_others() -> None:
    """
    A crisis or mental type fills the flag and nothing else; a suicide type at most intent.
    """
    for one in types_with("CRISIS", "MENTAL -"):
        assert {"behavioral_health": True} == one["facts"], one["code"]
    for one in types_with("SUICID"):
        assert {"behavioral_health": True, "suicide": "intent"} == one["facts"], one["code"]


def test_what_was_taken_down_later_says_nothing_dangerous() -> None:
    """
    Reports by telephone, second reports and delayed calls fill nothing at all.
    """
    for one in types_with("TRU - ", "SECONDARY", "REPORT", "DELAY", "PROPERTY - FOUND"):
        assert {} == one["facts"], one["code"]


def test_only_a_type_that_says_gun_or_shot_fills_a_gun() -> None:
    """
    `weapon: firearm` comes only from a type whose text names a gun, somebody shot at, or a weapon
    of no kind, never from a bang.
    """
    guns = {one["code"] for one in seattle() if one["facts"].get("weapon") == "firearm"}

    assert guns
    for code in guns:
        named = ("GUN", "FIREARM", "SHOT OR SHOT AT", "SHOOTING", "WITH WEAPONS", "ARMED")
        assert any(word in code for word in named)
        assert "NO SHOOTINGS" not in code
    for one in types_with("SHOTS"):
        assert {} == one["facts"], one["code"]


def test_threats_by_letter_bring_no_police() -> None:
    """
    The type that holds threats in person, by telephone and in writing is silent about violence.
    """
    for one in types_with("THREATS (INCLS"):
        assert {} == one["facts"]


def test_robbery_and_burglary_are_in_progress_only_where_the_type_says_so() -> None:
    """
    `crime: in_progress` comes only from robbery and burglary in progress, just occurred or
    critical.
    """
    codes = [one["code"] for one in seattle() if one["facts"].get("crime") == "in_progress"]

    assert codes
    for code in codes:
        assert "IP/JO" in code or "CRITICAL" in code
        assert any(word in code for word in ("ROBBERY", "BURG"))
