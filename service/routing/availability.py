"""
Who can come: what replaces a lead that cannot, in the order that the ruleset's `fallback` names.

What comes instead, who was passed over and why is always said. A wanted team that is busy never
turns into police unless the ruleset says so by name; after the last option 911 stays on the line,
with EMS.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from service.routing.needed import Needed, drop_lines
from service.routing.rules import LINES

STATED = "stated_unavailable"


@dataclass(frozen=True, slots=True)
class PassedOver:
    """
    One kind (and team, once there is a directory) that could not come, and the reason.
    """

    kind: str
    reason: str
    team: str | None = None


@dataclass(frozen=True, slots=True)
class Fallback:
    """
    What was wanted as the lead, who goes instead, and who was passed over on the way.
    """

    wanted: str
    got: tuple[str, ...]
    reason: str
    passed_over: tuple[PassedOver, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """
    Who goes now. `missing` are kinds wanted beside the lead that cannot come; `is_last_resort` says
    that nobody wanted can, and 911 stays on the line with EMS.
    """

    kinds: frozenset[str]
    fallback: Fallback | None = None
    missing: tuple[str, ...] = ()
    is_last_resort: bool = False


def choose(
    needed: Needed,
    fallback: Mapping[str, tuple[tuple[str, ...], ...]],
    available: Mapping[str, bool],
    *,
    no_988: bool,
) -> Choice:
    """
    Give who of *needed* can come, and what comes instead of a lead that cannot.

    Args:
        needed: Kinds wanted, and the lead among them.
        fallback: For each lead, the combinations tried instead, in order.
        available: What is stated of each kind; a kind not named counts as available.
        no_988: 988 has no place beside somebody sent in person.

    Never raises and is never empty. EMS stated unavailable stays: it is the last resort.
    """
    out = frozenset(kind for kind, free in available.items() if free is False and kind != "ems")
    beside = needed.kinds - {needed.lead}
    missing = tuple(sorted(beside & out))
    lead = needed.lead
    if lead not in out:
        return Choice(needed.kinds - out or frozenset(("ems",)), missing=missing)
    assert lead is not None
    if lead in LINES and "ems" in beside:
        # Beside EMS a line is company, not the answer: nothing replaces it.
        return Choice(beside - out, missing=(*missing, lead))
    passed = [PassedOver(lead, STATED)]
    for option in fallback.get(lead, ()):
        if not out.intersection(option):
            kinds = drop_lines(frozenset(option) | (beside - out), no_988=no_988)
            got = tuple(kind for kind in option if kind in kinds)
            return Choice(kinds, Fallback(lead, got, STATED, tuple(passed)), missing)
        seen = {one.kind for one in passed}
        passed += [PassedOver(kind, STATED) for kind in option if kind in out and kind not in seen]
    kinds = frozenset(("ems", *(beside - out)))
    return Choice(
        kinds, Fallback(lead, ("ems",), STATED, tuple(passed)), missing, is_last_resort=True
    )
