"""
What to ask next, and what would change the answer.

Both come from the same walk: for every fact, take it out of the AND and put every other value of it
back in. What the walk finds is what trying every value one by one finds; the tests hold the two
against each other.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import NamedTuple

from service.routing.facts import AGE_AXIS, CallFacts, Fact, Value, Vocabulary
from service.routing.matcher import Answers, Axis, Fired, Matcher
from service.routing.needed import protection

QUESTIONS_MAX = 3
CHANGES_MAX = 10
KNOWN_MAX = 1024  # answers remembered for each set of kinds that cannot come

# Gives the kinds that go, for the rows that hold and for the facts that decide whether 988 has a
# place.
WhoGoes = Callable[[int, CallFacts], frozenset[str]]
Known = dict[int, frozenset[str]]  # what decides who goes -> the kinds that go


@dataclass(frozen=True, slots=True)
class Question:
    """
    One question worth asking: its fact, and who would go if it were answered in the most protective
    way.

    `could_change_to` is empty where a rule wants the answer although it changes nobody.
    """

    fact: str
    could_change_to: frozenset[str]


class Change(NamedTuple):
    """
    The mildest other value of a fact that changes who goes, and who would go then.
    """

    fact: str
    to: Value
    kinds: frozenset[str]


Changes = Mapping[str, tuple[Change, ...]]  # of each fact, the answers that change who goes


def try_answers(
    matcher: Matcher,
    facts: CallFacts,
    day: dt.date,
    *,
    who_goes: WhoGoes,
    known: Known,
    signalled: Mapping[str, Value],
) -> Changes:
    """
    Try every other value of every fact that could matter; the mildest that changes comes first.

    Args:
        matcher: The compiled ruleset.
        facts: What is known, signals included.
        day: The day of the call, for rules with dates.
        who_goes: Gives the kinds that go, for the rows that hold and the facts.
        known: What it gave before for these facts, by what decides who goes; it is added to.
        signalled: What signals say of a fact, below which no answer brings it.
    """
    tried = _Tried(matcher, facts, who_goes, matcher.who_key(matcher.match(facts, day)), known)
    walked = {}
    for axis, rest in zip(matcher.axes, matcher.rows_without(facts, day), strict=True):
        for answers in axis.answers:
            name = answers.fact.name
            signal = signalled.get(name) if answers.fact.is_danger else None
            if tried.is_settled(answers, rest) and signal is None:
                continue
            masks = answers.masks if signal is None else _raised(answers.fact, axis, signal)
            changes = tried.changes(answers.fact, masks, rest, signal)
            if changes:
                walked[name] = changes
    return walked


class _Tried:
    """
    One call as its answers are tried, with a memory of who goes for what.
    """

    def __init__(
        self, matcher: Matcher, facts: CallFacts, who_goes: WhoGoes, key: int, known: Known
    ) -> None:
        self._matcher, self._facts, self._who_goes, self._key = matcher, facts, who_goes, key
        self._now, self._known = who_goes(key, facts), known

    def is_settled(self, answers: Answers, rest: int) -> bool:
        """
        Tell whether no answer can change who goes: neither all rows of the answers nor the rows of
        each differ from now in what decides it, and the fact itself is read by nobody else.
        """
        key = self._matcher.who_key
        if answers.fact.name in self._matcher.matter_besides:
            return False
        return key(rest & answers.every) == self._key == key(rest & answers.some)

    def changes(
        self,
        fact: Fact,
        masks: Iterable[tuple[Value, int]],
        rest: int,
        signal: Value | None,
    ) -> tuple[Change, ...]:
        """
        Give the answers that change who goes, in the order of the fact's values.
        """
        # The innermost loop of a decision: some hundred turns a call, so names are looked up once.
        now, told = self._now, self._facts.known.get(fact.name)
        who_key, known = self._matcher.who_key, self._known
        is_read_besides = fact.name in self._matcher.matter_besides
        found = []
        for value, mask in masks:
            if is_read_besides:
                kinds = self._who_goes(rest & mask, self._told(fact, value, signal))
            else:
                key = who_key(rest & mask)
                kinds = known.get(key) or self._find(key)
            if kinds != now and value != told:
                found.append(Change(fact.name, value, kinds))
        return tuple(found)

    def _find(self, key: int) -> frozenset[str]:
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        kinds = self._known[key] = self._who_goes(key, self._facts)
        return kinds

    def _told(self, fact: Fact, value: Value, signal: Value | None) -> CallFacts:
        if signal is not None and fact.worst_of(value, signal) != value:
            return self._facts.told(fact.name, signal)
        return self._facts.told(fact.name, value)


def _raised(fact: Fact, axis: Axis, signal: Value) -> Iterator[tuple[Value, int]]:
    """
    Give the mask of every answer where a signal raises those below it. All values are given,
    because below the signal no two need be alike.
    """
    for value in fact.values:
        is_raised = fact.worst_of(value, signal) != value
        masks = (one.told[signal if is_raised else value] for one in axis.masks)
        yield value, reduce(and_, masks, -1)


def to_ask(
    fired: Fired, facts: CallFacts, changes: Changes, vocabulary: Vocabulary
) -> tuple[tuple[Question, ...], bool]:
    """
    Give the questions in the order in which to ask them, and whether one of them could change who
    goes.

    First what the rules that hold ask (hazards in file order, then the need), then every open fact
    one of whose values would change who goes, the most protective change first, then in the order
    of the vocabulary. Facts that callers volunteer are asked only where a rule names them. *facts*
    is what is known, signals included: what a signal filled is not asked again. The list is not
    cut to `QUESTIONS_MAX` here.
    """
    asked = [name for rule in (*fired.hazards, fired.need) for name in rule.ask]
    best = {name: max(of, key=lambda one: protection(one.kinds)) for name, of in changes.items()}
    rest = [name for name in best if not vocabulary.facts[name].volunteered]
    rest.sort(key=lambda name: protection(best[name].kinds), reverse=True)
    questions: dict[str, Question] = {}
    for name in (*asked, *rest):
        axis = "age" if name in AGE_AXIS else name
        if facts.is_open(name) and axis not in questions:
            questions[axis] = Question(name, best[name].kinds if name in best else frozenset())
    could_change = any(question.could_change_to for question in questions.values())
    return tuple(questions.values()), could_change


def mildest_changes(changes: Changes, vocabulary: Vocabulary) -> tuple[Change, ...]:
    """
    Give, for each fact, the mildest other value that changes who goes.

    First the facts that are asked about, then those that callers volunteer; the most protective
    change first, then in the order of the vocabulary. The list is not cut to `CHANGES_MAX` here.
    """

    def weight(change: Change) -> tuple[bool, tuple[int, bool]]:
        return not vocabulary.facts[change.fact].volunteered, protection(change.kinds)

    mildest = [of_fact[0] for of_fact in changes.values()]
    return tuple(sorted(mildest, key=weight, reverse=True))
