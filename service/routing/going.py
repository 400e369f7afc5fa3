"""
Who goes, for the rules that hold: who is needed, then who of them can come.

What decides it is a handful of rows, so each combination is worked out once and remembered. Nothing
of a call is remembered here but which rules held.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from service.routing.availability import Choice, choose
from service.routing.matcher import Classes, Matcher
from service.routing.needed import Needed, is_line_only, protection, who_is_needed
from service.routing.rules import LEADS

REMEMBERED_MAX = 4096  # for each set of kinds that cannot come


@dataclass(frozen=True, slots=True)
class Going:
    """
    Who goes: who is needed, who of them comes, how much protection that is, and whether nobody is
    sent in person.

    `telling` are the rows that could change it by coming to hold, alone or together.
    """

    needed: Needed
    choice: Choice
    kinds: frozenset[str]
    protection: tuple[int, bool]
    is_line_only: bool
    telling: int


class Goings:
    """
    Gives who goes under one ruleset while the kinds of *out* cannot come.
    """

    def __init__(self, matcher: Matcher, out: frozenset[str]) -> None:
        self._matcher = matcher
        self._available: Mapping[str, bool] = dict.fromkeys(out, False)
        self.remembered: dict[int, Going] = {}

    def of(self, key: int) -> Going:
        """
        Give who goes for what `Matcher.who_key` leaves of the rows that hold.
        """
        found = self.remembered.get(key)
        if found is None:
            if len(self.remembered) >= REMEMBERED_MAX:
                self.remembered.clear()
            found = self.remembered[key] = self._work_out(key)
        return found

    def _work_out(self, key: int) -> Going:
        matcher = self._matcher
        no_988 = matcher.has_no_988(key)
        needed = who_is_needed(matcher.fired(key), no_988=no_988)
        fallback = matcher.ruleset.fallback
        choice = choose(needed, fallback, self._available, no_988=no_988)
        telling = _telling(matcher.classes, key)
        kinds = choice.kinds
        return Going(needed, choice, kinds, protection(kinds), is_line_only(kinds), telling)


def _telling(classes: Classes, key: int) -> int:
    """
    Give the rows that would change who goes, or might, if they came to hold beside those of *key*.

    A hazard that raises no higher and brings nobody new changes nothing; nor does a need of the
    same lead, or one that is overruled.
    """
    holding = [brings for brings, rows in classes.hazards.items() if rows & key]
    highest = max((_height(at_least) for at_least, _, _ in holding), default=-1)
    beside = {kind for _, kinds, _ in holding for kind in kinds}
    needs_no_lead = highest >= 0 or any(alone for _, _, alone in holding)
    telling = [0 if key & classes.without_988 else classes.without_988]
    for (at_least, kinds, alone), rows in classes.hazards.items():
        is_more = _height(at_least) > highest or not beside.issuperset(kinds)
        if is_more or (alone and not needs_no_lead):
            telling.append(rows)
    first = key & -key
    for lead, rows in classes.needs.items():
        is_overruled = _height(lead) <= highest if highest >= 0 else needs_no_lead
        if not (rows & first or is_overruled):
            telling.append(rows & (first - 1))
    return reduce(or_, telling)


def _height(lead: str | None) -> int:
    return LEADS.index(lead) if lead else -1
