"""
Prove that alerts are raised once and at the right time, on SQLite and on PostgreSQL.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from service import alerts
from service.store import alerts as stored
from service.store import journal_numbers, records
from tests.store.test_dispatches import NOW, decision, dispatch

AT = NOW + timedelta(minutes=10)


def nobody(number: int, about: str, **changes: Any) -> dict[str, Any]:
    """
    Give a report that nobody was sent, with a call-back an hour after it.
    """
    made = dispatch(number, about, override=True, **changes)
    back = (NOW + timedelta(hours=1)).isoformat()
    made["body"]["answer"] |= {"responders": [], "call_back_at": back}
    return made


def store_all(store: Engine, *sent: dict[str, Any], at: datetime = AT) -> None:
    """
    Store records as a worker does.
    """
    _, refused = records.insert(store, sent, at, also=alerts.raise_for_stored)
    assert refused == ()


def open_kinds(store: Engine, now: datetime, **how: Any) -> list[tuple[str, str | None]]:
    """
    Give what is open at a time: the kind of each alert and the call it is about.
    """
    found, _ = stored.page(store, "a", is_open=True, now=now, **how)
    return [(one.kind, one.call_id) for one in found]


def test_nobody_sent_is_an_alert_at_once_and_the_call_back_when_it_is_due(store: Engine) -> None:
    """
    A report that nobody was sent shows at once, and its call-back from its time on.
    """
    store_all(store, decision(1), nobody(2, "d-1"))
    assert open_kinds(store, AT) == [("nobody_sent", "c-1")]
    late = NOW + timedelta(hours=1)
    assert open_kinds(store, late) == [("call_back_due", "c-1"), ("nobody_sent", "c-1")]


def test_the_same_report_again_raises_nothing(store: Engine) -> None:
    """
    A report that is told twice, by the same host or another, is an alert once; a later report that
    sends somebody neither settles nor raises anything.
    """
    store_all(store, nobody(1, "d-1"))
    store_all(store, nobody(1, "d-1"))
    store_all(store, nobody(1, "d-1", host_id="h2"))
    sent = dispatch(2, "d-1", override=True)
    sent["body"]["answer"]["call_back_at"] = nobody(0, "")["body"]["answer"]["call_back_at"]
    store_all(store, sent)
    late = NOW + timedelta(hours=2)
    assert sorted(open_kinds(store, late)) == [("call_back_due", "c-1"), ("nobody_sent", "c-1")]


def test_another_call_back_is_another_promise(store: Engine) -> None:
    """
    Nobody sent again, with another call-back, is looked at anew though the first is settled.
    """
    store_all(store, nobody(1, "d-1"))
    found, _ = stored.page(store, "a", is_open=True, now=AT)
    with store.begin() as connection:
        settled = stored.Settled("person:p", "P", AT, None)
        assert stored.settle(connection, "a", found[0].id, settled)
        assert not stored.settle(connection, "b", found[0].id, settled)
    again = nobody(2, "d-1")
    again["body"]["answer"]["call_back_at"] = (NOW + timedelta(hours=3)).isoformat()
    store_all(store, again)
    assert open_kinds(store, AT) == [("nobody_sent", "c-1")]


def test_an_administrator_is_shown_only_what_is_about_no_call(store: Engine) -> None:
    """
    Lists and the line on a page leave alerts about calls out for those who read none.
    """
    store_all(store, nobody(1, "d-1"), decision(9))
    alerts.raise_for_missing(store, AT + timedelta(hours=1))
    now = AT + timedelta(hours=1)
    assert open_kinds(store, now, about_calls=False) == [("record_missing", None)]
    items, count = stored.newest_open(store, "a", now, about_calls=False, limit=3)
    assert ([one.kind for one in items], count) == (["record_missing"], 1)
    items, count = stored.newest_open(store, "a", now, about_calls=True, limit=1)
    assert (len(items), count) == (1, 3)
    assert stored.newest_open(store, "b", now, about_calls=True, limit=3) == ((), 0)


def test_a_missing_number_is_an_alert_after_a_minute_and_once(store: Engine) -> None:
    """
    A gap counts when a later record has been stored for a minute; repeats and reports fill it.
    """
    again = decision(3, record_id="d-1")
    store_all(store, decision(1), again, dispatch(4, "d-1", override=False))
    soon = AT + timedelta(seconds=59)
    assert journal_numbers.gaps(store, stored_before=soon - timedelta(minutes=1)) == ()
    assert alerts.raise_for_missing(store, soon) == 0
    late = AT + timedelta(seconds=61)
    assert [alerts.raise_for_missing(store, late) for _ in range(2)] == [1, 0]
    found, _ = stored.page(store, "a", is_open=True, now=late)
    assert "Record 2 of the journal of host h1" in found[0].text
    store_all(store, decision(2))
    assert journal_numbers.gaps(store, stored_before=datetime.max.replace(tzinfo=UTC)) == ()


def test_a_gap_at_the_start_and_one_of_several_numbers_are_found(store: Engine) -> None:
    """
    The first numbers of a journal count too, and each host is looked at by itself.
    """
    store_all(store, decision(3), decision(7), decision(1, host_id="h2", record_id="x"))
    found = journal_numbers.gaps(store, stored_before=AT + timedelta(hours=1))
    assert [(one.host_id, one.first, one.last) for one in found] == [("h1", 1, 2), ("h1", 4, 6)]
    assert journal_numbers.agencies_of(store, "h1") == ("a",)
