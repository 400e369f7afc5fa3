"""
What remarks say: the shorthand that dispatchers write, and what must not be read out of it.
"""

import gc
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing.decide import decide
from service.routing.facts import CallFacts
from service.routing.lexicon import Lexicon, read_lexicon
from service.routing.recommendation import Call
from service.routing.rules import POLICE
from service.routing.signals import read_remarks
from service.rulesets import load_config
from service.settings import shipped_config
from service.yaml_files import read_yaml
from tests.remarks.negex_corpus import negation
from tests.remarks.scoring import (
    GROUPS,
    grouped,
    read_labelled,
    tallies,
    unknown_read_as_absent,
)
from tests.routing.spaces import BASELINE
from tests.routing.test_invariants import DAY

CONFIG = load_config()
LEXICON: Lexicon = CONFIG.lexicon
Said = set[tuple[str, str, Any]]


def said(text: str) -> Said:
    """
    Give what a remark says, without its places.
    """
    return {(one.fact, one.outcome, one.value) for one in read_remarks(LEXICON, text)}


NO_WEAPON = ("weapon", "absent", "none")
NOBODY_KNOWS = ("weapon", "unknown", None)
BLADE = ("weapon", "present", "blade")
GUN = ("weapon", "present", "firearm")
NO_SUICIDE = ("suicide", "absent", "none")
IDEATION = ("suicide", "present", "ideation")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NEG WPNS", {NO_WEAPON}),
        ("W/O WPNS", {NO_WEAPON}),
        ("NO WEAPONS SEEN", {NO_WEAPON}),
        ("WEAPONS, NONE SEEN", {NO_WEAPON}),
        ("WEAPONS: N", {NO_WEAPON}),
        ("WPNS UNK", {NOBODY_KNOWS}),
        ("UNK IF ARMED", {NOBODY_KNOWS}),
        ("cannot rule out weapons", {NOBODY_KNOWS}),
        ("RP NOT SURE IF HE HAS A GUN", {NOBODY_KNOWS}),
        ("poss gun", {GUN}),
        ("DENIES SI/HI", {NO_SUICIDE, ("violence", "absent", "none")}),
        ("DENIES SI BUT HAS KNIFE", {NO_SUICIDE, BLADE}),
        ("NO WEAPONS, SUICIDAL", {NO_WEAPON, IDEATION}),
        ("WPNS NEG SI NEG", {NO_WEAPON, NO_SUICIDE}),
        ("SI: UNK WPNS: NO", {("suicide", "unknown", None), NO_WEAPON}),
        ("NO LONGER SUICIDAL", {NO_SUICIDE}),
        ("no change, still suicidal", {IDEATION}),
        ("SUBJ DOES NOT DENY SI", {IDEATION}),
        ("does not want to live", {("suicide", "present", "wish_to_be_dead")}),
        ("no reason to live", {("suicide", "present", "wish_to_be_dead")}),
        ("no plan", set()),
        ("took no meds today", set()),
        ("took 40 Tylenol", {("overdose", "present", "confirmed")}),
        ("nail gun", set()),
        ("cutting grass", set()),
        ("killer headache", set()),
        ("brother died by suicide last year", set()),
        ("BRO COMMITTED SUICIDE LAST YR", set()),
        ("MOTHER KILLED HERSELF 2 YRS AGO", set()),
        ("KNIFE IN KITCHEN DRAWER", set()),
        (
            "prior attempt",
            {("suicide", "historical", None), ("suicide_history", "historical", "past")},
        ),
        ("NO HX OF VIOLENCE", {("history_violence", "absent", "none")}),
    ],
)
def test_shorthand_says_this_and_nothing_else(text: str, expected: Said) -> None:
    """
    Negation, doubt, history, other people's history and homographs are read for what they are.
    """
    assert said(text) == expected


@pytest.mark.parametrize(
    ("text", "among"),
    [
        ("not breathing", {("breathing", "present", "absent")}),
        ("no meds 3 wks, hearing voices", {("psychosis", "present", True)}),
        (
            "gun to his head",
            {
                GUN,
                ("weapon_access", "present", "in_hand"),
                ("weapon_toward", "present", "self_only"),
            },
        ),
        ("guns in safe", {GUN, ("weapon_access", "present", "in_home")}),
        ("pointing it at mother", {("weapon_toward", "present", "others")}),
        ("SON 34 YOM DOWN, NOT RESPONDING", {("age", "present", 34)}),
        ("stabbed his mother", {("violence", "present", "physical"), BLADE}),
        ("STABBED IN ABD BY UNK MALE", {("violence", "present", "physical"), BLADE}),
    ],
)
def test_a_remark_says_several_things_at_once(text: str, among: Said) -> None:
    """
    Where a weapon is and whom it is turned on are read beside the weapon; 'not' in 'not breathing'
    is the emergency.
    """
    assert among <= said(text)


@pytest.mark.parametrize(
    "text",
    [
        "HAS KNIFE TO THROAT OF GF",
        "HOLDING KNIFE TO THROAT OF RP",
        "GUN TO HEAD OF CLERK",
        "KNIFE AT HIS DADS NECK",
    ],
)
def test_a_weapon_at_somebody_elses_throat_is_turned_on_them(text: str) -> None:
    """
    Only an owner's word makes it the person's own throat; 'of' somebody makes it a threat.
    """
    assert {("weapon_toward", "present", "others"), ("violence", "present", "threat")} <= said(text)
    assert ("weapon_toward", "present", "self_only") not in said(text)


@pytest.mark.parametrize(
    "text",
    [
        "WANTS TO STAB HIMSELF AND THE KIDS",
        "THREATENING TO KILL HIMSELF AND HIS MOM",
        "GOING TO STAB HIMSELF OR HIS SISTER",
        "MURDER SUICIDE",
    ],
)
def test_harm_to_self_does_not_hide_harm_to_others(text: str) -> None:
    """
    Who is threatened beside the person themselves is read too.
    """
    assert ("violence", "present", "threat") in said(text)


@pytest.mark.parametrize(
    "text",
    [
        *("HI RP IS CALLING FOR HER SON", "HI RISK", "IS HE ARMED?", "RP IS ARMED HOMEOWNER"),
        *("DOESNT WANT TO HURT ANYONE", "NO INTENT TO HURT ANYONE", "NEG ON SI OR HI"),
    ],
)
def test_a_greeting_a_question_or_a_denial_brings_no_danger(text: str) -> None:
    """
    'HI' is a greeting unless something near says otherwise, and a question states nothing.
    """
    assert not [one for one in said(text) if one[1] == "present" and one[0] != "age"]


def test_no_word_hides_behind_what_nobody_sees() -> None:
    """
    A soft hyphen or a joiner within a word does not count.
    """
    assert GUN in said("HAS A GU\u200bN")
    assert BLADE in said("HAS A KN\u00adIFE")


def test_two_ages_fill_no_age() -> None:
    """
    Whose age it is nobody can tell where a remark holds two.
    """
    assert not [one for one in said("MOTHER 54 YOF ABOUT SON 17 YOM") if one[0] == "age"]


def test_two_remarks_that_disagree_are_both_read() -> None:
    """
    A denial does not hide what another line says.
    """
    assert said("DENIES WEAPONS\nRP SAW A KNIFE") >= {NO_WEAPON, BLADE}


@pytest.mark.parametrize("text", [one["text"] for one in read_labelled("tuning")[:120]])
def test_evidence_stands_where_it_says(text: str) -> None:
    """
    Every signal of a remark shows a place within it that is not empty.
    """
    for one in read_remarks(LEXICON, text):
        assert one.text_span is not None
        start, end = one.text_span
        assert 0 <= start < end <= len(text)


@given(st.text(max_size=400))
def test_any_text_at_all_is_read_without_fault(text: str) -> None:
    """
    Reading is total: no characters make it raise, and every value is one of the vocabulary's.
    """
    for one in read_remarks(LEXICON, text):
        fact = CONFIG.vocabulary.facts[one.fact]
        assert one.value is None or fact.kind == "number" or fact.has(one.value)


SHORTHAND = "no neg denies unk if si hi wpns gun knife or and / , . : n took pills not 3 é"
WORDS = st.sampled_from(SHORTHAND.split())


@given(st.lists(WORDS, max_size=60))
def test_any_shorthand_at_all_is_read_without_fault(words: list[str]) -> None:
    """
    Cues and phrases in any order are read, each thing once.
    """
    read = read_remarks(LEXICON, " ".join(words))
    keys = [(one.fact, one.outcome, one.value) for one in read]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "NO ",
            "NEG SI ",
            "DENIES ",
            "gun or ",
            "no gun, ",
            "W/O ",
            "<b>no weapons</b> ",
            "é",
            "𝕏 ",
        ),
        *(
            "unk if he ",
            "took 40 of his pills and ",
            "hx of ",
            ": n ",
            "\n",
            "threatening to kill his ",
        ),
    ],
)
def test_no_text_makes_reading_slow(piece: str) -> None:
    """
    64 KiB of a piece again and again takes nowhere near the square of what an eighth of it takes:
    the time grows with the length, and no pattern runs away.
    """
    long = (piece * (65_536 // len(piece) + 1))[:65_536]
    short = long[: len(long) // 8]
    read_remarks(LEXICON, short)
    quickest_short = min(_seconds(short) for _ in range(5))
    quickest_long = min(_seconds(long) for _ in range(3))
    assert quickest_long < 30 * quickest_short + 0.2


def _seconds(text: str) -> float:
    # Of this process alone, and without the collector, which walks everything that tests made.
    gc.disable()
    began = time.process_time()
    read_remarks(LEXICON, text)
    took = time.process_time() - began
    gc.enable()
    return took


PARITY = {name for name, fact in CONFIG.vocabulary.facts.items() if fact.parity}


def plain_phrases() -> list[str]:
    """
    Give every phrase of the lexicons that speaks of a parity fact and is written in plain words.
    """
    found = []
    for path in sorted((shipped_config() / "remarks").glob("*.yaml")):
        says = read_yaml(path)[0]["says"]
        for name in PARITY & says.keys():
            found += [str(one) for phrases in says[name].values() for one in phrases]
    return [one for one in found if one.islower() and not set(one) & set(".|?")]


def test_no_phrase_of_mental_health_brings_police() -> None:
    """
    No phrase that says something of parity facts alone adds police by itself, whatever else is
    told.
    """
    tried = 0
    for text in plain_phrases():
        read = read_remarks(LEXICON, text)
        if not read or not {one.fact for one in read} <= PARITY:
            continue
        tried += 1
        for told in ({}, {"caller": "remote"}, {"caller": "self", "weapon": "none"}):
            facts = CallFacts.of(CONFIG.vocabulary, told)
            before = decide(Call(facts), BASELINE, {}, DAY)
            after = decide(Call(facts, read), BASELINE, {}, DAY)
            assert after.kinds & POLICE <= before.kinds & POLICE, text
    assert tried > 500


def test_a_wrong_lexicon_is_named_by_file_and_line() -> None:
    """
    An unknown fact, value, list, key or way of reading is a problem with the nearest right name.
    """
    document = {
        "sayz": {},
        "words": {"GUN": ["gun", "KNIFES"]},
        "cues": [{"says": "absnt", "phrases": ["no"]}],
        "says": {
            "weapn": {"blade": ["x"]},
            "weapon": {"blad": ["y"], "blade": ["HAMMER z", ".. a"]},
        },
    }
    _, problems = read_lexicon(CONFIG.vocabulary, {"own.yaml": (document, {"sayz": 7})})
    assert {one.file for one in problems} == {"own.yaml"}
    assert [one.line for one in problems if one.path == "sayz"] == [7]
    assert {(one.code, one.suggestion) for one in problems} >= {
        ("unknown_key", "says"),
        ("bad_cue", "absent"),
        ("unknown_fact", "weapon"),
        ("bad_value", "blade"),
    }
    assert sum(one.code == "bad_phrase" for one in problems) == 2
    assert sum(one.code == "unknown_words" for one in problems) == 1


@pytest.mark.parametrize("half", ["test", "tuning"])
@pytest.mark.parametrize("group", GROUPS)
def test_what_is_present_is_read(half: str, group: str) -> None:
    """
    Recall and precision of what is present do not fall below 0.8; `docs/signals.md` shows them.
    """
    tally = grouped(tallies(LEXICON, read_labelled(half)), "present")[group]
    assert tally.labelled >= 40
    assert (tally.recall or 0) >= 0.8
    assert (tally.precision or 0) >= 0.8


@pytest.mark.parametrize("half", ["test", "spanish"])
def test_what_nobody_knows_is_never_read_as_absent(half: str) -> None:
    """
    No label 'unknown' is read as absent.
    """
    assert unknown_read_as_absent(LEXICON, read_labelled(half)) == 0


def test_negation_holds_on_the_negex_annotations() -> None:
    """
    Recall and precision of negated concepts in clinical sentences are 0.95 or more.
    """
    tally, _ = negation()
    assert (tally.recall or 0) >= 0.95
    assert (tally.precision or 0) >= 0.95
