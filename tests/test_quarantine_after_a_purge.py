"""
`crisis-router quarantine` after a purge, as it is typed.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service import retention
from service.cli import main
from service.host.first_start import prepare
from service.rulesets import read_agency_defaults
from service.settings import read_settings
from service.store import records
from service.store.database import open_store
from tests.store.test_retention import DAY, NOW, decision

YEARS_OLD = NOW - 7 * 366 * DAY


def run(*words: str) -> Result:
    """
    Run a command.
    """
    return CliRunner().invoke(main, ["quarantine", *words])


def test_an_erased_record_says_so_and_is_stored_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    `show` says when and why it went, `list` names it no more, `retry` is refused in words; one that
    lost only its words says that, and is tried.
    """
    monkeypatch.setenv("CRISIS_ROUTER_HOME", str(tmp_path))
    settings = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path)})
    prepare(settings)
    store = open_store(settings.database_url)
    old = {**decision(1, YEARS_OLD), "kind": "weather", "agency": "example"}
    worded = {**decision(2, NOW - 91 * DAY), "kind": "weather", "agency": "example"}
    records.insert(store, [old, worded], NOW)
    assert "h          1" in run("list").stdout
    assert retention.purge(store, read_agency_defaults(settings.config), NOW) == 3
    store.dispose()
    assert "its time of keeping was over" in run("show", "h", "1").stdout
    assert "h          1" not in run("list").stdout
    refused = run("retry", "h", "1")
    assert refused.exit_code != 0
    assert refused.stderr.startswith("it was erased on 2026-11-24: ")
    assert "but for texts that were erased" in run("show", "h", "2").stdout
    assert "0 stored, 1 left" in run("retry", "h", "2").stdout
