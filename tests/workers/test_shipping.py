"""
Prove that what is in the journal reaches the store: real Redis, Celery, SQLite, PostgreSQL.
"""

import base64
import json
import signal
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import select

from service.journal import Journal
from service.metrics import COUNTER_FOLDER
from service.redis_client import ALIVE_KEY, Client
from service.store import (
    agencies,
    decisions,
    dispatches,
    journal_positions,
    quarantined,
    records,
    reviews,
)
from service.store.agencies import Agency
from service.store.database import reading
from tests.servers import RedisServer
from tests.workers.working_host import Host, wait_until
from workers.celery_app import QUEUE, make_celery
from workers.queue import Queue
from workers.shipper import Shipper

STORED_WITHIN_S = 2.0


@pytest.fixture(params=["sqlite", "postgresql"])
def host(
    request: pytest.FixtureRequest, tmp_path: Path, redis_server: RedisServer
) -> Iterator[Host]:
    """
    Give a host whose store is empty, on each database.
    """
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    made = Host(tmp_path, redis_server, url)
    yield made
    made.stop()


def test_a_record_reaches_the_store_within_two_seconds(host: Host) -> None:
    """
    What is journaled is stored within 2 s, once the worker is warm.

    A stopped shipper ends with code 0.
    """
    host.start_worker()
    shipper = host.start_shipper()
    host.append("warm")
    host.wait_stored(["warm"], 20)
    for number in range(5):
        host.append(f"r-{number}")
        host.wait_stored([f"r-{number}"], STORED_WITHIN_S)
    found = decisions.find(host.store, "example", "r-4")
    assert found is not None
    assert (found.responders, found.journal_number) == (("mobile_crisis",), 6)
    assert shipper.stop() == 0


def test_a_report_of_what_was_sent_reaches_the_store_like_its_decision(host: Host) -> None:
    """
    Reports are shipped beside decisions, also one whose decision another host still keeps.
    """
    host.start_worker()
    host.start_shipper()
    host.append_dispatch("s-0", "elsewhere")
    host.append("r-1")
    host.append_dispatch("s-1", "r-1")
    host.wait_stored(["s-0", "r-1", "s-1"], 20)
    found = dispatches.of_decisions(host.store, "example", ["r-1", "elsewhere"])
    assert [(one.record_id, one.journal_number) for one in found] == [("s-0", 1), ("s-1", 3)]
    assert host.journal.backlog()[0] == 0


def test_the_same_batch_told_twice_is_stored_once(host: Host) -> None:
    """
    A task that Celery delivers again changes nothing.
    """
    host.start_worker()
    host.append("r-1")
    celery = make_celery(host.settings)
    sent = [
        {field.name: getattr(record, field.name) for field in fields(record)}
        for record in host.journal.unstored(10)
    ]
    for _ in range(3):
        celery.send_task("workers.tasks.store_records", args=[sent])
    wait_until(
        lambda: journal_positions.confirmed(host.store, host.journal.host_id, [1]) == {1}, 20
    )
    queue = host.redis.client()
    wait_until(lambda: queue.llen(QUEUE) == 0 and queue.hlen("unacked") == 0, 10)
    assert len(decisions.of_call(host.store, "example", "r-1")) == 1


def test_a_record_that_nobody_can_read_holds_up_no_other(host: Host) -> None:
    """
    A body that is no JSON, or no text, goes into quarantine, and what follows it is stored.
    """
    host.append("before")
    host.append("poison")
    host.append("after")
    with sqlite3.connect(host.settings.journal_path) as connection:
        connection.execute("UPDATE records SET body = X'FF7B', call_id = X'FF' WHERE number = 2")
    host.start_worker()
    host.start_shipper()
    wait_until(lambda: host.journal.backlog()[0] == 0, 20)
    (kept,) = quarantined.page(host.store, 9)
    assert (kept.journal_number, kept.record_id, kept.body) == (2, "poison", b"\xff{")
    assert decisions.find(host.store, "example", "after") is not None
    assert b"poison" in (host.home / "worker.log").read_bytes()


@pytest.mark.parametrize("host", ["sqlite"], indirect=True)
def test_a_flushed_redis_is_told_again(host: Host) -> None:
    """
    What Redis forgot while nobody took it is sent again, and both are counted where every process
    finds it.
    """
    host.environment["CRISIS_ROUTER_SHIP_AGAIN_S"] = "3600"  # so that no patience ends meanwhile
    host.environment[COUNTER_FOLDER] = str(host.home / "counters")
    host.start_shipper()
    host.append("r-1")
    queue = host.redis.client()
    wait_until(lambda: queue.llen(QUEUE) > 0, 20)
    assert counted(host, "crisis_router_shipped_records_total") == 0
    queue.flushall()
    host.start_worker()
    host.wait_stored(["r-1"], 20)
    wait_until(lambda: counted(host, "crisis_router_shipped_records_total") == 1, 20)
    assert (counted(host, "crisis_router_batches_sent_again_total") or 0) >= 1


def counted(host: Host, name: str) -> float | None:
    """
    Give what the processes of a host counted.
    """
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(host.home / "counters"))
    return registry.get_sample_value(name)


@pytest.mark.parametrize("host", ["sqlite"], indirect=True)
def test_nothing_is_lost_while_redis_is_away(host: Host) -> None:
    """
    Records that Redis lost or that came while it was dead are stored when it is back.

    The log says it once.
    """
    host.start_worker()
    shipper = host.start_shipper()
    host.append("warm")
    host.wait_stored(["warm"], 20)
    host.redis.stop(signal.SIGKILL)
    away = [f"away-{count}" for count in range(20)]
    for record_id in away:
        host.append(record_id)
    time.sleep(2)
    assert host.journal.backlog()[0] == len(away)
    host.redis.start()
    host.append("back")
    host.wait_stored([*away, "back"], 20)
    with reading(host.store) as connection:
        numbers = connection.execute(select(decisions.decisions.c.journal_number)).scalars()
        assert sorted(numbers) == list(range(1, len(away) + 3))
    assert shipper.log.read_text().count('"away"') == 1
    assert shipper.log.read_text().count('"back"') == 1


def told(client: Client) -> list[dict[str, Any]]:
    """
    Give the records that wait in Redis.
    """
    tasks = [json.loads(one)["body"] for one in client.lrange(QUEUE, 0, -1)]
    return [one for task in tasks for one in json.loads(base64.b64decode(task))[0][0]]


@pytest.mark.parametrize("host", ["sqlite"], indirect=True)
def test_what_redis_lost_is_told_again_with_the_first_that_it_takes(host: Host) -> None:
    """
    What was on its way when Redis died is sent again at once when it is back, though it is a newer
    record by which the shipper learns that.
    """
    shipper = Shipper(host.settings, Journal(host.settings), Queue(host.settings))
    try:
        host.append("lost")
        shipper.step()
        host.redis.stop(signal.SIGKILL)
        host.append("newer")
        shipper.step()
        host.redis.start()
        with host.redis.client() as client:
            client.flushall()
            shipper.step()
            shipper.step()
            assert {one["record_id"] for one in told(client)} == {"lost", "newer"}
    finally:
        shipper.close()


@pytest.mark.parametrize("host", ["sqlite"], indirect=True)
def test_what_a_dead_worker_took_is_told_again_with_no_longer_a_wait(host: Host) -> None:
    """
    A batch that was taken from the queue and not stored is sent again after `ship_again_s` each
    time; one that nobody takes is not sent again and again.
    """
    soon = replace(host.settings, ship_again_s=0.05)
    shipper = Shipper(soon, Journal(soon), Queue(soon))
    try:
        host.append("taken")
        with host.redis.client() as client:
            shipper.step()
            for _ in range(6):  # by doubling, the last would wait for more than three seconds
                assert client.llen(QUEUE) == 1
                client.delete(QUEUE)
                shipper._sent = {
                    number: replace(sent, at=sent.at - 0.06)
                    for number, sent in shipper._sent.items()
                }
                shipper.step()
            shipper.step()
            assert client.llen(QUEUE) == 1
    finally:
        shipper.close()


@pytest.mark.parametrize("host", ["sqlite"], indirect=True)
def test_no_more_than_the_bound_is_on_its_way_in_redis(host: Host) -> None:
    """
    With nobody to take them, records fill Redis up to `ship_flight_bytes_max` and no further; all
    get there as they are taken, and one that is larger than the bound goes alone.
    """
    for count in range(30):
        host.append(f"r-{count}", filled=20_000 if count == 15 else 1_000)
    bound = 5_500
    few = replace(host.settings, ship_flight_bytes_max=bound, ship_batch_max=7, ship_bytes_max=2500)
    shipper, most = Shipper(few, Journal(few), Queue(few)), []
    try:
        with host.redis.client() as client:
            while not shipper.is_drained():
                for _ in range(3):  # a second look adds nothing to what fills the bound
                    shipper.step()
                waiting = told(client)
                size = sum(len(record["body"]) for record in waiting)
                assert size <= bound or len(waiting) == 1
                most.append(size)
                client.delete(QUEUE)
                records.insert(host.store, waiting, datetime.now(UTC))
    finally:
        shipper.close()
    assert sum(size > bound for size in most) == 1
    assert sorted(most)[-2] > bound - 2500  # the room that there was is used
    assert journal_positions.confirmed(host.store, host.journal.host_id, [30]) == {30}


@pytest.mark.parametrize("host", ["sqlite"], indirect=True)
def test_nothing_is_lost_while_the_store_is_away(host: Host) -> None:
    """
    Records wait while the store is away, and a shipper stopped afterwards ends in time.
    """
    path = Path(str(host.store.url.database))
    moved = path.with_suffix(".moved")
    host.store.dispose()
    for part in ("", "-wal", "-shm"):
        if path.with_name(path.name + part).exists():
            path.with_name(path.name + part).rename(moved.with_name(moved.name + part))
    path.mkdir()
    host.start_worker()
    shipper = host.start_shipper()
    host.append("r-1")
    wait_until(lambda: '"away"' in shipper.log.read_text(), 10)
    path.rmdir()
    for part in ("", "-wal", "-shm"):
        if moved.with_name(moved.name + part).exists():
            moved.with_name(moved.name + part).rename(path.with_name(path.name + part))
    host.wait_stored(["r-1"], 20)
    assert shipper.stop() == 0


@pytest.mark.parametrize("host", ["sqlite"], indirect=True)
def test_a_stopped_shipper_gives_up_in_time(host: Host) -> None:
    """
    With no worker the records stay in the journal, and the shipper still ends with code 0.
    """
    host.environment["CRISIS_ROUTER_SHIP_DRAIN_S_MAX"] = "0.5"
    shipper = host.start_shipper()
    wait_until(lambda: "shipping" in shipper.log.read_text(), 20)
    host.append("r-1")
    start = time.monotonic()
    assert shipper.stop() == 0
    assert time.monotonic() - start < 3
    assert host.journal.backlog()[0] == 1


@pytest.mark.parametrize("host", ["sqlite"], indirect=True)
def test_worker_and_beat_give_signs_of_life(host: Host) -> None:
    """
    Beat asks every 2 s, the worker answers for both, and the sign goes out after 10 s.
    """
    host.start_worker()
    host.start_beat()
    client = host.redis.client()
    keys = [ALIVE_KEY.format(part=part) for part in ("worker", "beat")]
    wait_until(lambda: client.exists(*keys) == 2, 20)
    assert all(0 < client.ttl(key) <= 10 for key in keys)


def test_a_decision_is_in_the_queue_of_reviews_within_seconds(host: Host) -> None:
    """
    What the journal holds is stored, and waits for a reviewer soon after if it is in the sample.
    """
    now = datetime.now(UTC)
    agencies.create(host.store, Agency("example", "Example", "UTC", "national-baseline", now))
    host.start_worker()
    host.start_shipper()
    host.start_beat()
    host.append("r-1")
    wait_until(lambda: bool(reviews.page(host.store, "example", is_open=True)[0]), 30)
    ((found,), _) = reviews.page(host.store, "example", is_open=True)
    assert (found.decision_id, found.reasons) == ("r-1", ("random_sample",))
    assert found.selected_at - now < timedelta(seconds=20)
