"""
Keep which ruleset an agency is to decide with: proposed by one, approved by another, by a
constraint of the table.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Engine,
    ForeignKeyConstraint,
    Index,
    String,
    Table,
    Text,
    delete,
    select,
    update,
)

from service.store.agencies import agencies
from service.store.database import Instant, metadata, reading

choices = Table(
    "ruleset_choices",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("comment", Text),
    Column("proposed_by", String(80), nullable=False),
    Column("proposed_name", Text, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("approved_by", String(80)),
    Column("approved_name", Text),
    Column("approved_at", Instant),
    # Only what is published can be proposed.
    ForeignKeyConstraint(["agency", "name"], ["ruleset_live.agency", "ruleset_live.name"]),
    CheckConstraint(
        "approved_by IS NULL OR (approved_by <> proposed_by AND approved_by LIKE 'person:%')",
        name="two_persons",
    ),
    Index("ix_ruleset_choices_agency", "agency"),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """
    One proposal; it holds once somebody else has approved it.
    """

    id: str
    agency: str
    name: str
    comment: str | None
    proposed_by: str
    proposed_name: str
    proposed_at: datetime
    approved_by: str | None = None
    approved_name: str | None = None
    approved_at: datetime | None = None


def new_id() -> str:
    """
    Make an id for a proposal.
    """
    return uuid.uuid4().hex


def propose(connection: Connection, choice: Choice) -> None:
    """
    Add a proposal within the caller's transaction, in place of one that is still open.
    """
    is_open = choices.c.approved_by.is_(None)
    connection.execute(delete(choices).where(choices.c.agency == choice.agency, is_open))
    values = {name: getattr(choice, name) for name in Choice.__slots__}
    connection.execute(choices.insert().values(values))


def find_open(source: Engine | Connection, agency: str) -> Choice | None:
    """
    Give the proposal of an agency that waits for somebody, or None.
    """
    query = select(choices).where(choices.c.agency == agency, choices.c.approved_by.is_(None))
    if isinstance(source, Connection):
        row = source.execute(query).one_or_none()
    else:
        with reading(source) as connection:
            row = connection.execute(query).one_or_none()
    return Choice(**row._mapping) if row else None


def approve(connection: Connection, choice_id: str, by: tuple[str, str], at: datetime) -> bool:
    """
    Approve a proposal by an identity with a name, within the caller's transaction; False if it is
    no longer open.

    Raises:
        IntegrityError: by the one who proposed it, or by no person.
    """
    done = connection.execute(
        update(choices)
        .where(choices.c.id == choice_id, choices.c.approved_by.is_(None))
        .values(approved_by=by[0], approved_name=by[1], approved_at=at)
    )
    return done.rowcount == 1


def decide_with(connection: Connection, agency_id: str, name: str) -> None:
    """
    Let an agency decide with a ruleset, within the transaction of its approval.
    """
    connection.execute(update(agencies).where(agencies.c.id == agency_id).values(ruleset=name))
