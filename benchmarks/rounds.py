"""
Times cases in interleaved rounds, so that what disturbs the machine disturbs all of them alike.

Figures are medians over rounds; a ratio is of figures of the same rounds, never of figures from
different minutes.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """
    One thing to time: `run` on each of what `inputs` gives, which is made anew before each round,
    untimed.
    """

    name: str
    inputs: Callable[[], Sequence[Any]]
    run: Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Rounds:
    """
    How often the cases take turns: at most `count` rounds, and fewer when `s_max` seconds are over.
    """

    count: int
    s_max: float


@dataclass(frozen=True, slots=True)
class Timed:
    """
    The time of one run in microseconds: a figure for each round, or one for all of them.
    """

    name: str
    figures_us: tuple[float, ...]

    @property
    def us(self) -> float:
        """
        Give the median, in microseconds.
        """
        return statistics.median(self.figures_us)

    def ratio(self, other: "Timed") -> float:
        """
        Say how many times as long this takes as *other*: the median of the ratios of each round.
        """
        pairs = zip(self.figures_us, other.figures_us, strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)


def interleave(
    cases: Sequence[Case], rounds: Rounds, clock_ns: Callable[[], int]
) -> dict[str, Timed]:
    """
    Time every case on all its inputs once in each round, every other round backwards; the first
    only warms up.

    Args:
        clock_ns: `time.thread_time_ns` for what only computes, so that other jobs count less;
            `time.perf_counter_ns` for what waits for a disk.

    Returns:
        The times by the name of the case, a figure for each round.
    """
    found: dict[str, list[float]] = {case.name: [] for case in cases}
    end = time.monotonic() + rounds.s_max
    for number in range(rounds.count + 1):
        for case in cases if number % 2 else reversed(cases):
            inputs, run = case.inputs(), case.run
            began = clock_ns()
            for one in inputs:
                run(one)
            spent_us = (clock_ns() - began) / len(inputs) / 1000
            if number:
                found[case.name].append(spent_us)
        if number and time.monotonic() > end:
            break
    return {name: Timed(name, tuple(spent)) for name, spent in found.items()}


def take_turns(cases: Sequence[Case], rounds: Rounds) -> dict[str, Timed]:
    """
    Time the cases one after the other on each input, as the stages of one call follow each other:
    each finds the processor's caches as the others left them. All cases have equally many inputs;
    the first round only warms up.

    Returns:
        The processor times by the name of the case, about 1 µs of reading the clock included: the
        mean over the inputs of each input's median over the rounds.
    """
    spent_ns: list[list[list[int]]] = []
    end = time.monotonic() + rounds.s_max
    for number in range(rounds.count + 1):
        rows = zip(*[case.inputs() for case in cases], strict=True)
        turns = [_turn(cases, row) for row in rows]
        if number:
            spent_ns.append(turns)
        if number and time.monotonic() > end:
            break
    found = {}
    for place, case in enumerate(cases):
        of_input = zip(*[[turn[place] for turn in turns] for turns in spent_ns], strict=True)
        mean_ns = statistics.fmean(statistics.median(spent) for spent in of_input)
        found[case.name] = Timed(case.name, (mean_ns / 1000,))
    return found


def _turn(cases: Sequence[Case], row: Sequence[Any]) -> list[int]:
    # Not the clock on the wall: a shared machine seldom leaves a call of milliseconds alone.
    clock_ns = time.thread_time_ns
    spent = []
    for case, one in zip(cases, row, strict=True):
        run = case.run
        began = clock_ns()
        run(one)
        spent.append(clock_ns() - began)
    return spent
