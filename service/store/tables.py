"""
Name every table of the store in one place, for migrations and their test.
"""

from service.store import (
    agencies,
    alerts,
    audit,
    checks,
    considered,
    decision_marks,
    decisions,
    dispatches,
    drafts,
    findings,
    journal_positions,
    keys,
    mapped_types,
    openings,
    people,
    quarantined,
    reviews,
    ruleset_choices,
    rulesets,
    sample,
    sessions,
    unmapped_types,
)
from service.store.database import metadata

TABLES = (
    agencies.agencies,
    people.people,
    keys.keys,
    decisions.decisions,
    decisions.repeats,
    decision_marks.marks,
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
    reviews.reviews,
    findings.findings,
    openings.openings,
    sample.tickets,
    considered.considered,
    mapped_types.mapped,
    unmapped_types.unmapped,
    quarantined.quarantined,
    journal_positions.positions,
)

__all__ = ["TABLES", "metadata"]
