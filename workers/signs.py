"""
Tell whether a worker, or beat, does what it is there for.

A consumer that lost its connection to Redis may come back and consume nothing, though its process
lives and its pings are answered; and a task may never end. Then no sign of life is given, and the
supervisor starts the process again.
"""

import time
from typing import Any

from celery.signals import (
    beat_init,
    before_task_publish,
    task_postrun,
    task_prerun,
    task_received,
    worker_ready,
)
from redis.exceptions import RedisError

from service.host.signs_of_life import SignOfLife
from service.redis_client import Client
from workers.celery_app import QUEUE
from workers.process import redis, settings


class Work:
    """
    Know when something was done last, and since when each task runs.
    """

    def __init__(self, client: Client, *, task_s_max: float, idle_s_max: float) -> None:
        self._redis = client
        self._task_s_max = task_s_max
        self._idle_s_max = idle_s_max
        self._done_at = time.monotonic()
        self._running: dict[str, float] = {}

    def note(self, **_: Any) -> None:
        """
        Note that something was taken from the queue, or sent to it.
        """
        self._done_at = time.monotonic()

    def begin(self, task_id: str, **_: Any) -> None:
        """
        Note that a task begins.
        """
        self._done_at = self._running[task_id] = time.monotonic()

    def end(self, task_id: str, **_: Any) -> None:
        """
        Note that a task ended, however it did.
        """
        self._running.pop(task_id, None)
        self._done_at = time.monotonic()

    def takes(self) -> bool:
        """
        Tell whether a worker is well: no task runs too long, and none waits that nobody takes.
        """
        now = time.monotonic()
        if any(now - since > self._task_s_max for since in list(self._running.values())):
            return False
        # Long tasks may take every thread: what waits then is nobody's fault.
        return bool(self._running) or self._is_recent() or not self._waiting()

    def sends(self) -> bool:
        """
        Tell whether beat is well: it sent something lately, or there is no Redis to send to.
        """
        return self._is_recent() or not self._answers()

    def _is_recent(self) -> bool:
        return time.monotonic() - self._done_at < self._idle_s_max

    def _waiting(self) -> int:
        try:
            return int(self._redis.llen(QUEUE))
        except RedisError:
            self.note()  # the time that Redis is away is nobody's fault
            return 0

    def _answers(self) -> bool:
        try:
            return bool(self._redis.ping())
        except RedisError:
            self.note()
            return False


@worker_ready.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _worker_begins(**_: object) -> None:
    work = _work()
    for signal, noted in (
        (task_received, work.note),
        (task_prerun, work.begin),
        (task_postrun, work.end),
    ):
        signal.connect(noted, weak=False)
    SignOfLife(settings().home, "worker").start(work.takes)


@beat_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _beat_begins(**_: object) -> None:
    work = _work()
    before_task_publish.connect(work.note, weak=False)
    SignOfLife(settings().home, "beat").start(work.sends)


def _work() -> Work:
    return Work(redis(), task_s_max=settings().task_s_max, idle_s_max=settings().idle_s_max)
