"""
The judge: reads the store directly, and says what of the answered is lost, doubled or wrong.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, select

from service.chain.verification import verify
from service.store import chain
from service.store.database import open_store, reading
from service.store.decisions import decisions, repeats
from service.store.dispatches import dispatches
from service.store.quarantined import quarantined
from tests.faults.load import Told

SHOWN_MAX = 20
SEALED_S_MAX = 120.0
Anchors = Mapping[str, Mapping[int, str]]  # of each agency: place and hash


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


def heads(store_url: str) -> Anchors:
    """
    Give the head of each agency's log: what a second organisation would have written down.
    """
    store = open_store(store_url)
    try:
        found = ((agency, chain.head(store, agency)) for agency in chain.agencies(store))
        return {agency: {head.place: head.hash} for agency, head in found if head.place}
    finally:
        store.dispose()


def verify_chain(store_url: str, anchors: Anchors) -> list[str]:
    """
    Give the faults of the logs of the store as a whole against every head that was written down,
    and of the numbers of the journals; none where all is good.
    """
    store = open_store(store_url)
    try:
        faults = list(_gaps(store))
        for agency in chain.agencies(store):
            _until_sealed(store, agency)
            found = verify(store, agency, anchors=anchors.get(agency, {}))
            if found.fault is not None:
                faults.append(f"log of `{agency}`: {found.fault}")
        return faults
    finally:
        store.dispose()


def _until_sealed(store: Engine, agency: str) -> None:
    end = time.monotonic() + SEALED_S_MAX
    while chain.unsealed_count(store, agency):
        if time.monotonic() > end:
            raise AssertionError(f"the log of {agency} is not sealed after {SEALED_S_MAX:g} s")
        time.sleep(0.2)


def _judge(store: Engine, told: Told) -> Verdict:
    with reading(store) as connection:
        found = connection.execute(
            select(decisions.c.record_id, decisions.c.call_id).order_by(
                decisions.c.decided_at, decisions.c.record_id
            )
        ).all()
        count = Counter(str(one.record_id) for one in found)
        count.update(
            str(one) for one in connection.execute(select(dispatches.c.record_id)).scalars()
        )
        # A second answer of the same id is what this load never has: each journal numbers it once.
        count.update(str(one) for one in connection.execute(select(repeats.c.record_id)).scalars())
        set_aside = connection.execute(select(quarantined.c.reason)).scalars().all()
    seen = set(count)
    answered = {*told.decisions, *told.dispatches}
    calls = {str(one.record_id): str(one.call_id) for one in found}
    faults = list(told.contradictions)
    faults += [
        f"{record_id} is of another call"
        for record_id, (call_id, _) in told.decisions.items()
        if record_id in calls and calls[record_id] != call_id
    ]
    faults += list(_wrong_revisions(told, calls))
    faults += [f"in quarantine: {reason}" for reason in set_aside]
    return Verdict(
        tuple(sorted(answered - seen)),
        tuple(sorted(one for one, times in count.items() if times > 1)),
        tuple(faults[:SHOWN_MAX]),
        len(seen - answered),
    )


def _wrong_revisions(told: Told, calls: Mapping[str, str]) -> Iterator[str]:
    # The store counts the decisions of a call as `decisions.of_call` does, in the order given here.
    counted: Counter[str] = Counter()
    for record_id, call_id in calls.items():
        counted[call_id] += 1
        if record_id in told.decisions and told.decisions[record_id][1] != counted[call_id]:
            revision = told.decisions[record_id][1]
            yield f"{record_id} was told as revision {revision} and is {counted[call_id]}"


def _gaps(store: Engine) -> Iterator[str]:
    numbers: dict[str, set[int]] = {}
    with reading(store) as connection:
        for table in (decisions, dispatches, repeats, quarantined):
            rows = connection.execute(select(table.c.host_id, table.c.journal_number))
            for host_id, number in rows:
                if number in numbers.setdefault(host_id, set()):
                    yield f"number {number} of journal {host_id} is there twice"
                numbers[host_id].add(number)
    for host_id, found in numbers.items():
        missing = set(range(1, max(found) + 1)) - found
        if missing:
            yield f"journal {host_id} lacks {len(missing)} numbers, the first {min(missing)}"
