"""
The five shapes of rules, which give the invariants by construction.

1. Needs go from the least to the most.  2. Hazards only raise.  3. Unknown goes with the worst. 4.
Who somebody is brings no police.  5. No mark makes less enough. Each fault says which shape is
broken, in words that an administrator understands, and how to mend it.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from service.routing.conditions import Row, Test
from service.routing.facts import Fact, Vocabulary
from service.routing.problems import Problem
from service.routing.rules import LEADS, Rule

Placed = tuple[str, Rule]  # the path of a rule in its document, and the rule

# INVARIANT (no-mark-makes-less-enough): a calming fact may be required only beside these, in the
# same row. Refusing 988 does not make a visit needed where nobody is in danger; a safety plan
# counts only where a counselor or clinician vouches for it and the means are known to be gone
# (Draper et al. 2015, PMC4491352).
CALM_ENOUGH_TO_REFUSE: Final = ("suicide", "violence")
MEANS_ARE_GONE: Final = ("weapon", "lethal_means")
VOUCHING_CALLERS: Final = frozenset(("clinician", "crisis_line"))


def shape_problems(
    vocabulary: Vocabulary, needs: Sequence[Placed], hazards: Sequence[Placed]
) -> list[Problem]:
    """
    Name every way in which the rules break one of the five shapes; each rule comes with its path.
    """
    found = list(_order_of_needs(vocabulary, needs))
    for path, rule in needs:
        found += _walk(vocabulary, path, rule, _need_test)
        found += _has_lead(path, rule)
    for path, rule in hazards:
        found += _walk(vocabulary, path, rule, _hazard_test)
        found += _raising(vocabulary, path, rule)
    return found


def _walk(
    vocabulary: Vocabulary, path: str, rule: Rule, judge: Callable[[Fact, Test, Row], str | None]
) -> Iterator[Problem]:
    """
    Judge every test of every row; a fault that several rows share is named once.
    """
    named = set()
    for row in rule.rows:
        for test in row:
            fault = judge(vocabulary.facts[test.fact], test, row)
            if fault and fault not in named:
                named.add(fault)
                code, _, message = fault.partition(": ")
                yield Problem(code, f"{path}.when.{test.fact}", message, rule.id)


def _order_of_needs(vocabulary: Vocabulary, needs: Sequence[Placed]) -> Iterator[Problem]:
    urgencies = tuple(vocabulary.urgencies)
    for (_, before), (path, rule) in pairwise(needs):
        if before.lead and rule.lead and LEADS.index(rule.lead) < LEADS.index(before.lead):
            text = (
                f"needs go from the least to the most: `{rule.lead}` stands below `{before.lead}`"
            )
            yield Problem("shape_1_order", f"{path}.lead", text, rule.id)
        if before.urgency and rule.urgency:
            if urgencies.index(rule.urgency) < urgencies.index(before.urgency):
                text = (
                    f"urgency never falls down the list: `{rule.urgency}` below `{before.urgency}`"
                )
                yield Problem("shape_1_order", f"{path}.urgency", text, rule.id)
    if needs:
        path, last = needs[-1]
        if last.rows != ((),) or last.begins or last.ends:
            text = "the last need must catch every call: no `when`, no `from`, no `until`"
            yield Problem("shape_1_catch_all", path, text, last.id)


def _has_lead(path: str, rule: Rule) -> Iterator[Problem]:
    if rule.lead is None:
        yield Problem(
            "no_lead",
            f"{path}.lead",
            "a need has a `lead`: warm_line, 988 or mobile_crisis",
            rule.id,
        )
    if rule.urgency is None:
        yield Problem("no_urgency", f"{path}.urgency", "a need has an `urgency`", rule.id)


def _need_test(fact: Fact, test: Test, row: Row) -> str | None:
    if fact.protected:
        return f"protected_fact: `{fact.name}` is protected: no rule reads it"
    if fact.is_danger:
        return _need_of_danger(fact, test)
    if fact.parity:
        meets_true = fact.kind == "flag" and True in test.values
        if not test.unknown or meets_true:
            way = "`not true`" if fact.kind == "flag" else "with `or unknown`"
            return (
                f"shape_5_mark: who somebody is never makes less enough: test `{fact.name}` here"
                f" only as {way}"
            )
    if fact.calming and not test.unknown and not _may_require(test, row):
        return (
            f"shape_5_calming: a calming fact never makes less enough: test `{fact.name}`"
            " so that unknown meets it too (`not false`), or beside what the exceptions ask for"
        )
    return None


def _need_of_danger(fact: Fact, test: Test) -> str | None:
    is_false = fact.kind == "flag" and test.values == {False} and not test.unknown
    below_worst = test.operator == "at_most" and not test.unknown and test.bound != fact.values[-1]
    if is_false or below_worst:
        return None
    way = "`false`" if fact.kind == "flag" else "`at most V`, V below the worst"
    return (
        f"shape_1_danger: a need may only say that the danger `{fact.name}` is known to be"
        f" no worse than something: write {way}"
    )


def _may_require(test: Test, row: Row) -> bool:
    """
    Tell whether a calming fact may be required in this row (the two exceptions of shape 5).
    """
    beside = {other.fact: other for other in row if other is not test}

    def is_at_most_none(names: Sequence[str]) -> bool:
        return all(
            name in beside and beside[name].operator == "at_most" and beside[name].bound == "none"
            for name in names
        )

    if test.fact == "accepts_988" and test.values == {False}:
        return is_at_most_none(CALM_ENOUGH_TO_REFUSE)
    if test.fact == "safety_plan" and test.values == {True}:
        line, caller = beside.get("on_988_line"), beside.get("caller")
        vouched = line is not None and line.values == {True} and not line.unknown
        vouched |= caller is not None and caller.values <= VOUCHING_CALLERS and not caller.unknown
        return vouched and is_at_most_none(MEANS_ARE_GONE)
    return False


def _hazard_test(fact: Fact, test: Test, row: Row) -> str | None:
    if fact.protected:
        return f"protected_fact: `{fact.name}` is protected: no rule reads it"
    if fact.calming:
        return f"shape_5_calming: `{fact.name}` is a calming fact: it stands in no hazard rule"
    if fact.is_danger:
        is_true = fact.kind == "flag" and test.values == {True}
        raised = test.operator == "at_least" and test.bound != fact.values[0]
        if not is_true and not raised:
            way = "`true`" if fact.kind == "flag" else "`at least V`, V above the mildest"
            return (
                f"shape_2_danger: a hazard may only say that the danger `{fact.name}` is there:"
                f" write {way} (and `or unknown` where an unknown counts as the worst)"
            )
    elif fact.parity and (fact.kind != "flag" or test.values != {True} or test.unknown):
        return f"shape_4_mark: who somebody is, `{fact.name}`, is tested here only as `true`"
    return None


def _raising(vocabulary: Vocabulary, path: str, rule: Rule) -> Iterator[Problem]:
    if rule.brings_police:
        yield from _police(vocabulary, path, rule)
    if rule.alone and (rule.at_least or "ems" not in rule.beside):
        text = "`alone` stands only beside `with: [ems]` and without `at_least`"
        yield Problem("alone", f"{path}.alone", text, rule.id)
    if rule.ems_needs and "ems" not in rule.beside:
        text = "`needs` says what EMS needs: it stands only beside `with: [ems]`"
        yield Problem("needs_without_ems", f"{path}.needs", text, rule.id)
    if "mobile_crisis" in rule.beside and not rule.brings_police:
        text = "`with: [mobile_crisis]` stands beside police; use `at_least: mobile_crisis`"
        yield Problem("beside_police", f"{path}.with", text, rule.id)
    if rule.rows == ((),):
        text = "a hazard needs a `when`: it says which danger is there"
        yield Problem("no_when", f"{path}.when", text, rule.id)
    if not (rule.at_least or rule.beside or rule.urgency or rule.ask or rule.notify):
        text = "the rule does nothing: give it `at_least`, `with`, `urgency`, `notify` or `ask`"
        yield Problem("does_nothing", path, text, rule.id)


def _police(vocabulary: Vocabulary, path: str, rule: Rule) -> Iterator[Problem]:
    """
    Shape 4: police come for a danger in every alternative, and for nobody's mark.
    """
    for row in rule.rows:
        if not any(vocabulary.facts[test.fact].hazard for test in row):
            text = (
                f"police only for a danger: `{rule.at_least}` needs a test on a hazard fact in"
                " every alternative"
            )
            yield Problem("shape_4_police", f"{path}.when", text, rule.id)
            break
    for name in rule.facts:
        if vocabulary.facts[name].parity:
            text = f"who somebody is brings no police: take `{name}` out of this rule"
            yield Problem("shape_4_mark", f"{path}.when.{name}", text, rule.id)
