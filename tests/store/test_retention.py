"""
What is kept no longer goes, and only that: on SQLite and on PostgreSQL.
"""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import IntegrityError

from service import retention
from service.agency_settings import AgencyDefaults, Retention, ReviewRules
from service.encryption import KeyRing, new_key
from service.erased import erased_text, erased_whole
from service.store import (
    agencies,
    alerts,
    audit,
    decisions,
    dispatches,
    erasures,
    findings,
    legal_holds,
    records,
    reviews,
)
from service.store.agencies import Agency
from service.store.audit import Search
from service.store.database import compact, open_store, reading, scrub, writing
from service.store.decision_marks import marks
from service.store.erasures import Erasure
from service.store.legal_holds import LegalHold
from service.store.migration import migrate

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
RING = KeyRing(new_key())
RULES = ReviewRules(True, True, True, True, True, 2, 10, 7, 30)
DEFAULTS = AgencyDefaults(RULES, {}, Retention(90, 6))
MARKED = "MARKED-AND-TO-BE-GONE"


@pytest.fixture
def agency(store: Engine) -> str:
    """
    Make an agency.
    """
    agencies.create(store, Agency("a", "A", "UTC", "national-baseline", NOW))
    return "a"


def decision(number: int, at: dt.datetime, call_id: str = "c-1", **request: Any) -> dict[str, Any]:
    """
    Give a decision as a journal sends it, with a sealed remark.
    """
    record_id = f"d-{number}"
    sealed = RING.seal(f"{MARKED} {number}", record_id)
    dismissed = [{"fact": "weapon", "source": "remarks", "reason": RING.seal("r", record_id)}]
    told = {"call_id": call_id, "facts": {"weapon": "firearm"}, "remarks": sealed}
    answer = {
        "decision_id": record_id,
        "call_id": call_id,
        "decided_at": at.isoformat(),
        "recommendation": {"responders": [{"kind": "ems"}], "urgency": "high", "fallback": None},
        "because": [{"rule": "weapon-in-hand", "facts": ["weapon"]}],
        "law_enforcement": {"included": True, "because": []},
        "warnings": [],
        "signals": [],
    }
    body = {"request": {**told, "dismissed": dismissed, **request}, "answer": answer}
    return _record("decision", number, record_id, at, (call_id, body))


def report(number: int, about: str, at: dt.datetime, call_id: str = "c-1") -> dict[str, Any]:
    """
    Give a report as a journal sends it, with a sealed comment.
    """
    record_id = f"p-{number}"
    answer = {"decision_id": about, "responders": [], "override": True, "released": []}
    answer |= {"reason": "other", "call_back_at": None, "warnings": []}
    body = {"request": {"comment": RING.seal(MARKED, record_id)}, "answer": answer}
    return _record("dispatch", number, record_id, at, (call_id, body))


def _record(
    kind: str, number: int, record_id: str, at: dt.datetime, of: tuple[str, dict[str, Any]]
) -> dict[str, Any]:
    return {
        "kind": kind,
        "number": number,
        "host_id": "h",
        "record_id": record_id,
        "agency": "a",
        "call_id": of[0],
        "revision": 1,
        "decided_at": at.isoformat(),
        "fingerprint": "f",
        "body": of[1],
        "state": "journaled",
    }


def held(store: Engine, call_id: str | None) -> str:
    """
    Place a hold, and give its id.
    """
    hold = LegalHold(legal_holds.new_id(), "a", call_id, "Court", "m", "r", "person:1", "P", NOW)
    with writing(store) as connection:
        legal_holds.add(connection, hold)
    return hold.id


def erasure(store: Engine, call_id: str, by: str = "person:1") -> Erasure:
    """
    Ask for an erasure.
    """
    made = Erasure(erasures.new_id(), "a", call_id, "r", by, "P", NOW)
    with writing(store) as connection:
        erasures.add(connection, made)
    return made


def body_of(store: Engine, table: Any, record_id: str) -> dict[str, Any]:
    """
    Give the body of a stored record.
    """
    with reading(store) as connection:
        query = select(table.c.body).where(table.c.record_id == record_id)
        found: dict[str, Any] = connection.execute(query).scalar_one()
    return found


def named(store: Engine, act: str) -> list[dict[str, Any]]:
    """
    Give what the entries of the trail of an act say.
    """
    found, _ = audit.page(store, "a", Search(act=act))
    return [dict(one.detail) for one in found]


def test_words_go_when_their_time_is_over_and_the_rest_stays(store: Engine, agency: str) -> None:
    """
    After 90 days each sealed text is its digest and nothing else is changed; a day before it is
    untouched; the trail names the records; a second run finds nothing.
    """
    old, young = decision(1, NOW - 91 * DAY), decision(2, NOW - 89 * DAY)
    sent = report(3, "d-1", NOW - 91 * DAY)
    again = {**decision(1, NOW - 91 * DAY), "number": 9}
    records.insert(store, [old, young, sent, again], NOW)
    assert retention.purge(store, DEFAULTS, NOW) == 3
    request = old["body"]["request"]
    gone = {**request, "remarks": erased_text(request["remarks"])}
    gone["dismissed"] = [
        {**one, "reason": erased_text(one["reason"])} for one in request["dismissed"]
    ]
    assert body_of(store, decisions.decisions, "d-1") == {**old["body"], "request": gone}
    assert body_of(store, decisions.decisions, "d-2") == young["body"]
    comment = sent["body"]["request"]["comment"]
    left = body_of(store, dispatches.dispatches, "p-3")["request"]
    assert left == {"comment": erased_text(comment)}
    assert MARKED not in str(body_of(store, decisions.repeats, "d-1"))
    found = named(store, "purged")
    assert {one["what"] for one in found} == {"remarks"}
    assert sorted(one for each in found for one in each["records"]) == ["d-1", "d-1", "p-3"]
    assert retention.purge(store, DEFAULTS, NOW) == 0


def test_a_record_goes_whole_after_years_with_what_stood_around_it(
    store: Engine, agency: str
) -> None:
    """
    After six years nothing of call, facts, answer or report is left, in no table; that there was a
    record is.
    """
    at = NOW - dt.timedelta(days=6 * 365.25 + 1)
    records.insert(store, [decision(1, at), report(2, "d-1", at)], at)
    about = ("d-1", "c-1", ("override",), False, at, at)
    open_one = reviews.Review(reviews.new_id(), "a", *about)
    with writing(store) as connection:
        reviews.add(connection, open_one)
        raised = alerts.Alert(alerts.new_id(), "a", "nobody_sent", "p-2", "c-1", "t", at, at)
        alerts.add(connection, raised)
    retention.purge(store, DEFAULTS, NOW)
    left = decisions.find(store, "a", "d-1")
    assert left is not None
    told = erased_whole(left.body)
    assert told is not None
    assert told.why == "retention"
    assert (left.call_id, left.responders, left.rules, left.urgency) == ("erased:d-1", (), (), None)
    assert (left.host_id, left.journal_number, left.fingerprint) == ("h", 1, None)
    assert dispatches.of_decisions(store, "a", ["d-1"])[0].call_id == "erased:p-2"
    with reading(store) as connection:
        assert connection.execute(select(marks)).all() == []
        assert reviews.find(connection, "a", open_one.id) is None
    alert = alerts.find(store, "a", raised.id)
    assert alert is not None
    assert (alert.call_id, alert.settled_name) == ("erased:p-2", "retention")
    assert {"what": "whole", "records": ["d-1", "p-2"]} in named(store, "purged")
    assert retention.purge(store, DEFAULTS, NOW) == 0


@pytest.mark.parametrize("call_id", ["c-1", None])
def test_a_hold_stops_the_purge_until_it_is_lifted(
    store: Engine, agency: str, call_id: str | None
) -> None:
    """
    On a call or on everything: nothing that is held goes, neither words nor whole; lifted, it goes.
    """
    at = NOW - 7 * 366 * DAY
    told = [decision(1, at), decision(2, at, "c-2"), report(3, "d-1", at)]
    records.insert(store, [*told, {**decision(1, at), "number": 9}], NOW)
    hold = held(store, call_id)
    retention.purge(store, DEFAULTS, NOW)
    assert body_of(store, decisions.decisions, "d-1") == told[0]["body"]
    assert body_of(store, dispatches.dispatches, "p-3") == told[2]["body"]
    assert "enc:" in str(body_of(store, decisions.repeats, "d-1"))
    is_held = body_of(store, decisions.decisions, "d-2") == told[1]["body"]
    assert is_held == (call_id is None)
    with writing(store) as connection:
        assert legal_holds.lift(connection, ("a", hold), ("person:2", "Q"), "over", NOW)
    retention.purge(store, DEFAULTS, NOW)
    for table, record_id in ((decisions.decisions, "d-1"), (dispatches.dispatches, "p-3")):
        assert erased_whole(body_of(store, table, record_id))


def test_the_database_wants_two_persons_and_no_hold(store: Engine, agency: str) -> None:
    """
    Past the service, by a hand in the database: nobody confirms what they asked for, a key confirms
    nothing, a hold stops both asking and confirming, and what has ended stays as it is.
    """
    made = erasure(store, "c-1")
    for by in ("person:1", "key:1"):
        with pytest.raises(IntegrityError), writing(store) as connection:
            erasures.confirm(connection, made.id, (by, "N"), NOW)
    hold = held(store, "c-1")
    with pytest.raises(IntegrityError), writing(store) as connection:
        erasures.confirm(connection, made.id, ("person:2", "Q"), NOW)
    with pytest.raises(IntegrityError):
        erasure(store, "c-1")
    with pytest.raises(IntegrityError), writing(store) as connection:
        connection.execute(update(legal_holds.holds).values(authority="another"))
    with writing(store) as connection:
        legal_holds.lift(connection, ("a", hold), ("person:2", "Q"), "over", NOW)
        erasures.confirm(connection, made.id, ("person:2", "Q"), NOW)
    for statement in (
        "UPDATE erasures SET asked_by = 'person:9'",
        "UPDATE erasures SET confirmed_by = NULL",
        "DELETE FROM erasures",
        "DELETE FROM legal_holds",
        "UPDATE legal_holds SET lifted_at = NULL",
    ):
        with pytest.raises(IntegrityError), writing(store) as connection:
            connection.execute(text(statement))
    with pytest.raises(IntegrityError), writing(store) as connection:
        confirmed = {"id": "x", "confirmed_by": "person:2", "confirmed_at": NOW}
        values = {name: getattr(made, name) for name in Erasure.__slots__}
        connection.execute(erasures.erasures.insert().values({**values, **confirmed}))


def test_what_is_stored_after_the_confirmation_goes_too_and_a_new_call_stays(
    store: Engine, agency: str
) -> None:
    """
    A record that was on its way, and what repeats an erased one, are erased when they come; a call
    that is told later under the same id is another call.
    """
    records.insert(store, [decision(1, NOW - DAY)], NOW)
    made = erasure(store, "c-1")
    with writing(store) as connection:
        erasures.confirm(connection, made.id, ("person:2", "Q"), NOW)
    assert retention.finish_erasures(store, NOW) == 1
    late, later = decision(2, NOW - DAY), decision(3, NOW + DAY)
    records.insert(store, [late, later, {**decision(1, NOW + DAY), "number": 9}], NOW)
    assert retention.finish_erasures(store, NOW) == 2
    for record_id in ("d-1", "d-2"):
        assert erased_whole(body_of(store, decisions.decisions, record_id))
    assert erased_whole(body_of(store, decisions.repeats, "d-1"))
    assert body_of(store, decisions.decisions, "d-3") == later["body"]
    assert retention.finish_erasures(store, NOW) == 0


def test_comments_of_findings_go_with_the_words(store: Engine, agency: str) -> None:
    """
    What a reviewer wrote, and what somebody wrote who settled an alert, are words about a person;
    the verdict stays, and the trail names both.
    """
    sealed = RING.seal(MARKED, "f")
    made = findings.Finding(
        *("f", "a", "r", "d-1", "c-1", NOW - 91 * DAY, "person:1", "P", "right", (), (), None),
        *(sealed, ()),
    )
    with writing(store) as connection:
        findings.add(connection, made)
        at = NOW - 91 * DAY
        raised = alerts.Alert(alerts.new_id(), "a", "nobody_sent", "p-2", "c-1", "t", at, at)
        alerts.add(connection, raised)
        settled = {"settled_at": at, "settled_by": "person:1", "comment": sealed}
        connection.execute(update(alerts.alerts).values(settled))
    assert retention.purge(store, DEFAULTS, NOW) == 2
    assert named(store, "purged") == [{"what": "comments", "records": ["f", raised.id]}]
    assert retention.purge(store, DEFAULTS, NOW) == 0
    left = findings.find(store, "a", "f")
    assert left is not None
    assert (left.verdict, "sha256:" in str(left.comment)) == ("right", True)


def test_no_byte_of_what_is_erased_stays_in_the_file(tmp_path: Path) -> None:
    """
    After a purge neither store file nor log of SQLite holds a piece of any sealed text, however the
    records lay in pages; compacted they hold no call id either, which an index may have moved.
    """
    path = tmp_path / "store.sqlite"
    migrate(f"sqlite:///{path}")
    store = open_store(f"sqlite:///{path}")
    agencies.create(store, Agency("a", "A", "UTC", "national-baseline", NOW))
    at = NOW - 7 * 366 * DAY
    told = [
        decision(number, at, f"call-{number:05}-gone", pad="x" * (number % 7 * 700))
        for number in range(1, 601)
    ]
    for start in range(0, 600, 100):
        records.insert(
            store, [*told[start : start + 100 : 2], *told[start + 1 : start + 100 : 2]], NOW
        )
    texts = [one["body"]["request"]["remarks"] for one in told]
    files = (path, path.with_name(path.name + "-wal"))
    before = b"".join(one.read_bytes() for one in files)
    assert all(one.encode() in before for one in texts)
    retention.purge(store, DEFAULTS, NOW)
    assert scrub(store)
    after = b"".join(one.read_bytes() for one in files)
    assert not [one for one in texts if one[20:60].encode() in after]
    assert compact(store)
    assert b"-gone" not in b"".join(one.read_bytes() for one in files)
    store.dispose()
