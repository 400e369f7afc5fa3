"""
Signals: evidence for a fact in an incident code or a remark, and how it meets what people said.

A signal fills a fact that nobody told, or raises one that somebody did; it never lowers one, and
always shows its evidence. What it fills can raise the answer and never calm it: a code says 'at
least this', not 'no worse'. A person can take a signal back; then it stays visible and counts for
nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from service.routing.facts import UNKNOWN, CallFacts, Value, Vocabulary


@dataclass(frozen=True, slots=True)
class Signal:
    """
    One piece of evidence: which fact, what it says of it, and where it was read.

    `outcome` is present, absent, unknown or historical; `value` is the fact's value it speaks for,
    None for unknown; `text_span` is the place in the remark, None for a code.
    """

    fact: str
    outcome: str
    value: Value | None
    source: str
    text_span: tuple[int, int] | None = None
    used: bool = False
    why: str = ""


def weigh(
    vocabulary: Vocabulary,
    facts: CallFacts,
    signals: Iterable[Signal],
    dismissed: frozenset[tuple[str, str]] = frozenset(),
) -> tuple[CallFacts, tuple[Signal, ...]]:
    """
    Let *signals* fill and raise *facts*, and say of each signal whether it was used and why.

    `dismissed` holds (fact, source) pairs that a person took back. Total: a signal for a fact or
    value that is not in the vocabulary is kept and not used.
    """
    weighed = []
    for signal in signals:
        fact = vocabulary.facts.get(signal.fact)
        if (signal.fact, signal.source) in dismissed:
            weighed.append(replace(signal, used=False, why="taken back by a person"))
        elif fact is None or fact.protected or not fact.has(signal.value):
            weighed.append(replace(signal, used=False, why="says nothing that a rule reads"))
        elif signal.outcome != "present":
            weighed.append(replace(signal, used=False, why="only what is present may fill a fact"))
        else:
            changed, why = _meet(vocabulary, facts, signal)
            weighed.append(replace(signal, used=changed is not facts, why=why))
            facts = changed
    return facts, tuple(weighed)


def _meet(vocabulary: Vocabulary, facts: CallFacts, signal: Signal) -> tuple[CallFacts, str]:
    fact, value = vocabulary.facts[signal.fact], signal.value
    assert value is not None
    told = facts.value(fact.name)
    if told is UNKNOWN:
        return facts.guessed(fact.name, value), "nobody told, so it fills the fact"
    rises = fact.is_danger or (fact.kind == "flag" and not fact.calming)
    if rises and fact.worst_of(told, value) != told:
        return facts.guessed(fact.name, value), f"raises what was told ({fact.label_of(told)})"
    if told == value:
        return facts, "says what was told already"
    return facts, "was told otherwise, and a signal never lowers a fact"


def strongest(
    vocabulary: Vocabulary,
    signals: Iterable[Signal],
    dismissed: frozenset[tuple[str, str]] = frozenset(),
) -> dict[str, Value]:
    """
    Give, for each fact, the worst value that a signal which counts says of it.
    """
    said: dict[str, Value] = {}
    for signal in signals:
        fact = vocabulary.facts.get(signal.fact)
        counts = signal.outcome == "present" and (signal.fact, signal.source) not in dismissed
        if counts and fact is not None and signal.value is not None and fact.has(signal.value):
            before = said.get(fact.name, signal.value)
            said[fact.name] = fact.worst_of(before, signal.value)
    return said
