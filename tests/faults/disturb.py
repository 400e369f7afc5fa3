"""
The faults: what is done to a running house, one at a time.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from redis import Redis

from tests.faults.house import House
from tests.faults.postgres import Postgres

PARTS = ("api", "granian", "worker", "shipper", "beat", "redis")
Fault = tuple[str, str]  # what is done, and to whom


def all_faults(postgres: Postgres | None) -> list[Fault]:
    """
    List every fault that this house can be done.
    """
    kinds = [(what, part) for what in ("kill", "stop") for part in PARTS]
    kinds.append(("flush", "redis"))
    if postgres is not None:
        kinds += [("kill", "postgres"), ("stop", "postgres"), ("restart", "postgres")]
    return kinds


def disturb(house: House, fault: Fault, postgres: Postgres | None, *, stop_s: float) -> bool:
    """
    Do one fault; False if there was no such process just then.
    """
    what, part = fault
    if what == "flush":
        with Redis(unix_socket_path=str(house.home / "redis" / "redis.sock")) as client:
            client.flushall()
        return True
    if part == "postgres":
        assert postgres is not None
        done: dict[str, Callable[[], None]] = {
            "kill": lambda: postgres.restart(signal.SIGKILL),
            "restart": lambda: postgres.restart(signal.SIGINT),
            "stop": lambda: postgres.hold(stop_s),
        }
        done[what]()
        return True
    pid = house.pid(part)
    if pid is None:
        return False
    with suppress(ProcessLookupError):
        if what == "kill":
            os.kill(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(stop_s)
            os.kill(pid, signal.SIGCONT)
    return True
