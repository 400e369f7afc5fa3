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
from typing import NamedTuple

from service.routing.conditions import Row
from service.routing.facts import (
    AGE_AXIS,
    UNKNOWN,
    CallFacts,
    Fact,
    Value,
    Vocabulary,
)
from service.routing.rules import LEADS, Rule, Ruleset

Column = tuple[str, Mapping[Value, int], int]  # a fact, its masks when told, and when unknown


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
    each set that rules tell apart. `some` are the rows that an answer leaves standing, `fallen`
    those that an answer takes away.
    """

    fact: Fact
    masks: tuple[tuple[Value, int], ...]
    fallen: int
    some: int


@dataclass(frozen=True, slots=True)
class Axis:
    """
    A fact with its masks, or the two ages, which are told together.
    """

    masks: tuple[Masks, ...]
    answers: tuple[Answers, ...]

    def of(self, facts: CallFacts) -> int:
        """
        Give the mask for what *facts* say here.
        """
        return reduce(and_, [masks.of(facts) for masks in self.masks], -1)


@dataclass(frozen=True, slots=True)
class Fired:
    """
    What holds for a call: the need that gives the lead, and every hazard, in file order.
    """

    need: Rule
    hazards: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """
    How the rows stand for one call: those that hold, those that one axis alone keeps from holding,
    and the mask of each axis.
    """

    rows: int
    single: int
    masks: list[int]


class Brings(NamedTuple):
    """
    The rows of hazards that bring the same: how high their `at_least` is on the ladder (-1: none),
    whom `with` names, and whether they are `alone`.
    """

    rows: int
    height: int
    kinds: frozenset[str]
    is_alone: bool


@dataclass(frozen=True, slots=True)
class Classes:
    """
    Rows that do the same to who goes: needs by how high their lead is, hazards that bring anybody,
    and those that leave 988 no place.
    """

    needs: tuple[tuple[int, int], ...]
    hazards: tuple[Brings, ...]
    without_988: int


def height_of(lead: str | None) -> int:
    """
    Say how high a lead is on the ladder; -1 where there is none.
    """
    return LEADS.index(lead) if lead else -1


@dataclass(frozen=True, slots=True, repr=False)
class Matcher:
    """
    A ruleset compiled against a vocabulary. Immutable but for a memory of what was seen before.

    `axes` are the facts that matter, in the order of the vocabulary. The rows are those of needs,
    then of hazards, then those that leave 988 no place; `who_rows` are the rows besides needs that
    change who goes.
    """

    ruleset: Ruleset
    vocabulary: Vocabulary
    axes: tuple[Axis, ...]
    rules_of_rows: tuple[Rule, ...]
    need_rows: int
    every_row: int
    has_dates: bool
    who_rows: int
    classes: Classes
    columns: tuple[Column, ...]
    second_columns: tuple[tuple[int, Column], ...]
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

    def who_key(self, rows: int) -> int:
        """
        Reduce rows to what decides who goes: the first need, the hazards that bring anybody, and
        whether 988 has a place.
        """
        return rows & -rows | rows & self.who_rows

    def has_no_988(self, rows: int) -> bool:
        """
        Tell whether 988 has no place beside somebody sent in person.
        """
        return bool(rows & self.classes.without_988)

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
            rules = enumerate(self.rules_of_rows)
            away = sum(1 << place for place, rule in rules if not rule.is_in_force(day))
            rows = self.remembered_days[day] = self.every_row & ~away
        return rows

    def masks(self, facts: CallFacts) -> list[int]:
        """
        Give, for each axis in order, the mask for what *facts* say there.
        """
        if facts.assumed:
            return [axis.of(facts) for axis in self.axes]
        value_of = facts.known.get
        found = [told.get(value_of(name), unknown) for name, told, unknown in self.columns]  # type: ignore[arg-type]  # None is never a value
        for place, (name, told, unknown) in self.second_columns:
            found[place] &= told.get(value_of(name), unknown)  # type: ignore[arg-type]  # as above
        return found

    def match(self, facts: CallFacts, day: dt.date) -> int:
        """
        Give the mask of the rows that hold. The bit of the last need is always among them.
        """
        return reduce(and_, self.masks(facts), self.rows_on(day))

    def standing(self, facts: CallFacts, day: dt.date) -> Standing:
        """
        Give how the rows stand: besides those that hold, what one other answer could bring.
        """
        masks, in_force = self.masks(facts), self.rows_on(day)
        once, twice = 0, 0
        for mask in masks:
            fails = in_force & ~mask
            twice |= once & fails
            once |= fails
        return Standing(in_force & ~once, once & ~twice, masks)

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
        hazards, rest = [], (mask & ~self.classes.without_988) >> self.need_rows
        while rest:
            lowest = rest & -rest
            hazards.append(rows[self.need_rows + lowest.bit_length() - 1])
            rest ^= lowest
        # Several rows of one rule may hold; the rule fired once.
        return Fired(rows[first], tuple({rule.id: rule for rule in hazards}.values()))


# Calls that fire different rows differ in far fewer ways than this; the bound keeps memory small
# under attack.
REMEMBERED_MAX = 4096


def compile_ruleset(
    vocabulary: Vocabulary, ruleset: Ruleset, without_988: tuple[Row, ...] = ()
) -> Matcher:
    """
    Compile a ruleset into masks. Takes time in proportion to rows times tested values.

    *without_988* are the rows that leave 988 no place beside somebody sent in person: they are
    matched with the rules, because they change who goes.
    """
    placed: list[tuple[Rule | None, Row]] = [
        (rule, row) for rule in (*ruleset.needs, *ruleset.hazards) for row in rule.rows
    ]
    rules = tuple(rule for rule, _ in placed if rule is not None)
    placed += [(None, row) for row in without_988]
    tested: dict[str, list[int]] = {}
    for place, (_, row) in enumerate(placed):
        for name in {test.fact for test in row}:
            tested.setdefault(name, []).append(place)
    every_row = (1 << len(placed)) - 1
    masks = {
        name: _masks_of(vocabulary.facts[name], placed, tested[name], every_row)
        for name in vocabulary.facts
        if name in tested
    }
    need_rows = sum(len(rule.rows) for rule in ruleset.needs)
    classes = _classes(rules, need_rows, every_row)
    who_rows = reduce(or_, (one.rows for one in classes.hazards), classes.without_988)
    axes = tuple(_axes(vocabulary, masks, (1 << need_rows) - 1 | who_rows))
    columns = [[_column(one) for one in axis.masks] for axis in axes]
    return Matcher(
        ruleset,
        vocabulary,
        axes,
        rules,
        need_rows,
        every_row,
        any(rule.begins or rule.ends for rule in rules),
        who_rows,
        classes,
        tuple(first for first, *_ in columns),
        tuple((place, one) for place, (_, *more) in enumerate(columns) for one in more),
    )


def _classes(rules: tuple[Rule, ...], need_rows: int, every_row: int) -> Classes:
    needs: dict[int, int] = {}
    hazards: dict[tuple[int, frozenset[str], bool], int] = {}
    for place, rule in enumerate(rules):
        if place < need_rows:
            height = height_of(rule.lead)
            needs[height] = needs.get(height, 0) | 1 << place
        else:
            brings = height_of(rule.at_least), frozenset(rule.beside), rule.alone
            if brings != (-1, frozenset(), False):
                hazards[brings] = hazards.get(brings, 0) | 1 << place
    found = tuple(Brings(rows, *brings) for brings, rows in hazards.items())
    return Classes(tuple(needs.items()), found, every_row >> len(rules) << len(rules))


def _column(masks: Masks) -> Column:
    return masks.fact.name, masks.told, masks.unknown


def _masks_of(
    fact: Fact, rows: list[tuple[Rule | None, Row]], places: list[int], untouched: int
) -> Masks:
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
        bit = 1 << place
        raises = rule.table == "hazards" if rule else not fact.calming
        if all(test.unknown for test in tests):
            unknown |= bit
        for value in fact.values:
            if all(value in test.values for test in tests):
                told[value] |= bit
            if all(test.holds_for_guess(value, raises=raises) for test in tests):
                assumed[value] |= bit
    return Masks(fact, unknown, told, assumed)


def _axes(vocabulary: Vocabulary, masks: Mapping[str, Masks], who_rows: int) -> Iterator[Axis]:
    """
    Make an axis of every fact that matters, in the order of the vocabulary.
    """
    ages = tuple(name for name in vocabulary.asked if name in AGE_AXIS)
    done: set[str] = set()
    for name in vocabulary.asked:
        names = ages if name in AGE_AXIS else (name,)
        if name not in done and any(one in masks for one in names):
            done.update(names)
            own = tuple(masks[one] for one in names if one in masks)
            told = (_answers(vocabulary.facts[one], own, who_rows) for one in names)
            yield Axis(own, tuple(told))


def _answers(fact: Fact, masks: tuple[Masks, ...], who_rows: int) -> Answers:
    """
    Find what each answer does, and keep the mildest of those that leave the same people going.
    """
    apart: dict[tuple[int, Value | None], tuple[Value, int]] = {}
    for value in fact.values:
        told = CallFacts({fact.name: value}).with_age_group()
        mask = reduce(and_, [one.of(told) for one in masks], -1)
        # Telling a group takes a known age away, so even the group that the age is of may change
        # who goes, and so may each group that rules read alike.
        own = value if fact.name == "age_group" else None
        apart.setdefault((mask & who_rows, own), (value, mask))
    found = [mask for _, mask in apart.values()]
    return Answers(fact, tuple(apart.values()), ~reduce(and_, found), reduce(or_, found))
