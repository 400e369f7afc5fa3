"""
Spanish remarks are read as well as English ones, also where one line holds both languages.
"""

import pytest

from service.routing.lexicon import Lexicon
from service.routing.signals import read_remarks
from service.rulesets import load_config
from tests.remarks.scoring import grouped, read_labelled, tallies

LEAST = 0.9
DANGERS = ("weapon", "violence", "suicide", "medical")


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    """
    Give the shipped lexicon: every language in one book.
    """
    return load_config().lexicon


def said(lexicon: Lexicon, text: str) -> set[tuple[str, str, object]]:
    """
    Give what a remark says: fact, outcome, value.
    """
    return {(one.fact, one.outcome, one.value) for one in read_remarks(lexicon, text)}


@pytest.mark.parametrize("danger", DANGERS)
def test_dangers_in_spanish_are_found(lexicon: Lexicon, danger: str) -> None:
    """
    Of the labelled Spanish remarks at least nine of ten dangers are found, and as many of those
    that are found were labelled.
    """
    tally = grouped(tallies(lexicon, read_labelled("spanish")), "present")[danger]
    assert tally.labelled >= 20
    assert (tally.recall or 0) >= LEAST
    assert (tally.precision or 0) >= LEAST


@pytest.mark.parametrize("outcome", ["absent", "unknown", "historical"])
def test_no_denial_or_doubt_in_spanish_is_missed(lexicon: Lexicon, outcome: str) -> None:
    """
    What the labelled Spanish remarks deny, doubt or put into the past is read so for every danger.
    """
    sums = grouped(tallies(lexicon, read_labelled("spanish")), outcome)
    assert [sums[danger].missed for danger in DANGERS] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "text",
    [
        "sí, está en la casa",
        "SI ESTA BIEN",
        "llame si no viene",
        "dice que si",
        "quiere saber si puede pasar mañana",
        "SI SE FUE NO SE",
        "no sabe si vive ahí",
    ],
)
def test_a_spanish_yes_or_if_is_no_suicidal_ideation(lexicon: Lexicon, text: str) -> None:
    """
    'Si' before a Spanish word is 'yes' or 'if', and says nothing of suicide.
    """
    assert not {one for one in said(lexicon, text) if one[0] == "suicide"}


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("HIJO CON SI, ARMAS NO", "present"),
        ("POSS SI, TIENE PISTOLA", "present"),
        ("SI W/ PLAN, NO HABLA INGLES", "present"),
        ("NIEGA SI", "absent"),
        ("NEG SI, ESTA TRANQUILA", "absent"),
        ("DENIES SI Y HI", "absent"),
    ],
)
def test_si_stays_suicidal_ideation_beside_shorthand(
    lexicon: Lexicon, text: str, outcome: str
) -> None:
    """
    'SI' beside a dispatcher's shorthand keeps its English meaning among Spanish words.
    """
    assert {one[1] for one in said(lexicon, text) if one[0] == "suicide"} == {outcome}


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("no sabe si tiene pistola", ("weapon", "unknown", None)),
        ("UNK SI ESTA ARMADO", ("weapon", "unknown", None)),
        ("desconoce si hay armas", ("weapon", "unknown", None)),
        ("ARMAS: SI", ("weapon", "present", "blade")),
        ("ARMAS: NO", ("weapon", "absent", "none")),
        ("niega armas, drogas y alcohol", ("intoxication", "absent", "none")),
        ("ya no tiene la pistola", ("weapon", "absent", "none")),
        ("no descarta que tenga un cuchillo", ("weapon", "unknown", None)),
    ],
)
def test_spanish_cues_turn_what_they_govern(
    lexicon: Lexicon, text: str, signal: tuple[str, str, object]
) -> None:
    """
    Spanish words of denial and doubt turn what stands near them; nobody knows is never no.
    """
    found = said(lexicon, text)
    assert {one for one in found if one[0] == signal[0]} == {signal}


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("ya no quiere vivir", ("suicide", "present", "wish_to_be_dead")),
        ("NO RESPIRA", ("breathing", "present", "absent")),
        ("no despierta", ("consciousness", "present", "unresponsive")),
        ("NO TIENE PULSO", ("medical", "present", "life_threat")),
        ("no la deja salir", ("hostage", "present", True)),
    ],
)
def test_a_no_that_is_the_emergency_denies_nothing(
    lexicon: Lexicon, text: str, signal: tuple[str, str, object]
) -> None:
    """
    A negation within a phrase belongs to the phrase: not breathing is a danger.
    """
    assert signal in said(lexicon, text)


def test_accents_and_capitals_do_not_count(lexicon: Lexicon) -> None:
    """
    The same words say the same with and without accents, in small letters and in capitals.
    """
    text = "Intentó suicidarse hace 3 años, está tranquilo, varón de 30 años"
    plain = "INTENTO SUICIDARSE HACE 3 ANOS, ESTA TRANQUILO, VARON DE 30 ANOS"
    assert said(lexicon, text) == said(lexicon, plain)
    assert ("suicide_history", "historical", "past") in said(lexicon, text)


@pytest.mark.parametrize(
    "text", ["pistola de clavos", "dolor de cabeza que mata", "me muero de hambre", "entre 3 y 4"]
)
def test_spanish_homographs_name_no_danger(lexicon: Lexicon, text: str) -> None:
    """
    Words of danger within everyday phrases say nothing of a weapon, of suicide or of an age.
    """
    dangers = {"weapon", "suicide", "violence", "age"}
    assert not {one for one in said(lexicon, text) if one[0] in dangers}
