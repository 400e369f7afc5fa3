"""
What is in quarantine goes as what is stored does, by its time and by an erasure, and the log
verifies after it: on SQLite and on PostgreSQL.
"""

import datetime as dt
import json
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, bindparam, text, update

from service import retention
from service.access import Actor
from service.audit import Audit
from service.chain.verification import beside, verify
from service.encryption import KeyRing, new_key
from service.erased import erased_text
from service.erasures import Erasures
from service.errors import ConflictError
from service.journal import Journal, create_journal
from service.legal_holds import LegalHolds
from service.settings import read_settings
from service.store import agencies, chain, erasures, key_use, legal_holds, quarantined, records
from service.store.agencies import Agency
from service.store.database import Instant, open_store, writing
from service.store.migration import MIGRATIONS, migrate
from service.store.quarantined import Quarantined, object_of
from tests.store.test_retention import (
    DAY,
    DEFAULTS,
    NOW,
    RING,
    agency,
    decision,
    erasure,
    held,
    named,
)

__all__ = ["agency"]
OLD = NOW - 91 * DAY
YEARS_OLD = NOW - 7 * 366 * DAY
KIND_OF_NONE = "weather"


def bad(number: int, at: dt.datetime, call_id: str = "c-1", **other: Any) -> dict[str, Any]:
    """
    Give a record that says all that a decision says, of a kind that no table takes.
    """
    return {**decision(number, at, call_id), "kind": KIND_OF_NONE, **other}


def broken(number: int, at: dt.datetime, **other: Any) -> dict[str, Any]:
    """
    Give a record whose body breaks off within a sealed text.
    """
    return bad(number, at, **{"body": json.dumps(decision(number, at)["body"])[:90], **other})


def kept(store: Engine, number: int) -> Quarantined:
    """
    Give what is in quarantine, or was.
    """
    found = quarantined.find(store, "h", number)
    assert found is not None
    return found


def verified(store: Engine, whose: str = "a") -> None:
    """
    Seal the logs, and see that this one verifies.
    """
    later = NOW + dt.timedelta(minutes=5)
    chain.seal(store, later, 1_000)
    assert (verify(store, whose).fault, beside(store, whose, later)) == (None, None)


def test_words_in_quarantine_go_when_their_time_is_over(store: Engine, agency: str) -> None:
    """
    A sealed text becomes its digest and the rest stays as it was, numbers that no table takes too;
    a body that nobody can read goes whole; what is younger stays; the trail names them as the log
    does, and the log verifies before and after.
    """
    huge = bad(1, OLD, body={**decision(1, OLD)["body"], "version": 2**70})
    young = bad(3, NOW - 89 * DAY)
    records.insert(store, [huge, broken(2, OLD), young, bad(4, OLD, body={"facts": 1})], NOW)
    verified(store)
    assert key_use.count(store, RING.names[0]) == 3
    assert retention.purge(store, DEFAULTS, NOW) == 2
    left = json.loads(kept(store, 1).body)
    assert left["request"]["remarks"] == erased_text(huge["body"]["request"]["remarks"])
    assert (left["version"], left["answer"]) == (2**70, huge["body"]["answer"])
    assert b"enc:" not in kept(store, 1).body
    assert kept(store, 2).erased is not None
    assert json.loads(kept(store, 3).body) == young["body"]
    assert json.loads(kept(store, 4).body) == {"facts": 1}
    found = named(store, "purged")
    assert {"what": "remarks", "records": ["h:1"]} in found
    assert {"what": "whole", "records": ["h:2"]} in found
    verified(store)
    assert key_use.count(store, RING.names[0]) == 1
    assert retention.purge(store, DEFAULTS, NOW) == 0


def test_a_record_in_quarantine_goes_whole_after_years(store: Engine, agency: str) -> None:
    """
    After six years nothing of it is left but its place, its id and the reason; it waits for nobody
    any more, cannot be stored again, and the log verifies.
    """
    records.insert(store, [bad(1, YEARS_OLD)], NOW)
    before = kept(store, 1)
    verified(store)
    retention.purge(store, DEFAULTS, NOW)
    gone = kept(store, 1)
    assert (gone.record_id, gone.reason, gone.call_id) == ("d-1", before.reason, "erased:h:1")
    assert b"c-1" not in gone.head + gone.body
    assert gone.erased is not None
    assert (gone.erased.why, gone.settled_by, quarantined.count(store)) == ("retention",) * 2 + (0,)
    assert records.store_again(store, gone, "test", NOW) is not None
    link = chain.of_subject(store, "a", "quarantined", "h:1")
    assert link is not None
    assert link.salt is None
    verified(store)


def test_a_hand_that_takes_words_out_of_quarantine_is_named(store: Engine, agency: str) -> None:
    """
    The same change without its entry in the trail is a fault of the log.
    """
    records.insert(store, [bad(1, OLD)], NOW)
    verified(store)
    read = object_of(kept(store, 1).body)
    assert read is not None
    read["request"]["remarks"] = erased_text(read["request"]["remarks"])
    with writing(store) as connection:
        table = quarantined.quarantined
        connection.execute(update(table).values(body=json.dumps(read).encode()))
    fault = verify(store, "a").fault
    assert fault is not None
    assert fault.kind == "deletion"


def test_what_names_no_agency_is_kept_as_short_and_as_long_as_by_anybody(
    store: Engine, agency: str
) -> None:
    """
    Its words go after the fewest days that an agency has set, by an entry in the log of nobody.
    """
    records.insert(store, [bad(1, OLD, agency=None), bad(2, OLD, agency="gone")], NOW)
    assert retention.purge(store, DEFAULTS, NOW) == 2
    assert b"enc:" not in kept(store, 1).body + kept(store, 2).body
    verified(store, chain.NOBODYS)
    verified(store, "gone")


@pytest.mark.parametrize(
    ("told", "is_held"),
    [
        (bad(1, YEARS_OLD), True),
        (bad(1, YEARS_OLD, "c-2"), False),
        (bad(1, YEARS_OLD, call_id=None), True),  # its body names it
        (bad(1, YEARS_OLD, call_id=None, body="{"), True),  # it may be the call that is held
        (bad(1, YEARS_OLD, "c-2", agency=None), False),
        (bad(1, YEARS_OLD, agency=None), True),
        (bad(1, YEARS_OLD, agency="b"), False),
    ],
)
def test_a_hold_stops_the_purge_of_quarantine(
    store: Engine, agency: str, told: dict[str, Any], is_held: bool
) -> None:
    """
    What is of the held call, or may be, stays as it is until the hold is lifted; the rest goes.
    """
    records.insert(store, [told], NOW)
    before = kept(store, 1)
    hold = held(store, "c-1")
    retention.purge(store, DEFAULTS, NOW)
    assert (kept(store, 1) == before) == is_held
    with writing(store) as connection:
        legal_holds.lift(connection, ("a", hold), ("person:2", "Q"), "over", NOW)
    retention.purge(store, DEFAULTS, NOW)
    assert kept(store, 1).erased is not None


def test_an_erasure_reaches_quarantine_and_what_comes_into_it_later(
    store: Engine, agency: str
) -> None:
    """
    Of the call both what is readable and what broke off within its body go, at once and when it
    comes late; another call and the same number of another agency stay, and a call told afterwards.
    """
    told = [bad(1, NOW - DAY), broken(2, NOW - DAY, call_id=None), bad(3, NOW - DAY, "c-2")]
    records.insert(store, [*told, bad(4, NOW - DAY, agency="b")], NOW)
    made = erasure(store, "c-1")
    with writing(store) as connection:
        erasures.confirm(connection, made.id, ("person:2", "Q"), NOW)
    assert retention.finish_erasures(store, NOW) == 2
    records.insert(store, [bad(5, NOW - DAY), bad(6, NOW + DAY)], NOW + DAY)
    assert retention.finish_erasures(store, NOW + DAY) == 1
    whole = {number: kept(store, number).erased is not None for number in range(1, 7)}
    assert whole == {1: True, 2: True, 3: False, 4: False, 5: True, 6: False}
    assert {"what": "whole", "records": ["h:1", "h:2"]} in named(store, "erased")
    assert all(b"c-1" not in kept(store, one).head + kept(store, one).body for one in (1, 2, 5))
    verified(store)


def test_an_erasure_of_a_call_that_is_only_in_quarantine(
    store: Engine, agency: str, tmp_path: Any
) -> None:
    """
    It can be asked for by the number of the call; under a hold it is refused, with whose it is.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path / "home")})
    settings.home.mkdir()
    create_journal(settings.journal_path)
    trail, ring, journal = Audit(store, lambda: NOW), KeyRing(new_key()), Journal(settings)
    holds = LegalHolds(store, trail, ring, lambda: NOW)
    service = Erasures(store, journal, trail, key_ring=ring, holds=holds, now=lambda: NOW)
    actor = Actor("a", "administrator", "person:1", "p-1", "Ada Example", None)
    records.insert(store, [bad(1, NOW - DAY)], NOW)
    hold = holds.place(
        actor, {"call_id": "c-1", "authority": "Superior Court", "matter": "m", "reason": "r"}
    )
    with pytest.raises(ConflictError, match="Superior Court"):
        service.ask(actor, {"call_id": "c-1", "reason": "asked for"})
    holds.lift(actor, hold["hold_id"], {"reason": "over"})
    assert service.ask(actor, {"call_id": "c-2", "reason": "asked for"}) is None
    assert service.ask(actor, {"call_id": "c-1", "reason": "asked for"}) is not None
    journal.close()


def test_what_was_in_quarantine_before_is_reached_too(url: str) -> None:
    """
    Rows of before the migration learn their call from their head, count as told when they were
    stored, and a purge looks for words in them.
    """
    engine = open_store(url)
    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0011")
        body = {"request": {"remarks": RING.seal("words", "d-1")}}
        row = {"host": "h", "body": json.dumps(body).encode(), "at": OLD}
        for number, head in ((1, b'{"call_id": "c-1"}'), (2, b"{}")):
            insert = text(
                "INSERT INTO quarantined (host_id, journal_number, agency, reason, head, body,"
                " stored_at) VALUES (:host, :number, 'a', 'r', :head, :body, :at)"
            ).bindparams(bindparam("at", type_=Instant))
            connection.execute(insert, {**row, "number": number, "head": head})
    migrate(url)
    agencies.create(engine, Agency("a", "A", "UTC", "national-baseline", NOW))
    assert (kept(engine, 1).call_id, kept(engine, 1).told_at) == ("c-1", OLD)
    assert kept(engine, 2).call_id is None
    assert retention.purge(engine, DEFAULTS, NOW) == 2
    assert b"enc:" not in kept(engine, 1).body + kept(engine, 2).body
    engine.dispose()
