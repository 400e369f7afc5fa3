"""
Find the numbers of hosts' journals that the store lacks.

A journal numbers its records without gaps, over decisions, reports, repeats and what is in
quarantine alike, so a record that went missing shows. Only the newest numbers of a host
are looked at: an older gap was seen when it was new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, Select, Table, func, select, union_all

from service.store import journal_positions
from service.store.database import reading
from service.store.journal_positions import NUMBERED, Position, positions
from service.store.quarantined import quarantined

# Numbers of a host, counted down from its newest: at 500 records a second more than a minute, after
# which a gap counts, and a look.
LOOKED_AT_MAX: Final = 50_000
HOSTS_MAX: Final = 1_000
GAP_LOOKED_AT_MAX: Final = 1_000  # numbers of a gap that was seen before
GAPS_MAX: Final = 100  # of one host in one look; the next look finds the others


@dataclass(frozen=True, slots=True)
class Gap:
    """
    Numbers of a host's journal that the store lacks, *first* to *last*.
    """

    host_id: str
    first: int
    last: int


def gaps(engine: Engine, *, stored_before: datetime) -> tuple[Gap, ...]:
    """
    Give the gaps behind which a record was stored before that time.
    """
    with reading(engine) as connection:
        return tuple(
            gap for host in _hosts(connection) for gap in _gaps_of(connection, host, stored_before)
        )


def known(
    engine: Engine, limit: int, *, stored_before: datetime
) -> tuple[tuple[tuple[Position, Gap | None], ...], int]:
    """
    Give up to *limit* journals that the store knows, the one that was heard of last first, each
    with the first gap behind which a record was stored before that time; and count them all.
    """
    query = select(positions).order_by(positions.c.at.desc(), positions.c.host_id).limit(limit)
    with reading(engine) as connection:
        found = [Position(*row) for row in connection.execute(query)]
        count = connection.execute(select(func.count()).select_from(positions)).scalar_one()
        return tuple((one, _first_gap(connection, one, stored_before)) for one in found), count


def still_missing(engine: Engine, missed: Sequence[Gap]) -> dict[str, Gap]:
    """
    Give for each host the first of the gaps once seen that the store still lacks; of a long gap
    only its first numbers are looked at.
    """
    found: dict[str, Gap] = {}
    with reading(engine) as connection:
        for gap in sorted(missed, key=lambda one: one.first):
            if gap.host_id in found:
                continue
            last = min(gap.last, gap.first + GAP_LOOKED_AT_MAX - 1)
            numbers = union_all(*(_within(table, gap, last) for table in NUMBERED))
            there = set(connection.execute(numbers).scalars())
            lacks = [number for number in range(gap.first, last + 1) if number not in there]
            if lacks:
                end = next((n - 1 for n in range(lacks[0], last + 1) if n in there), gap.last)
                found[gap.host_id] = Gap(gap.host_id, lacks[0], end)
    return found


def _within(table: Table, gap: Gap, last: int) -> Select[Any]:
    number = table.c.journal_number
    return select(number).where(table.c.host_id == gap.host_id, number.between(gap.first, last))


def hosts_of(engine: Engine) -> tuple[str, ...]:
    """
    Give every host that has ever sent a record, but those whose journal was removed.
    """
    with reading(engine) as connection:
        gone = journal_positions.gone(connection)
        return tuple(one for one in _hosts(connection) if one not in gone)


def agencies_of(engine: Engine, host_id: str) -> tuple[str, ...]:
    """
    Give the agencies whose records this host has sent lately.
    """
    with reading(engine) as connection:
        floor = _newest(connection, host_id) - LOOKED_AT_MAX
        found = union_all(
            *(
                select(table.c.agency)
                .where(table.c.host_id == host_id, table.c.journal_number > floor)
                .distinct()
                for table in NUMBERED
            )
        )
        return tuple(sorted(set(connection.execute(found).scalars())))


def _hosts(connection: Connection) -> list[str]:
    # From one to the next through the index, since a list of all rows is long and hosts are few.
    found: set[str] = set()
    for table in (*NUMBERED, positions):
        last = ""
        while len(found) < HOSTS_MAX:
            query = select(func.min(table.c.host_id)).where(table.c.host_id > last)
            following = connection.execute(query).scalar_one()
            if following is None:
                break
            last = following
            found.add(following)
    return sorted(found)


def _newest(connection: Connection, host_id: str) -> int:
    newest = [
        connection.execute(
            select(func.max(table.c.journal_number)).where(table.c.host_id == host_id)
        ).scalar_one()
        for table in NUMBERED
    ]
    return max(number or 0 for number in newest)


def _first_gap(connection: Connection, one: Position, stored_before: datetime) -> Gap | None:
    if one.through >= one.highest:
        return None
    above = union_all(*(_next_above(table, one).subquery().select() for table in NUMBERED))
    row = min(connection.execute(above).all(), default=None)
    if row is None:
        is_old = one.at < stored_before
        return Gap(one.host_id, one.through + 1, one.highest) if is_old else None
    number, stored_at = row
    # The next number is there: the position has yet to be moved on to it, and nothing is missing.
    if number == one.through + 1 or stored_at >= stored_before:
        return None
    return Gap(one.host_id, one.through + 1, number - 1)


def _next_above(table: Table, one: Position) -> Select[Any]:
    number = table.c.journal_number
    query = select(number, table.c.stored_at).where(
        table.c.host_id == one.host_id, number > one.through
    )
    return query.order_by(number).limit(1)


def _gaps_of(connection: Connection, host_id: str, stored_before: datetime) -> list[Gap]:
    newest = _newest(connection, host_id)
    floor = max(0, newest - LOOKED_AT_MAX)
    never_came = _never_came(connection, host_id, newest, stored_before)
    # Only numbers are read, which stand in an index: records are long, and there are many.
    above = [_above(table, host_id, floor) for table in NUMBERED]
    # What is in quarantine is not counted: a number may be there and in another table too.
    counted = [one for one, table in zip(above, NUMBERED, strict=True) if table is not quarantined]
    counts = [select(func.count()).select_from(one.subquery()) for one in counted]
    if sum(connection.execute(one).scalar_one() for one in counts) == newest - floor:
        return never_came
    numbers = union_all(*above).subquery()
    before = func.coalesce(func.lag(numbers.c.number).over(order_by=numbers.c.number), floor)
    steps = select(numbers.c.number, before.label("before")).subquery()
    query = (
        select(steps.c.before, steps.c.number)
        .where(steps.c.number > steps.c.before + 1)
        .order_by(steps.c.number)
        .limit(GAPS_MAX)
    )
    found = {row.number: row.before for row in connection.execute(query)}
    old = _stored_before(connection, host_id, list(found), stored_before)
    within = [Gap(host_id, found[number] + 1, number - 1) for number in found if number in old]
    return within + never_came


def _never_came(
    connection: Connection, host_id: str, newest: int, noted_before: datetime
) -> list[Gap]:
    """
    Give the gap behind the newest number: what a journal is known to have given, and did not send.
    """
    position = journal_positions.find(connection, host_id)
    if position is None or position.highest <= newest or position.at >= noted_before:
        return []
    return [Gap(host_id, newest + 1, position.highest)]


def _above(table: Table, host_id: str, floor: int) -> Select[Any]:
    number = table.c.journal_number.label("number")
    return select(number).where(table.c.host_id == host_id, table.c.journal_number > floor)


def _stored_before(
    connection: Connection, host_id: str, numbers: list[int], at: datetime
) -> set[int]:
    return {
        number
        for table in NUMBERED
        for number in connection.execute(
            select(table.c.journal_number).where(
                table.c.host_id == host_id,
                table.c.journal_number.in_(numbers),
                table.c.stored_at < at,
            )
        ).scalars()
    }
