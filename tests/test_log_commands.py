"""
`crisis-router verify`, `anchor` and `export`, as they are typed.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from service import verify_log
from service.cli import main
from service.host.first_start import prepare
from service.settings import read_settings
from service.store import chain, decisions, records
from service.store.database import open_store, writing
from tests.store.test_store import NOW, record


def run(*words: str) -> Result:
    """
    Run a command.
    """
    return CliRunner().invoke(main, list(words))


def test_the_log_is_anchored_exported_and_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The anchor that is printed verifies here and far away; a record that somebody changed is named,
    with exit code 1; the export is itself in the trail.
    """
    home, file = tmp_path / "home", tmp_path / "log.jsonl"
    monkeypatch.setenv("CRISIS_ROUTER_HOME", str(home))
    assert "start it first" in run("verify").stderr
    settings = read_settings({"CRISIS_ROUTER_HOME": str(home)})
    prepare(settings)
    store = open_store(settings.database_url)
    batch = [record(number, agency="example") for number in range(1, 8)]
    records.insert(store, batch, NOW)
    chain.seal(store, NOW, 1_000)
    printed = run("anchor").output
    anchor = printed.split()[1]
    assert printed.startswith("example  ")
    assert run("anchor", "--place", anchor.split(":")[0]).output.split()[1] == anchor
    assert run("anchor", "--place", "999").exit_code == 1
    good = run("verify", "--agency", "example", "--anchor", anchor)
    assert (good.exit_code, "example: GOOD" in good.output) == (0, True)
    assert f"anchored at place {anchor.split(':')[0]}" in good.output
    assert run("export", str(file)).exit_code == 0
    assert run("export", str(file)).exit_code == 1  # an export is never written over
    assert verify_log.main([str(file), "--anchor", anchor]) == 0
    assert run("export", "-", "--from", "2", "--to", "3").output.count("\n") == 4
    assert run("export", "-", "--to", "99999").exit_code == 1
    chain.seal(store, NOW, 1_000)
    assert run("verify").exit_code == 0
    table = decisions.decisions
    with writing(store) as connection:
        connection.execute(update(table).where(table.c.record_id == "r-004").values(body={}))
    bad = run("verify")
    assert bad.exit_code == 1
    assert "example: FAULT: alteration at place" in bad.output
    assert "`r-004`" in bad.output
    assert run("verify", "--anchor", "x").exit_code == 1
    assert run("verify", "--agency", "nobody").exit_code == 1
    store.dispose()
