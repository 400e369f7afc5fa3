"""
Signals: what an incident code and the remarks already say of a call.

A remark is read by its phrases and by the words around them. A phrase says something of a fact;
a cue near it denies it (NEG, DENIES, NONE SEEN), leaves it open (UNK IF, NOT SURE), or puts it into
the past (HX OF, LAST YEAR). A cue carries over the words between, and along a list, and never over
a word that begins another thought: 'no meds 3 wks, hearing voices' denies no voices. A negation
inside a phrase belongs to it: 'does not want to live', 'not breathing'.

The method is NegEx and ConText (Chapman et al. 2001, 2009), with triggers of dispatchers' own and a
third answer: nobody knows is never no.
"""

import re
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Final, NamedTuple

from service.routing.cues import Remark, Said
from service.routing.facts import Value
from service.routing.lexicon import (
    ABSENT,
    HISTORICAL,
    MENTIONED,
    NOUN,
    PRESENT,
    QUIET,
    SOMEBODY_ELSE,
    UNKNOWN_OUTCOME,
    Lexicon,
    Says,
)
from service.routing.phrases import Found, places_of

REMARKS: Final = "remarks"
DIGITS_MAX: Final = 3
COUNTED: Final = frozenset((PRESENT, ABSENT, UNKNOWN_OUTCOME, HISTORICAL))  # so a mention counts
_NO_CUES: Final[frozenset[str]] = frozenset()
_FIRST: Final = itemgetter(0)


class Signal(NamedTuple):
    """
    One piece of evidence: which fact, what it says of it, and where it was read.

    `outcome` is present, absent, unknown or historical; `value` is the fact's value it speaks for,
    None for unknown; `text_span` is the place in the remark, None for a code.
    """

    fact: str
    outcome: str
    value: Value | None
    source: str
    text_span: tuple[int, int] | None = None
    used: bool = False
    why: str = ""


def read_remarks(lexicon: Lexicon, text: str) -> tuple[Signal, ...]:
    """
    Give what a remark says of the facts of a call, in the order in which it says it.

    The same thing said twice is given once, where it stands first. Total, and linear in the length
    of the text; a text that holds no phrase gives nothing.
    """
    places = places_of(text)
    words = lexicon.book.read(places)
    said, cues, nouns = _kept(lexicon, lexicon.book.find(words))
    if not said:
        return ()
    if cues or any(one.says.outcome == HISTORICAL for one in said):
        Remark(lexicon, words, said, cues, nouns).govern_all()
    signals: dict[tuple[str, str, Value | None], Signal] = {}
    numbers: dict[str, set[int]] = {}
    for one in said:
        for outcome in _outcomes(lexicon, one):
            fact, how, value = outcome
            if value is None and how == PRESENT:
                value = _number(places[one.start : one.end])
                if value is None:
                    continue
                numbers.setdefault(fact, set()).add(value)
            key = fact, how, value
            if key not in signals:
                span = places[one.first].start(), places[one.last - 1].end()
                signals[key] = Signal(fact, how, value, REMARKS, span)
    # Where a remark holds several numbers, nobody can tell whose they are.
    doubtful = {fact for fact, found in numbers.items() if len(found) > 1}
    return tuple(one for one in signals.values() if one.fact not in doubtful)


def _kept(
    lexicon: Lexicon, found: list[Found]
) -> tuple[list[Said], list[Found], frozenset[tuple[int, int]]]:
    """
    Leave out what stands within a longer phrase: the longer says what the shorter would mistake.

    Gives what is said, the cues, and where the words stand that can be in a list; all by their
    place.
    """
    said: list[Said] = []
    cues: list[Found] = []
    nouns = set()
    quiet: set[tuple[int, int]] = set()
    beside, everywhere = lexicon.beside, lexicon.everywhere
    # How far the longer phrases before this one go: quiet ones, all, and those of one fact.
    quiet_reach, reach, reach_of_fact = 0, 0, dict[str, int]()
    group: list[Found] = []  # the phrases of one place
    place = (0, 0)
    found.reverse()
    found.sort(key=_FIRST)  # by where they begin, the longest first
    for one in found:
        start, end, about, _ = one
        if place != (start, end):
            for _, there, was, is_loose in group:
                if not isinstance(was, Says):
                    reach = max(reach, there)
                    quiet_reach = max(quiet_reach, there) if was is QUIET else quiet_reach
                    continue
                # UNK IF HE TOOK: what doubts goes on to doubt what follows.
                if not is_loose and was.fact not in beside and was.outcome != UNKNOWN_OUTCOME:
                    reach = max(reach, there)
                if there > reach_of_fact.get(was.fact, 0):
                    reach_of_fact[was.fact] = there
            group, place = [], (start, end)
        if about is NOUN:
            nouns.add(place)
            continue
        group.append(one)
        if about is QUIET:
            quiet.add(place)
        elif isinstance(about, Says):
            is_free = end > (quiet_reach if about.fact in everywhere else reach)
            if is_free and end > reach_of_fact.get(about.fact, 0):
                said.append(Said(start, end, about, start, end))
        elif end > reach:
            cues.append(one)
    if quiet:
        said = [one for one in said if (one.start, one.end) not in quiet]
    return said, cues, frozenset(nouns)


def _outcomes(lexicon: Lexicon, one: Said) -> Iterator[tuple[str, str, Value | None]]:
    """
    Give what a phrase says once its cues are counted: fact, outcome, value (None for a number that
    stands in the remark).
    """
    fact, base, value, _ = one.says
    cues = {cue.outcome for cue in one.governed} if one.governed else _NO_CUES
    if SOMEBODY_ELSE in cues or (base == MENTIONED and not cues & COUNTED):
        return
    if UNKNOWN_OUTCOME in cues or base == UNKNOWN_OUTCOME:
        yield fact, UNKNOWN_OUTCOME, None
    elif base == HISTORICAL or (HISTORICAL in cues and fact not in lexicon.lasting):
        yield from _past(lexicon, one, is_denied=ABSENT in cues)
    elif base == ABSENT:
        if ABSENT not in cues and value is not None:  # 'not calm' does not say what instead
            yield fact, ABSENT, value
    elif ABSENT in cues:
        is_whole = base == MENTIONED or fact not in lexicon.partly
        if is_whole and fact in lexicon.absent_values:
            yield fact, ABSENT, lexicon.absent_values[fact]
    elif base != MENTIONED or value is not None:
        yield fact, HISTORICAL if fact in lexicon.facts_of_the_past else PRESENT, value


def _past(
    lexicon: Lexicon, one: Said, *, is_denied: bool
) -> Iterator[tuple[str, str, Value | None]]:
    says = one.says
    if says.fact not in lexicon.history:
        if not is_denied:
            yield says.fact, HISTORICAL, says.value
        return
    name, values = lexicon.history[says.fact]
    if is_denied:
        yield name, ABSENT, lexicon.absent_values[name]
        return
    times = [cue.when for cue in one.governed if cue.outcome == HISTORICAL]
    when = next((time for time in (*times, says.when) if time in values), None)
    yield says.fact, HISTORICAL, says.value
    if when is not None:
        yield name, HISTORICAL, values[when]


def _number(places: Iterable[re.Match[str]]) -> int | None:
    """
    Give the first number of a phrase; None where it has too many digits to be one of a call.
    """
    for place in places:
        digits = place[0]
        if digits.isdecimal():
            return int(digits) if len(digits) <= DIGITS_MAX else None
    return None
