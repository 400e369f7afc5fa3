"""
How responders are brought in, who comes instead, what signals do, and what the note says.
"""

import datetime as dt
from typing import Any

import pytest

from service.routing.decide import decide, floor
from service.routing.recommendation import Call, Recommendation
from service.routing.signals import Signal
from tests.routing.spaces import BASELINE, call_facts

DAY = dt.date(2026, 11, 24)


def answer(
    raw: dict[str, Any], available: dict[str, bool] | None = None, **call: Any
) -> Recommendation:
    """
    Decide a call under the national baseline.
    """
    return decide(Call(call_facts(raw), **call), BASELINE, available or {}, DAY)


def ways(got: Recommendation) -> dict[str, str]:
    """
    Give how each kind is brought in.
    """
    return {one.kind: one.how for one in got.responders}


@pytest.mark.parametrize(
    ("raw", "way"),
    [
        ({"medical": "serious"}, "send"),
        ({"medical": "serious", "violence": "physical"}, "stage"),
        ({"medical": "serious", "weapon": "blade"}, "stage"),
        ({"medical": "serious", "violence": "verbal"}, "send"),
        ({"medical": "serious", "weapon": "unknown"}, "stage"),
        ({"medical": "serious", "violence": "unknown"}, "stage"),
        ({"medical": "serious", "caller": "remote"}, "stage"),
        ({"medical": "serious", "caller": "remote", "weapon": "none", "violence": "none"}, "send"),
        ({"breathing": "absent"}, "send"),
        ({"breathing": "absent", "weapon": "unknown"}, "send"),
        ({"breathing": "absent", "caller": "remote"}, "send"),
        ({"consciousness": "unresponsive", "violence": "unknown"}, "send"),
        ({"breathing": "absent", "weapon": "firearm"}, "stage"),
        ({"breathing": "absent", "violence": "threat"}, "stage"),
        ({"medical": "serious", "weapon": "firearm", "scene_safe": True}, "send"),
        ({"medical": "serious", "weapon": "unknown", "scene_safe": True}, "send"),
    ],
)
def test_when_ems_stages(raw: dict[str, Any], way: str) -> None:
    """
    EMS stages for a danger that is there, was asked about in vain, or cannot be seen; for somebody
    not breathing only for one that is there; a safe scene ends it, and what nobody asked is no
    reason.
    """
    assert ways(answer(raw))["ems"] == way


@pytest.mark.parametrize(
    ("raw", "way"),
    [
        ({"caller": "self", "suicide": "ideation"}, "transfer"),
        ({"caller": "self", "suicide": "ideation", "channel": "text"}, "give_number"),
        ({"caller": "self", "suicide": "ideation", "channel": "relay"}, "transfer"),
        ({"caller": "self", "suicide": "plan"}, "join_call"),
        ({"caller": "self", "suicide": "plan", "channel": "chat"}, "give_number"),
    ],
)
def test_how_988_is_brought_in(raw: dict[str, Any], way: str) -> None:
    """
    988 takes the call over only where nobody is sent; text and chat get its number.
    """
    assert ways(answer(raw))["988"] == way


def test_nobody_with_intent_is_handed_over_and_left() -> None:
    """
    Where the team cannot come to somebody with intent, 988 joins and 911 stays on the line.
    """
    assert ways(answer({"suicide": "intent"}, {"mobile_crisis": False})) == {"988": "join_call"}


def test_988_has_no_place_where_the_caller_is_in_danger_or_refuses() -> None:
    """
    988 drops out beside somebody sent in person when the caller cannot speak or the person refuses.
    """
    told = {"caller": "self", "suicide": "plan"}
    assert "988" in answer(told).kinds
    assert "988" not in answer({**told, "accepts_988": False}).kinds
    assert "988" not in answer({**told, "caller_in_danger": True}).kinds


def test_ems_comes_first_for_somebody_not_breathing_even_where_it_waits() -> None:
    """
    The order to act in: EMS first for somebody not breathing, else after who makes the scene safe.
    """
    gun = {"weapon": "firearm", "weapon_access": "in_hand"}
    assert [one.kind for one in answer(gun).responders][:2] == ["co_responder", "ems"]
    assert answer({**gun, "breathing": "absent"}).responders[0].kind == "ems"


@pytest.mark.parametrize(
    ("raw", "out", "got", "wanted"),
    [
        ({"suicide": "ideation"}, ["mobile_crisis"], {"988"}, "mobile_crisis"),
        ({"caller": "self", "suicide": "none"}, ["988"], {"mobile_crisis"}, "988"),
        (
            {"violence": "threat"},
            ["co_responder"],
            {"law_enforcement", "mobile_crisis"},
            "co_responder",
        ),
        (
            {"violence": "threat"},
            ["co_responder", "mobile_crisis"],
            {"law_enforcement", "988"},
            "co_responder",
        ),
        (
            {"violence": "threat"},
            ["co_responder", "mobile_crisis", "988"],
            {"law_enforcement"},
            "co_responder",
        ),
        (
            {"violence": "threat"},
            ["co_responder", "law_enforcement"],
            {"mobile_crisis"},
            "co_responder",
        ),
        ({"missing_vulnerable": True}, ["law_enforcement"], {"co_responder"}, "law_enforcement"),
        ({"suicide": "ideation"}, ["mobile_crisis", "988"], {"ems"}, "mobile_crisis"),
        (
            {"suicide": "ideation"},
            ["mobile_crisis", "988", "ems", "law_enforcement", "co_responder", "warm_line"],
            {"ems"},
            "mobile_crisis",
        ),
    ],
)
def test_who_comes_instead(raw: dict[str, Any], out: list[str], got: set[str], wanted: str) -> None:
    """
    What replaces a lead that cannot come is tried in order, and who was passed over is named.
    """
    found = answer(raw, dict.fromkeys(out, False))
    assert found.kinds == got
    assert found.fallback is not None
    assert (found.fallback.wanted, found.fallback.reason) == (wanted, "stated_unavailable")
    assert {one.kind for one in found.fallback.passed_over} <= set(out)
    assert found.fallback.passed_over[0].kind == wanted
    assert wanted in found.preferred


def test_police_in_place_of_a_co_responder_say_so() -> None:
    """
    A fallback to police is named beside the rule that asked for the co-responder.
    """
    found = answer({"violence": "threat"}, {"co_responder": False})
    reasons = [(one.rule, one.fallback) for one in found.police_because]
    assert reasons == [("violence-likely", None), (None, "co_responder")]


def test_a_line_beside_ems_is_company_and_is_not_replaced() -> None:
    """
    988 that cannot come beside EMS is a warning, and brings nobody else.
    """
    told = {
        "caller": "self",
        "suicide": "ideation",
        "intoxication": "mild",
        "medical": "life_threat",
    }
    found = answer(told, {"988": False, "mobile_crisis": False})
    assert found.kinds == {"ems"}
    assert found.fallback is None


@pytest.mark.parametrize(
    ("told", "signal", "used", "value"),
    [
        ({}, ("suicide", "intent"), True, "intent"),
        ({"suicide": "ideation"}, ("suicide", "intent"), True, "intent"),
        ({"suicide": "plan"}, ("suicide", "intent"), False, "plan"),
        ({"suicide": "unknown"}, ("suicide", "intent"), True, "intent"),
        ({"behavioral_health": False}, ("behavioral_health", True), True, True),
        ({"caller": "self"}, ("caller", "officer"), False, "self"),
    ],
)
def test_a_signal_fills_or_raises_and_never_lowers(
    told: dict[str, Any], signal: tuple[str, Any], used: bool, value: Any
) -> None:
    """
    A signal fills what nobody told, raises what was told milder, lowers nothing, and says why.
    """
    name, said = signal
    found = answer(told, signals=(Signal(name, "present", said, "incident_type"),))
    assert found.known[name] == value
    assert found.signals[0].used is used
    assert found.signals[0].why


def test_what_a_code_says_is_not_asked_again() -> None:
    """
    A fact that a code filled is not asked about, as if a person had told it.
    """
    coded = (Signal("suicide", "present", "intent", "incident_type"),)
    assert "suicide" not in [one.fact for one in answer({}, signals=coded).questions]
    assert "suicide" in [one.fact for one in answer({}).questions]


def test_what_nobody_knows_by_a_remark_is_asked_all_the_same() -> None:
    """
    'UNK IF ARMED' stages EMS as an asked question without an answer does, and the question stays.
    """
    hurt = {"caller": "with_person", "medical": "serious", "violence": "none"}
    said = (Signal("weapon", "unknown", None, "remarks"),)
    how = {one.kind: one.how for one in answer(hurt).responders}
    staged = {one.kind: one.how for one in answer(hurt, signals=said).responders}
    assert (how["ems"], staged["ems"]) == ("send", "stage")
    assert answer(hurt, signals=said).questions == answer(hurt).questions


def test_a_signal_taken_back_stays_visible_and_counts_for_nothing() -> None:
    """
    A dismissed signal is in the answer, unused, and changes nobody.
    """
    coded = (Signal("weapon", "present", "firearm", "incident_type"),)
    back = frozenset({("weapon", "incident_type")})
    found = answer({}, signals=coded, dismissed=back)
    assert found.kinds == answer({}).kinds
    assert [(one.used, one.why) for one in found.signals] == [(False, "taken back by a person")]


def test_the_note_says_hazards_and_how_and_nothing_of_who_somebody_is() -> None:
    """
    The note holds hazards, what is not known, who and how; no diagnosis, treatment, history or
    guess as if told.
    """
    told = {
        "weapon": "blade",
        "weapon_access": "in_hand",
        "violence": "unknown",
        "psychosis": True,
        "history_violence": "person_recent",
        "dementia": True,
        "at_height": True,
    }
    note = answer(told).note
    assert "knife or blade" in note
    assert "violence" in note.split("NOT KNOWN")[1].splitlines()[0]
    assert "fire rescue" in note
    for word in ("psychosis", "dementia", "history", "diagnos", "hold"):
        assert word not in note.lower()


def test_a_crew_is_told_what_nobody_knows() -> None:
    """
    Where somebody is sent, an unknown weapon and violence stand in the note, whoever was asked.
    """
    note = answer({"overdose": "suspected"}).note
    assert "NOT KNOWN  violence towards others, weapon" in note
    assert "NOT KNOWN" not in answer({"caller": "self", "suicide": "ideation"}).note


def test_a_crew_is_told_what_is_only_assumed_to_be_no_danger() -> None:
    """
    An assumed 'no weapon' stands in the note as not known; one that was told does not.
    """
    facts = call_facts({"weapon": "none", "violence": "none"}, ("weapon",))
    note = decide(Call(facts), BASELINE, {}, DAY).note
    assert "NOT KNOWN  weapon (no danger only assumed)" in note
    assert "HAZARDS    none reported" in note


def test_ems_that_waits_with_nobody_to_give_word_is_a_warning() -> None:
    """
    EMS staged by itself is said, so that somebody finds out what it waits for.
    """
    codes = [one.code for one in answer({"overdose": "suspected", "weapon": "unknown"}).warnings]
    assert codes == ["ems_waits"]


def test_the_floor_answers_with_no_rules_at_all() -> None:
    """
    Without a ruleset 911 stays on the line, with EMS, the first questions and an alarm.
    """
    call = Call(call_facts({"weapon": "none"}))
    got = floor(call, BASELINE.vocabulary, BASELINE.ways)
    assert (got.mode, got.kinds) == ("floor", {"ems"})
    assert [one.fact for one in got.questions] == ["violence", "medical"]
    assert got.is_provisional
