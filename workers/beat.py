"""
Keep beat sending when the wall clock of the machine is set back.

Celery's own scheduler would send nothing until the clock is again where it was, and a restart would
not help: it keeps on disk when each task was sent last.
"""

from datetime import timedelta
from typing import Any

from celery.beat import PersistentScheduler
from celery.utils.time import maybe_make_aware

_AHEAD_MAX = timedelta(seconds=1)


class SteadyScheduler(PersistentScheduler):  # type: ignore[misc]  # Celery has no types
    """
    Take a task that was last sent in the future for one that was sent just now.
    """

    def tick(self, *args: Any, **options: Any) -> Any:
        """
        Send what is due; gives the seconds until the next call.
        """
        for entry in self.schedule.values():
            now = maybe_make_aware(entry.default_now())
            if maybe_make_aware(entry.last_run_at) > now + _AHEAD_MAX:
                entry.last_run_at = now
                self._heap = None  # its order is of the old clock; Celery makes a new one
        return super().tick(*args, **options)
