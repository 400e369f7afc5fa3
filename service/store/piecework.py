"""
Take work that is done piece by piece by the workers, so that one worker at a time is at each.

A table of such work has `id`, `state`, `requested_at`, `held_until` and `tries`.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, Row, Table, or_, select, update

from service.store.database import reading, writing

REQUESTED: Final = "requested"
RUNNING: Final = "running"
DONE: Final = "done"


def take(engine: Engine, table: Table, now: datetime, until: datetime) -> Row[Any] | None:
    """
    Take the next piece of work that nobody is at, count the try, and hold it until then.

    Returns:
        The row as it is now; None where nothing waits.
    """
    is_free = or_(table.c.held_until.is_(None), table.c.held_until <= now)
    is_open = table.c.state.in_((REQUESTED, RUNNING))
    query = select(table).where(is_open, is_free).order_by(table.c.requested_at, table.c.id)
    # Most looks find nothing, and a look that only reads keeps no writer waiting.
    with reading(engine) as connection:
        row = connection.execute(query.limit(1)).one_or_none()
    if row is None:
        return None
    with writing(engine) as connection:
        done = connection.execute(
            update(table)
            .where(table.c.id == row.id, is_open, is_free)
            .values(state=RUNNING, held_until=until, tries=row.tries + 1)
        )
        if done.rowcount == 0:
            return None
        return connection.execute(select(table).where(table.c.id == row.id)).one()
