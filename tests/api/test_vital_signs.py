"""
What `/metrics` says of the host at the moment it is asked.
"""

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from service.app import join, make_flask
from service.host.first_start import prepare
from service.host.restarts import PARTS, Restarts
from service.journal import aside
from service.parts import Parts
from service.store import records
from tests.api.test_degraded import NOWHERE, post, served, settings_of

NOW = dt.datetime(2026, 11, 29, 3, 0, tzinfo=dt.UTC)
SIGNS = {
    f"crisis_router_{name}"
    for name in (
        "journal_backlog_records",
        "journal_oldest_seconds",
        "journal_bytes",
        "disk_free_bytes",
        "journals_aside",
        "quarantined_records",
        "store_up",
        "queue_up",
    )
}
RESTARTS = "crisis_router_restarts_total"


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
    Join the service on it, without Redis.
    """
    parts, close = join(settings_of(home))
    yield parts, make_flask(parts).test_client()
    close()


def scraped(client: FlaskClient) -> dict[str, float]:
    """
    Scrape, and give each value by its name and labels; each is there once.
    """
    answered = client.get("/metrics")
    assert answered.status_code == 200
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(answered.text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            key = f"{sample.name}{{{labels}}}" if labels else sample.name
            assert key not in found
            found[key] = sample.value
    return found


def test_what_waits_and_what_is_away_is_told(home: Path, joined: tuple[Parts, FlaskClient]) -> None:
    """
    Each sign has its value: a record that waits, one in quarantine, a journal aside, parts that
    died or hung, and a queue that is away.
    """
    parts, client = joined
    before = scraped(client)
    assert set(before) >= SIGNS
    names = ("journal_backlog_records", "journals_aside", "quarantined_records")
    assert [before[f"crisis_router_{name}"] for name in names] == [0, 0, 0]
    assert (before["crisis_router_store_up"], before["crisis_router_queue_up"]) == (1, 0)
    assert not [name for name in before if name.startswith(RESTARTS)], "nobody supervises"
    assert post(client, home, {"call_id": "E26-1", "remarks": "SHE SAID"}).status_code == 201
    (home / aside.FOLDER).mkdir()
    (home / aside.FOLDER / "damaged.sqlite").touch()
    bad = {"host_id": "h" * 32, "number": 1, "record_id": "r", "agency": "other", "body": "no JSON"}
    records.insert(parts.store, [bad], NOW)
    parts.surroundings.look()
    counts = Restarts(home)
    counts.count("shipper", "died")
    counts.count("shipper", "hung")
    counts.count("shipper", "hung")
    told = scraped(client)
    assert [told[f"crisis_router_{name}"] for name in names] == [1, 1, 1]
    assert 0 < told["crisis_router_journal_oldest_seconds"] < 600
    assert told["crisis_router_journal_bytes"] > 0
    assert told["crisis_router_disk_free_bytes"] > 0
    assert told[f"{RESTARTS}{{part=shipper,why=hung}}"] == 2
    assert told[f"{RESTARTS}{{part=shipper,why=died}}"] == 1
    for part in set(PARTS) - {"shipper"}:
        assert told[f"{RESTARTS}{{part={part},why=died}}"] == 0
    text = client.get("/metrics").text
    key = json.loads((home / "credentials.json").read_text())["dispatch_key"]
    for private in ("E26-1", "SHE SAID", "example", "other", key, str(home)):
        assert private not in text


def test_what_cannot_be_read_is_left_out_and_the_rest_is_told(
    home: Path, joined: tuple[Parts, FlaskClient]
) -> None:
    """
    A journal or a home that is gone, or a file that holds anything, breaks no scrape.
    """
    parts, client = joined
    (home / "restarts.json").write_text("[1]")
    parts.journal.close()
    shutil.rmtree(home / aside.FOLDER, ignore_errors=True)
    (home / "journal.sqlite").unlink()
    (home / "journal.sqlite").mkdir()
    told = scraped(client)
    assert "crisis_router_journal_bytes" not in told
    assert "crisis_router_journal_backlog_records" not in told
    assert set(told) >= {"crisis_router_disk_free_bytes", "crisis_router_store_up"}
    (home / "journal.sqlite").rmdir()


def test_a_store_that_nobody_ever_reached_is_down_and_its_quarantine_unknown(home: Path) -> None:
    """
    Unknown is left out; it is not 0.
    """
    with served(settings_of(home, database_url=NOWHERE, store_wait_s_max="0.2")) as client:
        told = scraped(client)
        assert told["crisis_router_store_up"] == 0
        assert "crisis_router_quarantined_records" not in told


def test_every_metric_is_in_the_handbook(joined: tuple[Parts, FlaskClient]) -> None:
    """
    What a scrape shows has a line in the table of `docs/reliability.md`, and the other way round.
    """
    parts, client = joined
    Restarts(parts.settings.home)
    written = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
    lines = [line for line in written.splitlines() if line.startswith("| `crisis_router_")]
    listed = {line.split("`")[1].partition("{")[0] for line in lines}
    shown = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in text_string_to_metric_families(client.get("/metrics").text)
        if not family.name.endswith("_created")  # the library's own, of a process that is alone
    }
    of_the_shipper = {name for name in listed if "shipped" in name or "sent_again" in name}
    assert len(of_the_shipper) == 2
    assert listed - of_the_shipper == shown
