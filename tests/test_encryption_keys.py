"""
A ring of keys that changes while processes hold it.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service import encryption
from service.cli import main
from service.encryption import key_file, new_key, open_key_ring
from service.encryption_keys import EncryptionKeys
from service.errors import CrisisRouterError
from service.host.first_start import prepare
from service.journal import Entry, Journal
from service.settings import Settings, read_settings
from service.store.database import open_store

AT = "2026-01-01T00:00:00Z"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """
    Make a home, in which a look at the keys is always due.
    """
    monkeypatch.setattr(encryption, "LOOK_EVERY_S", 0.0)
    monkeypatch.setenv("CRISIS_ROUTER_HOME", str(tmp_path / "home"))
    settings = read_settings()
    prepare(settings)
    return settings


@pytest.fixture
def keys(here: Settings) -> Iterator[EncryptionKeys]:
    """
    Look after the keys of the home.
    """
    store, journal = open_store(here.database_url), Journal(here)
    yield EncryptionKeys(here, store, journal)
    journal.close()
    store.dispose()


def settle(here: Settings) -> None:
    """
    Let the last change of the keys be a while ago.
    """
    os.utime(key_file(here), (0, 0))


def run(*words: str) -> Result:
    """
    Type a command.
    """
    return CliRunner().invoke(main, words)


def test_a_new_key_is_taken_without_a_restart_and_old_texts_open(
    here: Settings, keys: EncryptionKeys
) -> None:
    """
    A ring that was opened before seals with the new key and opens what the old one sealed; one that
    has not looked yet looks when it meets a key that it does not know.
    """
    ring = open_key_ring(here)
    old = ring.seal("she is alone", "r-1")
    made = keys.rotate()
    assert ring.names[0] == made
    new = ring.seal("she is alone", "r-1")
    assert new.startswith(f"enc:{made}:")
    assert [ring.open(one, "r-1") for one in (old, new)] == ["she is alone"] * 2
    late = open_key_ring(here)
    late._looked_at = float("inf")
    again = keys.rotate()
    sealed = open_key_ring(here).seal("x", "r-2")
    assert sealed.startswith(f"enc:{again}:")
    assert late.open(sealed, "r-2") == "x"


def test_a_file_that_cannot_be_read_changes_nothing(here: Settings) -> None:
    """
    Half a file, or none, leaves the ring as it was: no process loses its keys.
    """
    ring = open_key_ring(here)
    names = ring.names
    key_file(here).write_text("nonsense")
    assert ring.names == names
    key_file(here).unlink()
    assert ring.names == names


def test_a_key_is_retired_only_when_nothing_needs_it(here: Settings, keys: EncryptionKeys) -> None:
    """
    The newest never goes, nor one of a moment ago, nor one that a text in the journal needs; then
    it is gone.
    """
    ring, first = open_key_ring(here), open_key_ring(here).names[0]
    settle(here)
    with pytest.raises(CrisisRouterError, match="newest"):
        keys.retire(first)
    sealed = ring.seal("x", "r-1")
    body = {"request": {"remarks": sealed}, "answer": {}}
    journal = Journal(here)
    journal.append(Entry("decision", "r-1", "example", "c", AT, None, None, body))
    made = keys.rotate()
    with pytest.raises(CrisisRouterError, match="moment ago"):
        keys.retire(first)
    settle(here)
    with pytest.raises(CrisisRouterError, match="1 sealed text needs"):
        keys.retire(first)
    assert keys.listed() == ((made, 0), (first, 1))
    journal.confirm([1])
    assert journal.erase_texts("example", datetime.now(UTC), ()) == 1
    keys.retire(first)
    assert open_key_ring(here).names == (made,)
    with pytest.raises(CrisisRouterError, match="no key"):
        keys.retire(first)
    journal.close()


def test_keys_of_the_setting_are_changed_there(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Nothing is rotated that a file does not hold: the way out is named.
    """
    monkeypatch.setenv("CRISIS_ROUTER_ENCRYPTION_KEYS", new_key())
    result = run("keys", "rotate")
    assert result.exit_code == 1
    assert "start each part again" in result.stderr


def test_the_commands_rotate_list_and_forget(here: Settings) -> None:
    """
    A rotation is listed and stands in the trail; a call is asked for by one person and confirmed by
    another; who asks without a reason, or again, is told what to type, and mistakes are one clear
    line.
    """
    assert run("keys", "rotate").exit_code == 0
    listed = run("keys", "list").stdout.splitlines()
    assert ["seals" in line for line in listed] == [True, False]
    assert run("keys", "retire", "k0").exit_code == 1
    people = json.loads((here.home / "credentials.json").read_text())
    admin, second = people["admin"]["email"], people["second_admin"]["email"]
    for wrong, said in (
        (("forget", "--by", admin), "CALL_ID"),
        (("forget", "c-1", "--by", admin), "say why, with --reason"),
        (("forget", "c-1", "--by", admin, "--reason", " "), "say why, with --reason"),
        (("forget", "c-1", "--by", "nobody@example.org", "--reason", "r"), "nobody with this"),
        (("forget", "c-1", "--by", people["dispatcher"]["email"], "--reason", "r"), "may not"),
        (("forget", "c-1", "--by", admin, "--reason", "r"), "has no call"),
        (("forget", "--confirm", "x", "--by", second), "no request"),
    ):
        result = run(*wrong)
        assert (result.exit_code, said in result.stderr) == (1, True), result.stderr
    journal = Journal(here)
    body = {"request": {}, "answer": {"recommendation": {"responders": []}}}
    journal.append(Entry("decision", "r-9", "example", "c-9", AT, None, None, body))
    journal.close()
    asked = run("forget", "c-9", "--by", admin, "--reason", "form 12")
    assert asked.exit_code == 0, asked.stderr
    wanted = asked.stdout.strip()
    again = run("forget", "c-9", "--by", second, "--reason", "form 12")
    confirming = f"--agency example --confirm {wanted} --by EMAIL"
    assert (again.exit_code, confirming in again.stderr) == (1, True), again.stderr
    refused = run("forget", "--confirm", wanted, "--by", admin)
    assert "another person" in refused.stderr
    assert run("forget", "--confirm", wanted, "--by", second).exit_code == 0
