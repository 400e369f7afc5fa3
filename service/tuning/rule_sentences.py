"""
Puts a rule into words: 'When a weapon is within reach or more, at least a co-responder, with EMS'.

A sentence is a row of pieces, so that a page can mark the values and the responders in it. The
words come from the vocabulary, and nothing here names a fact.

>>> from service.routing.rules import Source
>>> rule = Rule("all", "needs", ((),), "All.", Source("T"), lead="988", urgency="routine")
>>> words_of(sentence_of(Vocabulary({}, responders={"988": "988"}), rule))
'Always: 988, urgency routine.'
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from service.routing.conditions import Row, Test
from service.routing.facts import Fact, Value, Vocabulary
from service.routing.reading import read_rule
from service.routing.rules import Rule, Ruleset

Part = Literal["plain", "value", "responder"]
NOT_KNOWN: Final = "not known"


@dataclass(frozen=True, slots=True)
class Piece:
    """
    A part of a sentence: plain words, a value of a fact, or a responder of this `kind`.
    """

    part: Part
    text: str
    kind: str = ""


Sentence = tuple[Piece, ...]


def sentence_of(vocabulary: Vocabulary, rule: Rule) -> Sentence:
    """
    Put a rule into one sentence: when it holds, and what it asks for.
    """
    return _joined(
        (
            *_condition(vocabulary, rule),
            *_effects(vocabulary, rule),
            *_dates(rule),
            _plain("."),
        )
    )


def condition_of(vocabulary: Vocabulary, rule: Rule) -> Sentence:
    """
    Put into words only when a rule holds: 'When …', or 'Always'.
    """
    return _joined(_when(vocabulary, rule))


def sentences_of(vocabulary: Vocabulary, ruleset: Ruleset) -> dict[str, Sentence]:
    """
    Put every rule of a ruleset into a sentence, by its id, in the order of the tables.
    """
    rules = (*ruleset.needs, *ruleset.hazards)
    return {rule.id: sentence_of(vocabulary, rule) for rule in rules}


def sentence_of_block(vocabulary: Vocabulary, table: str, block: object) -> Sentence:
    """
    Put one rule of a document into a sentence, as far as it can be read.

    Total: a draft may hold anything at all, and what cannot be read is left out of the sentence.
    """
    if not isinstance(block, Mapping):
        return (_plain("This is no rule."),)
    rule, _ = read_rule(vocabulary, table, block)
    return sentence_of(vocabulary, rule)


def sentences_of_document(vocabulary: Vocabulary, document: object) -> dict[str, Sentence]:
    """
    Put every rule of a ruleset's document into a sentence, by its id; empty for what is none.
    """
    found: dict[str, Sentence] = {}
    for table in ("needs", "hazards"):
        rules = document.get(table) if isinstance(document, Mapping) else None
        for block in rules if isinstance(rules, list) else ():
            if isinstance(block, Mapping) and isinstance(block.get("id"), str):
                found[block["id"]] = sentence_of_block(vocabulary, table, block)
    return found


def words_of(sentence: Iterable[Piece]) -> str:
    """
    Give a sentence as plain text.
    """
    return "".join(piece.text for piece in sentence)


def words_of_test(fact: Fact, test: Test) -> str:
    """
    Give one test in words, without the name of its fact: 'is at least within reach or not known'.
    """
    if test.operator in ("known", "unknown"):
        return f"is {'known' if test.operator == 'known' else NOT_KNOWN}"
    if fact.kind == "flag" and test.operator in ("is", "not"):
        value = _lower(fact, fact.label_of(test.bound is not False))
        if test.operator == "not":
            return f"is not known to be {value}"
        told = f"is {value}"
    else:
        told = f"is {words_of(_bound(fact, test))}"
    return f"{told} or {NOT_KNOWN}" if test.unknown else told


def _condition(vocabulary: Vocabulary, rule: Rule) -> list[Piece]:
    told = _when(vocabulary, rule)
    return [*told, _plain(": " if rule.table == "needs" or not any(rule.rows) else ", ")]


def _when(vocabulary: Vocabulary, rule: Rule) -> list[Piece]:
    shared, rests = _split(rule.rows)
    if not shared and not any(rests):
        return [_plain("Always")]
    told = [_plain("When "), *_conjunction(vocabulary, shared)]
    if any(rests):
        told += [_plain(", and either " if shared else "either ")]
        for place, row in enumerate(rests):
            told += [_plain(", or ")] if place else []
            told += _conjunction(vocabulary, row)
    return told


def _split(rows: tuple[Row, ...]) -> tuple[Row, tuple[Row, ...]]:
    """
    Part what every alternative asks from what each asks by itself; one row alone is all shared.
    """
    if len(rows) <= 1:
        return (rows[0] if rows else ()), ()
    shared = tuple(test for test in rows[0] if all(test in row for row in rows))
    return shared, tuple(tuple(test for test in row if test not in shared) for row in rows)


def _conjunction(vocabulary: Vocabulary, row: Row) -> list[Piece]:
    told: list[Piece] = []
    for place, test in enumerate(row):
        if place:
            told.append(_plain(" and " if place == len(row) - 1 else ", "))
        told += _test(vocabulary.facts[test.fact], test)
    return told


def _test(fact: Fact, test: Test) -> list[Piece]:
    if test.operator == "known":
        return [_value(fact.label), _plain(" is known")]
    if test.operator == "unknown":
        return [_value(fact.label), _plain(" is "), _value(NOT_KNOWN)]
    if fact.kind == "flag" and test.operator in ("is", "not"):
        return _flag(fact, test)
    told = [_plain(_subject(fact)), *_bound(fact, test)]
    return [*told, _plain(" or "), _value(NOT_KNOWN)] if test.unknown else told


def _flag(fact: Fact, test: Test) -> list[Piece]:
    words = _flag_words(fact, test.bound)
    if test.operator == "not":
        return [_plain("it is not known that "), _value(words)]
    told = [_value(words)]
    return [*told, _plain(" or that is "), _value(NOT_KNOWN)] if test.unknown else told


def _flag_words(fact: Fact, value: Value | None) -> str:
    said = value is not False
    if said in fact.flag_clauses:
        return fact.flag_clauses[said]
    words = fact.label_of(said)
    return f"{_lower(fact, fact.label)} is {_lower(fact, words)}"


def _bound(fact: Fact, test: Test) -> list[Piece]:
    if test.operator in ("at_least", "at_most") and len(test.values) > 1:
        way = "at least " if test.operator == "at_least" else "at most "
        return [_plain(way), _value(_said(fact, test.bound))]
    if test.operator == "range":
        low, high = min(test.values, key=_number), max(test.values, key=_number)
        return [_value(f"{low} to {high}" if low != high else str(low))]
    listed = [_said(fact, value) for value in fact.values if value in test.values]
    # A value that holds a comma itself needs a stronger mark between it and the next.
    between = "; " if any("," in words for words in listed) else ", "
    told: list[Piece] = []
    for place, words in enumerate(listed):
        if place:
            is_last = place == len(listed) - 1 and not test.unknown
            told.append(_plain(" or " if is_last else between))
        told.append(_value(words))
    return told


def _number(value: Value) -> int:
    return int(value)


def _subject(fact: Fact) -> str:
    return f"{fact.clause or _lower(fact, fact.label) + ' is'} "


def _said(fact: Fact, value: Value | None) -> str:
    return _lower(fact, fact.label_of(value)) if value is not None else ""


def _lower(fact: Fact, words: str) -> str:
    # 'TTY' and 'EMS' stay as they are; a name of a language too, by the vocabulary's mark.
    return words if fact.capitals or words[1:2].isupper() else words[:1].lower() + words[1:]


def _effects(vocabulary: Vocabulary, rule: Rule) -> list[Piece]:
    parts = [
        _who(vocabulary, rule),
        _urgency(vocabulary, rule),
        _notified(vocabulary, rule),
        _asked(vocabulary, rule),
    ]
    told: list[Piece] = []
    for part in (one for one in parts if one):
        told += [_plain(", "), *part] if told else part
    return told or [_plain("nothing changes")]


def _who(vocabulary: Vocabulary, rule: Rule) -> list[Piece]:
    told: list[Piece] = []
    lead = rule.lead or rule.at_least
    if lead:
        told = [_plain("" if rule.lead else "at least "), _responder(vocabulary, lead)]
    for place, kind in enumerate(rule.beside):
        if told:
            told.append(_plain(" and " if place else " with "))
        told.append(_responder(vocabulary, kind))
    if rule.ems_needs:
        needs = " and ".join(need.replace("_", " ").capitalize() for need in rule.ems_needs)
        told += [_plain(" and "), _value(needs)]
    if rule.alone:
        told.append(_plain(" alone, unless another danger asks for more"))
    return told


def _urgency(vocabulary: Vocabulary, rule: Rule) -> list[Piece]:
    if not rule.urgency:
        return []
    words = vocabulary.urgencies.get(rule.urgency, rule.urgency).lower()
    is_exact = bool(rule.lead) or rule.urgency in tuple(vocabulary.urgencies)[-1:]
    return [_plain("urgency " if is_exact else "urgency at least "), _value(words)]


def _notified(vocabulary: Vocabulary, rule: Rule) -> list[Piece]:
    names = [vocabulary.notify.get(name, name) for name in rule.notify]
    return [_plain("also: "), *_listed([_small(name) for name in names])] if names else []


def _asked(vocabulary: Vocabulary, rule: Rule) -> list[Piece]:
    labels = [vocabulary.facts[name].label for name in rule.ask if name in vocabulary.facts]
    return [_plain("ask: "), *_listed([_small(label) for label in labels])] if labels else []


def _listed(words: list[str]) -> list[Piece]:
    told: list[Piece] = []
    for place, word in enumerate(words):
        told += [_plain(", "), _value(word)] if place else [_value(word)]
    return told


def _small(words: str) -> str:
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def _dates(rule: Rule) -> list[Piece]:
    told: list[Piece] = []
    for word, day in ((", from ", rule.begins), (", until ", rule.ends)):
        if isinstance(day, dt.date):
            told += [_plain(word), _value(day.isoformat())]
    return told


def _plain(text: str) -> Piece:
    return Piece("plain", text)


def _value(text: str) -> Piece:
    return Piece("value", text)


def _responder(vocabulary: Vocabulary, kind: str) -> Piece:
    return Piece("responder", vocabulary.responders.get(kind, kind.replace("_", " ")), kind)


def _joined(pieces: Iterable[Piece]) -> Sentence:
    """
    Join neighbouring plain words into one piece, and leave out empty ones.
    """
    found: list[Piece] = []
    for piece in pieces:
        if found and piece.part == "plain" and found[-1].part == "plain":
            found[-1] = _plain(found[-1].text + piece.text)
        elif piece.text:
            found.append(piece)
    return tuple(found)
