"""
Keep the checks of drafts: asked for by a person, done piece by piece by the workers.

A check is of one content of a draft; a piece that was cut short is done again.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    select,
    update,
)

from service.store import piecework
from service.store.database import Instant, metadata, reading, writing
from service.store.piecework import DONE, RUNNING

FAILED: Final = "failed"

checks = Table(
    "ruleset_checks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("agency", String(64), ForeignKey("agencies.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("draft_id", String(32), nullable=False),
    Column("digest", String(80), nullable=False),
    Column("scenarios_digest", String(80), nullable=False),
    Column("state", String(16), nullable=False),
    Column("requested_by", String(80), nullable=False),
    Column("requested_name", Text, nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("held_until", Instant),
    Column("tries", Integer, nullable=False),
    Column("finished_at", Instant),
    Column("progress", JSON, nullable=False),
    Column("result", JSON(none_as_null=True)),
    Column("reason", Text),
    Index("ix_ruleset_checks_state_requested_at", "state", "requested_at"),
    Index("ix_ruleset_checks_draft_id_digest", "draft_id", "digest"),
)


@dataclass(frozen=True, slots=True)
class Check:
    """
    One check. `result` is there once it is done, `reason` says in words why it failed; `progress`
    is what was done so far, `tries` how often a piece was begun since one was finished.
    """

    id: str
    agency: str
    name: str
    draft_id: str
    digest: str
    scenarios_digest: str
    state: str
    requested_by: str
    requested_name: str
    requested_at: datetime
    held_until: datetime | None = None
    tries: int = 0
    finished_at: datetime | None = None
    progress: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] | None = None
    reason: str | None = None


def new_id() -> str:
    """
    Make an id for a check.
    """
    return uuid.uuid4().hex


def add(connection: Connection, check: Check) -> None:
    """
    Ask for a check within the caller's transaction.
    """
    values = {name: getattr(check, name) for name in Check.__slots__}
    connection.execute(checks.insert().values({**values, "progress": dict(check.progress)}))


def find(engine: Engine, agency: str, check_id: str) -> Check | None:
    """
    Give the check of this agency with this id, or None.
    """
    query = select(checks).where(checks.c.id == check_id, checks.c.agency == agency)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    return Check(**row._mapping) if row else None


def newest(
    source: Engine | Connection, draft_id: str, of: tuple[str, str] | None = None
) -> Check | None:
    """
    Give the last check that was asked for of a draft, or of exactly one content of it: the digests
    of its rules and its scenarios. None without one.
    """
    query = select(checks).where(checks.c.draft_id == draft_id)
    if of is not None:
        query = query.where(checks.c.digest == of[0], checks.c.scenarios_digest == of[1])
    query = query.order_by(checks.c.requested_at.desc(), checks.c.id).limit(1)
    if isinstance(source, Connection):
        row = source.execute(query).one_or_none()
    else:
        with reading(source) as connection:
            row = connection.execute(query).one_or_none()
    return Check(**row._mapping) if row else None


def take(engine: Engine, now: datetime, until: datetime) -> Check | None:
    """
    Take the next check that has something to do and nobody at work on it, and hold it until then;
    None if there is none.
    """
    row = piecework.take(engine, checks, now, until)
    return Check(**row._mapping) if row else None


def go_on(engine: Engine, check_id: str, progress: Mapping[str, Any]) -> None:
    """
    Keep what a piece has done, and let go of the check for the next.
    """
    _write(engine, check_id, progress=dict(progress), held_until=None, tries=0)


def finish(engine: Engine, check_id: str, result: Mapping[str, Any], now: datetime) -> None:
    """
    Keep the result.
    """
    values = {"result": dict(result), "finished_at": now, "held_until": None, "progress": {}}
    _write(engine, check_id, state=DONE, **values)


def fail(engine: Engine, check_id: str, reason: str, now: datetime) -> None:
    """
    Keep in words why it cannot be done.
    """
    _write(engine, check_id, state=FAILED, reason=reason, finished_at=now, held_until=None)


def _write(engine: Engine, check_id: str, **values: Any) -> None:
    # One that somebody else finished meanwhile stays as it is.
    is_going = checks.c.state == RUNNING
    with writing(engine) as connection:
        connection.execute(update(checks).where(checks.c.id == check_id, is_going).values(values))
