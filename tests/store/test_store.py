"""
Prove that the store does the same on SQLite and on PostgreSQL.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError

from service.errors import CursorError, SettingsError
from service.store import agencies, decisions, journal_positions, keys, people, quarantined, records
from service.store.agencies import Agency
from service.store.database import open_store, reading, writing
from service.store.decision_fields import Filters
from service.store.keys import Key
from service.store.migration import is_current, migrate
from service.store.people import Person
from service.store.tables import metadata

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, UTC)


def record(number: int, **changes: Any) -> dict[str, Any]:
    """
    Give a record as the journal sends it; each is decided one second after the one before.
    """
    answer = {
        "recommendation": {
            "urgency": "moderate",
            "responders": [{"kind": "mobile_crisis", "how": "send"}],
            "fallback": None,
        },
        "because": [{"table": "needs", "rule": "someone-should-come"}],
        "law_enforcement": {"included": False, "because": []},
        "ruleset": {"name": "national-baseline", "version": 3, "digest": "sha256:1"},
        "mode": "full",
    }
    made = {
        "number": number,
        "host_id": "h1",
        "kind": "decision",
        "record_id": f"r-{number:03}",
        "agency": "a",
        "call_id": f"c-{number}",
        "revision": 1,
        "decided_at": (NOW + timedelta(seconds=number)).isoformat(),
        "fingerprint": None,
        "body": {"request": {"received_at": "2026-11-24T02:15:00-08:00"}, "answer": answer},
        "state": "journaled",
    }
    return {**made, **changes}


def recommending(number: int, recommendation: dict[str, Any], **answer: Any) -> dict[str, Any]:
    """
    Give a record with another recommendation.
    """
    return record(number, body={"answer": {"recommendation": recommendation, **answer}})


def ids(page: decisions.Page) -> list[str]:
    """
    Give the record ids of a page, in order.
    """
    return [one.record_id for one in page.items]


def test_the_migrated_schema_is_the_declared_one(store: Engine) -> None:
    """
    What migrations make and what the code declares differ in nothing.
    """
    with reading(store) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert is_current(store)


def test_two_processes_may_migrate_at_once(url: str) -> None:
    """
    Migrations that start together end with one schema and no error.
    """
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: migrate(url), range(4)))
    engine = open_store(url)
    assert is_current(engine)
    engine.dispose()


def test_a_batch_told_twice_is_stored_once(store: Engine) -> None:
    """
    The same records again, alone or among new ones, store nothing twice.
    """
    assert records.insert(store, [record(1), record(2)], NOW) == (2, ())
    assert records.insert(store, [record(1), record(2)], NOW) == (0, ())
    assert records.insert(store, [record(2), record(3)], NOW) == (1, ())
    assert journal_positions.confirmed(store, "h1", [1, 3, 9]) == {1, 3}
    assert journal_positions.confirmed(store, "h1", []) == set()


def test_a_request_told_to_two_hosts_is_kept_twice_and_counted_once(store: Engine) -> None:
    """
    The second host's record is kept beside the first, so that no number of its journal is missing.
    """
    records.insert(store, [record(1)], NOW)
    second = record(7, record_id="r-001", host_id="h2")
    for _ in range(2):
        assert records.insert(store, [second], NOW) == (0, ())
    with reading(store) as connection:
        columns = decisions.repeats.c.host_id, decisions.repeats.c.record_id
        kept = connection.execute(select(*columns)).all()
    assert [tuple(row) for row in kept] == [("h2", "r-001")]
    found = decisions.find(store, "a", "r-001")
    assert found is not None
    assert found.host_id == "h1"


def test_a_decision_comes_back_whole(store: Engine) -> None:
    """
    Columns are read from the answer, times are aware UTC, and the body keeps its order.
    """
    body = {"request": {"z": 1, "a": 2, "received_at": "2026-11-24T02:15:00-08:00"}}
    body["answer"] = record(1)["body"]["answer"]
    records.insert(store, [record(1, body=body)], NOW)
    found = decisions.find(store, "a", "r-001")
    assert found is not None
    assert found.body == body
    assert list(found.body["request"]) == ["z", "a", "received_at"]
    assert found.decided_at == NOW + timedelta(seconds=1)
    assert found.received_at == datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
    assert found.decided_at.tzinfo is UTC or found.decided_at.utcoffset() == timedelta(0)
    assert (found.urgency, found.responders, found.rules) == (
        "moderate",
        ("mobile_crisis",),
        ("someone-should-come",),
    )
    assert (found.police, found.fallback, found.mode) == (False, False, "full")
    assert (found.ruleset_name, found.ruleset_version) == ("national-baseline", 3)
    assert (found.revision, found.journal_number, found.stored_at) == (1, 1, NOW)


def test_a_record_that_cannot_be_stored_keeps_no_other_out(store: Engine) -> None:
    """
    One bad record of a batch is named and goes into quarantine; the others are stored.
    """
    batch = [
        record(1),
        record(2, decided_at="yesterday"),
        record(3, kind="weather"),
        record(4, agency=None),
        record(1, record_id="another with the place of the first"),
        record(5),
    ]
    count, refused = records.insert(store, batch, NOW)
    assert count == 2
    assert {one.record_id for one in refused} == {
        "r-002",
        "r-003",
        "r-004",
        "another with the place of the first",
    }
    assert {one.record_id for one in quarantined.page(store, 9)} == {
        one.record_id for one in refused
    }


def test_a_bare_body_is_stored_as_not_known(store: Engine) -> None:
    """
    A record whose body lacks everything is still a record.
    """
    assert records.insert(store, [record(1, body={})], NOW) == (1, ())
    found = decisions.find(store, "a", "r-001")
    assert found is not None
    assert (found.urgency, found.responders, found.received_at) == (None, (), None)


def test_agencies_apart(store: Engine) -> None:
    """
    No agency is given another's decision, by id, by call or in a list.
    """
    records.insert(store, [record(1, call_id="c"), record(2, agency="b", call_id="c")], NOW)
    assert decisions.find(store, "b", "r-001") is None
    assert [one.record_id for one in decisions.of_call(store, "b", "c")] == ["r-002"]
    assert [one.revision for one in decisions.of_call(store, "b", "c")] == [1]
    assert ids(decisions.page(store, "b", Filters())) == ["r-002"]


def test_revisions_follow_the_time_of_decision(store: Engine) -> None:
    """
    However late a record is stored, a call's revisions are numbered by `decided_at`, then by id.
    """
    late, early = record(2, call_id="c"), record(1, call_id="c")
    same = record(3, call_id="c", decided_at=late["decided_at"])
    records.insert(store, [same, late], NOW)
    records.insert(store, [early], NOW)
    found = decisions.of_call(store, "a", "c")
    assert [(one.record_id, one.revision) for one in found] == [
        ("r-001", 1),
        ("r-002", 2),
        ("r-003", 3),
    ]
    third = decisions.find(store, "a", "r-003")
    assert third is not None
    assert third.revision == 3


def test_pages_follow_each_other_without_gap_or_repeat(store: Engine) -> None:
    """
    Walking the pages gives every decision once, the newest first, also where times are equal.
    """
    at = NOW.isoformat()
    batch = [record(count, decided_at=at) if count % 3 else record(count) for count in range(1, 26)]
    records.insert(store, batch, NOW)
    seen: list[str] = []
    cursor = None
    for _ in range(10):
        page = decisions.page(store, "a", Filters(), cursor, 4)
        seen += ids(page)
        cursor = page.next
        if cursor is None:
            break
    assert len(seen) == 25
    assert seen == [
        one["record_id"]
        for one in sorted(
            batch, key=lambda one: (one["decided_at"], one["record_id"]), reverse=True
        )
    ]


@pytest.mark.parametrize("cursor", ["", "x", "eHh4", "!!!", "MjAyNi0xMS0yNHxyLTE", "é"])
def test_a_strange_cursor_is_the_caller_s_error(store: Engine, cursor: str) -> None:
    """
    A cursor that no page gave is refused by name.
    """
    with pytest.raises(CursorError, match="cursor"):
        decisions.page(store, "a", Filters(), cursor)


def test_filters_find_whole_values_only(store: Engine) -> None:
    """
    Each filter finds what it names and nothing that merely contains it.
    """
    fell_back = {"wanted": "co_responder", "got": ["law_enforcement"]}
    batch = [
        record(1),
        recommending(2, {"responders": [{"kind": "988"}], "urgency": "emergent"}),
        recommending(
            3,
            {"responders": [{"kind": "law_enforcement"}, {"kind": "ems"}], "fallback": fell_back},
            because=[{"rule": "weapon"}],
        ),
        recommending(4, {"responders": [{"kind": "ems"}]}, because=[{"rule": "weapon-in-hand"}]),
        recommending(5, {"responders": []}, because=[{"rule": "we%pon"}, {"rule": 'a"b'}]),
    ]
    records.insert(store, batch, NOW)

    def found(filters: Filters) -> list[str]:
        return ids(decisions.page(store, "a", filters))

    assert found(Filters(responder="ems")) == ["r-004", "r-003"]
    assert found(Filters(responder="em")) == []
    assert found(Filters(rule="weapon")) == ["r-003"]
    assert found(Filters(rule="we%pon")) == ["r-005"]
    assert found(Filters(rule='a"b')) == ["r-005"]
    assert found(Filters(urgency="emergent")) == ["r-002"]
    assert found(Filters(fallback=True)) == ["r-003"]
    assert found(Filters(call_id="c-4")) == ["r-004"]
    second, fourth = NOW + timedelta(seconds=2), NOW + timedelta(seconds=4)
    elsewhere = fourth.astimezone(timezone(timedelta(hours=-8)))
    assert found(Filters(since=second, until=elsewhere)) == ["r-003", "r-002"]
    third = decisions.find(store, "a", "r-003")
    assert third is not None
    assert third.police


def test_agencies_people_and_keys(store: Engine) -> None:
    """
    A person signs in and a key works until the one is disabled or the other revoked.
    """
    agencies.create(store, Agency("a", "Agency A", "America/New_York", "national-baseline", NOW))
    assert agencies.set_ruleset(store, "a", "other")
    assert not agencies.set_ruleset(store, "b", "other")
    found = agencies.find(store, "a")
    assert found is not None
    assert (found.ruleset, found.created_at) == ("other", NOW)
    assert agencies.all_agencies(store) == (found,)

    hashed = people.hash_password("correct horse")
    person = Person(people.new_id(), "a", "Ann@Example.org", "Ann", "supervisor", hashed, NOW)
    people.create(store, person)
    ann = people.find_by_email(store, " ann@example.ORG ")
    assert ann is not None
    assert people.is_password(ann, "correct horse")
    assert not people.is_password(ann, "wrong")
    assert people.find(store, "b", ann.id) is None
    assert hashed not in repr(ann)

    secret = keys.new_key()
    assert secret.startswith("cr_")
    assert len(secret) == 46
    key = Key(keys.new_id(), "a", keys.digest(secret), "supervisor", ann.id, "Ann's", NOW)
    system = replace(key, id=keys.new_id(), secret_digest=keys.digest("x"), person_id=None)
    keys.create(store, key)
    keys.create(store, system)
    assert set(keys.all_keys(store)) == {key, system}
    assert people.disable(store, "a", ann.id, NOW)
    assert not people.disable(store, "a", ann.id, NOW)
    assert keys.all_keys(store) == (system,)
    assert not keys.revoke(store, "b", system.id, NOW)
    assert keys.revoke(store, "a", system.id, NOW)
    assert keys.all_keys(store) == ()
    assert len(keys.of_agency(store, "a")) == 2
    disabled = people.find(store, "a", ann.id)
    assert disabled is not None
    assert not people.is_password(disabled, "correct horse")


def test_the_database_itself_refuses_what_must_not_be(store: Engine) -> None:
    """
    An e-mail address belongs to one person, a role is one of four, and a key's agency exists.
    """
    agencies.create(store, Agency("a", "A", "UTC", "national-baseline", NOW))
    person = Person(people.new_id(), "a", "ann@example.org", "Ann", "admin", "h", NOW)
    people.create(store, person)
    for wrong in (
        replace(person, id=people.new_id()),
        replace(person, id=people.new_id(), email="b@example.org", role="chief"),
        replace(person, id=people.new_id(), email="c@example.org", agency="nobody"),
    ):
        with pytest.raises(IntegrityError):
            people.create(store, wrong)
    with pytest.raises(SettingsError, match="time zone"):
        agencies.create(store, Agency("b", "B", "Mars/Olympus", "national-baseline", NOW))


def test_a_failed_transaction_leaves_nothing(store: Engine) -> None:
    """
    What was written before an error in the same transaction is undone.
    """
    with pytest.raises(RuntimeError), writing(store) as connection:
        agencies.add(connection, Agency("a", "A", "UTC", "national-baseline", NOW))
        raise RuntimeError
    with reading(store) as connection:
        assert connection.execute(select(func.count()).select_from(agencies.agencies)).scalar() == 0
