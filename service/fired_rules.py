"""
Says how often each rule fired in the last 90 days, counted anew once a minute at most.
"""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine

from service.store.rule_counts import Fired, fired_since

DAYS: Final = 90
COUNTED_S: Final = 60.0  # a count is shown for so long; counting 100,000 decisions takes a while
KEPT_MAX: Final = 200


class FiredRules:
    """
    Counts of this process. One per process; any thread may call it.
    """

    def __init__(self, store: Engine, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._now = now
        self._counted: dict[tuple[str, str], tuple[dt.datetime, Fired]] = {}
        self._lock = threading.Lock()

    def of(self, agency: str, name: str) -> Fired:
        """
        Give the counts of a ruleset.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        at, key = self._now(), (agency, name)
        known = self._counted.get(key)
        if known is not None and at - known[0] < dt.timedelta(seconds=COUNTED_S):
            return known[1]
        with self._lock:
            found = fired_since(self._store, agency, name, at - dt.timedelta(days=DAYS))
            if len(self._counted) >= KEPT_MAX:
                self._counted.clear()
            self._counted[key] = at, found
        return found
