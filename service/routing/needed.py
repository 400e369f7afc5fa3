"""
Who is needed: how the need and the hazards that hold combine into kinds of responder.

The lead is the highest of the need's lead and every `at_least`; beside it goes everybody that any
`with` names; urgency is the highest named. Availability is not asked here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from service.routing.matcher import Fired
from service.routing.rules import IN_PERSON, LEADS, LINES


@dataclass(frozen=True, slots=True)
class Needed:
    """
    Kinds of responder wanted, and the lead among them; no lead where EMS goes by itself.
    """

    lead: str | None
    kinds: frozenset[str]


class Brought(NamedTuple):
    """
    What rules that hold bring: the need's lead, the highest `at_least` of the hazards, everybody
    that a `with` names, and whether a hazard is `alone`. `no_988`: the caller is in danger, or the
    person refuses 988.
    """

    lead: str | None
    raised: str | None
    beside: frozenset[str]
    is_alone: bool
    no_988: bool


def who_is_needed(brought: Brought) -> Needed:
    """
    Combine what the rules that hold bring.

    The answer is never empty: the need that catches all has a lead, and `alone` brings EMS.
    """
    lead = brought.lead
    if brought.raised:
        lead = max(brought.raised, lead or LEADS[0], key=LEADS.index)
    elif brought.is_alone:
        lead = None
    kinds = brought.beside if lead is None else brought.beside | {lead}
    left = drop_lines(kinds, no_988=brought.no_988)
    return Needed(lead if lead in left else None, left)


def brought_by(fired: Fired, *, no_988: bool) -> Brought:
    """
    Say what the rules that hold bring.
    """
    raised = [rule.at_least for rule in fired.hazards if rule.at_least]
    return Brought(
        fired.need.lead,
        max(raised, key=LEADS.index, default=None),
        frozenset(kind for rule in fired.hazards for kind in rule.beside),
        any(rule.alone for rule in fired.hazards),
        no_988,
    )


def drop_lines(kinds: set[str] | frozenset[str], *, no_988: bool) -> frozenset[str]:
    """
    Take out a line that somebody better makes needless: the warm line where anybody else goes, then
    988 where the caller is in danger or it is refused and somebody is sent in person. Never leaves
    nobody.
    """
    left = set(kinds)
    if len(left) > 1:
        left.discard("warm_line")
    if no_988 and left & IN_PERSON:
        left.discard("988")
    return frozenset(left)


def urgency_of(fired: Fired, urgencies: Sequence[str]) -> str:
    """
    Give the highest urgency that any rule that holds names.
    """
    named = (rule.urgency for rule in (fired.need, *fired.hazards) if rule.urgency)
    return max(named, key=urgencies.index)


@cache
def protection(kinds: frozenset[str]) -> tuple[int, bool]:
    """
    Say how much protection an answer gives: its lead on the ladder (EMS alone ranks with a civilian
    team; both kinds of police rank alike), then whether EMS goes. More is more.
    """
    ranks = [min(LEADS.index(kind), LEADS.index("co_responder")) for kind in kinds if kind in LEADS]
    ems = "ems" in kinds
    return max([*ranks, LEADS.index("mobile_crisis") if ems else -1]), ems


def is_line_only(kinds: frozenset[str]) -> bool:
    """
    Tell whether nobody is sent in person.
    """
    return kinds <= LINES
