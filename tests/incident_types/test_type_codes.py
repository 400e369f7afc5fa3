"""
One spelling of a code for the many in which dispatch systems write it, and patterns of codes.
"""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.type_codes import CHARACTERS_MAX, Pattern, normalised

MPDS = ("mpds", "ProQA")


@pytest.mark.parametrize(
    "code",
    [
        *("25-A-1", "25A1", "25A01", "25-A-01", "025-A-001", "25.a.1", " 25 a 1 ", "25/A/1"),
        *("MPDS 25-A-1", "mpds:25A01", "MPDS25A1", "ProQA - MPDS 25-A-1", "-- 25-A-1"),
        *("２５－Ａ－１", "25–A–1", "25\u00a0A\u200b1", "Ⓜ︎PDS 25-A-1", "٢٥-A-١"),
    ],
)
def test_the_ways_to_write_a_determinant_are_one(code: str) -> None:
    """
    Case, spaces, punctuation, width, zeros before a number, the digits of another script, and the
    name of the registry before it make no other code.
    """
    assert normalised(code, MPDS) == "25a1"


def test_a_prefix_is_a_word_of_its_own() -> None:
    """
    A prefix counts for nothing before a code, any number of times, and is part of a longer word, or
    the code itself.
    """
    prefixes = ("obs", "new_orleans")
    assert normalised("OBS - FIGHT", prefixes) == "fight"
    assert normalised("obs obs New Orleans fight", prefixes) == "fight"
    assert normalised("OBSTRUCTION", prefixes) == "obstruction"
    assert normalised("FIGHT OBS", prefixes) == "fightobs"
    assert normalised("--OBS--", prefixes) == "obs"


def test_two_numbers_in_a_row_stay_two() -> None:
    """
    Only what cannot be mistaken is left out: `10-0` is not `100`, and `10-55` not `1055`.
    """
    assert len({normalised(one) for one in ("10-0", "100", "1-00", "1 0 0")}) == 4
    assert normalised("10-055") == normalised("10.55") == "10.55"
    assert normalised("0") == normalised("00") == "0"


def test_marks_and_letters_that_a_keyboard_lacks() -> None:
    """
    A mark over a letter makes no other code; a letter of any script counts.
    """
    assert normalised("Crisis Émotionnelle ﬁn Straße") == "crisisemotionnellefinstrasse"
    assert normalised("精神") == "精神"
    assert normalised(" --·/ ") == ""


@given(st.text(max_size=CHARACTERS_MAX))
def test_any_text_has_one_spelling(text: str) -> None:
    """
    Total and bounded: whatever is sent has a spelling, the same for what is already in it.
    """
    once = normalised(text)
    assert len(once) <= CHARACTERS_MAX
    assert normalised(once) == once
    assert normalised(text.upper()) == normalised(text.upper().lower())


@pytest.mark.parametrize(
    "text",
    [
        *("9" * 200, "0" * 200, "a1" * 100, "obs " * 50, "ﷺ" * 200, "İ" * 200, "a\u0301" * 100),
        *("\u0344" * 200, "-" * 200),
    ],
)
def test_no_code_takes_long(text: str) -> None:
    """
    200 characters of the worst take no longer than a dispatcher can notice.
    """
    pattern = Pattern.of("a*" * 60 + "b")
    started = time.perf_counter()
    for _ in range(20):
        assert not pattern.fits(normalised(text, ("obs", "o", "b")))
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("pattern", "code", "fits"),
    [
        ("SUICID*", "Suicidal person", True),
        ("SUICID*", "SUICID", True),
        ("SUICID*", "ATTEMPTED SUICIDE", False),
        ("*SUICID*", "attempted suicide", True),
        ("*WEAPON", "FIGHT - WITH WEAPON", True),
        ("FIGHT*WEAPON*", "FIGHT - IP/JO - WITH WEAPONS", True),
        ("FIGHT*FIGHT", "FIGHT", False),
        ("A*B*C", "ACB", False),
        ("25-A-*", "25A07V", True),
        ("25-A-*", "25-B-1", False),
        ("OBS*", "OBSTRUCTION", True),
    ],
)
def test_a_pattern_fits_pieces_in_their_order(pattern: str, code: str, *, fits: bool) -> None:
    """
    A star stands for anything, nothing too; the pieces are in the one spelling.
    """
    assert Pattern.of(pattern).fits(normalised(code)) is fits
