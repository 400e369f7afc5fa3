"""
Prove that the first start makes everything once, and that one cut short is finished.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from sqlalchemy import Engine

from service.errors import SettingsError, StoreUnavailableError
from service.host import first_start
from service.host.first_start import Credentials, prepare
from service.settings import Settings, read_settings
from service.store import agencies, keys, people
from service.store.database import open_store


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """
    Give the settings of a home that is not there yet.
    """
    return read_settings({"CRISIS_ROUTER_HOME": str(tmp_path / "home")})


@pytest.fixture
def store(settings: Settings) -> Iterator[Engine]:
    """
    Give the store of that home; it is there after the first start.
    """
    engine = open_store(settings.database_url)
    yield engine
    engine.dispose()


def made(settings: Settings) -> Credentials:
    """
    Start, and give the credentials that this start must have made.
    """
    credentials = prepare(settings)
    assert credentials is not None
    return credentials


def test_the_first_start_makes_an_agency_its_people_and_keys(
    settings: Settings, store: Engine
) -> None:
    """
    The credentials file has the contract's shape, and each secret in it works.
    """
    credentials = made(settings)
    written = json.loads((settings.home / "credentials.json").read_text())
    assert written == asdict(credentials)
    assert list(written) == [
        "dispatch_key",
        "supervisor_key",
        "admin_key",
        "second_admin_key",
        "dispatcher",
        "supervisor",
        "admin",
        "second_admin",
    ]
    found = agencies.find(store, "example")
    assert found is not None
    assert (found.time_zone, found.ruleset) == ("UTC", "national-baseline")
    by_digest = {key.secret_digest: key for key in keys.all_keys(store)}
    owners = {}
    for name in ("dispatch", "supervisor", "admin", "second_admin"):
        key = by_digest[keys.digest(written[f"{name}_key"])]
        person = people.find(store, "example", key.person_id) if key.person_id else None
        owners[name] = (key.role, person.email if person else None)
    assert owners == {
        "dispatch": ("dispatch", None),
        "supervisor": ("supervisor", written["supervisor"]["email"]),
        "admin": ("admin", written["admin"]["email"]),
        "second_admin": ("admin", written["second_admin"]["email"]),
    }
    dispatcher = people.find_by_email(store, written["dispatcher"]["email"])
    assert dispatcher is not None
    assert people.is_password(dispatcher, written["dispatcher"]["password"])
    assert dispatcher.role == "dispatch"


def test_everything_is_for_the_owner_only(settings: Settings) -> None:
    """
    Nobody else reads the home or anything in it.
    """
    made(settings)
    assert settings.home.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o077 for path in settings.home.iterdir()}
    assert set(modes.values()) == {0}
    assert {"credentials.json", "encryption_keys", "session_key", "journal.sqlite"} <= set(modes)


def test_a_second_start_changes_nothing(settings: Settings, store: Engine) -> None:
    """
    Starting again makes no agency, key or file, also after the credentials were taken away.
    """
    made(settings)
    secrets = {
        name: (settings.home / name).read_text() for name in ("encryption_keys", "session_key")
    }
    before = keys.all_keys(store)
    (settings.home / "credentials.json").unlink()
    assert prepare(settings) is None
    assert keys.all_keys(store) == before
    assert {name: (settings.home / name).read_text() for name in secrets} == secrets
    assert not (settings.home / "credentials.json").exists()


@pytest.mark.parametrize("cut", ["_make", "_is_made"])
def test_a_start_cut_short_before_the_store_has_it_is_finished(
    settings: Settings, store: Engine, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    """
    A start that ended before anything was stored is completed with the same secrets.
    """

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(first_start, cut, die)
        with pytest.raises(KeyboardInterrupt):
            prepare(settings)
    draft = json.loads((settings.home / ".credentials.json.new").read_text())
    assert asdict(made(settings)) == draft
    assert len(keys.all_keys(store)) == 4


def test_a_start_cut_short_after_the_store_has_it_is_finished(
    settings: Settings, store: Engine
) -> None:
    """
    A start that ended just before the credentials were in place is completed by the next.
    """
    credentials = made(settings)
    (settings.home / "credentials.json").replace(settings.home / ".credentials.json.new")
    assert made(settings) == credentials
    assert len(keys.all_keys(store)) == 4


def test_two_hosts_on_one_store_make_one_agency(tmp_path: Path, postgres_url: str) -> None:
    """
    The second host finds the first one's agency and makes no credentials that would not work.
    """
    homes = [
        read_settings(
            {"CRISIS_ROUTER_HOME": str(tmp_path / name), "CRISIS_ROUTER_DATABASE_URL": postgres_url}
        )
        for name in ("one", "two")
    ]
    made(homes[0])
    assert prepare(homes[1]) is None
    assert not (homes[1].home / "credentials.json").exists()


def test_a_host_that_ran_before_starts_with_the_store_away(tmp_path: Path) -> None:
    """
    The first start needs the store; a later one does not, so that calls are answered.
    """
    away = {"CRISIS_ROUTER_DATABASE_URL": "postgresql://postgres@127.0.0.1:1/x"}
    home = {"CRISIS_ROUTER_HOME": str(tmp_path)}
    for _ in range(2):
        with pytest.raises(StoreUnavailableError):
            prepare(read_settings({**home, **away}))
    made(read_settings(home))
    assert prepare(read_settings({**home, **away})) is None


def test_a_home_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    """
    The error names the folder and the way out.
    """
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="CRISIS_ROUTER_HOME=/folder"):
        prepare(read_settings({"CRISIS_ROUTER_HOME": str(tmp_path / "file" / "home")}))
