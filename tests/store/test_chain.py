"""
Prove on SQLite and on PostgreSQL that the log is kept, sealed once, and that a change shows.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, event, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from service.access import Actor
from service.chain import logs
from service.chain.verification import Verified, beside, verify
from service.store import audit, chain, decisions, dispatches, records
from service.store.audit import entry_of
from service.store.database import reading, writing
from service.verify_log import digest_of, hash_of, without_sealed
from tests.store.test_store import record

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
ACTOR = Actor("a", "auditor", "k", "p", "Ada Example", None)


def report(number: int, about: str) -> dict[str, Any]:
    """
    Give a report of what was sent, as the journal sends it.
    """
    answer = {
        "decision_id": about,
        "responders": ["ems"],
        "override": False,
        "released": [],
        "reason": None,
        "call_back_at": None,
        "reported_at": NOW.isoformat(),
    }
    body = {"request": {"comment": "enc:k1:zzzz"}, "answer": answer, "by": {}}
    return record(number, kind="dispatch", record_id=f"s-{number}", call_id="c", body=body)


def filled(store: Engine, count: int = 6) -> None:
    """
    Store a few records of every kind, and seal them.
    """
    batch = [record(number) for number in range(1, count + 1)]
    batch.append(report(count + 1, "r-001"))
    batch.append(record(1, record_id="r-002", host_id="h2"))
    stored, refused = records.insert(store, batch, NOW)
    assert (stored, refused) == (count + 1, ())
    audit.create(store, entry_of(ACTOR, "read", ("decision", "r-001"), NOW, {"n": (1, 2)}))
    assert chain.seal(store, NOW, 1_000) == count + 3


def free(store: Engine, *tables: str) -> None:
    """
    Drop the triggers, as somebody with the database's password can.
    """
    with writing(store) as connection:
        for table in tables or ("chain",):
            if store.dialect.name == "postgresql":
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                continue
            found = f"SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='{table}'"
            for name in connection.exec_driver_sql(found).scalars().all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")


def found_in(store: Engine, anchors: dict[int, str] | None = None) -> Verified:
    """
    Verify everything of the agency.
    """
    found = verify(store, "a", anchors=anchors)
    fault = found.fault or beside(store, "a", LATER)
    return Verified(found.agency, found.reached, found.records, fault)


def kind_of(store: Engine, anchors: dict[int, str] | None = None) -> tuple[str, int] | str:
    """
    Give the kind and the place of the fault; `good` without one.
    """
    fault = found_in(store, anchors).fault
    return (fault.kind, fault.place) if fault else "good"


def test_every_kind_of_thing_gets_a_place_and_verifies(store: Engine) -> None:
    """
    Decisions, reports, repeats and entries of the trail stand in one log, and the log is good; what
    comes again gets no second link, and each agency has a log of its own.
    """
    filled(store)
    with reading(store) as connection:
        kinds = connection.execute(select(chain.chain.c.kind)).scalars().all()
    assert sorted(set(kinds)) == ["audit", "decision", "dispatch", "repeat"]
    assert kind_of(store) == "good"
    head = chain.head(store, "a")
    assert head.place == 9
    records.insert(store, [record(1), record(1, record_id="r-002", host_id="h2")], NOW)
    assert chain.seal(store, NOW, 1_000) == 0
    records.insert(store, [record(1, agency="b", host_id="h9", record_id="b-1")], NOW)
    assert chain.seal(store, NOW, 1_000) == 1
    assert chain.head(store, "b").place == 1
    assert chain.head(store, "a") == head
    assert chain.agencies(store) == ("a", "b")


def test_the_database_refuses_to_change_the_log(store: Engine) -> None:
    """
    No sealed link is changed and none is removed; a salt may go, and does not come back.
    """
    filled(store)
    records.insert(store, [record(50)], NOW)
    links = chain.chain
    sealed = links.c.place == 2
    refused: list[Any] = [
        update(links).where(sealed).values(hash="0" * 64),
        update(links).where(sealed).values(place=99),
        update(links).where(sealed).values(place=None, hash=None, sealed_at=None),
        update(links).where(sealed).values(digest="0" * 64),
        update(links).where(sealed).values(salt="0" * 32),
        update(links).where(links.c.place.is_(None)).values(digest="0" * 64),
        delete(links),
    ]
    if store.dialect.name == "postgresql":
        refused.append(text("TRUNCATE chain"))
    for change in refused:
        with pytest.raises(DBAPIError, match="never changed"), store.begin() as connection:
            connection.execute(change)
    with writing(store) as connection:
        connection.execute(update(links).where(sealed).values(salt=None))
    with pytest.raises(DBAPIError, match="never changed"), store.begin() as connection:
        connection.execute(update(links).where(sealed).values(salt="0" * 32))


def _alter_body(connection: Connection) -> None:
    table = decisions.decisions
    changed = {"answer": {"forged": True}}
    connection.execute(update(table).where(table.c.record_id == "r-003").values(body=changed))


def _alter_column(connection: Connection) -> None:
    table = decisions.decisions
    connection.execute(update(table).where(table.c.record_id == "r-003").values(police=True))


def _alter_number(connection: Connection) -> None:
    table = decisions.decisions
    changed = update(table).where(table.c.record_id == "r-003").values(journal_number=77)
    connection.execute(changed)


def _remove_record(connection: Connection) -> None:
    connection.execute(
        delete(decisions.decisions).where(decisions.decisions.c.record_id == "r-003")
    )


def _remove_link(connection: Connection) -> None:
    connection.execute(delete(chain.chain).where(chain.chain.c.place == _place(connection)))


def _swap(connection: Connection) -> None:
    place, links = _place(connection), chain.chain
    for old, new in ((place, 1_000), (place + 1, place), (1_000, place + 1)):
        connection.execute(update(links).where(links.c.place == old).values(place=new))


def _forge_digest(connection: Connection) -> None:
    links = chain.chain
    connection.execute(
        update(links).where(links.c.place == _place(connection)).values(digest="0" * 64)
    )


def _take_salt(connection: Connection) -> None:
    links = chain.chain
    connection.execute(update(links).where(links.c.place == _place(connection)).values(salt=None))


def _place(connection: Connection) -> int:
    found = select(chain.chain.c.place).where(
        chain.chain.c.subject_id == "r-003", chain.chain.c.kind == "decision"
    )
    return int(connection.execute(found).scalar_one())


@pytest.mark.parametrize(
    ("tamper", "kind"),
    [
        (_alter_body, "alteration"),
        (_alter_column, "alteration"),
        (_alter_number, "alteration"),
        (_forge_digest, "alteration"),
        (_remove_record, "deletion"),
        (_remove_link, "deletion"),
        (_take_salt, "deletion"),
        (_swap, "reordering"),
    ],
)
def test_what_an_administrator_of_the_database_does_is_named(
    store: Engine, tamper: Callable[[Connection], None], kind: str
) -> None:
    """
    With the triggers gone, what was altered, removed or moved is named with its place.
    """
    filled(store)
    free(store)
    with writing(store) as connection:
        place = _place(connection)
        tamper(connection)
    assert kind_of(store) == (kind, place)


def test_a_record_that_was_put_in_beside_the_log_is_named(store: Engine) -> None:
    """
    A decision and an entry of the trail that came past the log are insertions; what was stored a
    moment ago is not.
    """
    filled(store)
    with writing(store) as connection:
        row = dict(connection.execute(select(decisions.decisions).limit(1)).one()._mapping)
        forged = {**row, "record_id": "forged", "journal_number": 999}
        connection.execute(insert(decisions.decisions).values(forged))
    assert beside(store, "a", NOW) is None
    fault = found_in(store).fault
    assert fault is not None
    assert fault.kind == "insertion"
    assert "`forged`" in fault.text


def test_numbers_of_a_journal_that_never_came_are_named(store: Engine) -> None:
    """
    A hole in the numbers of a host is named once it is a minute old, however far back it is.
    """
    filled(store)
    assert beside(store, "a", LATER) is None
    records.insert(store, [record(20), record(30)], NOW)
    assert beside(store, "a", NOW) is None
    fault = beside(store, "a", LATER)
    assert fault is not None
    assert fault.kind == "deletion"
    assert "8 to 19 of the journal of host h1" in fault.text


def test_a_log_that_was_rewritten_or_cut_shows_against_an_anchor(store: Engine) -> None:
    """
    Everything recomputed after a change is good in itself; a head that was kept elsewhere, or by
    the last verification, is what finds it. So does an anchor behind an end that was cut off.
    """
    filled(store)
    anchored = chain.head(store, "a")
    first = verify(store, "a")
    free(store)
    with writing(store) as connection:
        _alter_body(connection)
        place, links = _place(connection), chain.chain
        there = connection.execute(select(links).order_by(links.c.place)).all()
        previous = next(one.hash for one in there if one.place == place - 1)
        for row in there[place - 1 :]:
            link = chain.Link(**{name: getattr(row, name) for name in chain.Link.__slots__})
            values: dict[str, Any] = {}
            if row.place == place:
                (content,) = [
                    dict(one._mapping)
                    for one in connection.execute(
                        select(decisions.decisions).where(
                            decisions.decisions.c.record_id == "r-003"
                        )
                    )
                ]
                values["digest"] = digest_of(row.salt, chain.content_of("decision", content))
            names = {**link.names(), **values}
            previous = values["hash"] = hash_of("a", names, previous)
            connection.execute(update(links).where(links.c.seq == row.seq).values(values))
    assert kind_of(store) == "good"
    assert kind_of(store, {anchored.place: anchored.hash}) == ("rewrite", anchored.place)
    resumed = verify(store, "a", first.reached)
    assert resumed.fault is not None
    assert resumed.fault.kind == "rewrite"
    with writing(store) as connection:
        connection.execute(delete(links).where(links.c.place == anchored.place))
    assert kind_of(store, {anchored.place: anchored.hash})[0] == "truncation"


def test_sealers_at_once_and_one_that_dies_give_each_place_once(store: Engine) -> None:
    """
    Four sealers at once, while records come in, leave no hole and no doubled place; a sealer that
    dies before its commit leaves nothing.
    """
    records.insert(store, [record(number) for number in range(1, 101)], NOW)

    def dies(*_: Any) -> None:
        raise RuntimeError("killed")

    event.listen(store, "commit", dies)
    with pytest.raises(RuntimeError):
        chain.seal(store, NOW, 50)
    event.remove(store, "commit", dies)
    assert chain.unsealed_count(store, "a") == 100

    def work(worker: int) -> int:
        count = 0
        for turn in range(5):
            number = 1_000 * worker + turn
            records.insert(
                store, [record(number, host_id=f"w{worker}", record_id=f"w-{number}")], NOW
            )
            count += chain.seal(store, NOW, 7)
        return count

    with ThreadPoolExecutor(4) as pool:
        sealed = sum(pool.map(work, range(4)))
    while more := chain.seal(store, NOW, 7):
        sealed += more
    assert sealed == 120
    assert chain.head(store, "a").place == 120
    assert verify(store, "a").fault is None


def test_an_erasure_is_good_once_the_log_says_so(store: Engine) -> None:
    """
    A text that was replaced by its fingerprint, and a record whose content and salt are gone, are
    faults until an entry names them, sealed or not; the digest of the rest still holds.
    """
    filled(store)
    table, links = dispatches.dispatches, chain.chain
    with writing(store) as connection:
        body = connection.execute(select(table.c.body)).scalar_one()
        purged = without_sealed(body, "erased")
        connection.execute(update(table).values(body=purged))
    fault = found_in(store).fault
    assert fault is not None
    assert "`s-7`" in fault.text
    told = {"what": "remarks", "records": ["s-7"]}
    audit.create(store, entry_of(ACTOR, "purged", ("log", "a"), NOW, told))
    assert kind_of(store) == "good"
    with writing(store) as connection:
        connection.execute(
            update(decisions.decisions)
            .where(decisions.decisions.c.record_id == "r-003")
            .values(body={"erased": {"why": "erasure", "at": "x"}}, call_id="erased:r-003")
        )
        connection.execute(update(links).where(links.c.subject_id == "r-003").values(salt=None))
    assert kind_of(store)[0] == "deletion"
    told = {"what": "whole", "records": ["r-003"]}
    audit.create(store, entry_of(ACTOR, "erased", ("log", "a"), NOW, told))
    assert kind_of(store) == "good"
    assert chain.seal(store, NOW, 100) == 2
    assert kind_of(store) == "good"
    assert logs.standing_of(store, "a", "decision", "r-003")["verifies"] is True
