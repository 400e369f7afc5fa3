"""
Says in sentences what differs between two rulesets: rules that were added, removed, changed or
moved, and who comes instead of whom.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.routing.facts import Vocabulary
from service.tuning.rule_lines import NEEDS, TABLES, RuleLine, line_of

BESIDE: Final = ("fallback", "absent_fills")  # of a ruleset, besides its rules


@dataclass(frozen=True, slots=True)
class Changed:
    """
    One rule before and after, and which of its members differ.
    """

    before: RuleLine
    after: RuleLine
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Differences:
    """
    What differs. `moved` are needs whose order changed while they stayed the same; `beside` names
    the members of the ruleset that differ, with their value before and after.
    """

    added: tuple[RuleLine, ...]
    removed: tuple[RuleLine, ...]
    changed: tuple[Changed, ...]
    moved: tuple[RuleLine, ...]
    beside: Mapping[str, tuple[Any, Any]]

    @property
    def count(self) -> int:
        """
        Count everything that differs.
        """
        rules = (*self.added, *self.removed, *self.changed, *self.moved)
        return len(rules) + len(self.beside)

    def document(self) -> dict[str, Any]:
        """
        Give it as the API shows it.
        """
        return {
            "added": [_shown(one) for one in self.added],
            "removed": [_shown(one) for one in self.removed],
            "changed": [
                {
                    **_shown(one.after),
                    "before": one.before.plain,
                    "members": list(one.members),
                }
                for one in self.changed
            ],
            "moved": [_shown(one) for one in self.moved],
            "other": [
                {"member": name, "before": before, "after": after}
                for name, (before, after) in self.beside.items()
            ],
        }


def _shown(one: RuleLine) -> dict[str, Any]:
    return {"table": one.table, "rule": one.rule, "sentence": one.plain, "why": one.why}


def differences(
    vocabulary: Vocabulary, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Differences:
    """
    Compare two rulesets, rule by rule of the same id.
    """
    added: list[RuleLine] = []
    removed: list[RuleLine] = []
    changed: list[Changed] = []
    moved: list[RuleLine] = []
    for table in TABLES:
        old, new = _by_id(before, table), _by_id(after, table)
        added += [line_of(vocabulary, table, *one) for key, one in new.items() if key not in old]
        removed += [line_of(vocabulary, table, *one) for key, one in old.items() if key not in new]
        for key in (key for key in new if key in old):
            members = _members(old[key][1], new[key][1])
            if members:
                was = line_of(vocabulary, table, *old[key])
                changed.append(Changed(was, line_of(vocabulary, table, *new[key]), members))
        if table == NEEDS:
            out_of_order = _moved(list(old), list(new))
            moved += [line_of(vocabulary, table, *new[key]) for key in new if key in out_of_order]
    beside = {
        name: (before.get(name), after.get(name))
        for name in BESIDE
        if before.get(name) != after.get(name)
    }
    return Differences(tuple(added), tuple(removed), tuple(changed), tuple(moved), beside)


def _by_id(content: Mapping[str, Any], table: str) -> dict[str, tuple[int, Mapping[str, Any]]]:
    rules = content.get(table)
    blocks = rules if isinstance(rules, list) else []
    return {
        str(block.get("id", "")): (place, block)
        for place, block in enumerate(blocks)
        if isinstance(block, Mapping)
    }


def _members(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    names = dict.fromkeys((*before, *after))
    return tuple(name for name in names if before.get(name) != after.get(name))


def _moved(before: Sequence[str], after: Sequence[str]) -> frozenset[str]:
    """
    Name what stands in another order: of those in both, the ones out of the longest common order.
    """
    place = {name: number for number, name in enumerate(before)}
    common = [place[name] for name in after if name in place]
    orders: list[list[int]] = []
    longest: list[int] = []
    for number in common:
        before_it: list[int] = []
        for one in orders:
            if one[-1] < number and len(one) > len(before_it):
                before_it = one
        orders.append([*before_it, number])
        longest = max(longest, orders[-1], key=len)
    return frozenset(name for name in after if name in place and place[name] not in longest)
