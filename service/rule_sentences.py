"""
Writes a rule as one sentence that an administrator can read aloud.

A sentence is a row of pieces, so that a page can set values and responders apart; `plain` joins
them. What cannot be read as a rule is shown as it stands.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.routing.conditions import ConditionError, Test, read_test
from service.routing.facts import Fact, Vocabulary
from service.routing.rules import LEADS

NEEDS: Final = "needs"
HAZARDS: Final = "hazards"
TABLES: Final = (HAZARDS, NEEDS)


@dataclass(frozen=True, slots=True)
class Piece:
    """
    A piece of a sentence: plain text, a value that is tested or set, or a responder by its kind.
    """

    text: str
    is_value: bool = False
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """
    One rule as a sentence, with what stands beside it. `place` counts from 0 in its table.
    """

    table: str
    place: int
    rule: str
    pieces: tuple[Piece, ...]
    why: str
    source: str
    url: str

    @property
    def plain(self) -> str:
        """
        Give the sentence as text.
        """
        return "".join(piece.text for piece in self.pieces)


def sentences(vocabulary: Vocabulary, content: Mapping[str, Any]) -> list[Sentence]:
    """
    Write every rule of a ruleset, hazards first, each table in its order.
    """
    found = []
    for table in TABLES:
        rules = content.get(table)
        for place, block in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(block, Mapping):
                found.append(sentence(vocabulary, table, place, block))
    return found


def sentence(vocabulary: Vocabulary, table: str, place: int, block: Mapping[str, Any]) -> Sentence:
    """
    Write one rule.
    """
    source = block.get("source")
    named = source if isinstance(source, Mapping) else {}
    pieces = [*_condition(vocabulary, block.get("when")), *_follows(vocabulary, table, block)]
    return Sentence(
        table=table,
        place=place,
        rule=str(block.get("id", "")),
        pieces=tuple(pieces),
        why=str(block.get("why") or ""),
        source=str(named.get("title") or ""),
        url=_address(named.get("url")),
    )


def _address(raw: Any) -> str:
    # A link is followed by a press; anything but the web's own schemes is shown as no link.
    text = str(raw or "")
    return text if text.startswith(("https://", "http://")) else ""


def _condition(vocabulary: Vocabulary, when: Any) -> Iterator[Piece]:
    if not isinstance(when, Mapping) or not when:
        yield Piece("Otherwise, " if when is None else "When ? , ")
        return
    yield Piece("When ")
    shared = [(name, raw) for name, raw in when.items() if name != "any"]
    yield from _tests(vocabulary, shared)
    alternatives = when.get("any")
    if isinstance(alternatives, list) and alternatives:
        yield Piece(", and either " if shared else "either ")
        for place, one in enumerate(alternatives):
            if place:
                yield Piece(", or ")
            yield from _tests(vocabulary, list(one.items()) if isinstance(one, Mapping) else [])
    yield Piece(", ")


def _tests(vocabulary: Vocabulary, tests: Sequence[tuple[Any, Any]]) -> Iterator[Piece]:
    for place, (name, raw) in enumerate(tests):
        if place:
            yield Piece(" and ")
        yield from _test(vocabulary.facts.get(name) if isinstance(name, str) else None, name, raw)


def _test(fact: Fact | None, name: Any, raw: Any) -> Iterator[Piece]:
    if fact is None:
        yield Piece(f"{name} ")
        yield Piece(str(raw), is_value=True)
        return
    yield Piece(f"{_lower(fact.label)} ")
    try:
        test = read_test(fact, raw)
    except ConditionError:
        yield Piece(str(raw), is_value=True)
        return
    yield from _words(fact, test)


def words_of(fact: Fact, test: Test) -> str:
    """
    Give a test in words, without the name of its fact.
    """
    return "".join(piece.text for piece in _words(fact, test))


def _words(fact: Fact, test: Test) -> Iterator[Piece]:
    bound = _lower(fact.label_of(test.bound)) if test.bound is not None else ""
    if test.operator in ("known", "unknown"):
        yield Piece("is ")
        yield Piece("known" if test.operator == "known" else "not known", is_value=True)
        return
    if test.operator == "at_least":
        yield Piece("is ")
        yield Piece(bound, is_value=True)
        yield Piece(" or more" if test.bound != fact.values[-1] else "")
    elif test.operator == "at_most":
        yield Piece("is known to be ")
        yield Piece(bound, is_value=True)
        yield Piece(" or less" if test.bound != fact.values[0] else "")
    elif test.operator == "range":
        numbers = sorted(one for one in test.values if isinstance(one, int))
        yield Piece("is ")
        yield Piece(f"{numbers[0]} to {numbers[-1]}", is_value=True)
    else:
        listed = [value for value in fact.values if value in test.values]
        yield Piece("is ")
        labels = [_lower(fact.label_of(value)) for value in listed]
        yield Piece(_or(labels if len(labels) == 1 else _set_apart(labels)), is_value=True)
    if test.unknown:
        yield Piece(" or ")
        yield Piece("not known", is_value=True)


def _follows(vocabulary: Vocabulary, table: str, block: Mapping[str, Any]) -> Iterator[Piece]:
    said: list[list[Piece]] = []
    lead = block.get("lead") if table == NEEDS else block.get("at_least")
    if lead is not None:
        before = [] if table == NEEDS else [Piece("at least ")]
        said.append([*before, _who(vocabulary, lead)])
    beside = [_who(vocabulary, one) for one in _list(block.get("with"))]
    if beside:
        pieces = [Piece("with ")] if said else []
        for place, one in enumerate(beside):
            pieces += [Piece(" and "), one] if place else [one]
        pieces += [Piece(f" and {_plain_words(one)}") for one in _list(block.get("needs"))]
        if block.get("alone") is True:
            pieces.append(Piece(" alone"))
        said.append(pieces)
    if block.get("urgency") is not None:
        before = [] if table == NEEDS else [Piece("at least ")]
        word = vocabulary.urgencies.get(str(block["urgency"]), str(block["urgency"]))
        said.append([*before, Piece(_lower(word), is_value=True)])
    for place, pieces in enumerate(said):
        if place:
            yield Piece(" " if pieces[0].text == "with " else ", ")
        yield from pieces
    yield from _beside(vocabulary, block, is_first=not said)


def _beside(vocabulary: Vocabulary, block: Mapping[str, Any], *, is_first: bool) -> Iterator[Piece]:
    notify = _list(block.get("notify"))
    told = [_lower(vocabulary.notify.get(str(one), _plain_words(one))) for one in notify]
    asked = [
        _lower(vocabulary.facts[one].label) if one in vocabulary.facts else str(one)
        for one in _list(block.get("ask"))
    ]
    if told:
        yield Piece(f"{'' if is_first else '; '}notify: {_and(told)}")
    if asked:
        yield Piece(f"{'' if is_first and not told else '; '}ask about {_and(asked)}")
    if block.get("from"):
        yield Piece(f"; from {block['from']}")
    if block.get("until"):
        yield Piece(f"; until {block['until']}")
    yield Piece(".")


def _who(vocabulary: Vocabulary, kind: Any) -> Piece:
    name = str(kind)
    is_known = name in vocabulary.responders or name in LEADS
    word = vocabulary.responders.get(name, name)
    return Piece(word, kind=name) if is_known else Piece(word, is_value=True)


def _list(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else []


def _plain_words(raw: Any) -> str:
    return str(raw).replace("_", " ")


def _lower(label: str) -> str:
    # An abbreviation keeps its capitals.
    return label if label[1:2].isupper() else f"{label[:1].lower()}{label[1:]}"


def _set_apart(labels: Sequence[str]) -> list[str]:
    # A comma inside of a label would read as one between two.
    return [re.sub(r"^([^,]+), (.+)$", r"\1 (\2)", label) for label in labels]


def _or(words: Sequence[str]) -> str:
    return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def _and(words: Sequence[str]) -> str:
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)
