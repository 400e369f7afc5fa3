"""
One ordeal: a house under load, fault after fault in an order drawn from a seed, and the tally.
"""

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tests.faults.disturb import Fault, disturb
from tests.faults.house import House
from tests.faults.judge import Verdict, heads, judge, verify_chain
from tests.faults.load import Load, Told
from tests.faults.postgres import Postgres

# No silence, and no process that only refuses, may last longer: what a restart of everything that
# answers takes on a machine of two busy cores.
SILENCE_S_MAX = 20.0


@dataclass(slots=True)
class Tally:
    """
    What was done and what came of it.
    """

    seed: int
    done: Counter[Fault] = field(default_factory=Counter)
    back_s: dict[Fault, list[float]] = field(default_factory=dict)
    told: Told = field(default_factory=Told)
    verdict: Verdict | None = None
    chain: list[str] = field(default_factory=list)
    anchors: dict[str, dict[int, str]] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """
        Tell whether the judge found nothing, and requests were answered throughout.
        """
        longest_s = max(self.told.longest_silence_s, self.told.longest_refusal_s)
        return self.has_kept_all and longest_s <= SILENCE_S_MAX

    @property
    def has_kept_all(self) -> bool:
        """
        Tell whether the judge found nothing lost, doubled or wrong, and each log whole.
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
        told = self.told
        rows: list[tuple[str, object]] = [("seed", self.seed), ("kills", self.kills())]
        rows += [("answered", told.answered), ("failed in flight", told.failed)]
        rows += [(f"status {status}", count) for status, count in sorted(told.statuses.items())]
        rows.append(("longest silence, s", f"{told.longest_silence_s:.1f}"))
        rows.append(("longest refusal, s", f"{told.longest_refusal_s:.1f}"))
        for fault, times in sorted(self.done.items()):
            took = self.back_s.get(fault)  # in a storm nobody can tell
            back = (
                f", back in {statistics.median(took):.1f}, worst {max(took):.1f} s" if took else ""
            )
            rows.append((" ".join(fault), f"{times} times{back}"))
        if self.verdict is not None:
            rows += [("lost", len(self.verdict.lost)), ("doubled", len(self.verdict.doubled))]
            rows += [("recorded, not told", self.verdict.untold)]
            rows += [("wrong", "; ".join(self.verdict.faults) or "nothing")]
            rows.append(("heads written down", sum(map(len, self.anchors.values()))))
            rows += [("chain", "; ".join(self.chain) or "whole")]
        return [f"| {name:<20} | {value!s:<46} |" for name, value in rows]


def order(seed: int, kinds: list[Fault], count: int) -> list[Fault]:
    """
    Draw *count* faults: every kind once in each turn, in an order that the seed gives.
    """
    chance, drawn = random.Random(seed), []
    while len(drawn) < count:
        turn = list(kinds)
        chance.shuffle(turn)
        drawn += turn
    return drawn[:count]


def undergo(
    house: House,
    faults: Iterable[Fault],
    postgres: Postgres | None,
    *,
    tally: Tally,
    stop_s: float,
    say: Callable[[str], None] = lambda _: None,
    enough: Callable[[], bool] | None = None,
    most: Mapping[str, int] | None = None,
) -> None:
    """
    Do the faults under load, wait after each until the house is whole, and judge at the end.

    *most* says how often a kind of fault is done at most; the load goes on until *enough*.
    """
    chance = random.Random(tally.seed)
    load = Load(house.url, house.key, seed=tally.seed)
    tally.told = load.told
    load.start()
    try:
        for fault in faults:
            if enough is not None and enough():
                break
            done = sum(count for (what, _), count in tally.done.items() if what == fault[0])
            if done >= (most or {}).get(fault[0], 1_000_000):
                continue
            time.sleep(chance.uniform(0.2, 1.0))
            note_heads(house, tally)
            took = _one(house, fault, postgres, load, stop_s)
            if took is not None:
                tally.done[fault] += 1
                tally.back_s.setdefault(fault, []).append(took)
                say(f"{' '.join(fault):<18} back in {took:4.1f} s, {load.told.answered} answered")
        while enough is not None and not enough():
            time.sleep(0.5)
    finally:
        end(house, load, tally)


def note_heads(house: House, tally: Tally) -> None:
    """
    Write down the heads of the logs, as a second organisation would.
    """
    for agency, head in heads(house.store_url).items():
        tally.anchors.setdefault(agency, {}).update(head)


def end(house: House, load: Load, tally: Tally) -> None:
    """
    Stop the load, wait until the store has everything, and judge.
    """
    load.stop()
    house.until_whole()
    tally.verdict = judge(house.store_url, load.told)
    tally.chain = verify_chain(house.store_url, tally.anchors)


def _one(
    house: House, fault: Fault, postgres: Postgres | None, load: Load, stop_s: float
) -> float | None:
    if fault[0] == "fill":
        load.may_refuse.set()
    count = len(house.pids(fault[1]))
    done = disturb(house, fault, postgres, stop_s=stop_s)
    if done is None:
        return None
    old = done.process
    if old is not None and not done.is_killed:
        # Either it is ended and replaced while it is stopped, or it goes on by itself.
        while not done.is_over() and old.is_running():
            time.sleep(0.05)
        old = None if old.is_running() else old
    else:
        while not done.is_over():
            time.sleep(0.05)
    pid = old.pid if old is not None else None
    took = house.until_back(done.since, fault[1], pid, at_least=count)
    load.may_refuse.clear()
    return took
