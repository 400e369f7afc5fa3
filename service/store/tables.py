"""
Name every table of the store in one place, for migrations and their test.
"""

from service.store import (
    agencies,
    alerts,
    audit,
    checks,
    decisions,
    dispatches,
    drafts,
    keys,
    people,
    ruleset_choices,
    rulesets,
    sessions,
)
from service.store.database import metadata

TABLES = (
    agencies.agencies,
    people.people,
    keys.keys,
    decisions.decisions,
    decisions.repeats,
    dispatches.dispatches,
    sessions.sessions,
    sessions.failures,
    alerts.alerts,
    audit.audit,
    rulesets.versions,
    rulesets.live,
    rulesets.shipped,
    ruleset_choices.choices,
    drafts.drafts,
    drafts.saves,
    drafts.approvals,
    checks.checks,
)

__all__ = ["TABLES", "metadata"]
