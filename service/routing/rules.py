"""
Rules: two tables that read as sentences. Needs give the lead; hazards can only raise.

`needs` go from the least to the most, and the first that holds gives the lead; every one of
`hazards` that holds applies. `reading.py` makes rules of a document and refuses what breaks one of
the five shapes (`shapes.py`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from service.routing.conditions import Row, facts_of

# The ladder of leads, from the least to the most coercive; EMS stands beside it.
LEADS: Final = ("warm_line", "988", "mobile_crisis", "co_responder", "law_enforcement")
POLICE: Final = frozenset(("co_responder", "law_enforcement"))
LINES: Final = frozenset(("warm_line", "988"))
IN_PERSON: Final = frozenset(("mobile_crisis", "ems", "co_responder", "law_enforcement"))


@dataclass(frozen=True, slots=True)
class Source:
    """
    Where a rule comes from; `url` may be empty for a statute or a book.
    """

    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One rule of either table.

    A need has a `lead` and an `urgency`; a hazard may raise the lead to `at_least`, bring kinds
    `beside` it, name what EMS needs and whom to notify, and ask; `alone` sends EMS without the
    need's lead. `facts` names what the rule tests.
    """

    id: str
    table: str
    rows: tuple[Row, ...]
    why: str
    source: Source
    lead: str | None = None
    at_least: str | None = None
    beside: tuple[str, ...] = ()
    ems_needs: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    urgency: str | None = None
    ask: tuple[str, ...] = ()
    alone: bool = False
    begins: dt.date | None = None
    ends: dt.date | None = None
    facts: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """
        Look up which facts the rule tests.
        """
        object.__setattr__(self, "facts", tuple(facts_of(self.rows)))

    @property
    def brings_police(self) -> bool:
        """
        Tell whether the rule raises the lead to a co-responder or police.
        """
        return self.at_least in POLICE

    def is_in_force(self, day: dt.date) -> bool:
        """
        Tell whether the rule applies on *day*, both its dates included.
        """
        return (self.begins is None or self.begins <= day) and (
            self.ends is None or day <= self.ends
        )


@dataclass(frozen=True, slots=True)
class Ruleset:
    """
    A resolved set of rules, ready to be compiled. `fallback` maps a lead to the combinations tried
    instead.
    """

    name: str
    needs: tuple[Rule, ...]
    hazards: tuple[Rule, ...]
    fallback: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    absent_fills: frozenset[str] = frozenset()
