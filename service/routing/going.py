"""
Who goes, for the rules that hold: who is needed, then who of them can come.

What decides it is a handful of rows, so each combination is worked out once and remembered. Nothing
of a call is remembered here but which rules held.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from service.routing.availability import Choice, choose
from service.routing.matcher import Matcher, height_of
from service.routing.needed import Brought, Needed, is_line_only, protection, who_is_needed
from service.routing.rules import LEADS

Beside = tuple[str | None, frozenset[str], bool, bool]  # what `Brought` has after its lead
REMEMBERED_MAX = 16_384  # for each set of kinds that cannot come; some 3 MB when full


@dataclass(frozen=True, slots=True)
class Going:
    """
    Who goes: who is needed, who of them comes, how much protection that is, and whether nobody is
    sent in person.
    """

    needed: Needed
    choice: Choice
    kinds: frozenset[str]
    protection: tuple[int, bool]
    is_line_only: bool


class Goings:
    """
    Gives who goes under one ruleset while the kinds of *out* cannot come.
    """

    def __init__(self, matcher: Matcher, out: frozenset[str]) -> None:
        self._matcher = matcher
        self._available: Mapping[str, bool] = dict.fromkeys(out, False)
        self.remembered: dict[int, Going] = {}
        # Many rows bring the same, so that nearly every key meets one that was worked out.
        self._beside: dict[int, Beside] = {}
        self._of_brought: dict[Brought, Going] = {}

    def of(self, key: int) -> Going:
        """
        Give who goes for what `Matcher.who_key` leaves of the rows that hold.
        """
        found = self.remembered.get(key)
        if found is None:
            if len(self.remembered) >= REMEMBERED_MAX:
                self.remembered.clear()
                self._beside.clear()
                self._of_brought.clear()
            found = self.remembered[key] = self._of(self.brought(key))
        return found

    def brought(self, key: int) -> Brought:
        """
        Say what the rows of *key* bring, as `needed.brought_by` says it of rules.
        """
        rows = key & self._matcher.who_rows
        beside = self._beside.get(rows)
        if beside is None:
            beside = self._beside[rows] = beside_of(self._matcher, rows)
        first = self._matcher.rules_of_rows[(key & -key).bit_length() - 1]
        return Brought(first.lead, *beside)

    def _of(self, brought: Brought) -> Going:
        found = self._of_brought.get(brought)
        if found is None:
            needed = who_is_needed(brought)
            fallback = self._matcher.ruleset.fallback
            choice = choose(needed, fallback, self._available, no_988=brought.no_988)
            kinds = choice.kinds
            found = Going(needed, choice, kinds, protection(kinds), is_line_only(kinds))
            self._of_brought[brought] = found
        return found


def beside_of(matcher: Matcher, rows: int) -> Beside:
    """
    Say what rows besides those of needs bring.
    """
    highest = -1
    beside: frozenset[str] = frozenset()
    is_alone = False
    for brings in matcher.classes.hazards:
        if rows & brings.rows:
            highest = max(highest, brings.height)
            beside |= brings.kinds
            is_alone = is_alone or brings.is_alone
    return LEADS[highest] if highest >= 0 else None, beside, is_alone, matcher.has_no_988(rows)


def telling_rows(matcher: Matcher, key: int, brought: Brought) -> int:
    """
    Give the rows that would change who goes, or might, if they came to hold beside those of *key*,
    which bring *brought*, alone or together.

    A hazard that raises no higher and brings nobody new changes nothing; nor does a need of the
    same lead, or one that is overruled.
    """
    classes = matcher.classes
    highest = height_of(brought.raised)
    needs_no_lead = highest >= 0 or brought.is_alone
    telling = 0 if key & classes.without_988 else classes.without_988
    for brings in classes.hazards:
        is_more = brings.height > highest or not brings.kinds <= brought.beside
        if is_more or (brings.is_alone and not needs_no_lead):
            telling |= brings.rows
    first = key & -key
    for height, rows in classes.needs:
        is_overruled = height <= highest if highest >= 0 else needs_no_lead
        if not (rows & first or is_overruled):
            telling |= rows & (first - 1)
    return telling
