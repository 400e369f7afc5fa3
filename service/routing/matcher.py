"""
The matcher: which rules hold for a call, as one AND of integers for each fact that any rule tests.

For every fact and every state of it (unknown, each value, each value as a guess) there is a mask
with one bit for each row of each rule; a row's bit is set where its tests on that fact hold. The
bits left after the ANDs are the rows that hold, so the explanation costs nothing. The plain reading
in `conditions.row_holds` is its model.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import and_

from service.routing.conditions import Row
from service.routing.facts import (
    AGE_AXIS,
    UNKNOWN,
    CallFacts,
    Fact,
    Value,
    Vocabulary,
    age_group_of,
)
from service.routing.rules import Rule, Ruleset


@dataclass(frozen=True, slots=True)
class Masks:
    """
    The masks of one fact: when it is unknown, for each value told, and for each value assumed.
    """

    fact: Fact
    unknown: int
    told: Mapping[Value, int]
    assumed: Mapping[Value, int]

    def of(self, facts: CallFacts) -> int:
        """
        Give the mask for what *facts* say of this fact.
        """
        value = facts.known.get(self.fact.name, UNKNOWN)
        if value is UNKNOWN:
            return self.unknown
        return (self.assumed if self.fact.name in facts.assumed else self.told).get(
            value, self.unknown
        )


@dataclass(frozen=True, slots=True)
class Fired:
    """
    What holds for a call: the need that gives the lead, and every hazard, in file order.
    """

    need: Rule
    hazards: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Matcher:
    """
    A ruleset compiled against a vocabulary. Immutable but for a memory of what each mask means.
    """

    ruleset: Ruleset
    vocabulary: Vocabulary
    masks: tuple[Masks, ...]
    rules_of_rows: tuple[Rule, ...]
    need_rows: int
    has_dates: bool
    worth_trying: Mapping[str, tuple[Value, ...]]
    matter_besides: frozenset[str] = frozenset()
    columns: tuple[tuple[str, Mapping[Value, int], int], ...] = ()
    axes: tuple[tuple[Masks, ...], ...] = ()
    axis_of: Mapping[str, tuple[Masks, ...]] = field(default_factory=dict)
    who_hazards: int = 0
    remembered: dict[int, Fired] = field(default_factory=dict, compare=False, repr=False)

    def __repr__(self) -> str:
        """
        Name it; its content is long.
        """
        return f"Matcher({self.ruleset.name!r}, {len(self.rules_of_rows)} rows)"

    @property
    def tested(self) -> tuple[str, ...]:
        """
        Name the facts that any rule tests, in the order of `masks`.
        """
        return tuple(masks.fact.name for masks in self.masks)

    def who_key(self, rows: int) -> int:
        """
        Reduce rows to what decides who goes: the first need, and the hazards that bring anybody.
        """
        return rows & -rows | rows & self.who_hazards

    @property
    def every_row(self) -> int:
        """
        Give the mask in which every row still stands.
        """
        return (1 << len(self.rules_of_rows)) - 1

    def rows_on(self, day: dt.date) -> int:
        """
        Give the mask of the rows that are in force on *day*.
        """
        if not self.has_dates:
            return self.every_row
        return sum(1 << i for i, rule in enumerate(self.rules_of_rows) if rule.is_in_force(day))

    def match(self, facts: CallFacts, day: dt.date) -> int:
        """
        Give the mask of the rows that hold. The bit of the last need is always among them.
        """
        mask = self.rows_on(day)
        if facts.assumed:
            for masks in self.masks:
                mask &= masks.of(facts)
            return mask
        value_of = facts.known.get
        for name, told, unknown in self.columns:
            mask &= told.get(value_of(name), unknown)  # type: ignore[arg-type]  # None is never a value
        return mask

    def fired(self, mask: int) -> Fired:
        """
        Give the rules that a mask of rows stands for.
        """
        found = self.remembered.get(mask)
        if found is None:
            if len(self.remembered) >= REMEMBERED_MAX:
                self.remembered.clear()
            found = self.remembered[mask] = self._rules(mask)
        return found

    def _rules(self, mask: int) -> Fired:
        rows = self.rules_of_rows
        first = (mask & -mask).bit_length() - 1
        hazards, rest = [], mask >> self.need_rows
        while rest:
            lowest = rest & -rest
            hazards.append(rows[self.need_rows + lowest.bit_length() - 1])
            rest ^= lowest
        # Several rows of one rule may hold; the rule fired once.
        return Fired(rows[first], tuple({rule.id: rule for rule in hazards}.values()))

    def rows_without(self, facts: CallFacts, day: dt.date) -> Mapping[str, int]:
        """
        Give, for each fact worth trying, the rows that hold whatever that fact is.

        The two facts of one axis go together. What no rule tests leaves every row as it is.
        """
        axes = self.axes
        mine = [reduce(and_, [masks.of(facts) for masks in axis]) for axis in axes]
        before, after = [self.rows_on(day)], [self.every_row]
        for mask in mine:
            before.append(before[-1] & mask)
        for mask in reversed(mine):
            after.append(after[-1] & mask)
        last = len(mine) - 1
        without = dict.fromkeys(self.worth_trying, before[-1])
        for place, axis in enumerate(axes):
            rows = before[place] & after[last - place]
            for name in _names_of(axis):
                without[name] = rows
        return without


# Calls that fire different rows differ in far fewer ways than this; the bound keeps memory small
# under attack.
REMEMBERED_MAX = 4096


def compile_ruleset(
    vocabulary: Vocabulary, ruleset: Ruleset, matter_besides: frozenset[str] = frozenset()
) -> Matcher:
    """
    Compile a ruleset into masks. Takes time in proportion to rows times tested values.

    *matter_besides* names facts that change who goes whether or not a rule tests them.
    """
    rows: list[tuple[Rule, Row]] = [
        (rule, row) for rule in (*ruleset.needs, *ruleset.hazards) for row in rule.rows
    ]
    tested: dict[str, list[int]] = {}
    for place, (_, row) in enumerate(rows):
        for name in {test.fact for test in row}:
            tested.setdefault(name, []).append(place)
    untouched = (1 << len(rows)) - 1
    masks = []
    for name, fact in vocabulary.facts.items():
        if name in tested:
            masks.append(_masks_of(fact, rows, tested[name], untouched))
    need_rows = sum(len(rule.rows) for rule in ruleset.needs)
    dated = any(rule.begins or rule.ends for rule, _ in rows)
    rules = tuple(rule for rule, _ in rows)
    on_axis = tuple(one for one in masks if one.fact.name in AGE_AXIS)
    others = tuple((one,) for one in masks if one.fact.name not in AGE_AXIS)
    axes = (*others, on_axis) if on_axis else others
    return Matcher(
        ruleset,
        vocabulary,
        tuple(masks),
        rules,
        need_rows,
        dated,
        _worth_trying(vocabulary, tuple(masks), matter_besides),
        matter_besides,
        tuple((one.fact.name, one.told, one.unknown) for one in masks),
        axes,
        {name: axis for axis in axes for name in _names_of(axis)}
        | {name: () for name in matter_besides if name not in tested},
        sum(1 << place for place, one in enumerate(rules) if _is_hazard_that_brings(one)),
    )


def _names_of(axis: tuple[Masks, ...]) -> Iterable[str]:
    """
    Name the facts that an axis is of: one, or both ages whichever of them rules test.
    """
    name = axis[0].fact.name
    return AGE_AXIS if name in AGE_AXIS else (name,)


def _is_hazard_that_brings(rule: Rule) -> bool:
    return rule.table == "hazards" and bool(rule.at_least or rule.beside or rule.alone)


def _masks_of(fact: Fact, rows: list[tuple[Rule, Row]], places: list[int], untouched: int) -> Masks:
    """
    Build one fact's masks: start with every row, and take out the bits of rows whose tests fail.
    """
    for place in places:
        untouched &= ~(1 << place)
    unknown = untouched
    told = dict.fromkeys(fact.values, untouched)
    assumed = dict.fromkeys(fact.values, untouched)
    for place in places:
        rule, row = rows[place]
        tests = [test for test in row if test.fact == fact.name]
        bit, raises = 1 << place, rule.table == "hazards"
        if all(test.unknown for test in tests):
            unknown |= bit
        for value in fact.values:
            if all(value in test.values for test in tests):
                told[value] |= bit
            if all(test.holds_for_guess(value, raises=raises) for test in tests):
                assumed[value] |= bit
    return Masks(fact, unknown, told, assumed)


def _worth_trying(
    vocabulary: Vocabulary, masks: tuple[Masks, ...], matter_besides: frozenset[str]
) -> Mapping[str, tuple[Value, ...]]:
    """
    Give for each fact the values that could make a difference: the mildest of each set that rules
    tell apart.
    """
    by_name = {one.fact.name: one for one in masks}
    axis_matters = bool(AGE_AXIS & by_name.keys())
    worth: dict[str, tuple[Value, ...]] = {}
    for name in vocabulary.asked:
        fact = vocabulary.facts[name]
        if name in matter_besides or (name == "age_group" and axis_matters):
            worth[name] = fact.values
        elif name in by_name or (name == "age" and axis_matters):
            told_apart: dict[object, Value] = {}
            for value in fact.values:
                mask = by_name[name].told[value] if name in by_name else 0
                group = age_group_of(value) if name == "age" and isinstance(value, int) else ""
                told_apart.setdefault((mask, group), value)
            worth[name] = tuple(told_apart.values())
    return worth
