"""
Keep for each decision what lists are filtered by, one row for each: every rule that fired, every
kind of responder, the urgency, that something else had to come.

A list by the rarest rule of a large log reads a few rows here, in the order of time, and never the
log itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, PrimaryKeyConstraint, String, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from service.store.database import Instant, metadata
from service.store.decision_fields import Filters

MARK_CHARACTERS_MAX: Final = 220  # a filter takes 200, and no index takes a row without bounds
FALLBACK: Final = "fallback"
COUNTED_MAX: Final = 2_000  # two marks with as many rows are equally good to begin with

marks = Table(
    "decision_marks",
    metadata,
    Column("agency", String(64), nullable=False),
    Column("mark", String(MARK_CHARACTERS_MAX), nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("record_id", String(200), nullable=False),
    PrimaryKeyConstraint("agency", "mark", "decided_at", "record_id"),
    sqlite_with_rowid=False,
)


def rule_mark(rule: str) -> str:
    """
    Give the mark of every decision that a rule fired in.
    """
    return f"rule:{rule}"


def add(connection: Connection, decisions: Sequence[Mapping[str, Any]]) -> None:
    """
    Add the marks of decisions, given as their columns, within the caller's transaction; those that
    are there change nothing.
    """
    rows = [
        {"mark": mark, **{name: one[name] for name in ("agency", "decided_at", "record_id")}}
        for one in decisions
        for mark in _marks_of(one)
    ]
    if rows:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(dialect.insert(marks).on_conflict_do_nothing(), rows)


def _marks_of(decision: Mapping[str, Any]) -> Iterator[str]:
    named = [rule_mark(rule) for rule in decision["rules"]]
    named += [f"responder:{kind}" for kind in decision["responders"]]
    named += [f"urgency:{decision['urgency']}"] if decision["urgency"] else []
    named += [FALLBACK] if decision["fallback"] else []
    # What is too long for a filter is found by none, and must not keep its decision out.
    return (
        mark
        for mark in dict.fromkeys(named)
        if len(mark) <= MARK_CHARACTERS_MAX and "\0" not in mark
    )


def wanted(filters: Filters) -> tuple[str, ...]:
    """
    Give the marks that a decision must have to meet *filters*.
    """
    named = [rule_mark(filters.rule)] if filters.rule is not None else []
    named += [FALLBACK] if filters.fallback else []
    named += [f"responder:{filters.responder}"] if filters.responder is not None else []
    named += [f"urgency:{filters.urgency}"] if filters.urgency is not None else []
    return tuple(named)


def rarest_first(connection: Connection, agency: str, named: tuple[str, ...]) -> tuple[str, ...]:
    """
    Put marks in the order of how few decisions of an agency have them.
    """
    if len(named) < 2:
        return named
    counts = {}
    for mark in named:
        some = (
            select(marks.c.record_id)
            .where(marks.c.agency == agency, marks.c.mark == mark)
            .limit(COUNTED_MAX)
            .subquery()
        )
        counts[mark] = connection.scalar(select(func.count()).select_from(some)) or 0
    return tuple(sorted(named, key=lambda mark: counts[mark]))
