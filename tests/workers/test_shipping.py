"""
Prove that what is in the journal reaches the store: real Redis, Celery, SQLite, PostgreSQL.
"""

import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import select

from service.journal import Entry, Journal, Written, create_journal
from service.metrics import COUNTER_FOLDER
from service.redis_client import ALIVE_KEY
from service.settings import Settings, read_settings
from service.store import agencies, decisions, dispatches, journal_positions, quarantined, reviews
from service.store.agencies import Agency
from service.store.database import open_store, reading
from service.store.migration import migrate
from tests.servers import ROOT, Child, RedisServer, child_environment, python
from workers.celery_app import QUEUE, make_celery
from workers.shipper import Shipper

STORED_WITHIN_S = 2.0


class Host:
    """
    One host: its journal, and the shipper and worker that run on it.
    """

    def __init__(self, home: Path, redis: RedisServer, database_url: str) -> None:
        environment = {
            "CRISIS_ROUTER_HOME": str(home),
            "CRISIS_ROUTER_DATABASE_URL": database_url,
            "CRISIS_ROUTER_REDIS_URL": redis.url,
        }
        self.settings: Settings = read_settings(environment)
        self.environment = child_environment(environment)
        self.home = home
        self.redis = redis
        create_journal(self.settings.journal_path)
        migrate(self.settings.database_url)
        self.journal = Journal(self.settings)
        self.store = open_store(self.settings.database_url)
        self.children: list[Child] = []

    def start_shipper(self) -> Child:
        """
        Start the shipper, as `up` does.
        """
        return self._start("shipper", python("workers.shipper"))

    def start_worker(self) -> Child:
        """
        Start a Celery worker, as `up` does.
        """
        words = "celery -A workers.celery_app worker -P threads -c 2 -l warning"
        quiet = "--without-gossip --without-mingle --without-heartbeat"
        return self._start("worker", python(*words.split(), *quiet.split()))

    def start_beat(self) -> Child:
        """
        Start beat, as `up` does.
        """
        schedule = str(self.home / "beat-schedule")
        words = f"celery -A workers.celery_app beat --pidfile= -l warning -s {schedule}"
        return self._start("beat", python(*words.split()))

    def _start(self, name: str, argv: list[object]) -> Child:
        child = Child(argv, self.home / f"{name}.log", env=self.environment, cwd=ROOT)
        self.children.append(child)
        return child

    def append(self, record_id: str) -> None:
        """
        Write one decision into the journal.
        """
        answer = {
            "recommendation": {"responders": [{"kind": "mobile_crisis"}], "urgency": "moderate"}
        }
        decided_at = datetime.now(UTC).isoformat()
        entry = Entry(
            "decision", record_id, "example", record_id, decided_at, None, None, {"answer": answer}
        )
        assert isinstance(self.journal.append(entry), Written)

    def append_dispatch(self, record_id: str, about: str) -> None:
        """
        Write one report of what was sent into the journal.
        """
        at = datetime.now(UTC).isoformat()
        answer = {
            "dispatch_id": record_id,
            "decision_id": about,
            "responders": ["ems"],
            "override": True,
            "released": [],
            "reason": "closer_unit",
            "call_back_at": None,
            "reported_at": at,
            "warnings": [],
        }
        body = {"request": {"comment": None}, "answer": answer}
        entry = Entry("dispatch", record_id, "example", about, at, None, None, body)
        assert isinstance(self.journal.append(entry), Written)

    def wait_stored(self, record_ids: list[str], within_s: float) -> float:
        """
        Wait until the journal knows that the store has them all, and give the seconds.
        """
        return wait_until(
            lambda: all(
                (record := self.journal.find("example", one)) is not None
                and record.state == "stored"
                for one in record_ids
            ),
            within_s,
        )

    def stop(self) -> None:
        """
        End what was started, by its own ids.
        """
        for child in self.children:
            child.stop(signal.SIGKILL)
        self.journal.close()
        self.store.dispose()


def wait_until(is_so: Callable[[], bool], within_s: float) -> float:
    """
    Wait until *is_so*, and give the seconds that it took.
    """
    start = time.monotonic()
    while not is_so():
        assert time.monotonic() - start < within_s, "it did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - start


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
    host.environment["CRISIS_ROUTER_SHIP_AGAIN_S"] = "0.5"
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


@pytest.mark.parametrize("host", ["sqlite"], indirect=True)
def test_what_redis_lost_is_told_again_with_the_first_that_it_takes(host: Host) -> None:
    """
    What was on its way when Redis died is sent again at once when it is back, though it is a newer
    record by which the shipper learns that.
    """
    shipper = Shipper(host.settings, Journal(host.settings))
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
            assert client.llen(QUEUE) == 2
    finally:
        shipper.close()


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
