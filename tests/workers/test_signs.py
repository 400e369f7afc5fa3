"""
Prove what a worker and beat are well by, with a real Redis.
"""

import pytest

from service.redis_client import connect
from tests.clock import Clock
from tests.servers import RedisServer
from workers import signs
from workers.celery_app import QUEUE
from workers.signs import Work


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """
    Put a clock set by hand in place of the real one.
    """
    clock = Clock()
    monkeypatch.setattr(signs, "time", clock)
    return clock


def test_a_worker_that_leaves_tasks_waiting_is_not_well(
    redis_server: RedisServer, clock: Clock
) -> None:
    """
    An empty queue is no fault, nor is a Redis that is away; a task that nobody takes is.
    """
    work = Work(connect(redis_server.url), task_s_max=60, idle_s_max=20)
    clock.now = 21
    assert work.takes()
    redis_server.client().rpush(QUEUE, "a task")
    assert not work.takes()
    work.note()
    assert work.takes()
    clock.now += 21
    redis_server.stop()
    assert work.takes()
    redis_server.start()
    assert work.takes(), "the time without Redis does not count"


def test_a_task_that_never_ends_is_not_well(redis_server: RedisServer, clock: Clock) -> None:
    """
    A worker whose task ran longer than it may is not well until it ends.
    """
    work = Work(connect(redis_server.url), task_s_max=60, idle_s_max=20)
    work.begin(task_id="one")
    clock.now = 60
    assert work.takes()
    clock.now = 61
    assert not work.takes()
    work.end(task_id="one")
    assert work.takes()


def test_beat_is_well_while_it_sends_or_cannot(redis_server: RedisServer, clock: Clock) -> None:
    """
    Beat that sends nothing to a Redis that answers is not well.
    """
    work = Work(connect(redis_server.url), task_s_max=60, idle_s_max=20)
    assert work.sends()
    clock.now = 21
    assert not work.sends()
    redis_server.stop()
    assert work.sends()
