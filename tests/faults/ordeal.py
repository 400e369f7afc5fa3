"""
One ordeal: a house under load, fault after fault in an order drawn from a seed, and the tally.
"""

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.disturb import Fault, all_faults, disturb
from tests.faults.house import House
from tests.faults.judge import Verdict, judge, verify_chain
from tests.faults.load import Load, Told
from tests.faults.postgres import Postgres


@dataclass(slots=True)
class Tally:
    """
    What was done and what came of it.
    """

    seed: int
    done: Counter[Fault] = field(default_factory=Counter)
    back_s: list[float] = field(default_factory=list)
    told: Told = field(default_factory=Told)
    verdict: Verdict | None = None
    chain: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """
        Tell whether the judge found nothing, and every fault was survived.
        """
        return self.verdict is not None and self.verdict.is_good and not self.chain

    def kills(self) -> int:
        """
        Give how many processes were killed.
        """
        return sum(count for (what, _), count in self.done.items() if what == "kill")

    def lines(self) -> list[str]:
        """
        Give the tally as a table, one line a row.
        """
        rows: list[tuple[str, object]] = [("seed", self.seed), ("kills", self.kills())]
        rows += [(f"{what} {part}", count) for (what, part), count in sorted(self.done.items())]
        told = self.told
        rows += [("answered", told.answered), ("failed in flight", told.failed)]
        rows += [(f"status {status}", count) for status, count in sorted(told.statuses.items())]
        rows.append(("longest silence, s", f"{told.longest_silence_s:.1f}"))
        if self.back_s:
            rows.append(("back to whole, median s", f"{statistics.median(self.back_s):.1f}"))
            rows.append(("back to whole, worst s", f"{max(self.back_s):.1f}"))
        if self.verdict is not None:
            rows += [("lost", len(self.verdict.lost)), ("doubled", len(self.verdict.doubled))]
            rows += [("recorded, not told", self.verdict.untold)]
            rows += [("wrong", "; ".join(self.verdict.faults) or "nothing")]
            rows += [("chain", "; ".join(self.chain) or "whole")]
        return [f"| {name:<24} | {value!s:>16} |" for name, value in rows]


def order(seed: int, postgres: Postgres | None, count: int) -> list[Fault]:
    """
    Draw *count* faults: every kind once in each turn, in an order that the seed gives.
    """
    chance, drawn = random.Random(seed), []
    while len(drawn) < count:
        turn = all_faults(postgres)
        chance.shuffle(turn)
        drawn += turn
    return drawn[:count]


def undergo(
    house: House,
    faults: list[Fault],
    postgres: Postgres | None,
    *,
    tally: Tally,
    stop_s: float,
    say: Callable[[str], None] = lambda _: None,
    enough: Callable[[], bool] = lambda: False,
    stops_max: int = 1_000,
) -> None:
    """
    Do the faults under load, wait after each until the house is whole, and judge at the end.
    """
    chance = random.Random(tally.seed)
    load = Load(house.url, house.key, seed=tally.seed)
    tally.told = load.told
    load.start()
    try:
        for fault in faults:
            if enough():
                break
            stops = sum(count for (what, _), count in tally.done.items() if what == "stop")
            if fault[0] == "stop" and stops >= stops_max:
                continue
            time.sleep(chance.uniform(0.2, 1.0))
            if disturb(house, fault, postgres, stop_s=stop_s):
                tally.done[fault] += 1
            # Under load something always waits: whole is that nothing is degraded.
            tally.back_s.append(house.until_whole(under_load=True))
            what, told = " ".join(fault), load.told
            say(f"{what:<18} back in {tally.back_s[-1]:4.1f} s, {told.answered} answered")
    finally:
        load.stop()
        house.until_whole()
        tally.verdict = judge(house.store_url, load.told)
        tally.chain = verify_chain(house.store_url)
