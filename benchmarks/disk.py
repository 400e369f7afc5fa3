"""
Ways to have a record safe before its answer leaves, with two processes and more and more threads:
the journal (group commit), one commit for each record, a file of our own form, and a Celery task
for each request.
"""

import multiprocessing
import os
import statistics
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.flat_journal import FlatJournal
from benchmarks.home import fresh_home
from benchmarks.load import die_with_parent
from benchmarks.parts import private_redis
from benchmarks.table import number, show
from service.host.first_start import AGENCY
from service.journal import Entry, Journal
from service.settings import Settings
from workers.celery_app import make_celery

PROCESSES = 2
THREADS = (1, 4, 8, 16)
GROUP, SINGLE, FLAT, CELERY = (
    "journal: one commit for all that wait",
    "journal: one commit for each record",
    "preallocated file, one fdatasync for all that wait (no revisions, no finding again)",
    "a Celery task for each request (on Redis, not on disk: up to 1 s of them can be lost)",
)
BODY_CHARACTERS = 5_000  # as a record of a call with a code and a remark has
WAIT_S_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Turns:
    """
    How many rounds, and how long each way is used in one, in seconds.
    """

    rounds: int
    seconds: float


FULL, QUICK = Turns(5, 1.0), Turns(1, 0.3)


def measure_disk(*, quick: bool) -> None:
    """
    Use each way in turn, and print the table.
    """
    turns = QUICK if quick else FULL
    seen: dict[tuple[str, int], list[float]] = {}
    spawn = multiprocessing.get_context("spawn")
    with (
        fresh_home() as (home, _),
        private_redis(home) as url,
        ProcessPoolExecutor(PROCESSES, spawn, die_with_parent, (os.getpid(),)) as pool,
    ):
        settings = replace(home, redis_url=url)
        for place in range(turns.rounds + 1):
            for threads in THREADS:
                for way in WAYS:
                    loads = [
                        pool.submit(_append, way, settings, threads, turns.seconds)
                        for _ in range(PROCESSES)
                    ]
                    per_s = sum(one.result(WAIT_S_MAX) for one in loads)
                    if place:  # the first round warms up
                        seen.setdefault((way, threads), []).append(per_s)
    _show(seen, turns)


def _append(way: str, settings: Settings, threads: int, seconds: float) -> float:
    """
    Append from so many threads of this process, and give how many records were safe each second.
    """
    append, close = WAYS[way](settings)
    counts = [0] * threads
    end = time.monotonic() + seconds

    def work(place: int) -> None:
        while time.monotonic() < end:
            append(_entry())
            counts[place] += 1

    running = [threading.Thread(target=work, args=(place,)) for place in range(threads)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    close()
    return sum(counts) / seconds


def _entry() -> Entry:
    record_id = uuid.uuid4().hex
    answer = {"recommendation": {"urgency": "moderate"}, "note": "x" * BODY_CHARACTERS}
    body = {"request": {"call_id": record_id}, "answer": answer}
    at = "2026-11-24T10:15:00Z"
    return Entry("decision", record_id, AGENCY, f"CALL-{record_id}", at, None, 0, body)


Way = Callable[[Settings], tuple[Callable[[Entry], Any], Callable[[], Any]]]


def _group(settings: Settings) -> tuple[Callable[[Entry], Any], Callable[[], Any]]:
    journal = Journal(settings)
    return journal.append, journal.close


def _single(settings: Settings) -> tuple[Callable[[Entry], Any], Callable[[], Any]]:
    return _group(replace(settings, journal_batch_max=1))


def _flat(settings: Settings) -> tuple[Callable[[Entry], Any], Callable[[], Any]]:
    journal = FlatJournal(settings)
    return journal.append, journal.close


def _celery(settings: Settings) -> tuple[Callable[[Entry], Any], Callable[[], Any]]:
    celery = make_celery(settings)

    def publish(entry: Entry) -> None:
        celery.send_task("benchmark.nobody", args=[[entry.body]], queue="benchmark", expires=1)

    return publish, celery.close


WAYS: dict[str, Way] = {GROUP: _group, SINGLE: _single, FLAT: _flat, CELERY: _celery}


def _show(seen: dict[tuple[str, int], list[float]], turns: Turns) -> None:
    rows = []
    for way in WAYS:
        cells = []
        for threads in THREADS:
            floor, mine = seen[GROUP, threads], seen[way, threads]
            ratio = statistics.median(one / other for one, other in zip(mine, floor, strict=True))
            cells += [number(statistics.median(mine)), f"{ratio:.2f}"]
        rows.append([way, *cells])
    header = ["records/s, and x of the journal"]
    header += [cell for threads in THREADS for cell in (f"{threads} thr.", "x")]
    title = f"{PROCESSES} processes, {turns.rounds} rounds of {turns.seconds:g} s for each"
    show(f"Safe before the answer: {title}", header, rows)
