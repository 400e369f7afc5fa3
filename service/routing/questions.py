"""
What to ask next, and what would change the answer.

Both come from the same walk: for every fact, take it out of the AND and put every other value of it
back in. What the walk finds is what trying every value one by one finds; the tests hold the two
against each other.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from service.routing.facts import AGE_AXIS, CallFacts, Value, Vocabulary
from service.routing.matcher import Fired, Masks, Matcher
from service.routing.needed import protection

QUESTIONS_MAX = 3
CHANGES_MAX = 10

# Gives the kinds that go, for the rows that hold and for the facts that decide whether 988 has a
# place.
WhoGoes = Callable[[int, CallFacts], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Question:
    """
    One question worth asking: its fact, and who would go if it were answered in the most protective
    way.

    `could_change_to` is empty where a rule wants the answer although it changes nobody.
    """

    fact: str
    could_change_to: frozenset[str]


@dataclass(frozen=True, slots=True)
class Change:
    """
    The mildest other value of a fact that changes who goes, and who would go then.
    """

    fact: str
    to: Value
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answers:
    """
    What every other value of every fact would do: for each fact, the values that change who goes.
    """

    changes: tuple[tuple[str, tuple[Change, ...]], ...]


def try_answers(
    matcher: Matcher,
    facts: CallFacts,
    day: dt.date,
    *,
    who_goes: WhoGoes,
    signalled: Mapping[str, Value],
) -> Answers:
    """
    Try every other value of every fact that could matter.

    Args:
        matcher: The compiled ruleset.
        facts: What is known, signals included.
        day: The day of the call, for rules with dates.
        who_goes: Gives the kinds that go, for the rows that hold and the facts.
        signalled: What signals say of a fact, below which no answer brings it.
    """
    rows_now = matcher.match(facts, day)
    key_now, now = matcher.who_key(rows_now), who_goes(rows_now, facts)
    without = matcher.rows_without(facts, day)
    walked = []
    for name, values in _to_try(matcher, signalled).items():
        reaches_further = name in AGE_AXIS or name in matcher.matter_besides
        signal, changes = signalled.get(name), []
        for value in values:
            changed, rows = facts, without[name]
            if reaches_further:
                changed = _with_answer(matcher, facts, name, value, signal)
                for masks in matcher.axis_of[name]:
                    rows &= masks.of(changed)
            else:
                rows &= _mask_of_answer(matcher.axis_of[name][0], value, signal)
            if changed is facts and matcher.who_key(rows) == key_now:
                continue
            kinds = who_goes(rows, changed)
            if kinds != now and value != facts.known.get(name):
                changes.append(Change(name, value, kinds))
        if changes:
            walked.append((name, tuple(changes)))
    return Answers(tuple(walked))


def _to_try(matcher: Matcher, signalled: Mapping[str, Value]) -> Mapping[str, tuple[Value, ...]]:
    """
    Give the values to try of each fact: all of a fact that a signal speaks of, because below what
    the signal says no two values need be alike.
    """
    if not signalled:
        return matcher.worth_trying
    vocabulary = matcher.vocabulary.facts
    return {
        name: vocabulary[name].values if name in signalled else values
        for name, values in matcher.worth_trying.items()
    }


def _with_answer(
    matcher: Matcher, facts: CallFacts, name: str, value: Value, signalled: Value | None
) -> CallFacts:
    fact = matcher.vocabulary.facts[name]
    if signalled is not None and fact.is_danger and fact.worst_of(value, signalled) != value:
        return facts.guessed(name, signalled)
    return facts.told(name, value)


def _mask_of_answer(masks: Masks, value: Value, signalled: Value | None) -> int:
    """
    Give the mask of an answer, which a signal may raise: it says 'at least this', as a guess does.
    """
    if signalled is None:
        return masks.told[value]
    if masks.fact.is_danger:
        if masks.fact.worst_of(value, signalled) != value:
            return masks.assumed[signalled]
    return masks.told[value]


def to_ask(
    fired: Fired, facts: CallFacts, answers: Answers, matcher: Matcher
) -> tuple[tuple[Question, ...], bool]:
    """
    Give the questions in the order in which to ask them, and whether one of them could change who
    goes.

    First what the rules that hold ask (hazards in file order, then the need), then every open fact
    one of whose values would change who goes, the most protective change first, then in the order
    of the vocabulary. Facts that callers volunteer are asked only where a rule names them. *facts*
    is what people told, without signals. The list is not cut to `QUESTIONS_MAX` here.
    """
    by_fact = dict(answers.changes)
    asked = [name for rule in (*fired.hazards, fired.need) for name in rule.ask]
    vocabulary = matcher.vocabulary.facts
    rest = [name for name in by_fact if not vocabulary[name].volunteered]
    rest.sort(key=lambda name: _most_protective(by_fact[name]), reverse=True)
    questions: dict[str, Question] = {}
    for name in (*asked, *rest):
        axis = "age" if name in AGE_AXIS else name
        if facts.is_open(name) and axis not in questions:
            changes = by_fact.get(name, ())
            best = max(changes, key=lambda change: protection(change.kinds), default=None)
            questions[axis] = Question(name, best.kinds if best else frozenset())
    could_change = any(question.could_change_to for question in questions.values())
    return tuple(questions.values()), could_change


def _most_protective(changes: tuple[Change, ...]) -> tuple[int, bool]:
    return max(protection(change.kinds) for change in changes)


def mildest_changes(answers: Answers, vocabulary: Vocabulary) -> tuple[Change, ...]:
    """
    Give, for each fact, the mildest other value that changes who goes.

    First the facts that are asked about, then those that callers volunteer; the most protective
    change first, then in the order of the vocabulary. The list is not cut to `CHANGES_MAX` here.
    """

    def weight(change: Change) -> tuple[bool, tuple[int, bool]]:
        return not vocabulary.facts[change.fact].volunteered, protection(change.kinds)

    mildest = [changes[0] for _, changes in answers.changes]
    return tuple(sorted(mildest, key=weight, reverse=True))
