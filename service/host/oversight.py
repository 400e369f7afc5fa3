"""
See which part died and which hangs, end what hangs, and say so.

What is ended here is started again by `ChildProcess.look`, and a process that answers calls by
granian.
"""

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import structlog
from redis.exceptions import BusyLoadingError, RedisError

from service.host.child_process import ChildProcess
from service.host.restarts import Restarts
from service.host.signs_of_life import TOUCH_EVERY_S, Watch
from service.instants import iso
from service.log import keeper, where_of
from service.redis_client import Client
from service.settings import Settings

log = structlog.get_logger()

_LOOKS_PER_PING = round(TOUCH_EVERY_S / 0.2)  # a look is taken five times a second


class Oversight:
    """
    Hold what was seen of the parts; *redis* is a client of the private Redis, None where another
    is used.
    """

    def __init__(
        self,
        settings: Settings,
        parts: Mapping[str, ChildProcess],
        redis: Client | None,
        say: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._parts = parts
        self._redis = redis
        self._say = say
        self._keep = keeper(settings.home / "logs" / "supervisor.log")
        self._restarts = Restarts(settings.home)
        self._watch = Watch(
            settings.home,
            start_s_max=settings.start_s_max,
            still_s_max=settings.still_s_max,
            busy_s_max=settings.busy_s_max,
        )
        self._watch.clear()
        self._pids: dict[str, int | None] = {}
        self._ended: set[int] = set()  # by us, so that they are not counted as dead too
        self._looks = 0
        self._failed: dict[str, tuple[str, ...]] = {}  # what the last look at each failed by

    def look(self) -> None:
        """
        Look at every part once; from the main thread only. Never raises.
        """
        for name, part in self._parts.items():
            self._safely(name, partial(self._look_at, name, part))
        self._safely("signs of life", self._look_at_signs)

    def _safely(self, what: str, look: Callable[[], None]) -> None:
        # A look that fails must be neither the last one nor keep us from the other parts.
        try:
            look()
        except Exception as error:  # noqa: BLE001  # whatever it is
            failed = (type(error).__name__, *where_of(error))
            if failed != self._failed.get(what):  # else it would be said five times a second
                log.error("look_failed", at=what, error=failed[0], where=failed[1:])
            self._failed[what] = failed
        else:
            self._failed.pop(what, None)

    def _look_at(self, name: str, part: ChildProcess) -> None:
        pid = self._pids.get(name)
        code = part.look()
        if code is not None:
            self._note_dead(_called(name), pid, f"ended with code {code}")
        self._follow(name, part.pid)

    def _look_at_signs(self) -> None:
        self._forget_dead_processes()
        self._ping()
        for name, pid in self._watch.look():
            self._end(name, pid)

    def _follow(self, name: str, pid: int | None) -> None:
        before = self._pids.get(name)
        if pid == before:
            return
        if before is not None:
            self._watch.forget(name, before)
        if before is not None and name == "api":
            # The processes that answer end with it, and are not told of one by one.
            for one in self._watch.pids("api"):
                if _session(one) != pid:
                    self._watch.forget("api", one)
        if pid is not None and name == "api":
            # Granian itself gives no sign; that none of its processes is missing is the sign.
            self._watch.expect("granian", pid)
        elif pid is not None:
            self._watch.expect(name, pid)
        if before is not None and name == "api":
            self._watch.forget("granian", before)
        self._pids[name] = pid

    def _forget_dead_processes(self) -> None:
        granian = self._pids.get("api")
        found = self._watch.pids("api")
        alive = [pid for pid in found if granian is not None and _session(pid) == granian]
        for pid in found:
            if pid not in alive:
                self._watch.forget("api", pid)
                if granian is not None:
                    self._note_dead("api", pid, "ended")
        if granian is not None and (
            len(alive) >= self._settings.api_processes or len(alive) < len(found)
        ):
            self._watch.note_start("granian", granian)

    def _ping(self) -> None:
        self._looks += 1
        pid = self._pids.get("redis")
        if self._redis is None or pid is None or self._looks % _LOOKS_PER_PING:
            return
        try:
            self._redis.ping()
        except BusyLoadingError:
            pass  # it reads what it kept, and says so
        except RedisError:
            return
        self._watch.note("redis", pid)

    def _end(self, name: str, pid: int) -> None:
        self._watch.forget(name, pid)
        part = self._part_of(name)
        if part is None or part.pid is None:
            return
        if name == "api":
            if _session(pid) != part.pid:
                return
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        elif part.pid != pid:
            return
        else:
            part.end()
        self._ended.add(pid)
        self._tell(name, "hung", "gave no sign of life and was ended")

    def _note_dead(self, name: str, pid: int | None, how: str) -> None:
        if pid in self._ended:
            self._ended.discard(pid)
            return
        self._tell(name, "died", how)

    def _tell(self, name: str, why: str, how: str) -> None:
        self._restarts.count(name, why)
        at = iso(datetime.now(UTC))
        self._keep(None, "", {"level": "warning", "event": f"{name}_{why}", "timestamp": at})
        part = self._part_of(name)
        log = part.plan.log if part is not None else None
        where = f": see {log}" if log is not None else ""
        self._say(f"{name} {how} and is started again{where}")

    def _part_of(self, name: str) -> ChildProcess | None:
        return self._parts.get("api" if name == "granian" else name)


def _called(name: str) -> str:
    """
    Name what dies where a part does: that of `api` is the server, which has those that answer.
    """
    return "granian" if name == "api" else name


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None
