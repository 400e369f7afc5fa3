"""
A storm: faults that come while others last, until the time is over; then the house must become
whole by itself, and the judge looks at what was answered.
"""

import random
import time
from collections.abc import Callable, Sequence

from tests.faults.disturb import Done, Fault, disturb
from tests.faults.house import House
from tests.faults.load import Load
from tests.faults.ordeal import Tally, end, note_heads
from tests.faults.postgres import Postgres

_WAIT_S = (0.1, 3.0)  # between two faults
_STOP_S = (0.5, 6.0)
# Of these one at a time: there is one disk, and one thread may start PostgreSQL.
_ALONE = ("disk", "postgres")


def storm(
    house: House,
    kinds: Sequence[Fault],
    postgres: Postgres | None,
    *,
    tally: Tally,
    storm_s: float,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """
    Draw faults by the tally's seed for *storm_s* seconds, without waiting for any to be over, and
    judge. How long there was silence is counted too, and has no bar: all may be stopped at once.
    """
    chance = random.Random(tally.seed)
    load = Load(house.url, house.key, seed=tally.seed)
    load.may_refuse.set()
    tally.told = load.told
    lasting: list[tuple[Fault, Done]] = []
    load.start()
    try:
        until = time.monotonic() + storm_s
        while time.monotonic() < until:
            time.sleep(chance.uniform(*_WAIT_S))
            fault, stop_s = chance.choice(kinds), chance.uniform(*_STOP_S)
            lasting = [one for one in lasting if not one[1].is_over()]
            if fault[1] in _ALONE and any(other[1] == fault[1] for other, _ in lasting):
                continue
            done = disturb(house, fault, postgres, stop_s=stop_s)
            if done is not None:
                lasting.append((fault, done))
                tally.done[fault] += 1
                say(f"{' '.join(fault):<18} {load.told.answered} answered")
        while any(not done.is_over() for _, done in lasting):
            time.sleep(0.1)
        took = house.until_whole(under_load=True)
        say(f"whole {took:.1f} s after the last of {sum(tally.done.values())} faults")
        note_heads(house, tally)
    finally:
        end(house, load, tally)
