"""
Prove on SQLite and on PostgreSQL that the log verifies after what the service erases, and names
what a hand erased.
"""

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, update

from service import retention
from service.access import Actor
from service.chain.export import lines_of, piece_of, withheld_from, withheld_from_all
from service.chain.verification import beside, verify
from service.erased import erased_body, without_texts
from service.store import chain, decisions, dispatches, erasures, records
from service.store.database import writing
from service.verify_log import Check, verify_file
from tests.store.test_chain import free
from tests.store.test_retention import DAY, DEFAULTS, NOW, agency, decision, erasure, report

__all__ = ["agency"]
AUDITOR = Actor("a", "auditor", "k", "p", "Ada Example", None)
SOON = NOW + dt.timedelta(minutes=5)
LONG_AGO = NOW - 7 * 366 * DAY


def filled(store: Engine, at: dt.datetime) -> None:
    """
    Store and seal a decision, what repeats it, a report about it, and a decision of another call.
    """
    again = {**decision(1, at), "number": 4}
    told = [decision(1, at), report(2, "d-1", at), again, decision(3, NOW - DAY, "c-2")]
    records.insert(store, told, NOW)
    assert chain.seal(store, NOW, 100) == 4


def exported(store: Engine) -> bytes:
    """
    Export the whole log for somebody who may read all of it.
    """
    piece = piece_of(store, "a", None, None)
    return b"".join(lines_of(store, piece, withheld_from(AUDITOR, frozenset()), NOW))


def seen(store: Engine) -> Check:
    """
    Seal, verify the store and what is exported of it, and give the check of the export.
    """
    chain.seal(store, SOON, 1_000)
    found = verify(store, "a")
    assert (found.fault, beside(store, "a", SOON)) == (None, None)
    check, head = Check(), chain.head(store, "a")
    data = exported(store)
    assert verify_file(io.BytesIO(data), check) is None
    assert check.head == (head.place, head.hash)
    return check


def faults_of(store: Engine) -> set[str]:
    """
    Give the kinds of fault that the store and an export are said to have.
    """
    chain.seal(store, SOON, 1_000)
    of_store = verify(store, "a").fault
    of_file = verify_file(io.BytesIO(exported(store)), Check())
    return {fault.kind if fault else "good" for fault in (of_store, of_file)}


def test_the_log_verifies_after_words_and_then_records_are_purged(
    store: Engine, agency: str
) -> None:
    """
    First the words of a decision, its report and its repeat go, then all three whole: the log is
    good each time, with the same links, and says of how much the content is gone.
    """
    filled(store, NOW - 91 * DAY)
    before = chain.after(store, "a", 0, 4)
    retention.purge(store, DEFAULTS, NOW)
    counts = seen(store).counts
    assert (counts.texts_gone, counts.erased) == (3, 0)
    years = dt.timedelta(days=6 * retention.DAYS_IN_YEAR)
    retention.purge(store, DEFAULTS, NOW + years - 30 * DAY)
    counts = seen(store).counts
    assert (counts.texts_gone, counts.erased) == (1, 3)  # of the other call the words are due too
    kept = [(one.place, one.digest, one.hash) for one in chain.after(store, "a", 0, 4)]
    assert kept == [(one.place, one.digest, one.hash) for one in before]


def test_the_log_verifies_after_a_confirmed_erasure_and_what_comes_late(
    store: Engine, agency: str
) -> None:
    """
    After a call is erased, and after something that repeats it was stored later and erased, the
    store and its export verify.
    """
    filled(store, NOW - DAY)
    made = erasure(store, "c-1")
    with writing(store) as connection:
        erasures.confirm(connection, made.id, ("person:2", "Q"), NOW)
        done = erasures.find(connection, "a", made.id)
        assert done is not None
        assert retention.erase_call(connection, AUDITOR, done, NOW) == ["d-1", "p-2"]
    assert seen(store).counts.erased == 3
    records.insert(store, [{**decision(1, NOW), "number": 5}], NOW)
    assert retention.finish_erasures(store, NOW) == 1
    check = seen(store)
    assert (check.counts.erased, check.counts.texts_gone) == (4, 0)
    assert b"c-1" not in exported(store)


def _words_by_hand(store: Engine) -> None:
    left = without_texts(decision(1, LONG_AGO)["body"])
    with writing(store) as connection:
        # The text is sealed anew each time, so the digest that is left is of another.
        connection.execute(_of("d-1").values(body=left))


def _same_words_by_hand(store: Engine) -> None:
    found = decisions.find(store, "a", "d-1")
    assert found is not None
    with writing(store) as connection:
        connection.execute(_of("d-1").values(body=without_texts(found.body)))


def _whole_with_salt(store: Engine) -> None:
    with writing(store) as connection:
        connection.execute(_of("d-1").values(body=erased_body("retention", NOW)))


def _whole_without_entry(store: Engine) -> None:
    _whole_with_salt(store)
    with writing(store) as connection:
        chain.drop_salts(connection, "a", ("decision",), ["d-1"])


def _repeat_without_entry(store: Engine) -> None:
    with writing(store) as connection:
        gone = erased_body("retention", NOW)
        table = decisions.repeats
        connection.execute(update(table).where(table.c.record_id == "d-1").values(body=gone))
        chain.drop_salts(connection, "a", ("repeat",), ["d-1"])


def _report_removed(store: Engine) -> None:
    with writing(store) as connection:
        table = dispatches.dispatches
        connection.execute(table.delete().where(table.c.record_id == "p-2"))


def _of(record_id: str) -> Any:
    table = decisions.decisions
    return update(table).where(table.c.record_id == record_id)


@pytest.mark.parametrize(
    ("by_hand", "kind"),
    [
        (_words_by_hand, "alteration"),
        (_same_words_by_hand, "deletion"),
        (_whole_with_salt, "alteration"),
        (_whole_without_entry, "deletion"),
        (_repeat_without_entry, "deletion"),
        (_report_removed, "deletion"),
    ],
)
def test_what_a_hand_erased_is_named(
    store: Engine, agency: str, by_hand: Callable[[Engine], None], kind: str
) -> None:
    """
    The same change without its entry in the trail, or with the salt kept, is a fault in the store
    and in an export; and no entry about other words explains it.
    """
    filled(store, NOW - DAY)
    free(store, "decisions", "dispatches", "decision_repeats")
    assert faults_of(store) == {"good"}
    by_hand(store)
    with writing(store) as connection:
        retention.note(
            connection, retention.clock_actor("a"), "purged", ["d-3"], NOW, what="remarks"
        )
    assert faults_of(store) == {kind}


def test_facts_of_a_protected_record_do_not_leave_with_the_log(store: Engine, agency: str) -> None:
    """
    A record with such a fact, and what is in quarantine, is withheld from everybody, also from a
    command on the machine; the export verifies without it.
    """
    filled(store, NOW - DAY)
    sources = {"weapon": {"says": "protected_record"}}
    records.insert(store, [decision(5, NOW - DAY, "c-3", fact_sources=sources)], NOW)
    records.insert(store, [{**decision(6, NOW - DAY), "body": '{"remarks": "enc:k1:AA'}], NOW)
    assert seen(store).counts.withheld == 2
    assert b"protected_record" not in exported(store)
    typed = b"".join(lines_of(store, piece_of(store, "a", None, None), withheld_from_all, NOW))
    assert b"protected_record" not in typed
    check = Check()
    assert verify_file(io.BytesIO(typed), check) is None
    assert check.counts.withheld == 2
