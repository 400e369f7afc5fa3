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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, NamedTuple

from service.routing.facts import Value
from service.routing.lexicon import (
    ABSENT,
    FAR,
    HISTORICAL,
    IMPLIED,
    MENTIONED,
    NOUN,
    PRESENT,
    QUIET,
    SOMEBODY_ELSE,
    UNKNOWN_OUTCOME,
    Cue,
    Lexicon,
    Says,
)
from service.routing.phrases import COMMA, STOP, Found, places_of

REMARKS: Final = "remarks"
STEPS_MAX: Final = 6  # words that a cue carries over before the first phrase
LIST_MAX: Final = 8  # phrases that one cue governs
LIST_WORDS_MAX: Final = 40  # words of a list that ends with 'or'
ITEM_WORDS_MAX: Final = 4  # words of one thing in it
DIGITS_MAX: Final = 3
COUNTED: Final = frozenset((PRESENT, ABSENT, UNKNOWN_OUTCOME, HISTORICAL))  # so a mention counts
_NO_CUES: Final[frozenset[str]] = frozenset()
_FIRST: Final = itemgetter(0)
_PAST: Final = Cue(HISTORICAL, "before", 0, "past")

__all__ = ["ABSENT", "HISTORICAL", "PRESENT", "UNKNOWN_OUTCOME", "Signal", "read_remarks"]


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


@dataclass(slots=True, eq=False)
class _Said:
    """
    A phrase of a remark that says something of a fact, and the cues that govern it.

    `first` and `last` are the words of the evidence, cues included.
    """

    start: int
    end: int
    says: Says
    first: int
    last: int
    governed: tuple[Cue, ...] = ()


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
        _Remark(lexicon, words, said, cues, nouns).govern_all()
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
) -> tuple[list[_Said], list[Found], frozenset[tuple[int, int]]]:
    """
    Leave out what stands within a longer phrase: the longer says what the shorter would mistake.

    Gives what is said, the cues, and where the words stand that can be in a list; all by their
    place.
    """
    said: list[_Said] = []
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
                if not is_loose and was.fact not in beside:
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
                said.append(_Said(start, end, about, start, end))
        elif end > reach:
            cues.append(one)
    if quiet:
        said = [one for one in said if (one.start, one.end) not in quiet]
    return said, cues, frozenset(nouns)


class _Remark:
    """
    One remark as its cues are carried through it.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        words: Sequence[str],
        said: Sequence[_Said],
        cues: Sequence[Found],
        nouns: frozenset[tuple[int, int]],
    ) -> None:
        self._lexicon, self._words, self._nouns, self._cues = lexicon, words, nouns, cues
        self._starts: dict[int, list[_Said]] = {}
        self._ends: dict[int, list[_Said]] = {}
        for one in said:
            self._starts.setdefault(one.start, []).append(one)
            self._ends.setdefault(one.end, []).append(one)
        self._pasts = [one for one in said if one.says.outcome == HISTORICAL]
        self._cue_starts = {start for start, _, _, _ in cues}
        self._past = {start: end for start, end, cue, _ in cues if cue.outcome == HISTORICAL}

    def govern_all(self) -> None:
        """
        Let every cue govern the phrases it carries to, the last cue first: 'WPNS NEG SI NEG' ends
        with a cue that can only mean what stands before it.
        """
        for start, end, cue, _ in reversed(self._cues):
            targets = self._preceding(start, cue) if cue.stands in ("after", "form") else []
            if not targets and cue.stands != "after":
                targets = self._following_unless_taken(start, end, cue)
            if not targets and cue.stands == "either":
                targets = self._preceding(start, cue)
            for target in targets:
                target.governed = (*target.governed, cue)
                target.first, target.last = min(target.first, start), max(target.last, end)
        for past in self._pasts:
            # 'pulled a knife last summer' is past with all that it holds.
            for start in range(past.start, past.end):
                for one in self._starts.get(start, ()):
                    if one.says.outcome != HISTORICAL:
                        one.governed = (*one.governed, _PAST)

    def _following_unless_taken(self, start: int, end: int, cue: Cue) -> list[_Said]:
        targets = self._within(start, end) + self._following(end, cue)
        if cue.outcome == ABSENT:
            targets += [one for one in self._listed(end, cue) if one not in targets]
        is_taken = targets and any(one.stands != "before" for one in targets[0].governed)
        return [] if is_taken and cue.stands == "either" else targets

    def _within(self, start: int, end: int) -> list[_Said]:
        # NO ACCESS TO GUNS: the phrase begins among the words of the cue.
        found = [one for place in range(start + 1, end) for one in self._starts.get(place, ())]
        return [one for one in found if one.says.outcome != ABSENT]  # 'is not violent' denies once

    def _listed(self, place: int, cue: Cue) -> list[_Said]:
        """
        Give what stands in a list that begins at *place* and ends with 'or' (a far-reaching cue
        lets it end with any join): 'no fever, chills or knives' denies all of it, known words and
        others. What cannot stand in a list ends it.
        """
        words, lexicon = self._words, self._lexicon
        lasts = lexicon.joins if cue.reach == FAR else lexicon.ors
        targets: list[_Said] = []
        listed = 0  # how many of them are in the list for certain: an 'or' stood after them
        count, item, is_last = 0, 0, False
        for word in words[place : place + LIST_WORDS_MAX]:
            said = self._starts.get(place, ())
            is_noun = any((one.start, one.end) in self._nouns for one in said)
            is_other = count > 0 and bool(said) and not is_noun
            if word == STOP or word in lexicon.ends or place in self._cue_starts:
                break
            if word == COMMA or word in lexicon.joins:
                if is_last and word == COMMA:
                    break
                is_last = is_last or word in lasts
                item, count = 0, count + 1
            elif is_other or word in lexicon.loose or item >= ITEM_WORDS_MAX:
                break
            else:
                item += 1
                targets += said
            if is_last:
                listed = len(targets)
            place += 1
        return targets[:listed]

    def _following(self, place: int, cue: Cue) -> list[_Said]:
        words, starts, steps = self._words, self._starts, 0
        targets: list[_Said] = []
        while place < len(words) and steps <= STEPS_MAX:
            if place in starts:
                end = max(one.end for one in starts[place])
                for start in range(place, end):
                    targets += starts.get(start, ())
                following = self._joined(end, cue) if len(targets) < LIST_MAX else None
                if following is None:
                    return targets
                place = following
            elif place in self._past and cue.outcome != HISTORICAL:
                place = self._past[place]  # NO HX OF: both govern what follows
            elif self._carries(words[place], cue):
                place, steps = place + 1, steps + 1
            else:
                return targets
        return targets

    def _carries(self, word: str, cue: Cue) -> bool:
        lexicon = self._lexicon
        if word in lexicon.close:
            return True
        if cue.reach == 0 or word in (STOP, COMMA) or word in lexicon.ends:
            return False
        return cue.reach == FAR or word in lexicon.loose

    def _joined(self, place: int, cue: Cue) -> int | None:
        """
        Give where the next phrase of a list begins, after one that ends at *place*; None at the
        end of the list.
        """
        words, starts, joins = self._words, self._starts, self._lexicon.joins
        joined, has_comma = "", False
        while place < len(words) and (words[place] == COMMA or words[place] in joins):
            has_comma = has_comma or words[place] == COMMA
            joined = joined if words[place] == COMMA else words[place]
            place += 1
        while place < len(words) and words[place] in self._lexicon.close and place not in starts:
            place += 1
        if place not in starts:
            return None
        if joined and joined in self._lexicon.ors:
            return place
        end = max(one.end for one in starts[place])
        is_noun = (place, end) in self._nouns
        if has_comma and not joined:
            return place if is_noun and self._closes(end) else None
        return place if is_noun or (joined and cue.reach == FAR) else None

    def _closes(self, place: int) -> bool:
        """
        Tell whether a list goes on or ends at *place*: nothing more is said of its last phrase.
        """
        if place >= len(self._words):
            return True
        word = self._words[place]
        return word in (STOP, COMMA) or word in self._lexicon.joins

    def _preceding(self, place: int, cue: Cue) -> list[_Said]:
        words, ends, steps = self._words, self._ends, 0
        targets: list[_Said] = []
        while place > 0 and steps <= STEPS_MAX:
            if place in ends:
                begin = min(one.start for one in ends[place])
                for start in range(begin, place):
                    targets += self._starts.get(start, ())
                place = before = begin
                while before > 0 and words[before - 1] in self._lexicon.joins:
                    before -= 1
                if before == place or before not in ends or len(targets) >= LIST_MAX:
                    return targets
                place = before
            elif self._carries(words[place - 1], cue):
                place, steps = place - 1, steps + 1
            else:
                return targets
        return targets


def _outcomes(lexicon: Lexicon, one: _Said) -> Iterator[tuple[str, str, Value | None]]:
    """
    Give what a phrase says once its cues are counted: fact, outcome, value (None for a number that
    stands in the remark).
    """
    fact, base, value, _ = one.says
    cues = {cue.outcome for cue in one.governed} if one.governed else _NO_CUES
    if SOMEBODY_ELSE in cues or (base == MENTIONED and not cues & COUNTED):
        return
    if base == IMPLIED and cues - {PRESENT}:
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
    lexicon: Lexicon, one: _Said, *, is_denied: bool
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
