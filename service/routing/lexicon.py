"""
Reads the lexicon: the phrases and the shorthand that say something of a fact, and the words around
them that turn what they say.

It is data (`config/remarks/*.yaml`), one file a language, all joined into one book, because a
dispatcher writes two languages in one line. Every fault of every file is named at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, NamedTuple

from service.routing.facts import Fact, Value, Vocabulary
from service.routing.phrases import COMMA, OTHER, STOP, PhraseBook, folded
from service.routing.problems import Problem, nearest

PRESENT: Final = "present"
ABSENT: Final = "absent"
UNKNOWN_OUTCOME: Final = "unknown"
HISTORICAL: Final = "historical"
MENTIONED: Final = "mentioned"  # a word that says something only where a cue stands by it
SOMEBODY_ELSE: Final = "other"  # a cue: it is about somebody else, so nothing is said of the call
KEYS: Final = (
    *("language", "title", "note", "words", "close", "loose", "ends", "joins", "ors", "cues"),
    *("quiet", "nouns", "history", "lasting", "beside", "everywhere"),
    *("partly", "mentions", "says"),
)
CUE_KEYS: Final = ("says", "stands", "reach", "when", "phrases")
CUE_SAYS: Final = (PRESENT, ABSENT, UNKNOWN_OUTCOME, HISTORICAL, SOMEBODY_ELSE)
STANDS: Final = ("before", "after", "either", "form")
REACHES: Final = ("close", "loose", "far")
FAR: Final = 2
SPECIAL: Final = (ABSENT, UNKNOWN_OUTCOME, HISTORICAL, MENTIONED)


_WORDS: Final = ("close", "loose", "ends", "joins", "ors")
_FACTS: Final = ("lasting", "beside", "everywhere", "partly")


class Says(NamedTuple):
    """
    What a phrase says: of which fact, how, and which value it speaks for.

    `value` is None where the phrase holds the number; `when` is the time of something past.
    """

    fact: str
    outcome: str
    value: Value | None
    when: str = ""


class Cue(NamedTuple):
    """
    What a phrase does to those near it: it denies them, doubts them, puts them into the past.

    `stands` says where it stands: before or after what it turns, either (it looks ahead first) or
    in a form (it looks back first); `reach` over which words it carries.
    """

    outcome: str
    stands: str
    reach: int
    when: str


class Mark(NamedTuple):
    """
    A phrase that only says what stands there: `quiet` (nothing of what it holds counts) or `noun`
    (it can stand in a list).
    """

    name: str


QUIET: Final = Mark("quiet")
NOUN: Final = Mark("noun")


@dataclass(frozen=True, repr=False)
class Lexicon:
    """
    Every language's phrases in one book, and the words between them.

    `close` words carry every cue on, `loose` words all but the shortest; `ends` stop every cue.
    `joins` bind a list, and of them `ors` whatever follows, the others only a noun.

    `history` gives for a fact the fact of its past and its values by time; `lasting` facts have no
    past. The phrases of `beside` facts let the words within them speak for other facts too, and
    words of `everywhere` facts speak within every phrase. A denied phrase of a `partly` fact denies
    a part only, and so says nothing.
    `absent_values` gives the value that stands for 'none' where a fact has one.
    """

    book: PhraseBook
    close: frozenset[str]
    loose: frozenset[str]
    ends: frozenset[str]
    joins: frozenset[str]
    ors: frozenset[str]
    history: Mapping[str, tuple[str, Mapping[str, Value]]]
    lasting: frozenset[str]
    beside: frozenset[str]
    everywhere: frozenset[str]
    partly: frozenset[str]
    absent_values: Mapping[str, Value]

    def __repr__(self) -> str:
        """
        Name it; its content is long.
        """
        return "Lexicon(...)"

    @cached_property
    def facts_of_the_past(self) -> frozenset[str]:
        """
        Give the facts that speak of what was.
        """
        return frozenset(name for name, _ in self.history.values())


def read_lexicon(
    vocabulary: Vocabulary, documents: Mapping[str, tuple[Any, Mapping[str, int]]]
) -> tuple[Lexicon, list[Problem]]:
    """
    Read the lexicon; *documents* maps a file to its document and the lines of its places.

    With no document the lexicon is empty and reads nothing out of any remark.
    """
    reading = _Reading(vocabulary)
    for file, (document, lines) in documents.items():
        reading.take(file, document, lines)
    return reading.lexicon(), reading.problems


class _Reading:
    """
    The lexicon as it is put together, and the faults met so far.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.problems: list[Problem] = []
        self._vocabulary = vocabulary
        self._sets: dict[str, set[str]] = {key: set() for key in (*_WORDS, *_FACTS)}
        self._history: dict[str, tuple[str, dict[str, Value]]] = {}
        self._mentions: dict[str, Value] = {}
        self._adding: list[tuple[str, object, Problem]] = []
        self._lists: dict[str, list[str]] = {}
        self._file, self._lines = "", dict[str, int]()

    def take(self, file: str, document: Any, lines: Mapping[str, int]) -> None:
        """
        Take in one file.
        """
        self._file, self._lines = file, dict(lines)
        if not isinstance(document, Mapping):
            self._fault("no_lexicon", "", "a lexicon must be a mapping with `says` and `cues`")
            return
        for key in document:
            if key not in KEYS:
                text = f"a lexicon has no key `{str(key)[:60]}`"
                self._fault("unknown_key", str(key)[:60], text, nearest(key, KEYS))
        self._take_words(document.get("words"))
        for key in _WORDS:
            for one in self._listed(document, key, key):
                self._sets[key] |= set(folded(one))
        for key in _FACTS:
            listed = self._listed(document, key, key)
            self._sets[key] |= {one for one in listed if self._fact(one, key) is not None}
        for mark in (QUIET, NOUN):
            key = "quiet" if mark is QUIET else "nouns"
            self._add(self._listed(document, key, key), mark, key)
        self._take_cues(document.get("cues"))
        self._take_history(document.get("history"))
        self._take_mentions(document.get("mentions"))
        self._take_says(document.get("says"))

    def lexicon(self) -> Lexicon:
        """
        Give the lexicon of all that was taken in without fault.
        """
        book = PhraseBook(frozenset((STOP, COMMA)) | self._sets["ends"])
        for name, listed in self._lists.items():
            book.name(name, listed)
        for phrase, about, place in self._adding:
            try:
                book.add(phrase, about)
            except ValueError as fault:
                self.problems.append(replace(place, message=str(fault)))
        known = (STOP, COMMA, ":", "/", "?")
        book.know((*known, *(word for key in _WORDS for word in self._sets[key])))
        sets = {key: frozenset(value - {OTHER}) for key, value in self._sets.items()}
        absent = {
            name: value
            for name, fact in self._vocabulary.facts.items()
            if (value := _absent_value(fact)) is not None
        }
        return Lexicon(book, history=self._history, absent_values=absent, **sets)

    def _take_words(self, block: object) -> None:
        """
        Take the lists of words; a list may hold another that stands above it by its name.
        """
        for name in block if isinstance(block, Mapping) else ():
            listed = self._lists.setdefault(str(name), [])
            for one in self._listed(block, name, f"words.{name}"):
                if not one.isupper():
                    listed.append(one)
                elif one in self._lists:
                    listed += self._lists[one]
                else:
                    text = f"`{one[:60]}` is not a list of words that stands above"
                    near = nearest(one, list(self._lists))
                    self._fault("unknown_words", f"words.{name}", text, near)

    def _take_cues(self, blocks: object) -> None:
        for place, block in enumerate(blocks if isinstance(blocks, list) else ()):
            path = f"cues[{place}]"
            if not isinstance(block, Mapping) or set(block) - set(CUE_KEYS):
                text = f"a cue has the keys {', '.join(CUE_KEYS)} and no other"
                self._fault("bad_cue", path, text)
                continue
            said = {
                key: str(block.get(key, allowed[0]))
                for key, allowed in (("says", CUE_SAYS), ("stands", STANDS), ("reach", REACHES))
            }
            wrong = [
                (key, allowed)
                for key, allowed in (("says", CUE_SAYS), ("stands", STANDS), ("reach", REACHES))
                if said[key] not in allowed
            ]
            for key, allowed in wrong:
                text = f"`{key}` cannot be `{said[key][:60]}`: {', '.join(allowed)}"
                self._fault("bad_cue", f"{path}.{key}", text, nearest(said[key], allowed))
            if not wrong:
                reach = REACHES.index(said["reach"])
                cue = Cue(said["says"], said["stands"], reach, str(block.get("when", "past")))
                self._add(self._listed(block, "phrases", f"{path}.phrases"), cue, path)

    def _take_history(self, block: object) -> None:
        for name, values in block.items() if isinstance(block, Mapping) else ():
            fact = self._fact(name, f"history.{name}")
            if fact is None:
                continue
            if not fact.history_of or not isinstance(values, Mapping):
                text = f"`{name}` is not marked `history_of` in the vocabulary"
                self._fault("bad_history", f"history.{name}", text)
                continue
            wrong = [one for one in values.values() if not fact.has(one)]
            for one in wrong:
                text = f"`{name}` has no value `{str(one)[:60]}`"
                near = nearest(one, [str(value) for value in fact.values])
                self._fault("bad_value", f"history.{name}", text, near)
            if not wrong:
                self._history[fact.history_of] = (fact.name, {str(k): v for k, v in values.items()})

    def _take_mentions(self, block: object) -> None:
        for name, value in block.items() if isinstance(block, Mapping) else ():
            fact = self._fact(name, f"mentions.{name}")
            if fact is None:
                continue
            if fact.has(value):
                self._mentions[fact.name] = value
            else:
                text = f"`{name}` has no value `{str(value)[:60]}`"
                near = nearest(str(value), [str(one) for one in fact.values[:20]])
                self._fault("bad_value", f"mentions.{name}", text, near)

    def _take_says(self, block: object) -> None:
        for name, by_value in block.items() if isinstance(block, Mapping) else ():
            path = f"says.{name}"
            fact = self._fact(name, path)
            if fact is None or not isinstance(by_value, Mapping):
                continue
            for key in by_value:
                at = f"{path}.{key}"
                for says in self._says(fact, key, at):
                    self._add(self._listed(by_value, key, at), says, at)

    def _says(self, fact: Fact, key: object, path: str) -> Iterator[Says]:
        absent = _absent_value(fact)
        if fact.kind == "flag":
            key = {"true": True, "false": False}.get(str(key).lower(), key)
        if fact.kind == "number" and key == "number":
            yield Says(fact.name, PRESENT, None)
        elif key in SPECIAL and not fact.has(key):
            value = self._mentions.get(fact.name) if key == MENTIONED else None
            some = True if fact.kind == "flag" else value
            yield Says(fact.name, str(key), absent if key == ABSENT else some, "past")
        elif fact.has(key):
            assert isinstance(key, str | bool | int)
            yield Says(fact.name, ABSENT if key == absent else PRESENT, key)
        else:
            values = [*map(str, fact.values[:20]), *SPECIAL]
            text = f"`{fact.name}` has no value `{str(key)[:60]}`"
            self._fault("bad_value", path, text, nearest(str(key), values))

    def _fact(self, name: object, path: str) -> Fact | None:
        fact = self._vocabulary.facts.get(str(name))
        if fact is None or fact.protected:
            near = nearest(name, self._vocabulary.asked)
            self._fault("unknown_fact", path, f"`{str(name)[:60]}` is not a fact", near)
            return None
        return fact

    def _listed(self, block: object, key: object, path: str) -> list[str]:
        listed = block.get(key) if isinstance(block, Mapping) else None
        if listed is None:
            return []
        if not isinstance(listed, list) or any(isinstance(one, list | dict) for one in listed):
            self._fault("no_list", path, "must be a list of phrases")
            return []
        return [str(one) for one in listed]

    def _add(self, phrases: Sequence[str], about: object, path: str) -> None:
        place = Problem("bad_phrase", path, "", line=self._lines.get(path, 0), file=self._file)
        self._adding += [(phrase, about, place) for phrase in phrases]

    def _fault(self, code: str, path: str, text: str, near: str | None = None) -> None:
        line = self._lines.get(path, 0)
        problem = Problem(code, path, text, line=line, suggestion=near, file=self._file)
        self.problems.append(problem)


def _absent_value(fact: Fact) -> Value | None:
    """
    Give the value that says 'none' of a fact; None where there is no such value.
    """
    if fact.kind == "flag":
        return False
    return fact.values[0] if fact.kind == "ordered" else None
