"""
Keep the reviews: which decision is to be judged and why, who holds it, what they would have sent.

A decision has one review at most. A claim holds until `claimed_until`; one that ran out is free
again. The answer is given once.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
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
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from service.store.cursor import Cursor, read_cursor, write_cursor
from service.store.database import Instant, Recorded, metadata, reading

reviews = Table(
    "reviews",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("decision_id", String(200), nullable=False),
    Column("call_id", Text, nullable=False),
    Column("reasons", Recorded(list), nullable=False),
    Column("is_sample", Boolean, nullable=False),
    Column("selected_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("claimed_by", String(80)),
    Column("claimed_name", Text),
    Column("claimed_until", Instant),
    Column("answered_at", Instant),
    Column("would_send", Recorded(list, may_be_none=True)),
    UniqueConstraint("agency", "decision_id"),
    Index("ix_reviews_agency_due_at_id", "agency", "due_at", "id"),
    Index("ix_reviews_agency_answered_at_id", "agency", "answered_at", "id"),
    Index("ix_reviews_agency_claimed_by", "agency", "claimed_by"),
    Index("ix_reviews_agency_call_id", "agency", "call_id"),
)


@dataclass(frozen=True, slots=True)
class Review:
    """
    One review. `claimed_by` is an identity; it is done once `answered_at` is set, by whoever held
    it then. `is_sample` says that its call is in the random sample of its week.
    """

    id: str
    agency: str
    decision_id: str
    call_id: str
    reasons: tuple[str, ...]
    is_sample: bool
    selected_at: datetime
    due_at: datetime
    claimed_by: str | None = None
    claimed_name: str | None = None
    claimed_until: datetime | None = None
    answered_at: datetime | None = None
    would_send: tuple[str, ...] | None = None

    def is_held(self, at: datetime) -> bool:
        """
        Tell whether somebody's claim holds, and the answer is still to come.
        """
        is_claimed = self.claimed_until is not None and self.claimed_until > at
        return is_claimed and self.answered_at is None


@dataclass(frozen=True, slots=True)
class Claim:
    """
    Who takes a review, and until when.
    """

    identity: str
    name: str
    at: datetime
    until: datetime


def new_id() -> str:
    """
    Make an id for a review.
    """
    return uuid.uuid4().hex


def add(connection: Connection, review: Review) -> None:
    """
    Add *review* within the caller's transaction.
    """
    values = {name: getattr(review, name) for name in Review.__slots__}
    connection.execute(reviews.insert().values({**values, "reasons": list(review.reasons)}))


def find(connection: Connection, agency: str, review_id: str) -> Review | None:
    """
    Give the review of this agency with this id, or None.
    """
    query = select(reviews).where(reviews.c.id == review_id, reviews.c.agency == agency)
    row = connection.execute(query).one_or_none()
    return _review(row) if row else None


def of_decisions(
    connection: Connection, agency: str, decision_ids: Collection[str]
) -> dict[str, Review]:
    """
    Give the review of each of these decisions that has one, by the decision's id.
    """
    query = select(reviews).where(
        reviews.c.agency == agency, reviews.c.decision_id.in_(decision_ids)
    )
    return {row.decision_id: _review(row) for row in connection.execute(query)}


def of_calls(connection: Connection, agency: str, call_ids: Collection[str]) -> tuple[Review, ...]:
    """
    Give every review of these calls.
    """
    query = select(reviews).where(reviews.c.agency == agency, reviews.c.call_id.in_(call_ids))
    return tuple(_review(row) for row in connection.execute(query))


def held(connection: Connection, agency: str, identity: str, at: datetime) -> tuple[Review, ...]:
    """
    Give the reviews that somebody holds now and has not answered.
    """
    query = select(reviews).where(
        reviews.c.agency == agency,
        reviews.c.claimed_by == identity,
        reviews.c.answered_at.is_(None),
        reviews.c.claimed_until > at,
    )
    return tuple(_review(row) for row in connection.execute(query))


def is_held(
    agency: ColumnElement[str], call_id: ColumnElement[str | None], identity: str, at: datetime
) -> ColumnElement[bool]:
    """
    Give the condition that somebody holds a review of this call now and has not answered.
    """
    return exists().where(
        reviews.c.agency == agency, reviews.c.call_id == call_id, *held_by(identity, at)
    )


def held_by(identity: str, at: datetime) -> tuple[ColumnElement[bool], ...]:
    """
    Give the conditions of a review that somebody holds now and has not answered.
    """
    return (
        reviews.c.claimed_by == identity,
        reviews.c.answered_at.is_(None),
        reviews.c.claimed_until > at,
    )


def set_reasons(connection: Connection, review: Review) -> None:
    """
    Keep the reasons of *review* and whether it is in the sample, within the caller's transaction.
    """
    connection.execute(
        update(reviews)
        .where(reviews.c.id == review.id, reviews.c.agency == review.agency)
        .values(reasons=list(review.reasons), is_sample=review.is_sample)
    )


def withdraw(connection: Connection, review: Review, at: datetime) -> bool:
    """
    Take a review out of the queue within the caller's transaction; False where somebody holds it or
    has answered.
    """
    is_free = or_(reviews.c.claimed_until.is_(None), reviews.c.claimed_until <= at)
    done = connection.execute(
        delete(reviews).where(
            reviews.c.id == review.id, reviews.c.agency == review.agency, _is_open(), is_free
        )
    )
    return done.rowcount == 1


def claim(connection: Connection, agency: str, review_id: str, wanted: Claim) -> bool:
    """
    Give a review to whoever wants it, within the caller's transaction; False where somebody else
    holds it or it is answered. Of two who want it at once one gets it.
    """
    done = connection.execute(
        update(reviews)
        .where(reviews.c.id == review_id, reviews.c.agency == agency, _is_open())
        .where(
            or_(
                reviews.c.claimed_by.is_(None),
                reviews.c.claimed_by == wanted.identity,
                reviews.c.claimed_until <= wanted.at,
            )
        )
        .values(claimed_by=wanted.identity, claimed_name=wanted.name, claimed_until=wanted.until)
    )
    return done.rowcount == 1


def answer(
    connection: Connection, review: Review, identity: str, would_send: Sequence[str], at: datetime
) -> bool:
    """
    Keep what the reviewer would have sent; False where the claim does not hold or the answer is
    there already.
    """
    done = connection.execute(
        update(reviews)
        .where(reviews.c.id == review.id, reviews.c.agency == review.agency, _is_open())
        .where(reviews.c.claimed_by == identity, reviews.c.claimed_until > at)
        .values(answered_at=at, would_send=list(would_send))
    )
    return done.rowcount == 1


def page(
    engine: Engine, agency: str, *, is_open: bool, cursor: str | None = None, limit: int = 50
) -> tuple[tuple[Review, ...], str | None]:
    """
    Give up to *limit* reviews and the cursor of the next page: open ones as they are due, or those
    that are done, the newest first.

    Raises:
        CursorError: the cursor is not one that a page gave.
    """
    column = reviews.c.due_at if is_open else reviews.c.answered_at
    place = tuple_(column, reviews.c.id)
    state = _is_open() if is_open else reviews.c.answered_at.is_not(None)
    query = select(reviews).where(reviews.c.agency == agency, state)
    if cursor is not None:
        last = read_cursor(cursor)
        there = tuple_(literal(last.at, Instant), literal(last.id, String))
        query = query.where(place > there if is_open else place < there)
    orders = (column, reviews.c.id) if is_open else (column.desc(), reviews.c.id.desc())
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(*orders).limit(limit + 1)).all()
    found = tuple(_review(row) for row in rows[:limit])
    if len(rows) <= limit:
        return found, None
    last_at = found[-1].due_at if is_open else found[-1].answered_at
    assert last_at is not None, "a review that is done has the time of its answer"
    return found, write_cursor(Cursor(last_at, found[-1].id))


def count_answered(engine: Engine, agency: str, identity: str, since: datetime) -> int:
    """
    Count what somebody has answered since a time.
    """
    query = select(func.count()).where(
        reviews.c.agency == agency,
        reviews.c.claimed_by == identity,
        reviews.c.answered_at >= since,
    )
    with reading(engine) as connection:
        return int(connection.execute(query).scalar_one())


def count_open(engine: Engine, agency: str, due_before: datetime | None) -> int:
    """
    Count the open reviews that are due before a time; all of them where it is None.
    """
    query = select(func.count()).where(reviews.c.agency == agency, _is_open())
    if due_before is not None:
        query = query.where(reviews.c.due_at < due_before)
    with reading(engine) as connection:
        return int(connection.execute(query).scalar_one())


def count_sample(
    engine: Engine, agency: str, since: datetime | None, until: datetime | None
) -> tuple[int, int]:
    """
    Count what was drawn for the random sample between two times, and how many of it are answered.
    """
    query = select(func.count(), func.count(reviews.c.answered_at)).where(
        reviews.c.agency == agency, reviews.c.is_sample
    )
    if since is not None:
        query = query.where(reviews.c.selected_at >= since)
    if until is not None:
        query = query.where(reviews.c.selected_at < until)
    with reading(engine) as connection:
        drawn, answered = connection.execute(query).one()
    return int(drawn), int(answered)


def is_reviewed(
    agency: ColumnElement[str], decision_id: ColumnElement[str], *, wanted: bool
) -> ColumnElement[bool]:
    """
    Give the condition that a decision's review is answered (*wanted*), or that it is not.
    """
    done = exists().where(
        reviews.c.agency == agency,
        reviews.c.decision_id == decision_id,
        reviews.c.answered_at.is_not(None),
    )
    return done if wanted else ~done


def _is_open() -> ColumnElement[bool]:
    return reviews.c.answered_at.is_(None)


def _review(row: Row[Any]) -> Review:
    values = dict(row._mapping)
    values["reasons"] = tuple(values["reasons"])
    values["would_send"] = None if row.would_send is None else tuple(row.would_send)
    return Review(**values)
