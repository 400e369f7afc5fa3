"""
Prove that a remark is cut into pieces without losing or moving a character, whatever overlaps.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pages.signal_lines import OUTCOMES, TAKEN_BACK, marked, signals_of, span_of
from service.pages.taken_back import TakenBack, evidence_of, still_taken_back
from service.routing.facts import Vocabulary

TEXT = "HX OF SI, HAS A KNIFE, DENIES WEAPONS"


def signal(fact: str, outcome: str, value: Any, words: str = "", **more: Any) -> dict[str, Any]:
    """
    Make a signal of TEXT by hand; without words it is of a type code.
    """
    start = TEXT.find(words) if words else 0
    return {
        "fact": fact,
        "outcome": outcome,
        "value": value,
        "source": "remarks" if words else "incident_type",
        "text_span": [start, start + len(words)] if words else None,
        "used": outcome == "present",
        "why": "a reason",
        **more,
    }


@given(st.text(max_size=60), st.data())
def test_every_character_stands_once_and_in_its_order(text: str, data: st.DataObject) -> None:
    """
    The pieces together are the remark; each has a mark of every kind of evidence that covers it,
    and of no other; each number stands once, where its evidence ends.
    """
    place = st.integers(0, len(text))
    spans = data.draw(
        st.lists(st.tuples(place, place).filter(lambda two: two[0] < two[1]), max_size=6)
        if text
        else st.just([])
    )
    kinds = [data.draw(st.sampled_from([*OUTCOMES, TAKEN_BACK])) for _ in spans]
    evidence = [
        (kind, number, span) for number, (kind, span) in enumerate(zip(kinds, spans, strict=True))
    ]
    pieces = marked(text, evidence)
    assert "".join(piece.text for piece in pieces) == text
    assert sorted(number for piece in pieces for number in piece.ends) == list(range(len(spans)))
    at = 0
    for piece in pieces:
        over = {kind for kind, _, (start, end) in evidence if start <= at < end}
        assert len(piece.marks) == len(over)
        at += len(piece.text)
        assert all(spans[number][1] == at for number in piece.ends)


def test_the_worst_of_what_overlaps_is_the_innermost() -> None:
    """
    Where one word is evidence of two outcomes it has both marks, what is said within the other.
    """
    pieces = marked("UNK IF GUN", [("unknown", 1, (0, 10)), ("present", 2, (7, 10))])
    assert [(one.text, one.marks, one.ends) for one in pieces] == [
        ("UNK IF ", ("ev ev-unknown",), ()),
        ("GUN", ("ev ev-unknown", "ev"), (1, 2)),
    ]


@pytest.mark.parametrize(
    "span", [None, [], [3], [5, 2], [-1, 4], [0, 999], ["a", "b"], [0, 0], "ab", 7]
)
def test_a_place_that_is_none_of_the_remark_marks_nothing(span: Any) -> None:
    """
    A span that does not fit the remark is passed over.
    """
    assert span_of({"source": "remarks", "text_span": span}, TEXT) is None


def test_signals_of_one_fact_stand_together(vocabulary: Vocabulary) -> None:
    """
    Those that are taken back together follow each other, and the last of them says how many.
    """
    listed = [
        signal("weapon", "present", "blade", "HAS A KNIFE"),
        signal("suicide", "historical", None, "HX OF SI"),
        signal("weapon", "absent", "none", "DENIES WEAPONS"),
        signal("weapon", "present", "firearm"),
    ]
    found = signals_of(vocabulary, {"signals": listed}, TEXT, {}, {})
    assert [(one.key, one.of_count) for one in found.lines] == [
        ("remarks.weapon", 0),
        ("remarks.weapon", 2),
        ("remarks.suicide", 1),
        ("incident_type.weapon", 1),
    ]
    assert [one.says for one in found.lines] == [
        *("knife or blade, said", "none, denied", "in the past", "gun, said"),
    ]
    assert found.counting == ("remarks.weapon", "incident_type.weapon")


def test_a_remark_that_is_gone_leaves_its_signals(vocabulary: Vocabulary) -> None:
    """
    Without the words the signals are listed all the same, and it is said that there were some.
    """
    listed = [signal("weapon", "present", "blade", "HAS A KNIFE")]
    found = signals_of(vocabulary, {"signals": listed}, "", {}, {})
    assert found.is_forgotten
    assert (found.lines[0].words, found.has_evidence) == ("", False)


def test_contradictions_name_both_sides(vocabulary: Vocabulary) -> None:
    """
    Signals against each other, two sources that differ, and one against what was told are said in a
    sentence each; what was taken back contradicts nothing; an unknown shape keeps the message.
    """
    warned = {"warnings": [{"code": "signals_contradict", "message": "weapon: look"}]}
    knife = signal("weapon", "present", "blade", "HAS A KNIFE")
    denied = signal("weapon", "absent", "none", "DENIES WEAPONS")
    gun = signal("weapon", "present", "firearm")

    def said(*signals: dict[str, Any], told: Any = None, back: Any = None) -> tuple[str, ...]:
        document = {"signals": list(signals), **warned}
        return signals_of(vocabulary, document, TEXT, back or {}, told or {}).contradictions

    assert said(knife, denied) == (
        "Weapon: “HAS A KNIFE” says knife or blade (1); “DENIES WEAPONS” says none (2)."
        " The riskier counts.",
    )
    assert said(knife, gun)[0].endswith("the type code says gun (2). The riskier counts.")
    assert said(knife, told={"weapon": "none"})[0].startswith("Weapon: none was told; “HAS A")
    assert said(knife) == ("Weapon: look.",)
    taken = {("weapon", "remarks"): "no"}
    assert said(denied, gun, back=taken) == ("Weapon: look.",)
    quiet = signals_of(vocabulary, {"signals": [knife, denied]}, TEXT, {}, {})
    assert quiet.contradictions == ()


def test_only_what_is_new_and_says_more_counts_again() -> None:
    """
    A word more, another value or another code brings a signal back; the same, less or a denial
    does not. What was taken back when nobody could tell what stood there stays so.
    """
    key = ("weapon", "remarks")
    knife = signal("weapon", "present", "blade", "HAS A KNIFE")
    denied = signal("weapon", "absent", "none", "DENIES WEAPONS")
    request = {"remarks": TEXT}
    first = still_taken_back(TakenBack({key: "no"}), [knife], request)
    assert (dict(first.reasons), first.again) == ({key: "no"}, ())
    for signals in ([knife], [], [denied], [knife, denied]):
        assert still_taken_back(first, signals, request).again == ()
    gun = signal("weapon", "present", "firearm", "HAS A KNIFE")
    again = still_taken_back(first, [knife, gun], request)
    assert (again.again, dict(again.reasons)) == ((key,), {})
    coded = ("weapon", "incident_type")
    one = {"incident_type": {"registry": "r", "code": "A"}}
    other = {"incident_type": {"registry": "r", "code": "B"}}
    by_code = [signal("weapon", "present", "firearm")]
    held = still_taken_back(TakenBack({coded: "no"}), by_code, one)
    assert still_taken_back(held, by_code, one).again == ()
    assert still_taken_back(held, by_code, other).again == (coded,)
    assert evidence_of(by_code, {}) == {coded: frozenset({"present firearm"})}
