"""
Prove that lists of a large log are read by marks and few ids, on SQLite and on PostgreSQL.
"""

from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, func, inspect, select

from service.store import decisions, records
from service.store.database import open_store, reading, writing
from service.store.decision_fields import Filters
from service.store.decision_marks import marks
from service.store.migration import MIGRATIONS, migrate
from tests.store.test_store import NOW, ids, recommending, record

LONG = "r" * 500


def of_rule(number: int, *rules: str, **changes: Any) -> dict[str, Any]:
    """
    Give a record in which rules fired.
    """
    made = record(number, **changes)
    made["body"]["answer"]["because"] = [{"table": "hazards", "rule": rule} for rule in rules]
    return made


def marked(store: Engine) -> dict[str, set[str]]:
    """
    Give the marks of every decision by its id.
    """
    found: dict[str, set[str]] = {}
    with reading(store) as connection:
        for row in connection.execute(select(marks)):
            found.setdefault(row.record_id, set()).add(row.mark)
    return found


def test_a_decision_is_marked_once_with_all_it_can_be_found_by(store: Engine) -> None:
    """
    Rules, kinds, urgency and fallback are marks, told once however often the record comes.
    """
    fallback = {"wanted": "co_responder", "reason": "all_busy"}
    kinds = [{"kind": "ems"}, {"kind": "988"}]
    asked = {"urgency": "urgent", "responders": kinds, "fallback": fallback}
    sent = recommending(1, asked, because=[{"rule": "gun"}, {"rule": "gun"}])
    for _ in range(2):
        records.insert(store, [sent, record(2)], NOW)
    assert marked(store) == {
        "r-001": {"rule:gun", "responder:ems", "responder:988", "urgency:urgent", "fallback"},
        "r-002": {"rule:someone-should-come", "responder:mobile_crisis", "urgency:moderate"},
    }


def test_what_cannot_be_a_mark_keeps_no_decision_out(store: Engine) -> None:
    """
    A rule with a name that no filter takes is stored with its decision, and is no mark.
    """
    assert records.insert(store, [of_rule(1, LONG, "short")], NOW) == (1, ())
    assert marked(store)["r-001"] & {"rule:short", f"rule:{LONG}"} == {"rule:short"}


def test_several_marks_must_all_hold(store: Engine) -> None:
    """
    Filters by marks are combined, whichever is the rarest, and the newest come first.
    """
    made = [
        of_rule(number, "common", *(["rare"] if number % 4 == 0 else [])) for number in range(9)
    ]
    made[8]["body"]["answer"]["recommendation"]["urgency"] = "urgent"
    records.insert(store, made, NOW)
    for filters, expected in (
        (Filters(rule="rare"), ["r-008", "r-004", "r-000"]),
        (Filters(rule="rare", urgency="moderate"), ["r-004", "r-000"]),
        (Filters(rule="rare", responder="mobile_crisis", urgency="urgent"), ["r-008"]),
        (Filters(rule="rare", fallback=True), []),
        (Filters(rule="common", urgency="urgent", fallback=False), ["r-008"]),
        (Filters(rule="rare", call_id="c-4"), ["r-004"]),
        (Filters(rule="rare", search="c-"), ["r-008", "r-004", "r-000"]),
    ):
        assert ids(decisions.page(store, "a", filters)) == expected
    first = decisions.page(store, "a", Filters(rule="rare"), limit=2)
    rest = decisions.page(store, "a", Filters(rule="rare"), first.next, limit=2)
    assert ids(first) + ids(rest) == ["r-008", "r-004", "r-000"]
    assert rest.next is None


@pytest.mark.parametrize("few_max", [0, 1, 1000])
def test_the_search_takes_an_id_or_the_beginning_of_a_call(
    store: Engine, few_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Few or many, the same decisions are found, byte by byte: case and percent signs count.
    """
    monkeypatch.setattr(decisions, "FEW_MAX", few_max)
    calls = ("E/1", "E/10", "e/1", "E%1", "É/1", "🚑1", "F")
    records.insert(store, [record(number, call_id=call) for number, call in enumerate(calls)], NOW)
    for search, expected in (
        ("E/1", ["r-001", "r-000"]),
        ("E", ["r-003", "r-001", "r-000"]),
        ("E%", ["r-003"]),
        ("É", ["r-004"]),
        ("🚑", ["r-005"]),
        ("r-006", ["r-006"]),
        ("r-00", []),
        ("_", []),
    ):
        assert ids(decisions.page(store, "a", Filters(search=search))) == expected


def test_no_way_to_a_list_leads_to_another_agency(store: Engine) -> None:
    """
    INVARIANT (agencies_apart): marks, few ids and the log itself hold one agency's decisions.
    """
    records.insert(store, [record(1), record(2, agency="b", call_id="c-1")], NOW)
    for filters in (
        Filters(),
        Filters(rule="someone-should-come"),
        Filters(urgency="moderate", responder="mobile_crisis"),
        Filters(call_id="c-1"),
        Filters(search="c-"),
        Filters(search="r-001"),
    ):
        assert ids(decisions.page(store, "a", filters)) == ["r-001"]
    assert ids(decisions.page(store, "a", Filters(search="r-002"))) == []


def test_what_was_stored_before_is_marked_by_the_migration(url: str) -> None:
    """
    A log from before the marks is found by them afterwards.
    """
    migrate(url)
    engine = open_store(url)
    records.insert(engine, [of_rule(number, "gun") for number in range(3)], NOW)
    before = marked(engine)
    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        connection.execute(marks.delete())
        _undo(connection)
        command.stamp(config, "0005")
        command.upgrade(config, "0006")
    assert marked(engine) == before
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(marks)) == 9
        named = {one["name"] for one in inspect(connection).get_indexes("decisions")}
    assert "ix_decisions_agency_call_id_decided_at_record_id" in named
    engine.dispose()


def _undo(connection: Any) -> None:
    for statement in (
        "DROP TABLE decision_marks",
        "DROP INDEX ix_decisions_agency_call_id_decided_at_record_id",
        "DROP INDEX ix_dispatches_agency_override_decision_id",
        "CREATE INDEX ix_decisions_agency_call_id ON decisions (agency, call_id)",
    ):
        connection.exec_driver_sql(statement)
