"""
Prove that who has access is changed safely by two at once, on SQLite and on PostgreSQL.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from sqlalchemy import Engine

from service.access import Actor, command_line
from service.accounts.access_keys import AccessKeys
from service.accounts.agencies import Agencies, tag_of
from service.accounts.people import People
from service.audit import Audit
from service.errors import ConflictError
from service.rulesets import load_config
from service.store import agencies, keys, people
from service.store.agencies import Agency
from service.store.database import reading, writing
from service.store.people import Person

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def admins(store: Engine) -> list[str]:
    """
    Make an agency with two administrators, and give their ids.
    """
    agencies.create(store, Agency("a", "A", "UTC", "national-baseline", NOW))
    ids = ["1" * 32, "2" * 32]
    with writing(store) as connection:
        for one in ids:
            person = Person(one, "a", f"{one[0]}@a.example", f"Admin {one[0]}", "admin", "x", NOW)
            people.add(connection, person)
    return ids


def of_people(store: Engine) -> People:
    """
    Give the service function of people on a store.
    """
    return People(store, Audit(store, lambda: NOW), lambda: NOW)


def test_two_administrators_cannot_disable_each_other_at_once(
    store: Engine, admins: list[str]
) -> None:
    """
    Whoever comes second is told that theirs is the last one; one administrator is left.
    """
    served, start = of_people(store), Barrier(2)

    def disable(who: str, whom: str) -> str:
        start.wait()
        try:
            served.change(Actor("a", "admin", None, who, who), whom, {"disabled": True})
        except ConflictError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(disable, admins, reversed(admins)))
    assert sorted(done) == ["done", "last_admin"]
    with reading(store) as connection:
        assert people.count_administrators(connection, "a") == 1


def test_two_who_set_an_agency_at_once_do_not_overwrite_each_other(
    store: Engine, admins: list[str]
) -> None:
    """
    Both read the same settings; one is set, and the other is told that they changed.
    """
    defaults, start = load_config().agency, Barrier(2)
    served = Agencies(store, Audit(store, lambda: NOW), lambda: defaults, lambda: NOW)
    shown = served.find(command_line("a"))
    assert shown is not None
    told = {name: shown[name] for name in ("name", "time_zone", "dispatch_reasons", "review")}

    def change(name: str) -> str:
        start.wait()
        try:
            served.change(command_line("a"), {**told, "name": name}, tag_of(shown))
        except ConflictError as error:
            return error.code
        return name

    with ThreadPoolExecutor(2) as pool:
        done = sorted(pool.map(change, ["B", "C"]))
    assert done[1] == "changed_since"
    found = agencies.find(store, "a")
    assert found is not None
    assert found.name == done[0]


def test_keys_are_paged_and_name_their_person(store: Engine, admins: list[str]) -> None:
    """
    Pages of keys follow each other with the newest first; who acts by a key has a name.
    """
    served = AccessKeys(store, Audit(store, lambda: NOW), lambda: NOW)
    made = [served.make(command_line("a"), {"label": f"k{n}", "role": "dispatch"}) for n in "123"]
    mine = served.make(command_line("a"), {"label": "mine", "person_id": admins[0]})
    first, cursor = served.page(command_line("a"), None, 3)
    rest, end = served.page(command_line("a"), cursor, 3)
    listed = [one["key_id"] for one in (*first, *rest)]
    assert sorted(listed) == sorted([mine.key["key_id"], *(one.key["key_id"] for one in made)])
    assert end is None
    assert keys.owners(store) == {admins[0]: "Admin 1"}
    assert served.page(command_line("b"), None, 3) == ([], None)
