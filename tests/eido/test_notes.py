"""
Notes as remarks: their words, their order, and what they may cost.
"""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.eido.notes import plain_text
from tests.eido.conftest import Read, document, note

TAGGED = ["<b>", "</b>", "<br/>", "<p class='x'>", "<script>", "</script>", "<!-- x -->", "<td>"]


@pytest.mark.parametrize(
    ("fragment", "words"),
    [
        ("WEAPONS<br>NONE SEEN", "WEAPONS\nNONE SEEN"),
        ("HAS <b>KNI</b>FE", "HAS KNIFE"),
        ("<table><tr><td>WEAPON</td><td>KNIFE</td></tr></table>", "WEAPON\nKNIFE"),
        ("A</td><td>B", "A\nB"),
        ("AGE &lt;18 &amp; ARMED&nbsp;&#x41;", "AGE <18 & ARMED A"),
        ("<p style=\"color:red\" onclick='x()'>GUN</p>", "GUN"),
        ("CALM<script>alert('GUN')</script> NOW", "CALM NOW"),
        ("<style>p {color: red}</style>CALM", "CALM"),
        ("CALM <!-- hidden --> NOW", "CALM NOW"),
        ("BP<90, AGE>18", "BP<90, AGE>18"),
        ("SUBJ <KNIFE IN HAND", "SUBJ <KNIFE IN HAND"),
        ("<b title='> KNIFE", "<b title='> KNIFE"),
        ("<script>KNIFE", "KNIFE"),
        ("HIT <A MAN> TWICE, <b KNIFE>", "HIT <A MAN> TWICE, <b KNIFE>"),
        ("<a href=x/>GUN</a><BR/><b >X</b\n>", "GUN\nX"),
        ("<svg onload=alert(1)>KNIFE", "KNIFE"),
        ("<math><mi>KNIFE</mi></math>", "<mi>KNIFE</mi>"),
        ("A\0B\x07C\ud800", "A B C"),
        ("&#" + "9" * 5000 + ";KNIFE", " ;KNIFE".strip()),
        ("LINE 1\r\nLINE 2\rLINE 3", "LINE 1\nLINE 2\nLINE 3"),
        ("&lt;script&gt;GUN", "<script>GUN"),
    ],
)
def test_a_note_is_its_words(fragment: str, words: str) -> None:
    """
    Tags go, a block ends a line, entities are read, and a `<` that opens no tag loses nothing.
    """
    assert plain_text(fragment) == words


@given(st.lists(st.one_of(st.sampled_from(TAGGED), st.text(max_size=8)), max_size=30))
def test_any_fragment_gives_text_that_can_be_kept(parts: list[str]) -> None:
    """
    Whatever a note holds, its text has no NUL, no lone surrogate and no empty line, and no words
    more than the note.
    """
    fragment = "".join(parts)
    text = plain_text(fragment)
    assert "\0" not in text
    assert text.encode().decode() == text
    assert "\n\n" not in text
    assert len(text) <= len(fragment) * 2  # one entity is at most two characters


@given(st.sampled_from(["KNIFE", "GUN", "NOT BREATHING"]), st.lists(st.sampled_from("<>/&b=\"' ")))
def test_no_bracket_or_quote_loses_a_word_after_it(word: str, noise: list[str]) -> None:
    """
    Whatever is left open before a word, the word is read.
    """
    assert word in plain_text("".join(noise) + f"\n{word}\n")
    assert word in plain_text(f"<b {word}> " + "".join(noise))


@pytest.mark.parametrize(
    "piece",
    [
        *("<div>", "<b ", "<", "&", "<i><b><div>", "<a '", '<a "', "<!--", "<script>", "</script>"),
        *("<script", "<script></script ", "&#9", "&amp", "<p class='", "\n", "\x0b", "<a \"<b '"),
    ],
)
def test_a_note_costs_no_more_than_its_length(piece: str) -> None:
    """
    Four times the noise takes about four times as long, and not sixteen times.
    """

    def cost_s(length: int) -> float:
        fragment = piece * (length // len(piece))
        began = time.process_time()
        plain_text(fragment)
        return time.process_time() - began

    plain_text(piece)
    short = min(cost_s(60_000) for _ in range(3))
    assert min(cost_s(240_000) for _ in range(2)) < 10 * short + 0.05


def test_notes_stand_in_the_order_of_time_and_undated_ones_last(read: Read) -> None:
    """
    The order is that of the instants, not of the texts or of the document; equals keep their place.
    """
    notes = [
        note("UNDATED", None),
        note("THIRD", "2026-05-04T22:00:00-07:00"),
        note("FIRST", "2026-05-05T04:00:00Z"),
        note("NO OFFSET", "2026-05-04T01:00:00"),
        note("SECOND", "2026-05-05T04:00:00+00:00"),
    ]
    call, noticed = read(document("order", notesComponent=notes))
    assert call.body["remarks"].split("\n") == ["FIRST", "SECOND", "THIRD", "UNDATED", "NO OFFSET"]
    assert [one.code for one in noticed.warned()] == ["eido_time_not_read"]


def test_ten_thousand_notes_are_read_and_what_is_too_long_is_told(read: Read) -> None:
    """
    The newest notes and every caution are kept within the longest remark; the rest is told of.
    """
    notes = [note(f"NOTE {n:05} " + "X" * 20) for n in range(10_000)]
    cautions = [{"cautionTypeInternalText": "WEAPON - KNIFE", "cautionSeverity": "high"}] * 3
    call, noticed = read(document("many", notesComponent=notes, cautionComponent=cautions))
    lines = call.body["remarks"].split("\n")
    assert lines[0] == "WEAPON - KNIFE (caution 4 of 5)"
    assert lines[-1].startswith("NOTE 09999")
    assert len(call.body["remarks"]) <= 65_536
    assert [one.code for one in noticed.warned()] == ["eido_notes_cut"]


def test_one_note_that_is_too_long_is_kept_in_part(read: Read) -> None:
    """
    The beginning of a single note that is longer than a remark may be is kept.
    """
    call, noticed = read(document("long", notesComponent=note("GUN " + "X" * 100_000)))
    assert call.body["remarks"].startswith("GUN X")
    assert len(call.body["remarks"]) <= 65_536
    assert [one.code for one in noticed.warned()] == ["eido_notes_cut"]


@pytest.mark.parametrize("text", [None, 7, ["A"], {"a": 1}, True])
def test_a_note_of_another_type_is_told_of(read: Read, text: Any) -> None:
    """
    A note that is no text is a warning with its place, and the others are read.
    """
    call, noticed = read(document("type", notesComponent=[note(text), note("ARMED")]))
    assert call.body["remarks"] == "ARMED"
    (warned,) = noticed.warned()
    assert warned.path == "notesComponent[0].notesActionComments"
