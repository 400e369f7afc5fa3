"""
Search everything that the service writes for words that people wrote: on disk, in Redis, in both
databases.
"""

import base64
import itertools
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psutil
import psycopg
import pytest
from redis import Redis

from service.host.private_redis import plan_redis
from tests.whole_service import fetch, running, until, until_ready

PLACES = (
    *("remark", "reason", "dispatch", "finding", "alert", "matter", "hold", "lift", "erasure"),
)
FACTS = {"caller": "with_person", "suicide": "plan", "weapon": "none", "violence": "none"}


def words(place: str) -> str:
    """
    Give what somebody writes in a place, found nowhere else.
    """
    return f"MARKED BY {place.upper()} SHE SAID GUN"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """
    Let the service use a database of each kind; gives the address of PostgreSQL, else nothing.
    """
    if request.param == "sqlite":
        return ""
    url = str(request.getfixturevalue("postgres_url"))
    monkeypatch.setenv("CRISIS_ROUTER_DATABASE_URL", url)
    return url


def of_redis(client: Redis) -> Iterator[bytes]:
    """
    Give every key and value, what Celery wrapped among them.
    """
    for key in client.keys("*"):
        kind = client.type(key)
        yield key
        if kind == b"string":
            yield client.get(key) or b""
        elif kind == b"list":
            for one in client.lrange(key, 0, -1):
                yield one
                yield base64.b64decode(json.loads(one)["body"])
        elif kind == b"hash":
            yield repr(client.hgetall(key)).encode()
        elif kind == b"set":
            yield repr(client.smembers(key)).encode()
        elif kind == b"zset":
            yield repr(client.zrange(key, 0, -1)).encode()


def of_files(home: Path) -> Iterator[bytes]:
    """
    Give every file of the home and what the processes printed.
    """
    for path in (*home.rglob("*"), home.parent / f"{home.name}.log"):
        if path.is_file():
            yield path.read_bytes()


def of_postgresql(url: str) -> Iterator[bytes]:
    """
    Give every row of every table.
    """
    if not url:
        return
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for (table,) in tables:
            rows = connection.execute(f'SELECT row_to_json(t)::text FROM "{table}" AS t').fetchall()
            yield "\n".join(row[0] for row in rows).encode()


def found_in(pieces: Iterator[bytes]) -> tuple[set[str], int]:
    """
    Give the places whose words stand in the pieces, and how many sealed texts do.
    """
    found: set[str] = set()
    sealed = 0
    for piece in pieces:
        found |= {place for place in PLACES if words(place).encode() in piece}
        # As it stands in what was wrapped, and told once more within JSON.
        found |= {place for place in PLACES if f"BY {place.upper()} SHE".encode() in piece}
        sealed += piece.count(b"enc:")
    return found, sealed


def write_everywhere(url: str, keys: dict[str, str]) -> None:
    """
    Write words in every place that takes them.
    """
    dispatch, supervisor, admin = keys["dispatch_key"], keys["supervisor_key"], keys["admin_key"]
    call = {"call_id": "p-1", "facts": FACTS, "remarks": words("remark")}
    made = fetch(f"{url}/v1/decisions", dispatch, call)
    path = f"{url}/v1/decisions/{made['decision_id']}"
    sent = {"responders": [], "reason": "other", "comment": words("dispatch")}
    sent["call_back_at"] = "2099-01-01T00:00:00Z"
    fetch(f"{path}/dispatch", dispatch, sent)
    until(lambda: len(fetch(f"{url}/v1/alerts", supervisor)["items"]), 1)
    alert = fetch(f"{url}/v1/alerts", supervisor)["items"][0]["alert_id"]
    fetch(f"{url}/v1/alerts/{alert}/settle", supervisor, {"comment": words("alert")})
    until(lambda: len(fetch(f"{url}/v1/reviews", supervisor)["items"]), 1)
    review = fetch(f"{url}/v1/reviews", supervisor)["items"][0]["review_id"]
    fetch(f"{url}/v1/reviews/{review}/claim", supervisor, {})
    fetch(f"{url}/v1/reviews/{review}/answer", supervisor, {"would_send": ["ems"]})
    told = {"verdict": "right", "comment": words("finding")}
    fetch(f"{url}/v1/reviews/{review}/finding", supervisor, told)
    hold = {"authority": "Court", "matter": words("matter"), "reason": words("hold")}
    held = fetch(f"{url}/v1/legal-holds", admin, {**hold, "call_id": "p-2"})["hold_id"]
    fetch(f"{url}/v1/legal-holds/{held}/lift", admin, {"reason": words("lift")})
    fetch(f"{url}/v1/erasures", admin, {"call_id": "p-1", "reason": words("erasure")})
    with pytest.raises(HTTPError):  # what is refused is not written down either
        fetch(f"{url}/v1/decisions", dispatch, {"remarks": words("remark")})


def test_no_word_that_people_wrote_stands_anywhere(tmp_path: Path, database: str) -> None:
    """
    With records stored, and with records on their way while no worker takes them: no remark, reason
    or comment stands in a log, the journal, Redis, the store or any other file; sealed texts do.
    """
    home = tmp_path / "home"
    with running(home) as (url, up):
        keys: dict[str, Any] = json.loads((home / "credentials.json").read_text())
        until_ready(url)
        write_everywhere(url, keys)
        workers = [
            one
            for one in psutil.Process(up.pid).children(recursive=True)
            if "worker" in one.cmdline()
        ]
        assert workers
        for one in workers:
            one.suspend()
        try:
            signals = [{"fact": "weapon", "source": "remarks", "reason": words("reason")}]
            call = {"facts": FACTS, "remarks": words("remark"), "dismissed": signals}
            client = Redis(unix_socket_path=str(plan_redis(home).socket))
            numbers = itertools.count(3)

            def waits() -> bool:
                # A worker that stands still had asked for one task already: that one is with it.
                told = {**call, "call_id": f"p-{next(numbers)}"}
                fetch(f"{url}/v1/decisions", keys["dispatch_key"], told)
                return found_in(of_redis(client))[1] > 0

            until(waits, True)
            assert found_in(of_redis(client))[0] == set()
            client.close()
        finally:
            for one in workers:
                with suppress(psutil.NoSuchProcess):  # one that stood still is soon replaced
                    one.resume()
        for pieces in (of_files(home), of_postgresql(database)):
            assert found_in(pieces)[0] == set()
        until(lambda: fetch(f"{url}/readyz")["journal"]["not_stored"], 0)
        if database:
            assert found_in(of_postgresql(database))[1] > 0
    found, sealed = found_in(of_files(home))
    assert found == set()
    assert sealed > 0
