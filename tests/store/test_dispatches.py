"""
Prove that the store keeps reports of what was sent alike on SQLite and on PostgreSQL.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from service.store import decisions, dispatches, journal_positions, quarantined, records
from service.store.database import reading
from service.store.decision_fields import Filters

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, UTC)


def decision(number: int, **changes: Any) -> dict[str, Any]:
    """
    Give a decision as the journal sends it, with as little as the store needs.
    """
    made = {
        "number": number,
        "host_id": "h1",
        "kind": "decision",
        "record_id": f"d-{number}",
        "agency": "a",
        "call_id": f"c-{number}",
        "decided_at": (NOW + timedelta(seconds=number)).isoformat(),
        "body": {"answer": {"recommendation": {"responders": [{"kind": "mobile_crisis"}]}}},
    }
    return {**made, **changes}


def dispatch(number: int, about: str, *, override: bool, **changes: Any) -> dict[str, Any]:
    """
    Give a report about a decision as the journal sends it.
    """
    answer = {
        "dispatch_id": f"s-{number}",
        "decision_id": about,
        "responders": ["ems", "co_responder"],
        "override": override,
        "released": ["law_enforcement"],
        "reason": "closer_unit",
        "call_back_at": "2026-11-24T08:00:00-08:00",
        "warnings": [],
    }
    body = {"request": {"comment": "enc:k:…"}, "answer": answer, "by": {"key": "k", "person": "p"}}
    made = decision(number, kind="dispatch", record_id=f"s-{number}", call_id="c-1", body=body)
    return {**made, **changes}


def overridden(store: Engine, *, wanted: bool) -> list[str]:
    """
    Give the ids of the decisions that the filter leaves.
    """
    page = decisions.page(store, "a", Filters(overridden=wanted))
    return [one.record_id for one in page.items]


def test_a_report_comes_back_whole_and_may_come_before_its_decision(store: Engine) -> None:
    """
    A report needs no decision in the store; its times are aware UTC and its body is as it was.
    """
    told = dispatch(7, "d-1", override=True)
    assert records.insert(store, [told], NOW) == (1, ())
    (found,) = dispatches.of_decisions(store, "a", ["d-1"])
    assert (found.record_id, found.decision_id, found.call_id) == ("s-7", "d-1", "c-1")
    assert (found.host_id, found.journal_number, found.stored_at) == ("h1", 7, NOW)
    assert found.reported_at == NOW + timedelta(seconds=7)
    assert (found.responders, found.released) == (("ems", "co_responder"), ("law_enforcement",))
    assert (found.override, found.reason) == (True, "closer_unit")
    assert found.call_back_at == datetime(2026, 11, 24, 16, tzinfo=UTC)
    assert (found.by_key, found.by_person) == ("k", "p")
    assert found.body == told["body"]
    assert decisions.find(store, "a", "s-7") is None


def test_a_mixed_batch_told_twice_is_stored_once(store: Engine) -> None:
    """
    Decisions and reports of one batch are stored together, and again change nothing.
    """
    batch = [decision(1), dispatch(2, "d-1", override=False), dispatch(3, "d-1", override=True)]
    assert records.insert(store, batch, NOW) == (3, ())
    assert records.insert(store, [*batch, decision(4)], NOW) == (1, ())
    assert journal_positions.confirmed(store, "h1", [1, 2, 3, 9]) == {1, 2, 3}
    assert len(dispatches.of_decisions(store, "a", ["d-1"])) == 2


def test_a_report_told_to_two_hosts_is_kept_twice_and_counted_once(store: Engine) -> None:
    """
    The second host's report is kept aside, so that no number of its journal is missing.
    """
    records.insert(store, [dispatch(2, "d-1", override=True)], NOW)
    again = dispatch(9, "d-1", override=True, record_id="s-2", host_id="h2")
    for _ in range(2):
        assert records.insert(store, [again], NOW) == (0, ())
    with reading(store) as connection:
        columns = decisions.repeats.c.host_id, decisions.repeats.c.journal_number
        assert [tuple(row) for row in connection.execute(select(*columns))] == [("h2", 9)]
    assert [one.host_id for one in dispatches.of_decisions(store, "a", ["d-1"])] == ["h1"]


def test_a_report_that_cannot_be_stored_keeps_no_other_out(store: Engine) -> None:
    """
    A report that lacks what makes it one is named and goes into quarantine.
    """
    batch = [
        dispatch(1, "d-1", override=True, body={}),
        dispatch(2, "d-1", override=True, body=None),
        dispatch(3, "d-1", override=True, decided_at="soon"),
        dispatch(4, "d-1", override=True, agency=None),
        dispatch(5, "d-1", override=True),
        decision(6),
    ]
    count, refused = records.insert(store, batch, NOW)
    assert count == 2
    assert {one.record_id for one in refused} == {"s-1", "s-2", "s-3", "s-4"}
    assert quarantined.count(store) == 4


def test_the_latest_report_counts(store: Engine) -> None:
    """
    However late it is stored, the report with the latest time says whether a decision was
    overridden; a decision of which nothing is reported is found by neither filter.
    """
    batch = [decision(number) for number in (1, 2, 3)]
    records.insert(store, [*batch, dispatch(12, "d-1", override=True)], NOW)
    assert (overridden(store, wanted=True), overridden(store, wanted=False)) == (["d-1"], [])
    earlier = dispatch(11, "d-1", override=False)
    records.insert(store, [earlier, dispatch(13, "d-2", override=False)], NOW)
    assert (overridden(store, wanted=True), overridden(store, wanted=False)) == (["d-1"], ["d-2"])
    records.insert(store, [dispatch(14, "d-1", override=False)], NOW)
    assert (overridden(store, wanted=True), overridden(store, wanted=False)) == ([], ["d-2", "d-1"])
    found = dispatches.latest(store, "a", ["d-1", "d-2", "d-3"])
    assert {name: one.record_id for name, one in found.items()} == {"d-1": "s-14", "d-2": "s-13"}
    assert dispatches.latest(store, "a", []) == {}


def test_of_two_reports_at_the_same_moment_one_counts_always(store: Engine) -> None:
    """
    Equal times are put in order by the id, so that a list and its filter never disagree.
    """
    at = NOW.isoformat()
    told = [dispatch(number, "d-1", override=number == 3, decided_at=at) for number in (2, 3, 4)]
    records.insert(store, [decision(1), *told], NOW)
    assert dispatches.latest(store, "a", ["d-1"])["d-1"].record_id == "s-4"
    assert (overridden(store, wanted=True), overridden(store, wanted=False)) == ([], ["d-1"])


def test_agencies_apart(store: Engine) -> None:
    """
    Another agency's report about the same id changes nothing here and is not given out.
    """
    theirs = dispatch(2, "d-1", override=True, agency="b")
    records.insert(store, [decision(1), theirs], NOW)
    assert dispatches.of_decisions(store, "a", ["d-1"]) == ()
    assert dispatches.latest(store, "a", ["d-1"]) == {}
    assert overridden(store, wanted=True) == []
