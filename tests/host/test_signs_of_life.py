"""
Prove how signs of life are given and judged.
"""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.host import signs_of_life
from service.host.restarts import Restarts, restarts
from service.host.signs_of_life import Doing, SignOfLife, Watch, doing
from service.threads_at_work import ThreadsAtWork
from tests.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """
    Put a clock set by hand in place of the real one.
    """
    clock = Clock()
    monkeypatch.setattr(signs_of_life, "time", clock)
    return clock


def watch_of(home: Path, ask: Callable[[int], Doing | None] = lambda _: Doing("S", 1)) -> Watch:
    """
    Make a watch over processes that sleep, unless *ask* says otherwise.
    """
    return Watch(home, start_s_max=9, still_s_max=3, busy_s_max=6, ask=ask)


def look(watch: Watch, clock: Clock, seconds: int) -> list[tuple[str, int]]:
    """
    Look once a second, and give what the last look found.
    """
    found: list[tuple[str, int]] = []
    for _ in range(seconds):
        clock.now += 1
        found = watch.look()
    return found


def test_a_sign_that_changes_is_life_whichever_way_the_clock_was_set(
    tmp_path: Path, clock: Clock
) -> None:
    """
    A time that is earlier than the one before is a sign too; one that stays is none.
    """
    watch = watch_of(tmp_path)
    SignOfLife(tmp_path, "part").begin()
    path = tmp_path / "alive" / f"part-{os.getpid()}"
    for at in (5_000, 4_000, 3_000, 9_000):
        assert look(watch, clock, 3) == []
        os.utime(path, (at, at))
    assert look(watch, clock, 4) == []
    assert look(watch, clock, 1) == [("part", os.getpid())]


def test_a_part_has_longer_for_its_first_sign(tmp_path: Path, clock: Clock) -> None:
    """
    Until a part was well once it has the time of a start.
    """
    watch = watch_of(tmp_path)
    watch.expect("part", 1)
    assert look(watch, clock, 9) == []
    assert look(watch, clock, 1) == [("part", 1)]
    watch.forget("part", 1)
    assert look(watch, clock, 20) == []


@pytest.mark.parametrize("state", ["R", "S"])
def test_a_part_that_starves_has_longer_than_one_that_is_stopped(
    tmp_path: Path, clock: Clock, state: str
) -> None:
    """
    Without a sign, a part that waits for a processor, or uses one, is not ended as one that does
    nothing; but it is, after its longer time.
    """
    done = iter(range(100))
    watch = watch_of(tmp_path, lambda _: Doing(state, 0 if state == "R" else next(done)))
    watch.expect("redis", 1)
    watch.note("redis", 1)
    assert look(watch, clock, 6) == []
    assert look(watch, clock, 1) == [("redis", 1)]


def test_a_part_that_is_stopped_is_found_even_while_it_starts(tmp_path: Path, clock: Clock) -> None:
    """
    A stopped process does not get the time of a start.
    """
    watch = watch_of(tmp_path, lambda _: Doing("T", 1))
    watch.expect("granian", 1)
    assert look(watch, clock, 3) == []
    assert look(watch, clock, 2) == [("granian", 1)]


def test_a_part_that_says_it_is_not_well_is_ended_though_it_works(
    tmp_path: Path, clock: Clock
) -> None:
    """
    What a process itself says of being stuck is believed, whatever processor time it uses.
    """
    watch = watch_of(tmp_path, lambda _: Doing("R", 1))
    SignOfLife(tmp_path, "part").begin()
    path = tmp_path / "alive" / f"part-{os.getpid()}"
    assert look(watch, clock, 1) == []
    os.utime(path, (5_000, 5_000))
    assert look(watch, clock, 1) == []
    os.utime(path, ns=(1, 1))
    assert look(watch, clock, 3) == []
    assert look(watch, clock, 1) == [("part", os.getpid())]


def test_the_kernel_says_what_a_process_does() -> None:
    """
    The time that this process used grows as it works; of a process that is not there it says none.
    """
    before = doing(os.getpid())
    assert before is not None
    while (now := doing(os.getpid())) is not None and now.done == before.done:
        pass
    assert now is not None
    assert now.state == "R"
    assert doing(2**22 + 1) is None


def test_time_in_which_the_supervisor_was_held_up_is_held_against_nobody(
    tmp_path: Path, clock: Clock
) -> None:
    """
    After an hour in which nothing looked, a part has had a second of silence.
    """
    watch = watch_of(tmp_path)
    watch.expect("redis", 1)
    watch.note("redis", 1)
    clock.now += 3600
    assert watch.look() == []
    assert look(watch, clock, 3) == [("redis", 1)]


def test_what_the_run_before_left_is_not_watched(tmp_path: Path, clock: Clock) -> None:
    """
    A file of a process of an earlier run is removed at the start.
    """
    SignOfLife(tmp_path, "part").begin()
    watch = watch_of(tmp_path)
    watch.clear()
    assert look(watch, clock, 20) == []
    assert list((tmp_path / "alive").iterdir()) == []


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """
    Give what requests wait for; it is opened at the end.
    """
    gate = threading.Event()
    yield gate
    gate.set()


def test_a_process_is_stuck_only_when_every_thread_is(gate: threading.Event) -> None:
    """
    With one thread left that takes requests, and after all came back, the process is well.
    """
    begun = threading.Semaphore(0)

    def hang(_environ: dict[str, Any], _start: Any) -> list[bytes]:
        begun.release()
        gate.wait()
        return []

    at_work = ThreadsAtWork(hang, 2, 0.0)
    threads = [threading.Thread(target=at_work, args=({}, None)) for _ in range(2)]
    threads[0].start()
    begun.acquire()
    assert not at_work.is_stuck()
    threads[1].start()
    begun.acquire()
    assert at_work.is_stuck()
    gate.set()
    for thread in threads:
        thread.join()
    assert not at_work.is_stuck()


def test_what_died_and_what_hung_is_counted_for_each_part(tmp_path: Path) -> None:
    """
    The counts are of this run, and every process can read them.
    """
    counts = Restarts(tmp_path)
    for why in ("died", "hung", "died"):
        counts.count("worker", why)
    assert restarts(tmp_path) == [{"part": "worker", "died": 2, "hung": 1}]
    Restarts(tmp_path)
    assert restarts(tmp_path) == []
    (tmp_path / "restarts.json").write_text("[]")
    assert restarts(tmp_path) == []
