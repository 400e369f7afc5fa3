"""
Prove that a damaged journal, which holds sealed words and cannot be searched, outlives neither
their time nor an erasure.
"""

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from service import retention
from service.agency_settings import AgencyDefaults, Retention
from service.journal import Journal, create_journal
from service.settings import Settings, read_settings
from service.store import erasures, journal_numbers, legal_holds, records
from service.store.database import open_store, writing
from service.store.migration import migrate
from tests.store.test_retention import DAY, DEFAULTS, NOW, decision, erasure, held
from workers.aside import AsideShipping

OLD_HOST = "a" * 32
SHORT = replace(DEFAULTS, retention=Retention(31, 6))


@dataclass(frozen=True)
class House:
    """
    A host with a journal of its own and the store.
    """

    settings: Settings
    store: Engine
    journal: Journal

    def erase(self, at: dt.datetime, defaults: AgencyDefaults = DEFAULTS) -> int:
        """
        Do what the shipper does of aside journals.
        """
        return retention.erase_aside(self.store, self.journal, self.settings.home, defaults, at)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """
    Make a host whose store has a record of an older journal.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path)})
    create_journal(settings.journal_path)
    migrate(settings.database_url)
    store = open_store(settings.database_url)
    records.insert(store, [{**decision(1, NOW), "host_id": OLD_HOST}], NOW)
    journal = Journal(settings)
    yield House(settings, store, journal)
    journal.close()
    store.dispose()


def shipped(house: House, name: str = f"damaged-{OLD_HOST}-1") -> list[Path]:
    """
    Put a damaged journal aside as it is when the store has what can be read, written just now.
    """
    folder = house.settings.home / "journals_aside"
    folder.mkdir(exist_ok=True)
    made = [folder / f"{name}.sqlite.shipped{ending}" for ending in ("", "-wal")]
    for path in made:
        path.write_bytes(b"enc:k1:AAAA")
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    return made


def confirmed(house: House) -> None:
    """
    Let two people have a call erased.
    """
    made = erasure(house.store, "c-1")
    with writing(house.store) as connection:
        erasures.confirm(connection, made.id, ("person:2", "Q"), NOW + DAY)


@pytest.mark.parametrize(("defaults", "days"), [(DEFAULTS, 60), (SHORT, 1)])
def test_it_goes_when_a_word_in_it_could_be_too_old(
    house: House, defaults: AgencyDefaults, days: int
) -> None:
    """
    The journal held 30 days, so 60 days later a word may be 90 days old: until then it is there.
    """
    files = shipped(house)
    assert house.erase(NOW + days * DAY, defaults) == 0
    assert all(path.exists() for path in files)
    assert house.erase(NOW + days * DAY + dt.timedelta(seconds=1), defaults) == 1
    assert not any(path.exists() for path in files)


@pytest.mark.parametrize("name", [f"damaged-{OLD_HOST}-1", "damaged-unknown-1"])
def test_an_erasure_removes_it_at_once(house: House, name: str) -> None:
    """
    Confirmed by two it is gone with what stands beside it, also where nobody can tell whose journal
    it is; then the erasure waits for its host no more.
    """
    files = shipped(house, name)
    assert house.erase(NOW + DAY) == 0
    assert OLD_HOST in journal_numbers.hosts_of(house.store)
    confirmed(house)
    assert house.erase(NOW + DAY) == 1
    assert not any(path.exists() for path in files)
    assert (OLD_HOST in journal_numbers.hosts_of(house.store)) == ("unknown" in name)


def test_a_hold_on_anything_keeps_it(house: House) -> None:
    """
    What is held could be in a part that nobody can read, so neither time nor an erasure takes it,
    and the erasure goes on waiting, until the hold is lifted.
    """
    (file, _) = shipped(house)
    confirmed(house)
    hold = held(house.store, "c-2")
    assert house.erase(NOW + 900 * DAY) == 0
    assert file.exists()
    assert OLD_HOST in journal_numbers.hosts_of(house.store)
    with writing(house.store) as connection:
        legal_holds.lift(connection, ("a", hold), ("person:2", "Q"), "over", NOW)
    assert house.erase(NOW + DAY) == 1


def test_a_restored_journal_that_is_shipped_is_waited_for_no_more(house: House) -> None:
    """
    It is removed when the store has all of it; no erasure can be due on it.
    """
    folder = house.settings.home / "journals_aside"
    folder.mkdir()
    path = folder / f"restored-{OLD_HOST}-1.sqlite"
    create_journal(path)
    AsideShipping(house.settings, house.store, lambda _: None).step()
    assert not path.exists()
    assert OLD_HOST not in journal_numbers.hosts_of(house.store)
