"""
Keep what a supervisor must look at now, until somebody settles it.

The same thing is an alert once, however often it is raised; a settled one stays settled.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    func,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from service.store.agencies import agencies
from service.store.cursor import page_of
from service.store.database import Instant, metadata, reading, writing
from service.store.reviews import held_by, is_held, reviews

# About numbers of a journal: its subject is the host, a space, the first and the last, `-` between.
RECORD_MISSING: Final = "record_missing"

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("subject_id", String(200), nullable=False),
    Column("call_id", Text),
    Column("text", Text, nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("settled_by", String(80)),
    Column("settled_name", Text),
    Column("comment", Text),
    UniqueConstraint("agency", "kind", "subject_id"),
    Index("ix_alerts_agency_settled_at_due_at", "agency", "settled_at", "due_at"),
)


@dataclass(frozen=True, slots=True)
class Alert:
    """
    One alert.

    `kind` is one of `KINDS` in `service/alerts.py`; `subject_id` the decision, ruleset or host that
    it is about; `call_id` is None where it is about no call. It shows from `due_at` on.
    """

    id: str
    agency: str
    kind: str
    subject_id: str
    call_id: str | None
    text: str
    raised_at: datetime
    due_at: datetime
    settled_at: datetime | None = None
    settled_by: str | None = None
    settled_name: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """
    Who settled an alert, when, and what they say about it.
    """

    identity: str
    name: str
    at: datetime
    comment: str | None


def new_id() -> str:
    """
    Make an id for an alert.
    """
    return uuid.uuid4().hex


def add(connection: Connection, alert: Alert) -> bool:
    """
    Add *alert* within the caller's transaction; False if the same thing was raised before.
    """
    values = {name: getattr(alert, name) for name in Alert.__slots__}
    is_there = select(alerts.c.id).where(
        alerts.c.agency == alert.agency,
        alerts.c.kind == alert.kind,
        alerts.c.subject_id == alert.subject_id,
    )
    if connection.execute(is_there).first() is not None:
        return False
    try:
        with connection.begin_nested():
            connection.execute(alerts.insert().values(values))
    except IntegrityError:
        return False  # another worker raised it at the same moment
    return True


def create(engine: Engine, alert: Alert) -> bool:
    """
    Add *alert* in a transaction of its own; False if the same thing was raised before.
    """
    with writing(engine) as connection:
        return add(connection, alert)


def find(
    engine: Engine,
    agency: str,
    alert_id: str,
    *,
    now: datetime | None = None,
    about_calls: bool = True,
    identity: str | None = None,
) -> Alert | None:
    """
    Give the alert of this agency with this id, or None; with *now* only if it is due and would be
    in a list, as `page` has it.
    """
    query = select(alerts).where(alerts.c.id == alert_id, alerts.c.agency == agency)
    if now is not None:
        query = query.where(alerts.c.due_at <= now)
        query = _shown_to(query, identity, now, about_calls=about_calls)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    return Alert(**row._mapping) if row else None


def page(
    engine: Engine,
    agency: str,
    *,
    is_open: bool,
    now: datetime,
    about_calls: bool = True,
    identity: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[tuple[Alert, ...], str | None]:
    """
    Give up to *limit* alerts of an agency that are due, open or settled, the newest first, and the
    cursor of the next page; without *about_calls* only those that are about no call.

    Somebody, by *identity*, is shown none about a call of which they hold the review: until they
    answer they must not know what was sent.

    Raises:
        CursorError: the cursor is not one that a page gave.
    """
    state = alerts.c.settled_at.is_(None) if is_open else alerts.c.settled_at.is_not(None)
    query = select(alerts).where(alerts.c.agency == agency, alerts.c.due_at <= now, state)
    query = _shown_to(query, identity, now, about_calls=about_calls)
    found, following = page_of(engine, query, (alerts.c.due_at, alerts.c.id), cursor, limit)
    return tuple(Alert(**row._mapping) for row in found), following


def newest_open(
    engine: Engine,
    agency: str,
    now: datetime,
    *,
    about_calls: bool,
    limit: int,
    identity: str | None = None,
) -> tuple[tuple[Alert, ...], int]:
    """
    Give up to *limit* alerts of an agency that are due and not settled, the newest first, and how
    many there are: one query, for the line on every page.
    """
    query = select(alerts, func.count().over().label("of")).where(
        alerts.c.agency == agency, alerts.c.due_at <= now, alerts.c.settled_at.is_(None)
    )
    query = _shown_to(query, identity, now, about_calls=about_calls)
    query = query.order_by(alerts.c.due_at.desc(), alerts.c.id.desc()).limit(limit)
    with reading(engine) as connection:
        rows = [dict(row._mapping) for row in connection.execute(query)]
    count = int(rows[0]["of"]) if rows else 0
    return tuple(Alert(**{name: row[name] for name in Alert.__slots__}) for row in rows), count


def subjects(engine: Engine, kind: str, limit: int) -> set[str]:
    """
    Give what the last alerts of a kind were about, settled or not, of every agency.
    """
    # By agency, since that is what the index begins with.
    query = (
        select(alerts.c.subject_id)
        .where(alerts.c.agency.in_(select(agencies.c.id)), alerts.c.kind == kind)
        .order_by(alerts.c.raised_at.desc())
        .limit(limit)
    )
    with reading(engine) as connection:
        return set(connection.execute(query).scalars())


def waiting(engine: Engine, agency: str, identity: str, now: datetime) -> tuple[int, str | None]:
    """
    Count the open alerts of an agency that are due and about a call of which somebody holds the
    review, and give the id of the review to answer first, or None.
    """
    query = (
        select(func.count(alerts.c.id.distinct()), func.min(reviews.c.id))
        .join(
            reviews,
            and_(reviews.c.agency == alerts.c.agency, reviews.c.call_id == alerts.c.call_id),
        )
        .where(
            alerts.c.agency == agency,
            alerts.c.due_at <= now,
            alerts.c.settled_at.is_(None),
            *held_by(identity, now),
        )
    )
    with reading(engine) as connection:
        count, review_id = connection.execute(query).one()
    return int(count), review_id


def _shown_to(
    query: Select[Any], identity: str | None, now: datetime, *, about_calls: bool
) -> Select[Any]:
    if not about_calls:
        return query.where(alerts.c.call_id.is_(None))
    if identity is None:
        return query
    return query.where(~is_held(alerts.c.agency, alerts.c.call_id, identity, now))


def settle(connection: Connection, agency: str, alert_id: str, settled: Settled) -> bool:
    """
    Settle an alert within the caller's transaction; False if there is none, or it is settled.
    """
    done = connection.execute(
        update(alerts)
        .where(alerts.c.id == alert_id, alerts.c.agency == agency, alerts.c.settled_at.is_(None))
        .values(
            settled_at=settled.at,
            settled_by=settled.identity,
            settled_name=settled.name,
            comment=settled.comment,
        )
    )
    return done.rowcount == 1
