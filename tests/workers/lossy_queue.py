"""
A stand-in for Celery and Redis that goes away and forgets when it is told to.
"""

import json
from collections.abc import Sequence
from typing import Any

from kombu.exceptions import OperationalError


class LossyQueue:
    """
    Stand in for Celery and Redis: hold what was sent, as text, until a rule takes it.
    """

    def __init__(self) -> None:
        self.tasks: list[str] = []
        self.is_away = False
        self.was_emptied = False

    def put(self, records: Sequence[Any]) -> None:
        """
        Take a task, or refuse it as Celery does without Redis.
        """
        self._reach()
        self.tasks.append(json.dumps(records))

    def has_forgotten(self, _host_id: str) -> bool:
        """
        Tell once that it was emptied.
        """
        self._reach()
        forgot, self.was_emptied = self.was_emptied, False
        return forgot

    def is_empty(self) -> bool:
        """
        Tell whether nothing waits.
        """
        self._reach()
        return not self.tasks

    def _reach(self) -> None:
        if self.is_away:
            raise OperationalError("the queue is away")
