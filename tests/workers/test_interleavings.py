"""
Prove that no order of what may happen to journal, queue, worker and shipper loses or doubles what
was acknowledged.

The journal and the store are real; the queue is a stand-in that loses, doubles and delays.
"""

import json
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import Connection, Engine, event, select, union_all

from service.alerts import raise_for_stored
from service.errors import StoreUnavailableError
from service.journal import Entry, Journal, Repeat, Written, create_journal
from service.journal.aside import waiting
from service.journal.file import ReplacedError
from service.settings import read_settings
from service.store import chain, decisions, dispatches, journal_positions, quarantined, records
from service.store.database import open_store, reading
from service.store.migration import migrate
from tests.clock import Clock
from tests.workers.lossy_queue import LossyQueue
from workers import aside, shipper
from workers.shipper import Shipper

PAGE = 4096
PATIENCE_S = 400.0  # more than the shipper ever waits for what it sent
ROUNDS_MAX = 60  # of the last shipping
NOW = datetime(2026, 5, 1, tzinfo=UTC)
AGENCY = "example"
ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "decision": {"recommendation": {"responders": [{"kind": "ems"}], "urgency": "moderate"}},
    "dispatch": {
        "decision_id": "elsewhere",
        "responders": ["ems"],
        "override": False,
        "released": [],
        "reason": None,
        "call_back_at": None,
        "reported_at": NOW.isoformat(),
    },
    "weather": {},  # a kind that no store takes
}
# A kind, and the numbers of a record and of a call: few, so that the same comes again.
TOLD = st.tuples(
    st.sampled_from(["decision", "decision", "dispatch", "weather"]),
    st.integers(0, 9),
    st.integers(0, 1),
)


class _KilledError(BaseException):
    """
    Stand for a SIGKILL of the worker: nothing of ours catches it.
    """


def _kill(_connection: Connection) -> None:
    raise _KilledError


@cache
def empty_store() -> bytes:
    """
    Give the file of a store with all its tables and nothing in them.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        migrate(f"sqlite:///{path}")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.read_bytes()


class Host(RuleBasedStateMachine):
    """
    Do to one host, in any order, what may happen to it; what it acknowledged is kept beside.
    """

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="cr-"))
        made = read_settings({"CRISIS_ROUTER_HOME": str(self.home)})
        self.settings = replace(made, journal_wait_s_max=60.0, ship_batch_max=3, ship_flight_max=8)
        create_journal(self.settings.journal_path)
        (self.home / "store.sqlite").write_bytes(empty_store())
        self.store = open_store(self.settings.database_url)
        self.queue, self.clock = LossyQueue(), Clock()
        self.clock.now = PATIENCE_S
        self.patch = pytest.MonkeyPatch()
        for module in (shipper, aside):
            self.patch.setattr(module, "time", self.clock)
        self.is_store_away = False  # for the shipper alone: a worker may reach it by another way
        self.patch.setattr(shipper, "journal_positions", SimpleNamespace(confirmed=self.confirmed))
        self.journals = [Journal(self.settings), Journal(self.settings)]
        self.shipper = self.new_shipper()
        self.acknowledged: dict[tuple[str, int], tuple[str, str]] = {}
        self.damaged: str | None = None  # the host id of the journal that was harmed

    def confirmed(self, store: Engine, host_id: str, numbers: list[int]) -> set[int]:
        """
        Answer the shipper for the store, or not.
        """
        if self.is_store_away:
            raise StoreUnavailableError
        return journal_positions.confirmed(store, host_id, numbers)

    def new_shipper(self) -> Shipper:
        """
        Start a shipper, which knows nothing of what another one sent.
        """
        return Shipper(self.settings, Journal(self.settings), self.queue)  # type: ignore[arg-type]  # a stand-in

    @rule(which=st.integers(0, 1), told=st.lists(TOLD, min_size=1, max_size=5))
    def append(self, which: int, told: list[tuple[str, int, int]]) -> None:
        """
        Tell one of the processes things, perhaps again: each is written, or was before.
        """
        for kind, name, call in told:
            record_id, body = f"{kind}-{name}", {"request": {}, "answer": ANSWERS[kind]}
            made = self.journals[which].append(
                Entry(kind, record_id, AGENCY, f"c-{call}", NOW.isoformat(), None, None, body)
            )
            assert isinstance(made, Written | Repeat)
            place = made.record.host_id, made.record.number
            if isinstance(made, Written):
                assert place not in self.acknowledged
                self.acknowledged[place] = (kind, record_id)
            assert self.acknowledged[place] == (kind, record_id)

    @rule()
    def go_well(self) -> None:
        """
        Ship as it is on a good day: what was sent is taken, in order and once, and confirmed.
        """
        self.ship(0.0)
        while self.queue.tasks:
            self.deliver(which=0, times=1)
        self.ship(0.0)

    @rule(later_s=st.sampled_from([0.0, 1.5, 11.0, PATIENCE_S]))
    def ship(self, later_s: float) -> None:
        """
        Let time pass for the shipper, and do one round.
        """
        self.clock.now += later_s
        self.shipper.step()

    @rule(is_away=st.booleans(), is_emptied=st.booleans())
    def redis_comes_or_goes(self, is_away: bool, is_emptied: bool) -> None:
        """
        Take Redis away, or bring it back, with or without what it held.
        """
        self.queue.is_away = is_away
        if is_emptied:
            self.queue.tasks.clear()
            self.queue.was_emptied = True

    @rule(is_away=st.booleans())
    def store_comes_or_goes(self, is_away: bool) -> None:
        """
        Take the store away from the shipper, or bring it back.
        """
        self.is_store_away = is_away

    @precondition(lambda self: self.queue.tasks)
    @rule(which=st.integers(0, 99), times=st.sampled_from([1, 2, 0]))
    def deliver(self, which: int, times: int) -> None:
        """
        Hand any of the tasks to a worker, once or twice, or lose it.
        """
        task = self.queue.tasks.pop(which % len(self.queue.tasks))
        for _ in range(times):
            self.work(task)

    @precondition(lambda self: self.queue.tasks)
    @rule(which=st.integers(0, 99), is_before=st.booleans())
    def crash_a_worker(self, which: int, is_before: bool) -> None:
        """
        Kill a worker before or after its commit: the task is not acknowledged, and comes again.
        """
        task = self.queue.tasks[which % len(self.queue.tasks)]
        if not is_before:
            self.work(task)
            return
        event.listen(self.store, "commit", _kill)
        with pytest.raises(_KilledError):
            self.work(task)
        event.remove(self.store, "commit", _kill)

    def work(self, task: str) -> None:
        """
        Do what the worker's task does.
        """
        told = json.loads(task)
        records.insert(self.store, told, datetime.now(UTC), also=raise_for_stored)

    @rule(days=st.sampled_from([0, 2, 60]))
    def forget(self, days: int) -> None:
        """
        Let the journal forget, as if that many days had passed; here damage may be met, too.
        """
        met = suppress(ReplacedError) if self.damaged else nullcontext()
        with met:
            self.journals[0].forget(datetime.now(UTC) + timedelta(days=days))

    @rule(which=st.integers(0, 2))
    def restart(self, which: int) -> None:
        """
        Start one of the processes that answer, or the shipper, anew: it knows nothing of before.
        """
        if which == len(self.journals):
            self.shipper.close()
            self.shipper = self.new_shipper()
            return
        self.journals[which].close()
        create_journal(self.settings.journal_path)  # as each start does
        self.journals[which] = Journal(self.settings)

    @precondition(lambda self: self.damaged is None)
    @rule(what=st.sampled_from(["calls", "records_of_call", "sqlite_autoindex_records_1"]))
    def damage(self, what: str) -> None:
        """
        Overwrite a page of the journal that holds no record, so that each can still be read.
        """
        path = self.settings.journal_path
        self.damaged = self.journals[0].host_id
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
            ((page,),) = connection.execute(query, (what,))
        with path.open("r+b") as file:
            file.seek((page - 1) * PAGE)
            file.write(bytes(PAGE))

    @invariant()
    def nothing_is_forgotten_too_early(self) -> None:
        """
        See that what is not in the store waits in the journal, and that nothing is there twice.
        """
        stored = Counter(self.stored_places())
        assert not stored or max(stored.values()) == 1
        assert set(stored) <= set(self.acknowledged)
        with closing(self.looking()) as connection:
            ((host_id,),) = connection.execute("SELECT value FROM host")
            rows = connection.execute("SELECT number, stored_at FROM records NOT INDEXED")
            waits = {number: stored_at is None for number, stored_at in rows}
        for place in self.acknowledged:
            if place[0] == host_id and place not in stored:
                assert waits.get(place[1]), f"{place} is lost"

    def looking(self) -> sqlite3.Connection:
        """
        Open the journal to look, with SQLite alone.
        """
        uri = f"{self.settings.journal_path.as_uri()}?mode=ro"
        return sqlite3.connect(uri, uri=True)

    def stored_places(self) -> list[tuple[str, int]]:
        """
        Give each place in a journal that something in the store is of.
        """
        tables = decisions.decisions, decisions.repeats, dispatches.dispatches
        every = (*tables, quarantined.quarantined)
        query = union_all(*(select(one.c.host_id, one.c.journal_number) for one in every))
        with reading(self.store) as connection:
            return [(host_id, number) for host_id, number in connection.execute(query)]

    def teardown(self) -> None:
        """
        Let all that is whole ship what is left, look at what is in the store, and clean up.
        """
        with self.cleaned():
            self.queue.is_away = self.is_store_away = False
            for _ in range(ROUNDS_MAX):
                self.ship(PATIENCE_S)
                while self.queue.tasks:
                    self.deliver(which=0, times=1)
                if self.shipper.is_drained() and not waiting(self.home) and not self.queue.tasks:
                    break
            assert self.shipper.is_drained()
            assert waiting(self.home) == 0
            self.nothing_is_forgotten_too_early()
            assert Counter(self.stored_places()) == Counter(list(self.acknowledged))
            self.look_at_the_numbers()
            self.look_at_what_was_told_twice()

    def look_at_the_numbers(self) -> None:
        """
        See that each journal gave its numbers without gaps, that the store's position of it is the
        last, and that each record has its link in the log.
        """
        with reading(self.store) as connection:
            for host_id in {host_id for host_id, _ in self.acknowledged}:
                given = sorted(number for host, number in self.acknowledged if host == host_id)
                assert given == list(range(1, len(given) + 1))
                found = journal_positions.find(connection, host_id)
                assert found is not None
                assert (found.through, found.highest) == (given[-1], given[-1])
            links = chain.chain
            query = select(links.c.host_id, links.c.journal_number).where(links.c.kind != "audit")
            linked = [(host_id, number) for host_id, number in connection.execute(query)]
        assert Counter(linked) == Counter(list(self.acknowledged))

    def look_at_what_was_told_twice(self) -> None:
        """
        See that of one id the store has one record, and the others as repeats; what no store takes
        is in quarantine, each one.
        """
        told = Counter(self.acknowledged.values())
        tables = {"decision": decisions.decisions, "dispatch": dispatches.dispatches}
        found: Counter[tuple[str, str]] = Counter()
        with reading(self.store) as connection:
            for kind, table in tables.items():
                ids = connection.execute(select(table.c.record_id)).scalars().all()
                assert sorted(ids) == sorted(one for of, one in told if of == kind)
                found.update((kind, one) for one in ids)
            for table in (decisions.repeats, quarantined.quarantined):
                for one in connection.execute(select(table.c.record_id)).scalars():
                    found[one.partition("-")[0], one] += 1
        assert found == told

    @contextmanager
    def cleaned(self) -> Iterator[None]:
        """
        Close and remove everything in the end.
        """
        try:
            yield
        finally:
            for one in (*self.journals, self.shipper):
                one.close()
            self.store.dispose()
            self.patch.undo()
            shutil.rmtree(self.home, ignore_errors=True)


TestInterleavings = Host.TestCase
TestInterleavings.settings = settings(
    max_examples=max(30, settings().max_examples // 20), stateful_step_count=40
)


@pytest.mark.parametrize("part", ["redis", "store"])
def test_a_part_that_comes_back_amid_a_round_ends_no_shipper(part: str) -> None:
    """
    The round in which Redis or the store is back ends well, though what was sent before is late
    then, and is in the store.
    """
    host = Host()
    host.append(0, [("decision", 0, 0)])
    host.ship(0.0)
    host.queue.is_away, host.is_store_away = part == "redis", part == "store"
    if part == "store":
        host.deliver(which=0, times=1)
    host.ship(PATIENCE_S)
    host.queue.is_away = host.is_store_away = False
    host.ship(PATIENCE_S)
    host.teardown()
