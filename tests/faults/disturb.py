"""
The faults: what is done to a running house, one at a time.
"""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread

import psutil
from redis import Redis

from tests.faults.house import House
from tests.faults.postgres import Postgres

PARTS = ("api", "granian", "worker", "shipper", "beat", "redis")
CLOCK_BACK_S = 120
FULL_S = 5.0
_DEATH_S_MAX = 10.0
Fault = tuple[str, str]  # what is done, and to whom


@dataclass(frozen=True, slots=True)
class Done:
    """
    What was done: since when, whether it is over, and the process that was killed or stopped.
    """

    since: float
    is_over: Callable[[], bool] = lambda: True
    process: psutil.Process | None = None
    is_killed: bool = False


def all_faults(house: House, postgres: Postgres | None) -> list[Fault]:
    """
    List every fault that can be done to this house.
    """
    kinds = [(what, part) for what in ("kill", "stop") for part in PARTS]
    kinds.append(("flush", "redis"))
    if postgres is not None:
        kinds += [("kill", "postgres"), ("stop", "postgres"), ("restart", "postgres")]
    if house.disk is not None:
        kinds.append(("fill", "disk"))
    if house.clock is not None:
        kinds.append(("set back", "clock"))
    return kinds


def disturb(house: House, fault: Fault, postgres: Postgres | None, *, stop_s: float) -> Done | None:
    """
    Do one fault; None if there was no such process just then, or it did not die.
    """
    what, part = fault
    since = time.monotonic()
    if part == "postgres":
        assert postgres is not None
        if what == "stop":
            return Done(since, _beside(lambda: postgres.hold(stop_s)))
        # Not beside: the kernel ends a child when the thread that started it ends.
        postgres.restart(signal.SIGKILL if what == "kill" else signal.SIGINT)
        return Done(since)
    if what in ("kill", "stop"):
        return _to_process(house, what, part, stop_s)
    if what == "flush":
        with Redis(unix_socket_path=str(house.home / "redis" / "redis.sock")) as client:
            client.flushall()
    elif what == "fill":
        return Done(since, _beside(lambda: _fill(house)))
    else:
        assert house.clock is not None
        house.clock.set_back(CLOCK_BACK_S)
    return Done(since)


def _to_process(house: House, what: str, part: str, stop_s: float) -> Done | None:
    try:
        process = psutil.Process(_one_of(house, part))
        since = time.monotonic()
        if what == "stop":
            process.suspend()
        else:
            process.kill()
            _until_dead(process)
    except (IndexError, psutil.Error):
        return None
    if what == "kill":
        return Done(since, process=process, is_killed=True)

    def hold() -> None:
        end = since + stop_s
        while time.monotonic() < end and process.is_running():
            time.sleep(0.05)
        with suppress(psutil.Error):
            process.resume()

    return Done(since, _beside(hold), process)


def _one_of(house: House, part: str) -> int:
    # A house is whole a moment before each of its processes has said that it is ready.
    end = time.monotonic() + _DEATH_S_MAX
    while not (pids := house.pids(part)) and time.monotonic() < end:
        time.sleep(0.05)
    return pids[0]


def _until_dead(process: psutil.Process) -> None:
    # A dead one that its parent has not looked at yet is dead all the same.
    end = time.monotonic() + _DEATH_S_MAX
    while time.monotonic() < end:
        try:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return  # its parent looked at it between the two questions
        time.sleep(0.01)
    raise psutil.TimeoutExpired(_DEATH_S_MAX)


def _fill(house: House) -> None:
    assert house.disk is not None
    end = time.monotonic() + FULL_S
    try:
        while time.monotonic() < end:
            house.disk.fill()
            time.sleep(0.1)
    finally:
        house.disk.free()


def _beside(act: Callable[[], None]) -> Callable[[], bool]:
    thread = Thread(target=act, daemon=True)
    thread.start()
    return lambda: not thread.is_alive()
