"""
Keep what verifications of the logs found: asked for by a person or by the clock, done piece by
piece by the workers, so that each piece is short.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    Index,
    Integer,
    String,
    Table,
    Text,
    Update,
    select,
    update,
)

from service.store import piecework
from service.store.database import Instant, metadata, reading, take_turns, writing
from service.store.piecework import DONE

verifications = Table(
    "verifications",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("requested_by", String(80), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("held_until", Instant),
    Column("tries", Integer, nullable=False),
    Column("from_place", BigInteger, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("head", String(64), nullable=False),
    Column("finished_at", Instant),
    Column("good", Boolean),
    Column("fault", Text),
    Index("ix_verifications_agency_requested_at", "agency", "requested_at"),
    Index("ix_verifications_state_requested_at", "state", "requested_at"),
)


@dataclass(frozen=True, slots=True)
class Verification:
    """
    One verification of an agency's log, from the place `from_place` on.

    `through` and `head` are how far it has come; `good` is None until it is done, and `fault` says
    in words what the first fault is. Without `whole` it goes on where the last good one ended.
    """

    id: str
    agency: str
    whole: bool
    state: str
    requested_by: str
    requested_at: datetime
    from_place: int
    through: int
    head: str
    held_until: datetime | None = None
    tries: int = 0
    finished_at: datetime | None = None
    good: bool | None = None
    fault: str | None = None


def new_id() -> str:
    """
    Make an id for a verification.
    """
    return uuid.uuid4().hex


def ask(engine: Engine, wanted: Verification) -> Verification:
    """
    Ask for a verification; one like it that is not done yet is given again.
    """
    with writing(engine) as connection:
        take_turns(connection, f"verify {wanted.agency}")
        query = select(verifications).where(
            verifications.c.agency == wanted.agency,
            verifications.c.whole == wanted.whole,
            verifications.c.state != DONE,
        )
        before = connection.execute(query.limit(1)).first()
        if before is not None:
            return Verification(**before._mapping)
        values = {name: getattr(wanted, name) for name in Verification.__slots__}
        connection.execute(verifications.insert().values(values))
    return wanted


def take(engine: Engine, now: datetime, until: datetime) -> Verification | None:
    """
    Take the next verification that nobody is at work on, and hold it until then; None without one.
    """
    row = piecework.take(engine, verifications, now, until)
    return Verification(**row._mapping) if row else None


def go_on(engine: Engine, verification_id: str, through: int, head: str) -> None:
    """
    Keep how far a verification has come, and let go of it for the next piece.
    """
    values = {"through": through, "head": head, "held_until": None, "tries": 0}
    with writing(engine) as connection:
        connection.execute(_of_running(verification_id).values(values))


def finish(
    engine: Engine, verification_id: str, at: datetime, reached: tuple[int, str], fault: str | None
) -> None:
    """
    Keep the result: how far it came, and the first fault; None where all is good.
    """
    values = {"through": reached[0], "head": reached[1], "held_until": None, "state": DONE}
    with writing(engine) as connection:
        connection.execute(
            _of_running(verification_id).values(
                **values, finished_at=at, good=fault is None, fault=fault
            )
        )


def find(engine: Engine, agency: str, verification_id: str) -> Verification | None:
    """
    Give the verification of this agency with this id, or None.
    """
    query = select(verifications).where(
        verifications.c.id == verification_id, verifications.c.agency == agency
    )
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    return Verification(**row._mapping) if row else None


def last(engine: Engine, agency: str, *, whole: bool | None = None) -> Verification | None:
    """
    Give the last verification of an agency that is done, of the whole log or not.
    """
    query = select(verifications).where(
        verifications.c.agency == agency, verifications.c.state == DONE
    )
    if whole is not None:
        query = query.where(verifications.c.whole.is_(whole))
    query = query.order_by(verifications.c.requested_at.desc(), verifications.c.id).limit(1)
    with reading(engine) as connection:
        row = connection.execute(query).first()
    return Verification(**row._mapping) if row else None


def waiting(engine: Engine, agency: str) -> Verification | None:
    """
    Give the verification of an agency's whole log that is asked for and not done yet, or None.
    """
    query = select(verifications).where(
        verifications.c.agency == agency,
        verifications.c.whole.is_(True),
        verifications.c.state != DONE,
    )
    with reading(engine) as connection:
        row = connection.execute(query.limit(1)).first()
    return Verification(**row._mapping) if row else None


def _of_running(verification_id: str) -> Update:
    return update(verifications).where(
        verifications.c.id == verification_id, verifications.c.state != DONE
    )
