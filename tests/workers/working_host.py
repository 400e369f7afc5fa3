"""
One host as the tests of the shipper run it: its journal, and real processes for the rest.
"""

import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from service.journal import Entry, Journal, Written, create_journal
from service.settings import Settings, read_settings
from service.store.database import open_store
from service.store.migration import migrate
from tests.servers import ROOT, Child, RedisServer, child_environment, python


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

    def append(self, record_id: str, *, filled: int = 0) -> None:
        """
        Write one decision into the journal, *filled* up with that many characters.
        """
        answer = {
            "recommendation": {"responders": [{"kind": "mobile_crisis"}], "urgency": "moderate"}
        }
        decided_at = datetime.now(UTC).isoformat()
        body = {"answer": answer, "filled": "x" * filled}
        entry = Entry("decision", record_id, "example", record_id, decided_at, None, None, body)
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
