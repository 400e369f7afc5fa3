"""
Prove on SQLite and on PostgreSQL that what leaves the store verifies, and how verifications go on.
"""

import io
from datetime import timedelta

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, update

from service import alerts as raising
from service.access import Actor
from service.chain import logs
from service.chain.export import lines_of, piece_of, withheld_from
from service.chain.verification import beside, verify
from service.store import alerts, chain, decisions, records, verifications
from service.store.database import writing
from service.store.migration import MIGRATIONS
from service.verify_log import Check, verify_file
from tests.store.test_chain import ACTOR, LATER, NOW, filled
from tests.store.test_store import record


def test_an_export_verifies_far_away(store: Engine) -> None:
    """
    The file that is exported, whole or a piece, passes the verifier; sealed texts do not leave, and
    what somebody may not see is withheld and the chain is whole.
    """
    filled(store)
    head = chain.head(store, "a")

    def exported(first: int | None, last: int | None, actor: Actor, *hidden: str) -> bytes:
        withhold = withheld_from(actor, frozenset(hidden))
        return b"".join(lines_of(store, piece_of(store, "a", first, last), withhold, NOW))

    def checked(data: bytes, anchors: dict[int, str]) -> Check:
        check = Check(anchors)
        assert verify_file(io.BytesIO(data), check) is None
        return check

    whole = exported(None, None, ACTOR)
    assert b"enc:" not in whole
    check = checked(whole, {head.place: head.hash})
    assert (check.counts.records, check.counts.compared, check.counts.withheld) == (9, 9, 0)
    assert checked(exported(3, 5, ACTOR), {}).counts.records == 3
    supervisor = Actor("a", "supervisor", "k", "q", "Sue Example", None)
    blind = exported(None, None, supervisor, "r-001")
    # The entry of the trail, the decision, and the report of what was sent to it.
    assert checked(blind, {}).counts.withheld == 3
    assert b'"body":{"request":{"comment"' not in blind


def test_verifications_are_done_in_pieces_and_a_fault_is_an_alert(store: Engine) -> None:
    """
    One that is asked for is done by whoever looks next, goes on where the last one ended, and tells
    its fault; asked for twice at once it is one.
    """
    filled(store)
    assert logs.work(store, lambda: LATER, lambda: 0.0) is None
    assert logs.ask_for_all(store, NOW, whole=False) == 1
    assert logs.ask_for_all(store, NOW, whole=False) == 1
    # A clock that leaps lets each piece be one batch.
    found = logs.work(store, lambda: LATER, lambda: 0.0)
    assert found is not None
    assert found.fault is None
    assert logs.work(store, lambda: LATER, lambda: 0.0) is None
    last = verifications.last(store, "a")
    assert last is not None
    assert (last.good, last.through, last.head) == (True, 9, chain.head(store, "a").hash)
    assert logs.ask_for_all(store, LATER, whole=False) == 0  # nothing is new
    records.insert(store, [record(8)], NOW)
    chain.seal(store, NOW, 100)
    after = LATER + timedelta(minutes=1)
    logs.ask_for_all(store, after, whole=False)
    found = logs.work(store, lambda: after, lambda: 0.0)
    assert found is not None
    assert (found.records, found.reached[0]) == (1, 10)
    with writing(store) as connection:
        table = decisions.decisions
        forged = update(table).where(table.c.record_id == "r-003").values(body={})
        connection.execute(forged)
    logs.ask_for_all(store, after + timedelta(minutes=1), whole=True)
    found = logs.work(store, lambda: after, lambda: 0.0)
    assert found is not None
    assert found.fault is not None
    assert raising.raise_for_broken_chain(store, "a", found.fault, after)
    assert not raising.raise_for_broken_chain(store, "a", found.fault, after)
    shown, _ = alerts.page(store, "a", is_open=True, now=after)
    assert [one.kind for one in shown] == ["chain_broken"]
    last = verifications.last(store, "a", whole=True)
    assert last is not None
    assert last.good is False


def test_what_is_missing_beside_the_log_is_one_alert_as_the_log_grows(store: Engine) -> None:
    """
    A number that never came is told once, not anew at each new head of the log.
    """
    filled(store)
    records.insert(store, [record(20)], NOW)
    for number in (21, 22):
        records.insert(store, [record(number)], NOW)
        chain.seal(store, NOW, 100)
        fault = beside(store, "a", LATER)
        assert fault is not None
        assert str(fault).startswith("deletion: record 8 to 19")
        assert raising.raise_for_broken_chain(store, "a", fault, LATER) == (number == 21)


def test_what_was_stored_before_is_linked_by_the_migration(store: Engine) -> None:
    """
    A log from before the chain has a link for everything afterwards, and verifies.
    """
    filled(store)
    with writing(store) as connection:
        connection.exec_driver_sql("DROP TABLE verifications")
        connection.exec_driver_sql("DROP TABLE chain")
        if store.dialect.name == "postgresql":
            connection.exec_driver_sql("DROP FUNCTION chain_is_kept()")
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        before = ScriptDirectory.from_config(config).get_revision("0009").down_revision
        command.stamp(config, str(before))
        command.upgrade(config, "0009")
    assert chain.seal(store, NOW, 1_000) == 9
    found = verify(store, "a")
    assert (found.records, found.fault, beside(store, "a", LATER)) == (9, None, None)
    assert found.check is not None
    assert found.check.counts.compared == 9
