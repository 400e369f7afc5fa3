"""
Decisions shipped each second, from a journal through Redis and a worker into the store; and what
the store takes alone, in batches of the same size.

SQLite and PostgreSQL, each as safe on disk as in service.
"""

import datetime as dt
import itertools
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Engine, func, select

from benchmarks.calls import requests
from benchmarks.home import fresh_home
from benchmarks.parts import child, database, private_redis, worker
from benchmarks.table import number, show
from service.access import Actor
from service.app import join
from service.errors import CrisisRouterError
from service.host.first_start import AGENCY
from service.journal import Journal
from service.parts import Parts
from service.redis_client import ALIVE_KEY, connect
from service.settings import Settings
from service.store import records
from service.store.database import open_store, reading
from service.store.decisions import decisions
from workers.celery_app import make_celery

FULL, QUICK = 10_000, 400
WAIT_S_MAX = 180.0
WORKER_START_S_MAX = 60.0
LOOK_S = 0.02
ACTOR = Actor(AGENCY, "dispatch", "benchmark", None, "benchmark")


def measure_shipping(*, quick: bool) -> None:
    """
    Ship into each database, and print the table.
    """
    count = QUICK if quick else FULL
    rows = [_measure("SQLite", count, {})]
    server = os.environ.get("TEST_DATABASE_URL")
    if server:  # `benchmarks.parts.postgres` names one
        with database(server) as url:
            rows.append(_measure("PostgreSQL", count, {"CRISIS_ROUTER_DATABASE_URL": url}))
    header = ["into", "shipped/s", "store alone/s", "batch"]
    show(f"{count:,} decisions from the journal to the store, one worker", header, rows)


def _measure(name: str, count: int, changes: dict[str, str]) -> list[str]:
    with fresh_home(**changes) as (settings, _):
        parts, close = join(settings)
        try:
            # Twice as many: one half goes in without the queue, before the other is shipped.
            _decide(parts, count)
            alone_per_s = _store_alone(parts.journal, parts.store, settings)
            _decide(parts, count)
        finally:
            close()
        with private_redis(settings) as url:
            shipped_per_s = _ship(settings, count, {**changes, "CRISIS_ROUTER_REDIS_URL": url})
    return [name, number(shipped_per_s), number(alone_per_s), str(settings.ship_batch_max)]


def _decide(parts: Parts, count: int) -> None:
    agency = parts.surroundings.seen.agencies[AGENCY]
    bodies = [parts.decision_schema.load({**one, "call_id": "c"}) for one in requests()]

    def decide(place: int) -> None:
        body = {**bodies[place % len(bodies)], "call_id": f"SHIP-{time.time_ns()}-{place}"}
        if parts.decisions.decide(ACTOR, agency, body, None).status != 201:
            raise CrisisRouterError("a decision was not recorded")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decide, range(count)))


def _store_alone(journal: Journal, store: Engine, settings: Settings) -> float:
    batches = list(_batches(journal, settings.ship_batch_max))
    began = time.perf_counter()
    for batch in batches:
        _, refused = records.insert(store, batch, dt.datetime.now(dt.UTC))
        if refused:
            raise CrisisRouterError(f"not stored: {refused[0].reason}")
    per_s = sum(map(len, batches)) / (time.perf_counter() - began)
    journal.confirm([one["record_id"] for one in itertools.chain(*batches)])
    return per_s


def _batches(journal: Journal, size: int) -> Iterator[list[dict[str, Any]]]:
    after = 0
    while found := journal.unstored(size, after):
        after = found[-1].number
        yield [{one.name: getattr(record, one.name) for one in fields(record)} for record in found]


def _ship(settings: Settings, count: int, environment: dict[str, str]) -> float:
    store = open_store(settings.database_url)
    try:
        with worker(settings, **environment):
            _await_worker(replace(settings, redis_url=environment["CRISIS_ROUTER_REDIS_URL"]))
            before = _stored(store)
            argv = (sys.executable, "-m", "workers.shipper")
            with child("shipper", argv, settings, **environment):
                return count / _seconds_until(store, before, count)
    finally:
        store.dispose()


def _await_worker(settings: Settings) -> None:
    celery, redis = make_celery(settings), connect(settings.redis_url)
    celery.send_task("workers.tasks.note_alive", args=["benchmark"])
    end = time.monotonic() + WORKER_START_S_MAX
    while not redis.exists(ALIVE_KEY.format(part="worker")):
        if time.monotonic() > end:
            raise CrisisRouterError("the worker does not take a task")
        time.sleep(LOOK_S)


def _seconds_until(store: Engine, before: int, count: int) -> float:
    """
    Give the seconds from the first stored to the last: a shipper's start is no part of its pace.
    """
    end = time.monotonic() + WAIT_S_MAX
    began, first = 0.0, 0
    while time.monotonic() < end:
        new = _stored(store) - before
        if new and not began:
            began, first = time.perf_counter(), new
        if new >= count:
            return (time.perf_counter() - began) * count / max(1, count - first)
        time.sleep(LOOK_S)
    raise CrisisRouterError(f"not all were stored within {WAIT_S_MAX:g} s")


def _stored(store: Engine) -> int:
    with reading(store) as connection:
        return int(connection.execute(select(func.count()).select_from(decisions)).scalar_one())
