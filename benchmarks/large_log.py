"""
The large log that pages are looked at over: where it is made, and which pages are opened.

It is made by `benchmarks/log_of_decisions.py`. There is one on each database: SQLite,
and the PostgreSQL of `TEST_DATABASE_URL`, where a database may be made.
"""

import os
import re
import time
from collections.abc import Iterator
from typing import Final

from flask.testing import FlaskClient

from benchmarks.home import fresh_home
from benchmarks.log_of_decisions import RARE_RULE, fill
from benchmarks.parts import database
from service.app import join
from service.host.first_start import AGENCY, Credentials, SignIn
from service.parts import Parts
from service.store import decisions
from service.store.decision_fields import Filters

DECISIONS, QUICK_DECISIONS = 100_000, 5_000
DEEP_PAGES: Final = 3  # followed from far back in the log


def every_database(
    *, quick: bool, seed: int, count: int | None
) -> Iterator[tuple[str, Parts, Credentials]]:
    """
    Give the name of each database in turn, joined parts over a log in it, and who may sign in.

    *count* is how many decisions the log has; None means as many as is usual.
    """
    many = count or (QUICK_DECISIONS if quick else DECISIONS)
    yield from _filled("SQLite", many, seed, {})
    server = os.environ.get("TEST_DATABASE_URL")
    if server:
        with database(server) as url:
            yield from _filled("PostgreSQL", many, seed, {"CRISIS_ROUTER_DATABASE_URL": url})


def _filled(
    named: str, count: int, seed: int, changes: dict[str, str]
) -> Iterator[tuple[str, Parts, Credentials]]:
    with fresh_home(**changes) as (settings, credentials):
        parts, close = join(settings)
        try:
            began = time.monotonic()
            fill(parts, count, seed)
            spent_s = time.monotonic() - began
            print(f"\n{count:,} decisions stored in {spent_s:.0f} s ({named})", flush=True)
            yield named, parts, credentials
        finally:
            close()


def paths(parts: Parts) -> list[tuple[str, str]]:
    """
    Give the pages that are opened, each with what it is in words.
    """
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


def sign_in(client: FlaskClient, who: SignIn) -> None:
    """
    Sign in by the form, as a browser does.
    """
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)
    assert found is not None
    data = {"csrf_token": found[1], "email": who.email, "password": who.password}
    assert client.post("/sign-in", data=data).status_code == 303
