"""
Prove that codes that nobody knew are counted once for each decision, and mappings kept, on SQLite
and on PostgreSQL.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from service.errors import CursorError
from service.store import mapped_types, records, unmapped_types
from service.store.database import writing
from service.store.mapped_types import Mapped
from service.store.unmapped_types import Unmapped
from tests.store.test_store import NOW, record


def unknown(number: int, *codes: str, registry: str = "local", **changes: Any) -> dict[str, Any]:
    """
    Give a record of a decision whose codes nobody knew, each as it was sent.
    """
    made = record(number, **changes)
    made["body"]["unknown_types"] = [
        {"registry": registry, "code": code.lower().replace("-", ""), "text": code}
        for code in codes
    ]
    return made


def listed(store: Engine, agency: str = "a") -> list[tuple[str, int]]:
    """
    Give the codes that an agency has not mapped and how often each came, in their order.
    """
    return [(one.text, one.count) for one in unmapped_types.page(store, agency)[0]]


def mapping(code: str, number: int = 0, **changes: Any) -> Mapped:
    """
    Make a mapping.
    """
    values: dict[str, Any] = {
        "agency": "a",
        "registry": "local",
        "code": code,
        "id": f"m-{number}",
        "text": code.upper(),
        "facts": {"suicide": "intent"},
        "comment": None,
        "mapped_by": "person:p",
        "mapped_name": "Ada",
        "mapped_at": NOW + timedelta(seconds=number),
    }
    return Mapped(**{**values, **changes})


def put(store: Engine, one: Mapped) -> Mapped | None:
    """
    Keep a mapping in a transaction of its own.
    """
    with writing(store) as connection:
        return mapped_types.put(connection, one)


def test_a_decision_counts_once_however_often_it_comes(store: Engine) -> None:
    """
    The same records again, alone, twice in a batch or from another host, count no more; ways to
    write a code are one row, with the text and the time of the latest.
    """
    for _ in range(2):
        records.insert(store, [unknown(1, "Q-7"), unknown(3, "q7"), unknown(2, "Q7")], NOW)
    records.insert(store, [unknown(4, "X"), unknown(4, "X")], NOW)
    records.insert(store, [unknown(4, "X", host_id="h2")], NOW)
    records.insert(store, [record(5)], NOW)
    assert listed(store) == [("q7", 3), ("X", 1)]
    first = unmapped_types.page(store, "a")[0][0]
    assert first == Unmapped(
        *("a", "local", "q7", "q7", 3),
        first_seen_at=NOW + timedelta(seconds=1),
        last_seen_at=NOW + timedelta(seconds=3),
    )
    assert listed(store, "b") == []


def test_workers_that_store_the_same_at_once_count_it_once(store: Engine) -> None:
    """
    Whichever of them stores a record first is the one that counts it.
    """
    batch = [unknown(number, f"C{number % 5}") for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: records.insert(store, batch, NOW), range(4)))
    assert listed(store) == [(f"C{number}", 8) for number in range(5)]


def test_an_old_or_broken_list_of_codes_keeps_no_decision_out(store: Engine) -> None:
    """
    What cannot be a row is not counted, and its decision is stored all the same.
    """
    broken: list[Any] = [7, [7], [{}], [{"registry": "a", "code": ""}], {"code": "a"}]
    broken += [[{"registry": "a", "code": "x" * 300}], [{"registry": "a", "code": "a\0"}]]
    made = []
    for number, one in enumerate(broken):
        made.append(record(number))
        made[-1]["body"]["unknown_types"] = one
    assert records.insert(store, made, NOW) == (len(broken), ())
    assert listed(store) == []


def test_several_codes_of_one_call_count_each_once(store: Engine) -> None:
    """
    A document with two codes that nobody knows counts both, and one that it tells twice once.
    """
    records.insert(store, [unknown(1, "A", "B", "a")], NOW)
    assert sorted(listed(store)) == [("B", 1), ("a", 1)]


def test_the_list_is_read_in_pages_the_most_frequent_first(store: Engine) -> None:
    """
    Pages follow each other without gaps, equal counts by their names; other cursors are refused.
    """
    made = [unknown(number, f"C{number % 7}") for number in range(24)]
    records.insert(store, made, NOW)
    found, cursor = [], None
    while True:
        items, cursor = unmapped_types.page(store, "a", cursor, limit=2)
        found += [(one.text, one.count) for one in items]
        if cursor is None:
            break
    assert found == listed(store)
    assert [count for _, count in found] == [4, 4, 4, 3, 3, 3, 3]
    for wrong in ("x", "bnVsbA", "WzEsMiwzXQ", "W3RydWUsImEiLCJiIl0", "é"):
        with pytest.raises(CursorError):
            unmapped_types.page(store, "a", wrong)


def test_a_mapped_code_leaves_the_list_and_comes_back(store: Engine) -> None:
    """
    A mapping hides the code of its own agency and registry only; taken back, the count is as if it
    had never been there.
    """
    records.insert(store, [unknown(1, "Q7"), unknown(2, "Q7", agency="b")], NOW)
    assert put(store, mapping("q7", registry="other")) is None
    assert listed(store) == [("Q7", 1)]
    assert put(store, mapping("q7")) is None
    records.insert(store, [unknown(3, "Q7")], NOW)
    assert listed(store) == []
    assert listed(store, "b") == [("Q7", 1)]
    with writing(store) as connection:
        taken = mapped_types.take(connection, "a", "local", "q7")
        assert mapped_types.take(connection, "a", "local", "q7") is None
    assert taken == mapping("q7")
    assert listed(store) == [("Q7", 2)]


def test_mappings_are_kept_as_they_were_told(store: Engine) -> None:
    """
    The newest stands in place of the one before; lists give the newest first, in pages.
    """
    whole = mapping("whole", 1, facts={"behavioral_health": True, "age": 7}, comment="why")
    put(store, whole)
    newer = mapping("whole", 9, facts={})
    assert put(store, newer) == whole
    assert mapped_types.find(store, "a", "local", "whole") == newer
    assert mapped_types.find(store, "b", "local", "whole") is None
    for number in range(2, 6):
        put(store, mapping(f"c{number}", number))
    put(store, mapping("c2", 7, agency="b"))
    found: list[str] = []
    cursor: str | None = None
    while True:
        items, cursor = mapped_types.page(store, "a", cursor, limit=2)
        found += [one.code for one in items]
        if cursor is None:
            break
    assert found == ["whole", "c5", "c4", "c3", "c2"]
    intent = {"suicide": "intent"}
    assert mapped_types.own_types(store)["b"] == {("local", "c2"): intent}
    assert mapped_types.own_types_of(store, "a")["local", "whole"] == {}
    with writing(store) as connection:
        assert mapped_types.count(connection, "a") == 5


def test_times_stay_what_they_were(store: Engine) -> None:
    """
    First and last seen are times of decisions, not of their storing.
    """
    records.insert(store, [unknown(5, "Q7")], NOW + timedelta(days=1))
    records.insert(store, [unknown(1, "Q-7")], NOW + timedelta(days=2))
    one = unmapped_types.page(store, "a")[0][0]

    def at(number: int) -> datetime:
        return NOW + timedelta(seconds=number)

    assert (one.first_seen_at, one.last_seen_at, one.text) == (at(1), at(5), "Q7")
