"""
`crisis-router sample check` as an auditor types it.
"""

import datetime as dt
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli import main
from service.encryption import sampling_key
from service.host.first_start import prepare
from service.reviewing.review_selection import Selecting, select_for_review
from service.reviewing.sample import week_of
from service.rules_in_force import read_rules
from service.settings import read_settings
from service.store import records, reviews
from service.store.database import open_store, writing

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)


def check(*words: str) -> Result:
    """
    Run the command.
    """
    return CliRunner().invoke(main, ["sample", "check", *words])


def test_a_week_is_drawn_again_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The command agrees with the queue, names the call whose review is gone, and says in one line
    what is no agency and what is no week.
    """
    home = tmp_path / "home"
    monkeypatch.setenv("CRISIS_ROUTER_HOME", str(home))
    assert "start it first" in check("example", "--week", "2026-W48").stderr
    settings = read_settings({"CRISIS_ROUTER_HOME": str(home)})
    prepare(settings)
    store = open_store(settings.database_url)
    batch = [
        {
            "number": number,
            "host_id": "h1",
            "kind": "decision",
            "record_id": f"d-{number}",
            "agency": "example",
            "call_id": f"c-{number}",
            "decided_at": NOW.isoformat(),
            "body": {"answer": {}, "request": {}},
        }
        for number in range(1, 31)
    ]
    records.insert(store, batch, NOW)
    defaults = read_rules(settings).config.agency
    select_for_review(store, Selecting(defaults, sampling_key(settings), NOW))
    week = week_of(NOW, "UTC")
    right = check("example", "--week", week)
    assert right.exit_code == 0
    assert "10 of 30 calls are in the sample" in right.output
    (found, *_), _ = reviews.page(store, "example", is_open=True)
    with writing(store) as connection:
        assert reviews.withdraw(connection, found, NOW)
    wrong = check("example", "--week", week)
    assert wrong.exit_code == 1
    assert f"missing    {found.call_id}" in wrong.output
    for words in (("nobody", "--week", week), ("example", "--week", "2026-W60")):
        refused = check(*words)
        assert refused.exit_code == 1
        assert len(refused.stderr.strip().splitlines()) == 1
    store.dispose()
