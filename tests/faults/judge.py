"""
The judge: reads the store directly, and says what of the answered is lost, doubled or wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine, select

from service.store.database import open_store, reading
from service.store.decisions import decisions, repeats
from service.store.dispatches import dispatches
from tests.faults.load import Told

SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What was found: ids lost and doubled, other faults in words, and records that nobody was told
    of, which a process killed between the disk and the answer leaves.
    """

    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    faults: tuple[str, ...]
    untold: int

    @property
    def is_good(self) -> bool:
        """
        Tell whether nothing is lost, doubled or wrong.
        """
        return not (self.lost or self.doubled or self.faults)


def judge(store_url: str, told: Told) -> Verdict:
    """
    Compare what was answered with what the store has.
    """
    store = open_store(store_url)
    try:
        return _judge(store, told)
    finally:
        store.dispose()


def verify_chain(store_url: str) -> list[str]:
    """
    Give the faults of the chain of the store, none where it is whole.

    A gap in the numbers of a journal is the fault that can be seen today.
    """
    store = open_store(store_url)
    try:
        return list(_gaps(store))
    finally:
        store.dispose()


def _judge(store: Engine, told: Told) -> Verdict:
    with reading(store) as connection:
        found = connection.execute(
            select(decisions.c.record_id, decisions.c.call_id, decisions.c.host_id)
        ).all()
        reports = [str(one) for one in connection.execute(select(dispatches.c.record_id)).scalars()]
    ids = [str(one.record_id) for one in found] + reports
    seen = set(ids)
    answered = {*told.decisions, *told.dispatches}
    calls = {str(one.record_id): str(one.call_id) for one in found}
    faults = list(told.contradictions)
    faults += [
        f"{record_id} is of another call"
        for record_id, (call_id, _) in told.decisions.items()
        if record_id in calls and calls[record_id] != call_id
    ]
    faults += list(_wrong_revisions(told))
    return Verdict(
        tuple(sorted(answered - seen)),
        tuple(sorted({one for one in seen if ids.count(one) > 1})) if len(ids) > len(seen) else (),
        tuple(faults[:SHOWN_MAX]),
        len(seen - answered),
    )


def _wrong_revisions(told: Told) -> Iterator[str]:
    # Two answered decisions about one call that claim the same revision contradict each other.
    seen: set[tuple[str, int]] = set()
    for call in told.decisions.values():
        if call in seen:
            yield f"call {call[0]} has revision {call[1]} twice"
        seen.add(call)


def _gaps(store: Engine) -> Iterator[str]:
    numbers: dict[str, set[int]] = {}
    with reading(store) as connection:
        for table in (decisions, dispatches, repeats):
            rows = connection.execute(select(table.c.host_id, table.c.journal_number))
            for host_id, number in rows:
                if number in numbers.setdefault(host_id, set()):
                    yield f"number {number} of journal {host_id} is there twice"
                numbers[host_id].add(number)
    for host_id, found in numbers.items():
        missing = set(range(1, max(found) + 1)) - found
        if missing:
            yield f"journal {host_id} lacks {len(missing)} numbers, the first {min(missing)}"
