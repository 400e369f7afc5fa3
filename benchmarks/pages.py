"""
How long the pages of decisions take at the server over a large log, and how often each asks the
store.

The log is made by `benchmarks/log_of_decisions.py`. Both databases are measured; with
`TEST_DATABASE_URL`, PostgreSQL on that server.
"""

import os
import statistics
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from flask.testing import FlaskClient
from sqlalchemy import event

from benchmarks.large_log import every_database, paths, sign_in
from benchmarks.table import number, show
from service.app import make_flask
from service.parts import Parts

ROUNDS: Final = 7
MS_MAX: Final = 300  # of every page; the service's own promise


@dataclass(frozen=True, slots=True)
class Opened:
    """
    One page: its address, and what it cost.
    """

    path: str
    ms: tuple[float, ...]
    queries: int
    status: int


def measure_pages(*, quick: bool, seed: int, count: int | None) -> None:
    """
    Measure and print, on SQLite and, where a server is named, on PostgreSQL.
    """
    for database, parts, credentials in every_database(quick=quick, seed=seed, count=count):
        client = make_flask(parts).test_client()
        sign_in(client, credentials.supervisor)
        rows = [_open(parts, client, words, path) for words, path in paths(parts)]
        header = (f"page, {database}", "best ms", "median ms", "worst ms", "queries")
        show("Pages at the server", header, [row for row, _ in rows])
        slow = [row[0] for row, median in rows if median > MS_MAX]
        load = f"load {os.getloadavg()[0]:.1f}"
        text = f"  slower ({load}): {slow}" if slow else f"  every page under {MS_MAX} ms ({load})"
        print(text)


def _open(
    parts: Parts, client: FlaskClient, words: str, path: str
) -> tuple[tuple[str, ...], float]:
    opened = _timed(parts, client, path)
    assert opened.status == 200, (path, opened.status)
    median = statistics.median(opened.ms)
    figures = (number(one) for one in (min(opened.ms), median, max(opened.ms)))
    return (words, *figures, str(opened.queries)), median


def _timed(parts: Parts, client: FlaskClient, path: str) -> Opened:
    asked: list[str] = []
    here = threading.get_ident()

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if threading.get_ident() == here and not statement.startswith("BEGIN"):
            asked.append(statement)

    event.listen(parts.store, "before_cursor_execute", note)
    try:
        # A process compiles each template once, at its first use.
        times, status = [], client.get(path).status_code
        for _ in range(ROUNDS):
            asked.clear()
            began = time.perf_counter()
            client.get(path)
            times.append((time.perf_counter() - began) * 1000)
    finally:
        event.remove(parts.store, "before_cursor_execute", note)
    return Opened(path, tuple(times), len(asked), status)
