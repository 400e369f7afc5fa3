"""
Weighing: how signals meet what people said.

A signal fills a fact that nobody told, or raises one that somebody did; it never lowers one. What
it fills or raises counts exactly as if a person had stated it. That there is none, and what calms,
counts only where the ruleset lets it (`absent_fills`); that nobody knows is never 'no'; what is
past fills only the facts of the past. A person can take a signal back: it stays visible and counts
for nothing.
"""

from collections.abc import Iterable, Mapping

from service.routing.facts import UNKNOWN, CallFacts, Fact, Value, Vocabulary
from service.routing.lexicon import ABSENT, HISTORICAL, PRESENT, UNKNOWN_OUTCOME
from service.routing.signals import Signal

Dismissed = frozenset[tuple[str, str]]
NOTHING_DISMISSED: Dismissed = frozenset()
TAKEN_BACK = "taken back by a person"


def weigh(
    vocabulary: Vocabulary,
    facts: CallFacts,
    signals: Iterable[Signal],
    dismissed: Dismissed = NOTHING_DISMISSED,
    absent_fills: frozenset[str] = frozenset(),
) -> tuple[CallFacts, tuple[Signal, ...]]:
    """
    Let *signals* fill and raise *facts*, and say of each signal whether it was used and why.

    Args:
        dismissed: (fact, source) pairs that a person took back.
        absent_fills: Facts that a signal may fill with what is mildest where nobody told anything
            and no other signal speaks of them.

    Total: a signal for a fact or value that is not in the vocabulary is kept and not used.
    """
    listed = tuple(signals)
    counting = tuple(one for one in listed if (one.fact, one.source) not in dismissed)
    there = {one.fact for one in counting if one.outcome == PRESENT}
    contested = there | {one.fact for one in counting if one.outcome == UNKNOWN_OUTCOME}
    weighed = []
    for signal in listed:
        if (signal.fact, signal.source) in dismissed:
            weighed.append(_judged(signal, TAKEN_BACK))
            continue
        fact = vocabulary.facts.get(signal.fact)
        if fact is None or fact.protected or not _speaks(fact, signal):
            weighed.append(_judged(signal, "says nothing that a rule reads"))
            continue
        if signal.outcome == UNKNOWN_OUTCOME:
            changed, why = _not_known(facts, fact, is_there=fact.name in there)
        elif signal.outcome == HISTORICAL and not fact.is_of_the_past:
            changed, why = facts, "speaks of the past, and not of now"
        elif signal.outcome == ABSENT or (signal.outcome == PRESENT and _calms(fact, signal.value)):
            is_let = fact.name in absent_fills
            is_contested = signal.outcome == ABSENT and fact.name in contested
            changed, why = _mild(facts, fact, signal, is_let=is_let, is_contested=is_contested)
        else:
            changed, why = _meet(facts, fact, signal)
        weighed.append(_judged(signal, why, is_used=changed is not facts))
        facts = changed
    return facts, tuple(weighed)


def _judged(signal: Signal, why: str, *, is_used: bool = False) -> Signal:
    # `_replace` looks every field up by its name, and took five times as long.
    fact, outcome, value, source, span, *_ = signal
    return Signal(fact, outcome, value, source, span, is_used, why)


def _speaks(fact: Fact, signal: Signal) -> bool:
    if signal.outcome not in (PRESENT, ABSENT, UNKNOWN_OUTCOME, HISTORICAL):
        return False
    if signal.outcome in (PRESENT, ABSENT) or (
        signal.outcome == HISTORICAL and fact.is_of_the_past
    ):
        return fact.has(signal.value)
    return True


def _calms(fact: Fact, value: Value | None) -> bool:
    return fact.calming and value is True


def _not_known(facts: CallFacts, fact: Fact, *, is_there: bool) -> tuple[CallFacts, str]:
    if is_there:
        return facts, "another signal says more, and the riskier counts"
    if fact.name in facts.known:
        return facts, "was told, and not knowing never lowers a fact"
    if fact.name in facts.asked:
        return facts, "says what was told already: nobody knows"
    return facts.asked_in_vain(fact.name), "nobody told, and it is said that nobody knows"


def _mild(
    facts: CallFacts, fact: Fact, signal: Signal, *, is_let: bool, is_contested: bool
) -> tuple[CallFacts, str]:
    assert signal.value is not None
    if fact.name in facts.known:
        return facts, "says what was told already, or less: a signal never lowers a fact"
    if is_contested:
        return facts, "another signal speaks against it, and the riskier counts"
    if fact.name in facts.asked:
        return facts, "was asked, and nobody knew: only a person can say otherwise"
    if not is_let:
        return facts, "the rules do not let a code or a remark calm: ask, and tell it as a fact"
    return facts.told(fact.name, signal.value), "nobody told, and the rules let it fill the fact"


def _meet(facts: CallFacts, fact: Fact, signal: Signal) -> tuple[CallFacts, str]:
    value = signal.value
    assert value is not None
    told = facts.value(fact.name)
    if told is UNKNOWN:
        return facts.told(fact.name, value), "nobody told, so it fills the fact"
    rises = fact.is_danger or (fact.kind == "flag" and not fact.calming)
    if rises and fact.worst_of(told, value) != told:
        return facts.told(fact.name, value), f"raises what was known ({fact.label_of(told)})"
    if told == value:
        return facts, "says what is known already"
    return facts, "was told otherwise, and a signal never lowers a fact"


def strongest(
    vocabulary: Vocabulary,
    signals: Iterable[Signal],
    dismissed: Dismissed = NOTHING_DISMISSED,
) -> Mapping[str, Value]:
    """
    Give, for each fact, the worst value that a signal which counts says of it.
    """
    said: dict[str, Value] = {}
    for signal in signals:
        fact = vocabulary.facts.get(signal.fact)
        counts = (signal.fact, signal.source) not in dismissed and (
            signal.outcome == PRESENT
            or (signal.outcome == HISTORICAL and fact is not None and fact.is_of_the_past)
        )
        if counts and fact is not None and signal.value is not None and fact.has(signal.value):
            before = said.get(fact.name, signal.value)
            said[fact.name] = fact.worst_of(before, signal.value)
    return said


def contradicted(
    vocabulary: Vocabulary,
    facts: CallFacts,
    signals: Iterable[Signal],
    dismissed: Dismissed = NOTHING_DISMISSED,
) -> tuple[str, ...]:
    """
    Name the facts of which one signal says that it is there and another that it is not, and those
    of which a person told the one and a signal says the other; in the vocabulary's order.

    The riskier counts, and a person should look. What was taken back contradicts nothing.
    """
    there, denied = set(), set()
    for signal in signals:
        fact = vocabulary.facts.get(signal.fact)
        if fact is None or (signal.fact, signal.source) in dismissed or not _speaks(fact, signal):
            continue
        told = facts.value(fact.name)
        if signal.outcome == ABSENT:
            denied.add(fact.name)
            if told is not UNKNOWN and told != signal.value and not fact.calming:
                there.add(fact.name)
        elif signal.outcome == PRESENT and not fact.calming:
            there.add(fact.name)
            if fact.mildest is not None and told == fact.mildest != signal.value:
                denied.add(fact.name)
    both = there & denied
    # Nearly no call contradicts itself: only one that does is worth a walk over the vocabulary.
    return tuple(name for name in vocabulary.facts if name in both) if both else ()
