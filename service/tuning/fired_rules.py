"""
Says how often each rule fired in the last 90 days.

Counting 100,000 decisions takes seconds, so a thread of its own counts and no page waits for it: a
page shows the last count, which is counted anew the less often the longer it takes.
"""

import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Engine

from service.errors import StoreUnavailableError
from service.store.rule_counts import Fired, fired_since

log = structlog.get_logger()
DAYS: Final = 90
COUNTED_S: Final = 20.0  # a count is shown for at least so long
COUNTED_TIMES: Final = 50  # and for so many times as long as it took to count
WAIT_S: Final = 0.1  # what is counted within that time is shown at once
KEPT_MAX: Final = 200
Key = tuple[str, str]  # an agency and the name of a ruleset


@dataclass(frozen=True, slots=True)
class Counted:
    """
    A count, and until when (by the monotonic clock) it is shown without another.
    """

    fired: Fired
    until: float


class FiredRules:
    """
    Counts of this process. One per process; any thread may call it.
    """

    def __init__(self, store: Engine, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._now = now
        self._counted: dict[Key, Counted] = {}
        self._counting: dict[Key, threading.Thread] = {}
        self._lock = threading.Lock()

    def of(self, agency: str, name: str) -> Fired | None:
        """
        Give the last count of a ruleset, None while the first is under way.
        """
        key = (agency, name)
        known = self._counted.get(key)
        if known is None or time.monotonic() > known.until:
            self._start(key).join(WAIT_S)
            known = self._counted.get(key)
        return known.fired if known else None

    def _start(self, key: Key) -> threading.Thread:
        with self._lock:
            running = self._counting.get(key)
            if running is None or not running.is_alive():
                running = threading.Thread(target=self._count, args=(key,), daemon=True)
                self._counting[key] = running
                running.start()
        return running

    def _count(self, key: Key) -> None:
        started = time.monotonic()
        try:
            found = fired_since(self._store, *key, self._now() - dt.timedelta(days=DAYS))
        except StoreUnavailableError:
            return
        except Exception as fault:  # noqa: BLE001  # a count that fails is said, and no page fails for it
            log.error("rules_not_counted", error=type(fault).__name__)
            return
        ended = time.monotonic()
        shown_s = max(COUNTED_S, COUNTED_TIMES * (ended - started))
        if len(self._counted) >= KEPT_MAX:
            self._counted.clear()
        self._counted[key] = Counted(found, ended + shown_s)
