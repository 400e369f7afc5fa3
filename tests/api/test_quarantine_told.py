"""
What `/readyz` says of records that the store cannot take as they are.
"""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import join, make_flask
from service.host.first_start import prepare
from service.parts import Parts
from service.settings import read_settings
from service.store import agencies, keys, quarantined, records
from service.store.agencies import Agency
from service.store.database import writing
from service.store.keys import Key
from service.surroundings import QUARANTINED_MAX
from tests.api.test_degraded import NOWHERE, served, settings_of

NOW = dt.datetime(2026, 11, 29, 3, 0, tzinfo=dt.UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """
    Give a home of a first start.
    """
    folder = tmp_path / "home"
    prepare(settings_of(folder))
    return folder


@pytest.fixture
def joined(home: Path) -> Iterator[tuple[Parts, FlaskClient]]:
    """
    Join the service on it.
    """
    parts, close = join(read_settings({"CRISIS_ROUTER_HOME": str(home)}))
    yield parts, make_flask(parts).test_client()
    close()


def quarantine(parts: Parts, agency: Any, count: int = 1, first: int = 1) -> None:
    """
    Have records refused by the store, and look.
    """
    record = {"host_id": "h" * 32, "record_id": "r", "kind": "decision", "agency": agency}
    bad = [{**record, "number": first + number, "body": "no JSON"} for number in range(count)]
    stored, refused = records.insert(parts.store, bad, NOW)
    assert (stored, len(refused)) == (0, count)
    parts.surroundings.look()


def told(client: FlaskClient, key: str = "") -> tuple[int | None, list[str]]:
    """
    Give how many are said to be in quarantine, and what is said about them.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    found = client.get("/readyz", headers=headers).json
    said = [one["text"] for one in found["degraded"] if one["part"] == "quarantine"]
    assert not said or found["status"] == "degraded"
    return found["journal"]["quarantined"], said


def test_each_agency_is_told_of_its_own_and_monitoring_of_all(
    home: Path, joined: tuple[Parts, FlaskClient]
) -> None:
    """
    The words name the way out; what is stored after all is told no more, and a record whose agency
    nobody can read may be anybody's.
    """
    parts, client = joined
    mine = json.loads((home / "credentials.json").read_text())["dispatch_key"]
    other = keys.new_key()
    agencies.create(parts.store, Agency("other", "Other", "UTC", "national-baseline", NOW))
    made = Key(keys.new_id(), "other", keys.digest(other), "dispatch", None, "", NOW)
    keys.create(parts.store, made)
    assert told(client) == told(client, mine) == (0, [])
    quarantine(parts, "other")
    assert told(client, mine) == (0, [])
    for key in ("", other):
        count, said = told(client, key)
        assert count == 1
        assert said[0].startswith("1 record is in quarantine")
        assert "`crisis-router quarantine list`" in said[0]
    with writing(parts.store) as connection:
        assert quarantined.settle(connection, ("h" * 32, 1), "test", NOW)
    parts.surroundings.look()
    assert told(client) == told(client, other) == (0, [])
    quarantine(parts, {"none": 1}, first=2)
    assert [told(client, key)[0] for key in ("", mine, other)] == [1, 1, 1]


def test_a_flood_is_counted_up_to_a_bound(joined: tuple[Parts, FlaskClient]) -> None:
    """
    However many there are, a look counts no more than its bound, and that is said.
    """
    parts, client = joined
    quarantine(parts, "example", QUARANTINED_MAX + 5)
    count, said = told(client)
    assert count == QUARANTINED_MAX
    assert said[0].startswith(f"{QUARANTINED_MAX} or more records are in quarantine")


def test_what_was_seen_last_holds_while_the_store_is_away(
    home: Path, joined: tuple[Parts, FlaskClient]
) -> None:
    """
    The count of the last look stays; and it is not kept on disk, where it could be old.
    """
    parts, client = joined
    kept = home / "last_seen.json"
    before = (kept.stat().st_ino, kept.read_bytes())
    quarantine(parts, "example")
    assert (kept.stat().st_ino, kept.read_bytes()) == before, "a count alone writes nothing"
    parts.store.dispose()
    store = home / "store.sqlite"
    store.rename(home / "gone.sqlite")
    store.mkdir()
    parts.surroundings.look()
    assert not parts.surroundings.seen.has_store
    assert told(client)[0] == 1
    store.rmdir()


def test_what_nobody_ever_saw_is_said_to_be_unknown(home: Path) -> None:
    """
    A process that starts with the store away says null, not none.
    """
    with served(settings_of(home, database_url=NOWHERE, store_wait_s_max="0.2")) as client:
        assert told(client) == (None, [])
