"""
How the call console lays out a call, read from `config/console.yaml`: what it asks first, where
each fact stands, what it always lists as not known.

It decides nothing about who is recommended. Every name is checked against the vocabulary.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.routing.facts import Value, Vocabulary
from service.routing.problems import Problem, nearest

CALL_BACK_MINUTES = 30  # where the file does not say it; the file gives the source
MINUTES_MAX = 24 * 60
TAKE_BACK_MAX = 9  # one key each, from 1 to 9
TAKE_BACK_CHARACTERS_MAX = 200
FURTHER = "Further facts"


@dataclass(frozen=True, slots=True)
class AtOnce:
    """
    What is asked before anything else once *fact* has *value*.
    """

    fact: str
    value: Value
    ask: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Console:
    """
    The layout of a call. `groups` are titles with the names of their facts; every fact that a call
    can carry stands in exactly one. `take_back` are reasons for taking a signal back, one key each.
    """

    head: tuple[str, ...]
    ask_first: tuple[str, ...]
    ask_at_once: tuple[AtOnce, ...]
    dangers: tuple[str, ...]
    police_dangers: frozenset[str]
    sources: Mapping[str, str]
    offered: tuple[str, ...]
    call_back_minutes: int
    take_back: Mapping[str, str]
    groups: tuple[tuple[str, tuple[str, ...]], ...]

    def at_once(self, known: Mapping[str, Value]) -> tuple[str, ...]:
        """
        Name what must be asked before anything else, given what is known of a call.
        """
        asked = [
            name for one in self.ask_at_once if known.get(one.fact) == one.value for name in one.ask
        ]
        return tuple(dict.fromkeys(asked))


def read_console(vocabulary: Vocabulary, document: object) -> tuple[Console, list[Problem]]:
    """
    Read the layout; all faults are named at once.

    Total: a name that is not in the vocabulary is left out, and a fact that stands nowhere is put
    into a last group, so that a console can always be shown.
    """
    told = document if isinstance(document, Mapping) else {}
    problems: list[Problem] = []
    named = {
        key: _names(vocabulary, told.get(key), key, problems)
        for key in ("head", "ask_first", "dangers", "police_dangers")
    }
    words = _words(told.get("sources"))
    offered = tuple(one for one in _list(told.get("offered")) if one in words)
    if not offered:
        text = "must name at least one of `sources`, the usual one first"
        problems.append(Problem("no_source_offered", "offered", text))
        offered, words = ("told",), {"told": "told", **words}
    return Console(
        named["head"],
        named["ask_first"],
        tuple(_at_once(vocabulary, told.get("ask_at_once"), problems)),
        named["dangers"],
        frozenset(named["police_dangers"]),
        words,
        offered,
        _minutes(told.get("call_back_minutes"), problems),
        _take_back(told.get("take_back"), problems),
        _groups(vocabulary, told.get("groups"), problems),
    ), problems


def _at_once(vocabulary: Vocabulary, raw: object, problems: list[Problem]) -> Iterator[AtOnce]:
    for place, block in enumerate(_list(raw)):
        path = f"ask_at_once[{place}]"
        if not isinstance(block, Mapping):
            text = "must be a mapping with `fact`, `value` and `ask`"
            problems.append(Problem("not_at_once", path, text))
            continue
        names = _names(vocabulary, [block.get("fact")], f"{path}.fact", problems)
        value = block.get("value")
        if names and not vocabulary.facts[names[0]].has(value):
            text = f"`{names[0]}` has no value `{str(value)[:60]}`"
            near = nearest(value, [str(one) for one in vocabulary.facts[names[0]].values[:20]])
            problems.append(Problem("bad_value", f"{path}.value", text, suggestion=near))
        elif names:
            asked = _names(vocabulary, block.get("ask"), f"{path}.ask", problems)
            yield AtOnce(names[0], block["value"], asked)


def _groups(
    vocabulary: Vocabulary, raw: object, problems: list[Problem]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    placed: set[str] = set()
    groups: list[tuple[str, tuple[str, ...]]] = []
    for place, block in enumerate(_list(raw)):
        path = f"groups[{place}]"
        title = block.get("title") if isinstance(block, Mapping) else None
        if not isinstance(title, str) or not title:
            problems.append(Problem("no_title", path, "a group needs a `title` and its `facts`"))
            continue
        names = _names(vocabulary, block.get("facts"), f"{path}.facts", problems)
        for name in placed.intersection(names):
            text = f"the fact `{name}` stands in another group too"
            problems.append(Problem("fact_twice", f"{path}.facts", text))
        groups.append((title, tuple(name for name in names if name not in placed)))
        placed.update(names)
    missing = tuple(name for name in vocabulary.asked if name not in placed)
    if missing:
        text = f"these facts stand in no group: {', '.join(f'`{name}`' for name in missing[:20])}"
        problems.append(Problem("fact_nowhere", "groups", text))
        groups.append((FURTHER, missing))
    return tuple(groups)


def _names(
    vocabulary: Vocabulary, raw: object, path: str, problems: list[Problem]
) -> tuple[str, ...]:
    asked = vocabulary.asked
    names = []
    for one in _list(raw):
        if one in asked:
            names.append(str(one))
        else:
            text = f"`{str(one)[:60]}` is no fact that a call can carry"
            problems.append(Problem("unknown_fact", path, text, suggestion=nearest(one, asked)))
    return tuple(dict.fromkeys(names))


def _minutes(raw: object, problems: list[Problem]) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool) and 1 <= raw <= MINUTES_MAX:
        return raw
    text = f"must be a whole number of minutes from 1 to {MINUTES_MAX}"
    problems.append(Problem("bad_minutes", "call_back_minutes", text))
    return CALL_BACK_MINUTES


def _take_back(raw: object, problems: list[Problem]) -> dict[str, str]:
    reasons = {
        name: text.strip()[:TAKE_BACK_CHARACTERS_MAX]
        for name, text in _words(raw).items()
        if text.strip()
    }
    if not 0 < len(reasons) <= TAKE_BACK_MAX or len(reasons) < len(_words(raw)):
        text = f"must map 1 to {TAKE_BACK_MAX} names to the words of a reason"
        problems.append(Problem("bad_take_back", "take_back", text))
    return dict(list(reasons.items())[:TAKE_BACK_MAX])


def _list(raw: object) -> Iterable[Any]:
    return raw if isinstance(raw, list) else ()


def _words(raw: object) -> dict[str, str]:
    return {str(name): str(word) for name, word in raw.items()} if isinstance(raw, Mapping) else {}
