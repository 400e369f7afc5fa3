"""
What to ask next, and what would change the answer.

Both come from the same walk: for every fact, take it out of the AND and put every other value of it
back in. What the walk finds is what trying every value one by one finds; the tests hold the two
against each other.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import NamedTuple

from service.routing.facts import AGE_AXIS, CallFacts, Fact, Value, Vocabulary
from service.routing.going import Going, Goings, telling_rows
from service.routing.matcher import Axis, Fired, Matcher, Standing

QUESTIONS_MAX = 3
CHANGES_MAX = 10
NOBODY: frozenset[str] = frozenset()


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


class Swing(NamedTuple):
    """
    What other answers about one fact would do: the mildest that changes who goes, who goes by it,
    and who by the most protective; `may_be_line_only` says that one of them leaves nobody to go in
    person.
    """

    to: Value
    mildest: Going
    most: Going
    may_be_line_only: bool


Swings = Mapping[str, Swing]  # of each fact that could change who goes


def try_answers(
    matcher: Matcher,
    facts: CallFacts,
    standing: Standing,
    *,
    goings: Goings,
    signalled: Mapping[str, Value],
) -> Swings:
    """
    Try every other value of every fact that could matter.

    Args:
        matcher: The compiled ruleset.
        facts: What is known, signals included.
        standing: How the rows stand, by the matcher.
        goings: Gives who goes for the rows that hold.
        signalled: What signals say of a fact, below which no answer brings it.
    """
    rows, key = standing.rows, matcher.who_key(standing.rows)
    # Nearly every fact is left out here: no row that it alone keeps from holding would change who
    # goes, nor any that an answer could make fall.
    telling = telling_rows(matcher, key, goings.brought(key))
    tried = _Tried(matcher, facts, goings, key)
    swings = {}
    for axis, mask in zip(matcher.axes, standing.masks, strict=True):
        kept_off = standing.single & ~mask
        could_hold = kept_off & telling
        for answers in axis.answers:
            if not (could_hold & answers.some or key & answers.fallen):
                continue
            fact = answers.fact
            signal = signalled.get(fact.name) if signalled and fact.is_danger else None
            masks = answers.masks if signal is None else _raised(fact, axis, signal)
            swing = tried.swing(fact.name, masks, rows | kept_off, could_hold)
            if swing is not None:
                swings[fact.name] = swing
    return swings


class _Tried:
    """
    One call as its answers are tried.
    """

    def __init__(self, matcher: Matcher, facts: CallFacts, goings: Goings, key: int) -> None:
        self._known, self._goings = facts.known, goings
        self._who_rows, self._key, self._now = matcher.who_rows, key, goings.of(key).kinds

    def swing(
        self, name: str, masks: Iterable[tuple[Value, int]], rest: int, could_hold: int
    ) -> Swing | None:
        """
        Try the answers in the order of the fact's values; None where none changes who goes.

        *rest* are the rows that hold but for this answer, and *could_hold* those of them that would
        change who goes and do not hold now.
        """
        # The innermost loop of a decision: some sixty turns a call, so names are looked up once,
        # and `Matcher.who_key` is written out.
        now, told, who_rows, holds = self._now, self._known.get(name), self._who_rows, self._key
        goings, remembered = self._goings, self._goings.remembered
        mildest: tuple[Value, Going] | None = None
        most: Going | None = None
        may_be_line_only = False
        for value, mask in masks:
            if not (could_hold & mask or holds & ~mask):
                continue
            rows = rest & mask
            key = rows & -rows | rows & who_rows
            going = remembered.get(key) or goings.of(key)
            if going.kinds != now and value != told:
                mildest = mildest or (value, going)
                if most is None or going.protection > most.protection:
                    most = going
                may_be_line_only = may_be_line_only or going.is_line_only
        if mildest is None or most is None:
            return None
        return Swing(*mildest, most, may_be_line_only)


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
    fired: Fired, facts: CallFacts, swings: Swings, vocabulary: Vocabulary
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
    rest = [name for name in swings if not vocabulary.facts[name].volunteered]
    rest.sort(key=lambda name: swings[name].most.protection, reverse=True)
    questions: dict[str, Question] = {}
    could_change = False
    for name in (*asked, *rest):
        axis = "age" if name in AGE_AXIS else name
        if axis not in questions and facts.is_open(name):
            swing = swings.get(name)
            questions[axis] = Question(name, swing.most.kinds if swing else NOBODY)
            could_change = could_change or swing is not None
    return tuple(questions.values()), could_change


def mildest_changes(swings: Swings, vocabulary: Vocabulary) -> tuple[Change, ...]:
    """
    Give, for each fact, the mildest other value that changes who goes.

    First the facts that are asked about, then those that callers volunteer; the most protective
    change first, then in the order of the vocabulary; at most `CHANGES_MAX`.
    """

    def weight(one: tuple[str, Swing]) -> tuple[bool, tuple[int, bool]]:
        name, swing = one
        return not vocabulary.facts[name].volunteered, swing.mildest.protection

    heaviest = sorted(swings.items(), key=weight, reverse=True)
    return tuple(Change(name, one.to, one.mildest.kinds) for name, one in heaviest[:CHANGES_MAX])
