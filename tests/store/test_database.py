"""
The addresses of stores, and what a store that is away looks like.
"""

from datetime import UTC, datetime

import pytest
from sqlalchemy.engine import make_url

from service.errors import SettingsError, StoreUnavailableError
from service.store import decisions
from service.store.database import open_store, read_url, reading
from service.store.migration import migrate
from tests.servers import free_port

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, UTC)


@pytest.mark.parametrize(
    "address", ["postgresql://postgres@127.0.0.1:1/x", "sqlite:////no/such/folder/store.sqlite"]
)
def test_a_store_that_is_away_is_one_kind_of_error(address: str) -> None:
    """
    Whatever the driver says, callers learn in time that the store is away.
    """
    engine = open_store(address)
    with pytest.raises(StoreUnavailableError):
        decisions.find(engine, "a", "r-1")
    with pytest.raises(StoreUnavailableError):
        migrate(address)


def test_addresses_of_postgresql_mean_psycopg_3() -> None:
    """
    The short forms that hosting providers give work as they are, and a password is kept.
    """
    for short in ("postgres", "postgresql", "postgresql+psycopg"):
        read = read_url(f"{short}://u:p%40@h:5432/n")
        assert read.render_as_string(hide_password=False) == "postgresql+psycopg://u:p%40@h:5432/n"


@pytest.mark.parametrize(
    "address", ["mysql://h/n", "no address", "sqlite://", "postgresql+asyncpg://h/n"]
)
def test_other_addresses_are_settings_to_mend(address: str) -> None:
    """
    What is no store is refused with an example of what is.
    """
    with pytest.raises(SettingsError, match="postgresql://user"):
        open_store(address)


def test_a_confirmed_record_is_on_the_disk_of_a_server_set_to_wait_for_none(url: str) -> None:
    """
    A session of ours waits for the disk at a commit though the server's default is not to: the
    journal forgets what the store confirmed.
    """
    if not url.startswith("postgresql"):
        pytest.skip("a setting of PostgreSQL")
    options = f"{url}{'&' if '?' in url else '?'}options=-csynchronous_commit%3D"
    for server, ours in (("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")):
        engine = open_store(options + server)
        with engine.connect() as connection:
            found = connection.exec_driver_sql("SHOW synchronous_commit").scalar()
        engine.dispose()
        assert found == ours


def test_a_store_that_is_away_is_named_with_the_reason_and_no_secret(postgres_url: str) -> None:
    """
    A refused connection and a database that is not there are told apart, by host, port and name;
    the user and the password are in no message.
    """
    given = make_url(postgres_url)
    gone = given.set(username="somebody", password="secret-1", database="nowhere")
    shut = gone.set(host="127.0.0.1", port=free_port())
    said = []
    for url in (gone, shut):
        engine = open_store(url.render_as_string(hide_password=False))
        with pytest.raises(StoreUnavailableError) as raised, reading(engine):
            pass
        engine.dispose()
        said.append(str(raised.value))
    assert said[0].startswith(f"the store `nowhere` at `{given.host}")
    assert said[0].endswith("it has no such database or user")
    there = f"the store `nowhere` at `127.0.0.1:{shut.port}`"
    assert said[1] == f"{there} cannot be reached: nobody listens there"
    assert "secret" not in "".join(said)
    assert "somebody" not in "".join(said)
