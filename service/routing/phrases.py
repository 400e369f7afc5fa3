"""
Finds many phrases in a text in one pass, in time linear in the text.

Phrases are sequences of words. They are laid out as one tree; the places in the tree that a text
has reached are followed together, and every set of places that was met once is remembered with
what follows it, so that a common text costs one lookup a word. No regular expression reads the
text but the one that cuts it into words, which cannot backtrack.

A phrase is written in words of small letters and a few signs:

    hold a knife        these words, one after the other
    GUN                 any of the words or phrases listed under this name
    his?                may be left out
    gun|knife           either
    ..                  up to GAP_WORDS words that do not end a thought
    NUMBER              a whole number

Case, accents, apostrophes and hyphens do not count.

>>> book = PhraseBook()
>>> book.name("HAS", ("has", "is holding"))
>>> book.add("HAS a? knife", "armed")
>>> book.find(book.words_of("He is holding a knife."))
[(1, 5, 'armed', False)]
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

GAP: Final = ".."
GAP_WORDS: Final = 3
VARIANTS_MAX: Final = 1_000  # of one phrase; more is a mistake
KNOWN_MAX: Final = 20_000  # sets of places remembered; beyond it the memory starts afresh

# Apostrophes, and what nobody sees: soft hyphens, joiners, marks of direction and of order. They
# stand within a word and do not count, so that no word hides behind them.
_WITHIN: Final = "'’`\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"
# Numbers, words with what stands within them, and the signs that mean something.
_WORD: Final = re.compile(
    rf"[wW]/[oO](?!\w)|\d+|[^\W\d_]+(?:[{_WITHIN}]+[^\W\d_]+)*"
    r"|--+|(?<=\s)-(?=\s)|[.,;:/?!()=&+|\n]"
)
STOP: Final = "."
COMMA: Final = ","
NUMBER: Final = "NUMBER"
OTHER: Final = ""
_SIGNS: Final = {
    **dict.fromkeys((";", "!", "|", "\n", "--"), STOP),
    **dict.fromkeys(("=",), ":"),
    **dict.fromkeys(("-", "(", ")"), COMMA),
    **dict.fromkeys(("&", "+"), "and"),
}
_GONE: Final = str.maketrans("", "", _WITHIN)


# A phrase that was found: its first word, the word after its last, what it is about, and whether
# words of no meaning to it may stand within it.
Found = tuple[int, int, Any, bool]


@dataclass(slots=True, eq=False)
class _Place:
    """
    A place in a tree of words: the places that follow it, and what ends here.
    """

    by_word: dict[str, "_Place"] = field(default_factory=dict)
    by_name: dict[str, "_Place"] = field(default_factory=dict)
    any_word: "_Place | None" = None
    ends: list[tuple[Any, bool]] = field(default_factory=list)


# Where a text has got to: a place, the words read on the way, and, within an entry of several words
# of a list, the place after it.
_Step = tuple[_Place, int, _Place | None]


@dataclass(slots=True, eq=False)
class _Reached:
    """
    Everywhere a text has got to, what ends there, and where each word leads from there.
    """

    steps: tuple[_Step, ...]
    ends: tuple[tuple[int, Any, bool], ...] = ()
    then: dict[str, "_Reached"] = field(default_factory=dict)


class PhraseBook:
    """
    A set of phrases, each with what it is about. Add them all, then find; finding may run in many
    threads at once, adding may not.
    """

    def __init__(self, gap_ends: frozenset[str] = frozenset((STOP, COMMA))) -> None:
        self._root = _Place()
        self._gap_ends = gap_ends
        self._lists: dict[str, _Place] = {}  # the entries of several words of each list
        self._lists_of: dict[str, tuple[str, ...]] = {}  # by a word that is an entry
        self._lists_from: dict[str, tuple[str, ...]] = {}  # by the first of several words
        self._written: dict[str, str] = {}
        self._begin = _Reached(((self._root, 0, None),))
        self._remembered: dict[frozenset[tuple[int, int, int]], _Reached] = {}

    def name(self, name: str, listed: Iterable[str]) -> None:
        """
        Name a list of words and phrases, for the phrases that are added after it. A name that was
        given before takes these as well.
        """
        root = self._lists.setdefault(name, _Place())
        for words in map(_entry, listed):
            self.know(word for word in words if word != NUMBER)
            by = self._lists_of if len(words) == 1 else self._lists_from
            if words and name not in by.get(words[0], ()):
                by[words[0]] = (*by.get(words[0], ()), name)
            if len(words) > 1:
                place = root
                for word in words:
                    place = place.by_word.setdefault(word, _Place())
                place.ends = [(name, False)]

    def add(self, phrase: str, about: Any) -> None:
        """
        Add a phrase.

        Raises:
            ValueError: it holds a name that no list has, is empty, begins or ends with a gap, or
                can be read in too many ways.
        """
        is_loose = GAP in phrase.split()
        for steps in _variants(phrase):
            place = self._root
            for step in steps:
                place = self._follow(place, step)
            end = (about, is_loose)
            if end not in place.ends:
                place.ends.append(end)
        self._forget()

    def _follow(self, place: _Place, step: str | None) -> _Place:
        if step is None:
            place.any_word = place.any_word or _Place()
            return place.any_word
        if step.isupper():
            if step != NUMBER and step not in self._lists:
                raise ValueError(f"`{step[:60]}` is not a list of words")
            return place.by_name.setdefault(step, _Place())
        self.know((step,))
        return place.by_word.setdefault(step, _Place())

    def know(self, words: Iterable[str]) -> None:
        """
        Tell these words apart in a text though no phrase holds them.
        """
        for word in words:
            for written in (word, word.upper(), word.capitalize()):
                self._written[written] = word

    def words_of(self, text: str) -> list[str]:
        """
        Cut a text into words as the phrases know them: OTHER for one that no phrase holds, NUMBER
        for a number. What is no word and no sign with a meaning is passed over.
        """
        return self.read(places_of(text))

    def read(self, places: Iterable[re.Match[str]]) -> list[str]:
        """
        Give the words of `words_of` at their places.
        """
        written = self._written
        return [written.get(place[0]) or self._read(place[0]) for place in places]

    def _read(self, found: str) -> str:
        word = _fold(found)
        if word in self._written:
            return word
        return NUMBER if word.isdigit() else OTHER

    def find(self, words: Sequence[str]) -> list[Found]:
        """
        Find every phrase in a text, overlapping ones too, in the order in which they end.
        """
        found: list[Found] = []
        reached = self._begin
        for place, word in enumerate(words, start=1):
            reached = reached.then.get(word) or self._after(reached, word)
            if reached.ends:
                found += [
                    (place - length, place, about, is_loose)
                    for length, about, is_loose in reached.ends
                ]
        return found

    def _after(self, reached: _Reached, word: str) -> _Reached:
        steps = list(self._begin.steps)
        for step in reached.steps:
            steps += self._next_steps(step, word)
        key = frozenset((id(place), count, id(after)) for place, count, after in steps)
        following = self._remembered.get(key)
        if following is None:
            steps = list(dict.fromkeys(steps))
            ends = dict.fromkeys(
                (count, *end)
                for place, count, after in steps
                if after is None
                for end in place.ends
            )
            following = _Reached(tuple(steps), tuple(ends))
            if len(self._remembered) >= KNOWN_MAX:
                self._forget()
            self._remembered[key] = following
        reached.then[word] = following
        return following

    def _forget(self) -> None:
        # A new beginning: a thread in the middle of a text goes on with what it holds.
        self._remembered = {}
        self._begin = _Reached(((self._root, 0, None),))

    def _next_steps(self, step: _Step, word: str) -> Iterator[_Step]:
        place, count, after = step
        count += 1
        # A number that some phrase spells out is a number all the same.
        readings = (word, NUMBER) if word.isdigit() else (word,)
        for read in readings:
            following = place.by_word.get(read)
            if following is not None:
                yield following, count, after
                if after is not None and following.ends:
                    yield after, count, None
            if place.by_name:
                yield from self._steps_by_name(place, count, read)
        if place.any_word is not None and word not in self._gap_ends:
            yield place.any_word, count, None

    def _steps_by_name(self, place: _Place, count: int, word: str) -> Iterator[_Step]:
        for name in self._lists_of.get(word, ()):
            if name in place.by_name:
                yield place.by_name[name], count, None
        for name in self._lists_from.get(word, ()):
            if name in place.by_name:
                yield self._lists[name].by_word[word], count, place.by_name[name]
        if word == NUMBER and NUMBER in place.by_name:
            yield place.by_name[NUMBER], count, None


def _fold(found: str) -> str:
    sign = _SIGNS.get(found)
    if sign is not None:
        return sign
    if found.startswith("--"):
        return STOP
    if not found.isascii():
        parts = unicodedata.normalize("NFKD", found)
        found = "".join(one for one in parts if not unicodedata.combining(one))
    return found.casefold().translate(_GONE)


def places_of(text: str) -> list[re.Match[str]]:
    """
    Give where the words of a text stand, one after the other.
    """
    return list(_WORD.finditer(text))


@lru_cache(maxsize=8192)
def folded(text: str) -> tuple[str, ...]:
    """
    Give the words of a phrase as texts are read for them. For what is written in a configuration:
    it is remembered, because the same words stand in thousands of phrases.
    """
    return tuple(_fold(match.group()) for match in _WORD.finditer(text))


def _entry(text: str) -> tuple[str, ...]:
    """
    Give the words of an entry of a list; NUMBER in it is a number.
    """
    pieces = ((NUMBER,) if piece == NUMBER else folded(piece) for piece in text.split())
    return tuple(word for piece in pieces for word in piece)


def _variants(phrase: str) -> list[tuple[str | None, ...]]:
    """
    Write a phrase out: every way to read its signs, as steps; None is any word.
    """
    variants: list[tuple[str | None, ...]] = [()]
    for piece in phrase.split():
        options = _options(piece)
        variants = [(*before, *option) for before in variants for option in options]
        if len(variants) > VARIANTS_MAX:
            raise ValueError(f"`{phrase[:60]}` can be read in more than {VARIANTS_MAX} ways")
    kept = [one for one in dict.fromkeys(variants) if any(step is not None for step in one)]
    if not kept or any(one[0] is None or one[-1] is None for one in kept):
        raise ValueError(f"`{phrase[:60]}` must begin and end with a word")
    return kept


def _options(piece: str) -> list[tuple[str | None, ...]]:
    if piece == GAP:
        return [(None,) * count for count in range(GAP_WORDS + 1)]
    if len(piece) > 1 and piece.endswith("?"):
        return [(), *_options(piece[:-1])]
    if "|" in piece:
        return [option for one in piece.split("|") for option in _options(one)]
    if piece.isupper():
        return [(piece,)]
    words = folded(piece)
    if not words:
        raise ValueError(f"`{piece[:60]}` holds no word")
    return [words]
