"""
`crisis-router verify`, `anchor` and `export`, as they are typed.
"""

import errno
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, update

from service import verify_log
from service.cli import main
from service.commands import log_commands
from service.errors import StoreUnavailableError
from service.host.first_start import prepare
from service.settings import read_settings
from service.store import audit, chain, decisions, records
from service.store.database import open_store, reading, writing
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


def refuse(*_: object) -> None:
    """
    Fail as the store does on a disk that is full.
    """
    raise StoreUnavailableError("the store is full, for a test")


def trail(home: Path) -> int:
    """
    Count the entries of the trail that say that a log was exported.
    """
    store = open_store(read_settings({"CRISIS_ROUTER_HOME": str(home)}).database_url)
    with reading(store) as connection:
        found = connection.scalars(select(audit.audit.c.act)).all()
    store.dispose()
    return found.count("exported")


@pytest.mark.parametrize("to", ["log.jsonl", "-"])
def test_what_cannot_be_noted_is_not_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    """
    Where the trail takes no entry the export writes nothing, says so in one line and ends with 1;
    the same command exports once it does.
    """
    home = tmp_path / "home"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRISIS_ROUTER_HOME", str(home))
    prepare(read_settings({"CRISIS_ROUTER_HOME": str(home)}))
    with monkeypatch.context() as full:
        full.setattr(audit, "create", refuse)
        refused = run("export", to)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "nothing was exported: it cannot be noted in the audit trail" in refused.stderr
    assert not (tmp_path / "log.jsonl").exists()
    assert run("export", to).exit_code == 0
    assert trail(home) == 1


def test_an_export_that_fails_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The unfinished file is taken away, one that was there before never.
    """
    home, file = tmp_path / "home", tmp_path / "log.jsonl"
    monkeypatch.setenv("CRISIS_ROUTER_HOME", str(home))
    prepare(read_settings({"CRISIS_ROUTER_HOME": str(home)}))

    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(log_commands, "lines_of", no_room)
        assert f"`{file}` cannot be written: No space left" in run("export", str(file)).stderr
    assert not file.exists()
    with monkeypatch.context() as away:
        away.setattr(log_commands, "lines_of", lambda *_: iter([b'{"incomplete": true}']))
        assert "broke off" in run("export", str(file)).stderr
    assert not file.exists()
    assert run("export", str(file)).exit_code == 0
    whole = file.read_bytes()
    assert f"`{file}` is there already" in run("export", str(file)).stderr
    assert file.read_bytes() == whole


def test_a_replay_that_cannot_be_noted_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The result is shown, one line says that the trail does not know of it, and the code is 1.
    """
    home = tmp_path / "home"
    monkeypatch.setenv("CRISIS_ROUTER_HOME", str(home))
    prepare(read_settings({"CRISIS_ROUTER_HOME": str(home)}))
    words = ("replay", "--all", "--since", "2026-01-01")
    with monkeypatch.context() as full:
        full.setattr(audit, "create", refuse)
        lost = run(*words)
    assert (lost.exit_code, "0 decisions since" in lost.stdout) == (1, True)
    assert "is not in the audit trail" in lost.stderr.splitlines()[-1]
    assert run(*words).exit_code == 0


def test_a_replay_without_a_store_says_that_it_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A store that cannot be asked is said to be away; it is not a log of no decisions.
    """
    monkeypatch.setenv("CRISIS_ROUTER_HOME", str(tmp_path))
    prepare(read_settings({"CRISIS_ROUTER_HOME": str(tmp_path)}))
    monkeypatch.setenv("CRISIS_ROUTER_DATABASE_URL", "postgresql://postgres@127.0.0.1:1/x")
    for words in (("--all", "--since", "2026-01-01"), ("a-decision",)):
        away = run("replay", *words)
        assert (away.exit_code, away.stdout) == (1, "")
        assert "cannot be reached: nobody listens there" in away.stderr.splitlines()[-1]
