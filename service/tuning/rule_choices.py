"""
The tests that a rule may make of each fact: what the dropdowns of the editor offer.

They are made from the vocabulary and tried against the five shapes, so that nothing is offered that
the loader would refuse.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from service.routing.conditions import ConditionError, read_test
from service.routing.facts import Fact, Vocabulary
from service.routing.rules import Rule, Source
from service.routing.shapes import shape_problems
from service.tuning.rule_lines import HAZARDS, NEEDS
from service.tuning.rule_sentences import words_of_test

UNKNOWN: Final = " or unknown"
VOID: Final = ("shape_4_police",)  # is of a whole rule, and not of one test


@dataclass(frozen=True, slots=True)
class Choice:
    """
    One test that can be chosen: as the rule writes it, and in words.
    """

    text: str
    words: str


@lru_cache(maxsize=4)
def facts_for(vocabulary: "Hashed", table: str) -> tuple[str, ...]:
    """
    Name the facts that a rule of a table may test, in the order of the vocabulary.
    """
    facts = vocabulary.vocabulary.facts
    return tuple(name for name in facts if choices_for(vocabulary, table, name))


@lru_cache(maxsize=1000)
def choices_for(vocabulary: "Hashed", table: str, name: str) -> tuple[Choice, ...]:
    """
    Give every test on a fact that a rule of a table may make by itself.
    """
    fact = vocabulary.vocabulary.facts[name]
    found = []
    for text in _written(fact):
        try:
            test = read_test(fact, text)
        except ConditionError:
            continue
        if not _breaks_a_shape(vocabulary.vocabulary, table, name, text):
            found.append(Choice(text, words_of_test(fact, test)))
    return tuple(found)


class Hashed:
    """
    A vocabulary that stands for itself as a key: there is one in a process.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary


def _written(fact: Fact) -> Iterator[str]:
    if fact.kind == "flag":
        yield from ("true", "true or unknown", "false", "not true", "not false")
    elif fact.kind == "ordered":
        for value in fact.values[1:]:
            yield f"at least {value}"
            yield f"at least {value}{UNKNOWN}"
        for value in fact.values[:-1]:
            yield f"at most {value}"
        yield from (str(value) for value in fact.values)
    elif fact.kind == "choice":
        for value in fact.values:
            yield str(value)
            yield f"{value}{UNKNOWN}"
    yield from ("known", "unknown")


def _breaks_a_shape(vocabulary: Vocabulary, table: str, name: str, text: str) -> bool:
    test = read_test(vocabulary.facts[name], text)
    is_need = table == NEEDS
    rule = Rule(
        id="tried",
        table=table,
        rows=((test,),),
        why="tried",
        source=Source("tried"),
        lead="mobile_crisis" if is_need else None,
        beside=() if is_need else ("ems",),
        urgency="moderate",
    )
    catches_all = Rule(
        id="all",
        table=NEEDS,
        rows=((),),
        why="tried",
        source=Source("tried"),
        lead="mobile_crisis",
        urgency="moderate",
    )
    needs = [("n", rule), ("l", catches_all)] if is_need else [("l", catches_all)]
    hazards = [("h", rule)] if table == HAZARDS else []
    return any(
        problem.code not in VOID and problem.rule == "tried"
        for problem in shape_problems(vocabulary, needs, hazards)
    )
