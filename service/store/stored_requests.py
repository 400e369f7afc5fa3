"""
Read the requests of stored decisions again, the newest first, a piece at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from service.erased import erased_call
from service.store.cursor import Cursor, newest_first
from service.store.database import reading
from service.store.decisions import decisions


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """
    What a decision was asked with; texts in it are sealed. `signals` are those that were read then.
    """

    decision_id: str
    decided_at: datetime
    request: Mapping[str, Any]
    signals: Sequence[Mapping[str, Any]] = ()


def before(
    engine: Engine, agency: str, last: Cursor | None, limit: int
) -> tuple[StoredRequest, ...]:
    """
    Give up to *limit* of an agency's requests that were decided before *last*; None begins with the
    newest.
    """
    query = select(decisions.c.record_id, decisions.c.decided_at, decisions.c.body).where(
        decisions.c.agency == agency, ~decisions.c.call_id.startswith(erased_call(""))
    )
    query = newest_first(query, decisions.c.decided_at, decisions.c.record_id, last)
    with reading(engine) as connection:
        rows = connection.execute(query.limit(limit)).all()
    return tuple(
        StoredRequest(
            row.record_id,
            row.decided_at,
            row.body.get("request") or {},
            (row.body.get("answer") or {}).get("signals") or (),
        )
        for row in rows
    )
