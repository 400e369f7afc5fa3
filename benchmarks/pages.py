"""
How long the pages of decisions take at the server over a large log, and how often each asks the
store.

The log is made by `benchmarks/log_of_decisions.py`. With `TEST_DATABASE_URL`, the address of a
PostgreSQL server where a database may be made, both databases are measured.
"""

import os
import re
import statistics
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from flask.testing import FlaskClient
from sqlalchemy import event

from benchmarks.home import fresh_home
from benchmarks.log_of_decisions import RARE_RULE, fill
from benchmarks.parts import database
from benchmarks.table import number, show
from service.app import join, make_flask
from service.host.first_start import AGENCY, SignIn
from service.parts import Parts
from service.store import decisions
from service.store.decision_fields import Filters

DECISIONS, QUICK_DECISIONS = 100_000, 5_000
ROUNDS: Final = 7
MS_MAX: Final = 300  # of every page; the service's own promise
DEEP_PAGES: Final = 3  # followed from far back in the log


@dataclass(frozen=True, slots=True)
class Opened:
    """
    One page: its address, and what it cost.
    """

    path: str
    ms: tuple[float, ...]
    queries: int
    status: int


def measure_pages(*, quick: bool, seed: int) -> None:
    """
    Measure and print, on SQLite and, where a server is named, on PostgreSQL.
    """
    count = QUICK_DECISIONS if quick else DECISIONS
    _measure("SQLite", count, seed, {})
    server = os.environ.get("TEST_DATABASE_URL")
    if server:
        with database(server) as url:
            _measure("PostgreSQL", count, seed, {"CRISIS_ROUTER_DATABASE_URL": url})


def _measure(named: str, count: int, seed: int, changes: dict[str, str]) -> None:
    with fresh_home(**changes) as (settings, credentials):
        parts, close = join(settings)
        try:
            began = time.monotonic()
            fill(parts, count, seed)
            print(f"\n{count:,} decisions stored in {time.monotonic() - began:.0f} s ({named})")
            client = make_flask(parts).test_client()
            _sign_in(client, credentials.supervisor)
            rows = [_open(parts, client, words, path) for words, path in _paths(parts)]
        finally:
            close()
    header = (f"page, {named}", "best ms", "median ms", "worst ms", "queries")
    show(f"Pages over {count:,} decisions, at the server", header, [row for row, _ in rows])
    slow = [row[0] for row, median in rows if median > MS_MAX]
    load = f"load {os.getloadavg()[0]:.1f}"
    print(f"  every page under {MS_MAX} ms ({load})" if not slow else f"  slower ({load}): {slow}")


def _paths(parts: Parts) -> list[tuple[str, str]]:
    deep, one, call = _deep_cursor(parts), *_some_decision(parts)
    listed = [
        ("", "newest"),
        ("responder=ems", "a frequent responder"),
        ("responder=warm_line", "the rarest responder"),
        (f"rule={RARE_RULE}", "a rule that fired three times, long ago"),
        ("rule=nothing-like-it", "a rule that never fired"),
        ("urgency=routine", "an urgency"),
        ("overridden=true", "something else sent"),
        ("overridden=false", "sent as recommended"),
        ("fallback=true", "wanted could not come"),
        ("fallback=false", "wanted could come"),
        ("reviewed=true", "reviewed: none is"),
        ("reviewed=false", "not reviewed"),
        ("responder=warm_line&urgency=emergent", "two that exclude each other"),
        (f"overridden=true&rule={RARE_RULE}", "something else sent, by a rare rule"),
        ("from=2026-08-27&to=2026-08-28&urgency=urgent", "a day long ago, and an urgency"),
        (f"call_id={call}", "one call"),
        ("q=E26-0000", "the beginning of few old calls"),
        ("q=E26", "the beginning of all calls"),
        (f"cursor={deep}", "a page far back"),
        (f"cursor={deep}&responder=co_responder&overridden=false", "far back, two filters"),
    ]
    return [(f"list: {words}", f"/decisions?{query}") for query, words in listed] + [
        ("a decision", f"/decisions/{one}"),
        ("a call's revisions", f"/calls/{call}"),
        ("try it again: the form", f"/decisions/{one}/try"),
    ]


def _deep_cursor(parts: Parts) -> str:
    """
    Follow the cursor from a time far back, as somebody who leafs through the log gets there.
    """
    oldest = decisions.page(parts.store, AGENCY, Filters(rule=RARE_RULE)).items[-1].decided_at
    filters, cursor = Filters(until=oldest.replace(month=oldest.month + 1, day=1)), None
    for _ in range(DEEP_PAGES):
        cursor = decisions.page(parts.store, AGENCY, filters, cursor).next
    return str(cursor)


def _some_decision(parts: Parts) -> tuple[str, str]:
    found = decisions.page(parts.store, AGENCY, Filters(overridden=True)).items
    chosen = max(found, key=lambda one: one.revision)
    return chosen.record_id, chosen.call_id


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


def _sign_in(client: FlaskClient, who: SignIn) -> None:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)
    assert found is not None
    data = {"csrf_token": found[1], "email": who.email, "password": who.password}
    assert client.post("/sign-in", data=data).status_code == 303
