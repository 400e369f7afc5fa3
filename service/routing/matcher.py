"""
The matcher: which rules hold for a call, as one AND of integers for each fact that any rule tests.

For every fact and every state of it (unknown, each value, each value as a guess) there is a mask
with one bit for each row of each rule; a row's bit is set where its tests on that fact hold. The
bits left after the ANDs are the rows that hold, so the explanation costs nothing. The plain reading
in `conditions.row_holds` is its model.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_

from service.routing.conditions import Row
from service.routing.facts import (
    AGE_AXIS,
    UNKNOWN,
    CallFacts,
    Fact,
    Value,
    Vocabulary,
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
class Answers:
    """
    What each answer to one question does to the rows: a value and its mask, the mildest value of
    each set that rules tell apart. `every` and `some` are the AND and the OR of the masks.
    """

    fact: Fact
    masks: tuple[tuple[Value, int], ...]
    every: int
    some: int


@dataclass(frozen=True, slots=True)
class Axis:
    """
    A fact with its masks, or the two ages, which are told together; no masks where none is tested.
    """

    masks: tuple[Masks, ...]
    answers: tuple[Answers, ...]

    def of(self, facts: CallFacts) -> int:
        """
        Give the mask for what *facts* say here; every row where no rule asks.
        """
        return reduce(and_, [masks.of(facts) for masks in self.masks], -1)


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
    A ruleset compiled against a vocabulary. Immutable but for a memory of what was seen before.

    `axes` are the facts that matter, in the order of the vocabulary; `matter_besides` names those
    that change who goes whether or not a rule tests them; `who_hazards` are the rows of hazards
    that bring anybody.
    """

    ruleset: Ruleset
    vocabulary: Vocabulary
    axes: tuple[Axis, ...]
    rules_of_rows: tuple[Rule, ...]
    need_rows: int
    has_dates: bool
    matter_besides: frozenset[str]
    who_hazards: int
    columns: tuple[tuple[str, Mapping[Value, int], int], ...]
    remembered: dict[int, Fired] = field(default_factory=dict, compare=False)
    remembered_days: dict[dt.date, int] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        """
        Name it; its content is long.
        """
        return f"Matcher({self.ruleset.name!r}, {len(self.rules_of_rows)} rows)"

    @property
    def tested(self) -> frozenset[str]:
        """
        Name the facts that any rule tests.
        """
        return frozenset(masks.fact.name for axis in self.axes for masks in axis.masks)

    @property
    def every_row(self) -> int:
        """
        Give the mask in which every row still stands.
        """
        return (1 << len(self.rules_of_rows)) - 1

    def who_key(self, rows: int) -> int:
        """
        Reduce rows to what decides who goes: the first need, and the hazards that bring anybody.
        """
        return rows & -rows | rows & self.who_hazards

    def rows_on(self, day: dt.date) -> int:
        """
        Give the mask of the rows that are in force on *day*.
        """
        if not self.has_dates:
            return self.every_row
        rows = self.remembered_days.get(day)
        if rows is None:
            if len(self.remembered_days) >= REMEMBERED_MAX:
                self.remembered_days.clear()
            in_force = enumerate(rule.is_in_force(day) for rule in self.rules_of_rows)
            rows = self.remembered_days[day] = sum(1 << place for place, is_on in in_force if is_on)
        return rows

    def match(self, facts: CallFacts, day: dt.date) -> int:
        """
        Give the mask of the rows that hold. The bit of the last need is always among them.
        """
        mask = self.rows_on(day)
        if facts.assumed:
            return reduce(and_, [axis.of(facts) for axis in self.axes], mask)
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

    def rows_without(self, facts: CallFacts, day: dt.date) -> list[int]:
        """
        Give, for each axis in order, the rows that hold whatever is told there.
        """
        mine = [axis.of(facts) for axis in self.axes]
        before, after = [self.rows_on(day)], [-1]
        for mask in mine:
            before.append(before[-1] & mask)
        for mask in reversed(mine):
            after.append(after[-1] & mask)
        last = len(mine) - 1
        return [before[place] & after[last - place] for place in range(len(mine))]


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
    masks = {
        name: _masks_of(vocabulary.facts[name], rows, tested[name], untouched)
        for name in vocabulary.facts
        if name in tested
    }
    rules = tuple(rule for rule, _ in rows)
    need_rows = sum(len(rule.rows) for rule in ruleset.needs)
    who_hazards = sum(1 << place for place, rule in enumerate(rules) if _brings_somebody(rule))
    who_rows = (1 << need_rows) - 1 | who_hazards
    return Matcher(
        ruleset,
        vocabulary,
        tuple(_axes(vocabulary, masks, matter_besides, who_rows)),
        rules,
        need_rows,
        any(rule.begins or rule.ends for rule in rules),
        matter_besides,
        who_hazards,
        tuple((name, one.told, one.unknown) for name, one in masks.items()),
    )


def _brings_somebody(rule: Rule) -> bool:
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


def _axes(
    vocabulary: Vocabulary,
    masks: Mapping[str, Masks],
    matter_besides: frozenset[str],
    who_rows: int,
) -> Iterator[Axis]:
    """
    Make an axis of every fact that matters, in the order of the vocabulary.
    """
    ages = tuple(name for name in vocabulary.asked if name in AGE_AXIS)
    # Telling a group takes a known age away, so even the group that the age is of may change who
    # goes, and so may each group that rules read alike.
    keep_all = matter_besides | {"age_group"}
    done: set[str] = set()
    for name in vocabulary.asked:
        names = ages if name in AGE_AXIS else (name,)
        matters = any(one in masks or one in matter_besides for one in names)
        if matters and name not in done:
            done.update(names)
            own = tuple(masks[one] for one in names if one in masks)
            told = (
                _answers(vocabulary.facts[one], own, who_rows, keep_all=one in keep_all)
                for one in names
            )
            yield Axis(own, tuple(told))


def _answers(fact: Fact, masks: tuple[Masks, ...], who_rows: int, *, keep_all: bool) -> Answers:
    """
    Find what each answer does, and keep the mildest of those that leave the same people going.
    """
    apart: dict[tuple[int, Value | None], tuple[Value, int]] = {}
    for value in fact.values:
        told = CallFacts({fact.name: value}).with_age_group()
        mask = reduce(and_, [one.of(told) for one in masks], -1)
        # Who reads a fact besides the rules may tell apart what the rules do not.
        own = value if keep_all else None
        apart.setdefault((mask & who_rows, own), (value, mask))
    found = [mask for _, mask in apart.values()]
    return Answers(fact, tuple(apart.values()), reduce(and_, found), reduce(or_, found))
