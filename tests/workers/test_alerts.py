"""
Prove that what must be looked at is raised by the workers: real Redis, Celery, SQLite, PostgreSQL.
"""

from datetime import UTC, datetime, timedelta

from service.journal import Entry, Written
from service.settings import read_settings
from service.store import alerts
from tests.workers.test_shipping import Host, host, wait_until
from workers import log_tasks, rule_tasks, tasks
from workers.celery_app import configuration

__all__ = ["host"]


def report_nobody(host: Host, record_id: str, about: str) -> None:
    """
    Write a report into the journal that nobody was sent.
    """
    at = datetime.now(UTC)
    answer = {
        "dispatch_id": record_id,
        "decision_id": about,
        "responders": [],
        "override": True,
        "released": [],
        "reason": "other",
        "call_back_at": (at + timedelta(seconds=1)).isoformat(),
        "reported_at": at.isoformat(),
        "warnings": [],
    }
    body = {"request": {"comment": None}, "answer": answer}
    entry = Entry(*("dispatch", record_id, "example", "the-call", at.isoformat(), None, None, body))
    assert isinstance(host.journal.append(entry), Written)


def kinds(host: Host) -> list[str]:
    """
    Give the kinds of the alerts that show now.
    """
    found, _ = alerts.page(host.store, "example", is_open=True, now=datetime.now(UTC))
    return sorted(one.kind for one in found)


def test_nobody_sent_and_its_call_back_reach_the_supervisor(host: Host) -> None:
    """
    A report that nobody was sent is an alert as soon as it is stored, and its call-back when due.
    """
    host.start_worker()
    host.start_shipper()
    host.append("d-1")
    report_nobody(host, "s-1", "d-1")
    host.wait_stored(["d-1", "s-1"], 20)
    wait_until(lambda: kinds(host) == ["call_back_due", "nobody_sent"], 5)


def test_beat_sends_only_tasks_that_there_are() -> None:
    """
    Each task that beat sends is one that a worker knows.
    """
    schedule = configuration(read_settings({}))["beat_schedule"]
    sent = {one["task"] for one in schedule.values()}
    assert "workers.tasks.look_for_missing" in sent
    there = {
        f"{one.__name__}.{name}" for one in (tasks, rule_tasks, log_tasks) for name in vars(one)
    }
    assert sent <= there
