"""
Keep through which number everything of a journal is in the store.

It is moved on in the transaction that stores records, so that to confirm a long range is one row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Select,
    String,
    Table,
    case,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from service.store.database import Instant, metadata, reading, writing
from service.store.decisions import decisions, repeats
from service.store.dispatches import dispatches
from service.store.quarantined import quarantined

# Where each number of a journal is, in one of them.
NUMBERED: Final[tuple[Table, ...]] = (decisions, repeats, dispatches, quarantined)
# Most numbers that one transaction moves a position on: more than are ever on their way at once,
# and few enough for a store that was filled before there were positions.
WALKED_MAX: Final = 2_000

positions = Table(
    "journal_positions",
    metadata,
    Column("host_id", String(64), primary_key=True),
    Column("through", BigInteger, nullable=False),
    Column("highest", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("gone_at", Instant),
)


@dataclass(frozen=True, slots=True)
class Position:
    """
    Say through which number the store has all of a journal, which is the highest that the journal
    is known to have given, when this was last changed, and when the journal was removed for good.
    """

    host_id: str
    through: int
    highest: int
    at: datetime
    gone_at: datetime | None = None


def advance(connection: Connection, host_id: str, numbers: Sequence[int], at: datetime) -> None:
    """
    Move a journal's position on, within the transaction that stored these numbers of it.
    """
    # INVARIANT (positions_are_true): the row is taken before the numbers are looked at, and is held
    # until the end, so that of two workers the later one sees what the earlier one stored.
    through = _note(connection, host_id, max(numbers), at)
    numbered = union_all(*(_between(table, host_id, through) for table in NUMBERED))
    there = set(connection.execute(numbered).scalars())
    reached = through
    while reached + 1 in there:
        reached += 1
    if reached > through:
        moved = update(positions).where(positions.c.host_id == host_id).values(through=reached)
        connection.execute(moved)


def note_highest(engine: Engine, host_id: str, number: int, at: datetime) -> None:
    """
    Note that a journal gave numbers up to this one, so that one that never comes is missed.
    """
    with writing(engine) as connection:
        _note(connection, host_id, number, at)


def note_gone(engine: Engine, host_id: str, at: datetime) -> None:
    """
    Note that a journal was removed: nothing of it is anywhere but in the store.
    """
    with writing(engine) as connection:
        gone = update(positions).where(positions.c.host_id == host_id).values(gone_at=at)
        connection.execute(gone)


def gone(connection: Connection) -> frozenset[str]:
    """
    Give the hosts whose journal was removed.
    """
    query = select(positions.c.host_id).where(positions.c.gone_at.is_not(None))
    return frozenset(connection.execute(query).scalars())


def find(connection: Connection, host_id: str) -> Position | None:
    """
    Give the position of a journal; None for one that the store has nothing of.
    """
    row = connection.execute(select(positions).where(positions.c.host_id == host_id)).first()
    return Position(*row) if row is not None else None


def confirmed(engine: Engine, host_id: str, numbers: Sequence[int]) -> set[int]:
    """
    Tell which of these numbers of a journal the store has, in quarantine or stored.
    """
    if not numbers:
        return set()
    with reading(engine) as connection:
        found = find(connection, host_id)
        through = found.through if found is not None else 0
        above = [number for number in numbers if number > through]
        there = {number for number in numbers if number <= through}
        if above:
            ways = [_among(table, host_id, above) for table in NUMBERED]
            there |= set(connection.execute(union_all(*ways)).scalars())
        return there


def _note(connection: Connection, host_id: str, highest: int, at: datetime) -> int:
    """
    Make or take the row until the transaction ends, and give through which number it is.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    made = dialect.insert(positions).values(host_id=host_id, through=0, highest=highest, at=at)
    known = positions.c.highest
    higher = case((made.excluded.highest > known, made.excluded.highest), else_=known)
    noted = made.on_conflict_do_update(
        index_elements=["host_id"], set_={"highest": higher, "at": made.excluded.at}
    )
    return int(connection.execute(noted.returning(positions.c.through)).scalar_one())


def _between(table: Table, host_id: str, through: int) -> Select[Any]:
    number = table.c.journal_number
    return select(number).where(
        table.c.host_id == host_id, number > through, number <= through + WALKED_MAX
    )


def _among(table: Table, host_id: str, numbers: Sequence[int]) -> Select[Any]:
    number = table.c.journal_number
    return select(number).where(table.c.host_id == host_id, number.in_(numbers))
