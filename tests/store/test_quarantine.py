"""
Prove that a record which can never be stored is kept whole, holds up no other, and can be stored
later, on SQLite and on PostgreSQL.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from service import alerts
from service.store import alerts as stored_alerts
from service.store import (
    decision_fields,
    decisions,
    journal_numbers,
    journal_positions,
    quarantined,
    records,
)
from service.store.database import reading, writing
from tests.store.test_store import NOW, record

LATER = NOW + timedelta(hours=1)
TOLD = b'{"answer": {"because": "she said'


def poison(number: int) -> list[dict[str, Any]]:
    """
    Give one record of each kind that no store takes.
    """
    huge = {"answer": {"ruleset": {"version": 2**70}}}
    return [
        record(number, kind="weather"),
        record(number, record_id=None),
        record(number, record_id={"a": 1}),
        record(number, record_id="x" * 201),
        record(number, agency="a" * 65),
        record(number, decided_at="soon"),
        record(number, body=TOLD),
        record(number, body=TOLD.decode()),
        record(number, body=b"\xff\xfe"),
        record(number, body="\udcff\udcfe"),
        record(number, body="\ud800"),
        record(number, body="[]"),
        record(number, body=json.dumps(huge)),
        {"number": number, "host_id": "h1"},
    ]


@pytest.mark.parametrize("which", range(len(poison(0))))
def test_poison_holds_up_no_other_and_counts_as_there(store: Engine, which: int) -> None:
    """
    The others of its batch are stored, its number is confirmed, and no number is missing.
    """
    batch = [record(1), poison(2)[which], record(3)]
    for _ in range(2):
        records.insert(store, batch, NOW)
    assert journal_positions.confirmed(store, "h1", [1, 2, 3, 4]) == {1, 2, 3}
    assert len(decisions.of_call(store, "a", "c-1")) == 1
    assert journal_numbers.gaps(store, stored_before=LATER) == ()
    with reading(store) as connection:
        position = journal_positions.find(connection, "h1")
    assert position is not None
    assert (position.through, position.highest) == (3, 3)


def test_it_is_kept_as_it_came_and_its_reason_says_nothing_of_it(store: Engine) -> None:
    """
    Bytes come back as they were, also those that no text can hold, and the reason is our own words.
    """
    records.insert(store, [record(1, body=TOLD), record(2, body="\udcff{")], NOW)
    first, second = quarantined.page(store, 9)
    assert (first.body, second.body) == (TOLD, b"\xff{")
    assert first.reason == "its body is no JSON"
    assert (first.record_id, first.agency, first.kind) == ("r-001", "a", "decision")
    assert quarantined.count(store) == 2


def test_a_text_with_nul_never_stops_the_rest(store: Engine) -> None:
    """
    What one database refuses and the other takes is stored or in quarantine, and confirmed.
    """
    count, refused = records.insert(store, [record(1, call_id="c\0"), record(2)], NOW)
    assert (count, len(refused)) == ((1, 1) if store.dialect.name == "postgresql" else (2, 0))
    assert journal_positions.confirmed(store, "h1", [1, 2]) == {1, 2}


def test_it_is_stored_once_the_program_can_read_it(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Tried again it stays while the cause stands, and afterwards is a decision like any other.
    """

    def broken(_record: Any) -> dict[str, Any]:
        raise KeyError("a bug of ours")

    with monkeypatch.context() as bug:
        bug.setitem(records._FIELDS, "decision", broken)
        assert records.insert(store, [record(1)], NOW)[0] == 0
        (kept,) = quarantined.page(store, 9)
        assert records.store_again(store, kept, "test", LATER) == "it cannot be read (KeyError)"
        assert quarantined.count(store) == 1
    assert records._FIELDS["decision"] is decision_fields.fields_of
    assert records.store_again(store, kept, "test", LATER) is None
    found = decisions.find(store, "a", "r-001")
    assert found is not None
    assert (found.body, found.stored_at) == (record(1)["body"], LATER)
    assert quarantined.count(store) == 0
    records.insert(store, [record(2), record(4)], NOW)
    assert [(one.first, one.last) for one in journal_numbers.gaps(store, stored_before=LATER)] == [
        (3, 3)
    ]


def test_the_agency_is_told_once_a_day_for_a_host(store: Engine) -> None:
    """
    Many records of one host in quarantine are one alert, which says nothing of them.
    """
    batch = [record(number, body=TOLD) for number in (1, 2, 3)]
    for _ in range(2):
        records.insert(store, batch, NOW, also=alerts.raise_for_stored)
    found, _ = stored_alerts.page(store, "a", is_open=True, now=datetime.now(UTC))
    assert [one.kind for one in found] == [alerts.RECORD_QUARANTINED]
    assert "she said" not in found[0].text


def test_what_a_journal_gave_and_never_sent_is_missed(store: Engine) -> None:
    """
    Numbers above the newest stored one are a gap, where the journal is known to have given them.
    """
    records.insert(store, [record(1)], NOW)
    journal_positions.note_highest(store, "h1", 4, NOW)
    gaps = journal_numbers.gaps(store, stored_before=LATER)
    assert [(one.first, one.last) for one in gaps] == [(2, 4)]
    assert journal_positions.confirmed(store, "h1", [1, 2, 4]) == {1}


def test_the_position_follows_batches_in_any_order(store: Engine) -> None:
    """
    It stands before the first number that is not there, and moves over all that came before.
    """
    for numbers, expected in (((3, 4), 0), ((2,), 0), ((1,), 4), ((6,), 4), ((5,), 6)):
        records.insert(store, [record(number) for number in numbers], NOW)
        with reading(store) as connection:
            position = journal_positions.find(connection, "h1")
        assert position is not None
        assert position.through == expected


def test_what_is_missing_of_a_journal_is_named(store: Engine) -> None:
    """
    The first gap is told once a record behind it is old enough, and what never came once it was
    noted long ago; what came lately is not missing yet, and where all is there nothing is.
    """
    records.insert(store, [record(1), record(4), record(6)], NOW)
    records.insert(store, [record(1, host_id="h2", record_id="r-h2")], NOW)
    records.insert(store, [record(1, host_id="h3", record_id="r-h3")], NOW - timedelta(hours=1))
    journal_positions.note_highest(store, "h3", 9, NOW)

    def missing(stored_before: datetime) -> dict[str, tuple[int, int] | None]:
        found, count = journal_numbers.known(store, 9, stored_before=stored_before)
        assert count == 3
        return {one.host_id: (gap.first, gap.last) if gap else None for one, gap in found}

    assert missing(NOW) == {"h1": None, "h2": None, "h3": None}
    assert missing(LATER) == {"h1": (2, 3), "h2": None, "h3": (2, 9)}
    ((newest, _),), count = journal_numbers.known(store, 1, stored_before=LATER)
    assert (newest.host_id, count) == ("h1", 3)


def test_an_agency_sees_its_own_in_quarantine(store: Engine) -> None:
    """
    The newest few of an agency stand first; another's are counted nowhere, nobody's apart.
    """
    for number in (1, 2, 3):
        at = NOW + timedelta(minutes=number)
        records.insert(store, [record(number, body=TOLD)], at)
    records.insert(store, [record(4, body=TOLD, agency="b"), {"number": 5, "host_id": "h1"}], NOW)
    found = quarantined.newest(store, "a", 2)
    assert [one.journal_number for one in found] == [3, 2]
    assert quarantined.counts(store, "a") == (3, 1, 0)
    assert quarantined.counts(store, "c") == (0, 1, 0)
    with writing(store) as connection:
        assert quarantined.settle(connection, ("h1", 3), "test", LATER)
    assert quarantined.counts(store, "a") == (2, 1, 0)
    assert [one.journal_number for one in quarantined.newest(store, "a", 2)] == [2, 1]


def test_what_was_left_there_asks_for_nothing_and_can_still_be_stored(store: Engine) -> None:
    """
    It is counted apart, degrades nothing, stands in the list of all, and is said once; nobody's can
    be left too.
    """
    records.insert(store, [record(1, body=TOLD), {"number": 5, "host_id": "h1"}], NOW)
    with writing(store) as connection:
        for place in (("h1", 1), ("h1", 5)):
            assert quarantined.leave(connection, place, "person:p", LATER)
            assert not quarantined.leave(connection, place, "person:q", LATER)
        assert not quarantined.leave(connection, ("h1", 2), "person:p", LATER)
    assert quarantined.counts(store, "a") == (0, 0, 1)
    assert quarantined.by_agency(store, 9) == {}
    assert quarantined.newest(store, "a", 9) == ()
    left, nobodys = quarantined.page(store, 9)
    assert (left.left_at, left.left_by, nobodys.left_by) == (LATER, "person:p", "person:p")
    with writing(store) as connection:
        assert quarantined.settle(connection, ("h1", 1), "test", LATER)
        assert not quarantined.leave(connection, ("h1", 1), "person:p", LATER)
    assert quarantined.counts(store, "a") == (0, 0, 0)


def test_it_is_counted_for_each_agency_and_never_without_end(store: Engine) -> None:
    """
    Records whose agency nobody can read are counted apart, what was stored after all is not
    counted, and the count ends at its limit with what came last.
    """
    assert quarantined.by_agency(store, 9) == {}
    first = [record(1, body=TOLD), record(2, body=TOLD, agency="b"), record(3, agency="a" * 65)]
    records.insert(store, [*first, {"number": 4, "host_id": "h1"}], NOW)
    records.insert(store, [record(5, body=TOLD), record(6, body=TOLD)], LATER)
    counted = quarantined.by_agency(store, 9)
    assert counted["a"] == 3
    assert counted["b"] == 1
    assert sum(counted.values()) == 6
    assert None in counted
    assert quarantined.by_agency(store, 2) == {"a": 2}
    with writing(store) as connection:
        assert quarantined.settle(connection, ("h1", 5), "test", LATER)
    assert quarantined.by_agency(store, 9)["a"] == 2
