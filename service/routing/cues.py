"""
Cues: the words around a phrase that deny it, doubt it or put it into the past, and how far each
carries.

A cue carries over the words between, and along a list, and never over a word that begins another
thought.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.routing.lexicon import ABSENT, FAR, HISTORICAL, UNKNOWN_OUTCOME, Cue, Lexicon, Says
from service.routing.phrases import COMMA, STOP, Found

STEPS_MAX: Final = 6  # words that a cue carries over before the first phrase
LIST_MAX: Final = 8  # phrases that one cue governs
LIST_WORDS_MAX: Final = 40  # words of a list that ends with 'or'
ITEM_WORDS_MAX: Final = 4  # words of one thing in it
_PAST: Final = Cue(HISTORICAL, "before", 0, "past")


@dataclass(slots=True, eq=False)
class Said:
    """
    A phrase of a remark that says something of a fact, and the cues that govern it.

    `start` and `end` are its first word and the word after its last; `first` and `last` those of
    the evidence, cues included.
    """

    start: int
    end: int
    says: Says
    first: int
    last: int
    governed: tuple[Cue, ...] = ()


class Remark:
    """
    One remark as its cues are carried through it.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        words: Sequence[str],
        said: Sequence[Said],
        cues: Sequence[Found],
        nouns: frozenset[tuple[int, int]],
    ) -> None:
        self._lexicon, self._words, self._nouns, self._cues = lexicon, words, nouns, cues
        self._starts: dict[int, list[Said]] = {}
        self._ends: dict[int, list[Said]] = {}
        for one in said:
            self._starts.setdefault(one.start, []).append(one)
            self._ends.setdefault(one.end, []).append(one)
        self._pasts = [one for one in said if one.says.outcome == HISTORICAL]
        self._cue_starts = {start for start, _, _, _ in cues}
        self._denials = {start: end for start, end, cue, _ in cues if cue.outcome == ABSENT}
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

    def _following_unless_taken(self, start: int, end: int, cue: Cue) -> list[Said]:
        targets = self._within(start, end) + self._following(end, cue)
        if cue.outcome == ABSENT:
            targets += [one for one in self._listed(end, cue) if one not in targets]
        is_taken = targets and any(one.stands != "before" for one in targets[0].governed)
        return [] if is_taken and cue.stands == "either" else targets

    def _within(self, start: int, end: int) -> list[Said]:
        # NO ACCESS TO GUNS: the phrase begins among the words of the cue.
        found = [one for place in range(start + 1, end) for one in self._starts.get(place, ())]
        return [one for one in found if one.says.outcome != ABSENT]  # 'is not violent' denies once

    def _listed(self, place: int, cue: Cue) -> list[Said]:
        """
        Give what stands in a list that begins at *place* and ends with 'or' (a far-reaching cue
        lets it end with any join): 'no fever, chills or knives' denies all of it, known words and
        others. What cannot stand in a list ends it.
        """
        words, lexicon = self._words, self._lexicon
        lasts = lexicon.joins if cue.reach == FAR else lexicon.ors
        targets: list[Said] = []
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

    def _following(self, place: int, cue: Cue) -> list[Said]:
        words, starts, steps = self._words, self._starts, 0
        targets: list[Said] = []
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
            elif place in self._denials and cue.outcome == UNKNOWN_OUTCOME:
                place = self._denials[place]  # CANNOT CONFIRM NO WEAPONS: nobody knows
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

    def _preceding(self, place: int, cue: Cue) -> list[Said]:
        words, ends, steps = self._words, self._ends, 0
        targets: list[Said] = []
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
