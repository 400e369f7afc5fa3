"""
The naive evaluator: every test of every rule is read, one by one. The matcher must agree with it,
and is timed against it.
"""

import datetime as dt

from service.routing.conditions import row_holds
from service.routing.facts import CallFacts
from service.routing.matcher import Fired
from service.routing.rules import Rule, Ruleset


def fire_naively(ruleset: Ruleset, facts: CallFacts, day: dt.date) -> Fired:
    """
    Give the first need that holds and every hazard that holds, in file order.
    """
    need = next(rule for rule in ruleset.needs if _holds(rule, facts, day, raises=False))
    hazards = [rule for rule in ruleset.hazards if _holds(rule, facts, day, raises=True)]
    return Fired(need, tuple(hazards))


def _holds(rule: Rule, facts: CallFacts, day: dt.date, *, raises: bool) -> bool:
    if not rule.is_in_force(day):
        return False
    return any(row_holds(row, facts, raises=raises) for row in rule.rows)
