"""
Keep what reviewers found: was it right, what should have been sent, what misled.

A review has one finding at most. The comment is sealed for the finding's id.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Index,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    cast,
    or_,
    select,
)
from sqlalchemy.exc import IntegrityError

from service.store.cursor import page_of
from service.store.database import Instant, Recorded, dump_json, metadata, reading
from service.store.reviews import reviews

VERDICTS: Final = ("right", "under_triaged", "over_triaged", "cannot_tell")
# These say that what was recommended is wrong.
FAULTED: Final = ("under_triaged", "over_triaged")

findings = Table(
    "findings",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("review_id", String(32), nullable=False),
    Column("decision_id", String(200), nullable=False),
    Column("call_id", Text, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("found_by", String(80), nullable=False),
    Column("found_name", Text, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("should_have_sent", Recorded(list), nullable=False),
    Column("wrong_facts", Recorded(list), nullable=False),
    Column("wrong_rule", Text),
    Column("comment", Text),
    Column("rules", Recorded(list), nullable=False),
    UniqueConstraint("agency", "review_id"),
    CheckConstraint(
        "verdict IN ('right', 'under_triaged', 'over_triaged', 'cannot_tell')", name="verdict"
    ),
    Index("ix_findings_agency_found_at_id", "agency", "found_at", "id"),
    Index("ix_findings_agency_decision_id", "agency", "decision_id"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One finding. `rules` are those that fired in its decision; `found_by` is an identity.
    """

    id: str
    agency: str
    review_id: str
    decision_id: str
    call_id: str
    found_at: datetime
    found_by: str
    found_name: str
    verdict: str
    should_have_sent: tuple[str, ...]
    wrong_facts: tuple[str, ...]
    wrong_rule: str | None
    comment: str | None
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """
    Say which findings a list holds: all that meet every member that is not None.

    `rule` fired, or was named as the wrong one; `since` counts in, `until` does not; `hidden` are
    ids of decisions that are left out.
    """

    verdict: str | None = None
    rule: str | None = None
    reviewer: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    hidden: frozenset[str] = frozenset()


def new_id() -> str:
    """
    Make an id for a finding.
    """
    return uuid.uuid4().hex


def add(connection: Connection, finding: Finding) -> bool:
    """
    Add *finding* within the caller's transaction; False if its review has one.
    """
    values = {name: getattr(finding, name) for name in Finding.__slots__}
    values |= {
        "should_have_sent": list(finding.should_have_sent),
        "wrong_facts": list(finding.wrong_facts),
        "rules": list(finding.rules),
    }
    try:
        with connection.begin_nested():
            connection.execute(findings.insert().values(values))
    except IntegrityError:
        return False
    return True


def find(engine: Engine, agency: str, finding_id: str) -> Finding | None:
    """
    Give the finding of this agency with this id, or None.
    """
    query = select(findings).where(findings.c.id == finding_id, findings.c.agency == agency)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    return _finding(row) if row else None


def of_reviews(engine: Engine, agency: str, review_ids: Collection[str]) -> dict[str, Finding]:
    """
    Give the finding of each of these reviews that has one, by the review's id.
    """
    query = select(findings).where(
        findings.c.agency == agency, findings.c.review_id.in_(review_ids)
    )
    with reading(engine) as connection:
        return {row.review_id: _finding(row) for row in connection.execute(query)}


def of_decisions(engine: Engine, agency: str, decision_ids: Collection[str]) -> tuple[Finding, ...]:
    """
    Give the findings about these decisions, the earliest first.
    """
    query = (
        select(findings)
        .where(findings.c.agency == agency, findings.c.decision_id.in_(decision_ids))
        .order_by(findings.c.found_at, findings.c.id)
    )
    with reading(engine) as connection:
        return tuple(_finding(row) for row in connection.execute(query))


def judged(
    engine: Engine, agency: str, since: datetime | None, until: datetime | None
) -> tuple[tuple[str, bool, tuple[str, ...]], ...]:
    """
    Give of each finding the verdict, whether its call is in the random sample, and the rules that
    fired.
    """
    query = (
        select(findings.c.verdict, reviews.c.is_sample, findings.c.rules)
        .join(
            reviews,
            and_(reviews.c.agency == findings.c.agency, reviews.c.id == findings.c.review_id),
        )
        .where(findings.c.agency == agency, *_conditions(Search(since=since, until=until)))
    )
    with reading(engine) as connection:
        return tuple((one[0], one[1], tuple(one[2])) for one in connection.execute(query))


def page(
    engine: Engine, agency: str, search: Search, cursor: str | None = None, limit: int = 50
) -> tuple[tuple[Finding, ...], str | None]:
    """
    Give up to *limit* findings of an agency, the newest first, and the cursor of the next page.

    Raises:
        CursorError: the cursor is not one that a page gave.
    """
    query = select(findings).where(findings.c.agency == agency, *_conditions(search))
    found, following = page_of(engine, query, (findings.c.found_at, findings.c.id), cursor, limit)
    return tuple(_finding(row) for row in found), following


def _conditions(search: Search) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if search.verdict is not None:
        found.append(findings.c.verdict == search.verdict)
    if search.reviewer is not None:
        found.append(findings.c.found_by == search.reviewer)
    if search.since is not None:
        found.append(findings.c.found_at >= search.since)
    if search.until is not None:
        found.append(findings.c.found_at < search.until)
    if search.hidden:
        found.append(findings.c.decision_id.not_in(search.hidden))
    if search.rule is not None:
        fired = cast(findings.c.rules, Text).contains(dump_json(search.rule), autoescape=True)
        found.append(or_(fired, findings.c.wrong_rule == search.rule))
    return found


def _finding(row: Row[Any]) -> Finding:
    values = dict(row._mapping)
    for name in ("should_have_sent", "wrong_facts", "rules"):
        values[name] = tuple(values[name])
    return Finding(**values)
