"""
Erase what an agency keeps no longer: words about a person after days, the rest of a record after
years; in the store, and in the journals of the hosts.

What is under a legal hold stays. Each batch is a transaction of its own with its entry in the audit
trail, which names the records, so that a verifier of the chain knows why their content is gone.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection, Engine

from service.access import Actor
from service.agency_settings import AgencyDefaults, Retention, settings_of
from service.erased import ERASURE, RETENTION
from service.journal import Journal, aside, salvage
from service.store import (
    agencies,
    audit,
    erasing,
    erasures,
    journal_positions,
    legal_holds,
    quarantine_erasing,
)
from service.store.agencies import Agency
from service.store.audit import entry_of
from service.store.chain import NOBODYS
from service.store.database import scrub, writing
from service.store.erasures import Erasure, OnHost

log = structlog.get_logger()
BATCH_RECORDS: Final = 500  # in one transaction, and as many ids as one entry of the trail names
BATCHES_MAX: Final = 100  # of each kind in one run; the next run goes on
ERASURES_MAX: Final = 1_000  # looked at in one run
CALL_RECORDS_MAX: Final = 10_000  # of one call in one transaction; the rest is finished later
DAYS_IN_YEAR: Final = 365.25
ROLE: Final = "service"


def clock_actor(agency: str) -> Actor:
    """
    Give who acts where a time of keeping is over: the service itself.
    """
    return Actor(agency, ROLE, RETENTION, None, RETENTION)


def purge(store: Engine, defaults: AgencyDefaults, now: dt.datetime) -> int:
    """
    Erase in the store what no agency keeps any longer, and count the records and notes.

    Raises:
        StoreUnavailableError: the store cannot be asked; the next run goes on.
    """
    count = 0
    known = agencies.all_agencies(store)
    retentions = [settings_of(one.settings, defaults).retention for one in known]
    for agency, kept in zip(known, retentions, strict=True):
        told_before, made_before = _befores(kept, now)
        for kind in erasing.WORDED:
            count += _purge_texts(store, agency, kind, (told_before, now))
        count += _purge_notes(store, agency, (told_before, now))
        count += _purge_whole(store, agency, (made_before, now))
        count += _purge_quarantined(store, agency.id, kept, now)
    beside = _of_nobody([*retentions, defaults.retention])
    for whose in quarantine_erasing.agencies_beside(store, [one.id for one in known]):
        count += _purge_quarantined(store, whose, beside, now)
    if count:
        scrub(store)
        log.info("purged", count=count)
    return count


def _befores(kept: Retention, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """
    Give before when words must have been told to go, and before when a record.
    """
    words = now - dt.timedelta(days=kept.remarks_days)
    return words, now - dt.timedelta(days=kept.decisions_years * DAYS_IN_YEAR)


def _of_nobody(all_kept: Sequence[Retention]) -> Retention:
    """
    Say how long a record is kept of which nobody knows whose it is: its words as short as by
    anybody, the rest as long.
    """
    days = min(one.remarks_days for one in all_kept)
    return Retention(days, max(one.decisions_years for one in all_kept))


def _purge_quarantined(store: Engine, agency: str | None, kept: Retention, now: dt.datetime) -> int:
    told_before, made_before = _befores(kept, now)
    actor, left = clock_actor(agency or NOBODYS), (RETENTION, now)
    count = 0
    for _ in range(BATCHES_MAX):
        with writing(store) as connection:
            due = agency, told_before
            worded, whole, seen = quarantine_erasing.erase_words(
                connection, due, left, BATCH_RECORDS
            )
            due = agency, made_before
            old = quarantine_erasing.erase_old(connection, due, left, BATCH_RECORDS)
            note(connection, actor, "purged", worded, now, what="remarks")
            note(connection, actor, "purged", [*whole, *old], now, what="whole")
        count += len(worded) + len(whole) + len(old)
        if not seen and not old:
            break
    return count


def _purge_texts(
    store: Engine, agency: Agency, kind: str, times: tuple[dt.datetime, dt.datetime]
) -> int:
    before, now = times
    count, after = 0, None
    for _ in range(BATCHES_MAX):
        with writing(store) as connection:
            ids, after = erasing.erase_texts(
                connection, kind, (agency.id, before), after, BATCH_RECORDS
            )
            note(connection, clock_actor(agency.id), "purged", ids, now, what="remarks")
        count += len(ids)
        if after is None:
            break
    return count


def _purge_notes(store: Engine, agency: Agency, times: tuple[dt.datetime, dt.datetime]) -> int:
    before, now = times
    count = 0
    for _ in range(BATCHES_MAX):
        with writing(store) as connection:
            found = erasing.erase_notes(connection, agency.id, before, BATCH_RECORDS)
            note(connection, clock_actor(agency.id), "purged", found, now, what="comments")
        count += len(found)
        if not found:
            break
    return count


def _purge_whole(store: Engine, agency: Agency, times: tuple[dt.datetime, dt.datetime]) -> int:
    before, now = times
    count = 0
    for _ in range(BATCHES_MAX):
        with writing(store) as connection:
            found = erasing.due_whole(connection, agency.id, before, BATCH_RECORDS)
            if not any(found):
                break
            ids = erasing.erase_whole(connection, agency.id, found, (RETENTION, now))
            note(connection, clock_actor(agency.id), "purged", ids, now, what="whole")
        count += len(ids)
    return count


def finish_erasures(store: Engine, now: dt.datetime) -> int:
    """
    Erase what was stored only after its erasure was confirmed, and whatever repeats a record that
    is erased; gives how many records.

    Raises:
        StoreUnavailableError: the store cannot be asked; the next run goes on.
    """
    count = 0
    for one in erasures.confirmed(store, ERASURES_MAX):
        with writing(store) as connection:
            count += len(erase_call(connection, clock_actor(one.agency), one, now))
    with writing(store) as connection:
        for agency, record_id in erasing.repeats_of_erased(connection, BATCH_RECORDS):
            erasing.erase_repeats(connection, agency, [record_id], (ERASURE, now))
            subject = ("retention", agency)
            note(connection, clock_actor(agency), "erased", [record_id], now, subject=subject)
            count += 1
    if count:
        scrub(store)
    return count


def erase_call(
    connection: Connection, actor: Actor, erasure: Erasure, now: dt.datetime
) -> list[str]:
    """
    Erase within the caller's transaction what the store has of a call whose erasure is confirmed;
    gives the ids of the records.
    """
    until, left = erasure.confirmed_at or now, (ERASURE, now)
    call = erasure.agency, erasure.call_id
    found = erasing.of_call(connection, *call, until, CALL_RECORDS_MAX)
    ids = erasing.erase_whole(connection, erasure.agency, found, left) if any(found) else []
    ids += quarantine_erasing.erase_call(connection, call, until, left, CALL_RECORDS_MAX)
    note(connection, actor, "erased", ids, now, subject=("erasure", erasure.id))
    return ids


def note(
    connection: Connection,
    actor: Actor,
    act: str,
    record_ids: Sequence[str],
    now: dt.datetime,
    *,
    what: str = "whole",
    subject: tuple[str, str] | None = None,
) -> None:
    """
    Note within the transaction of an erasure which records lost what: `remarks`, `whole`, or
    `comments` of findings and alerts.
    """
    for start in range(0, len(record_ids), BATCH_RECORDS):
        detail = {"what": what, "records": list(record_ids[start : start + BATCH_RECORDS])}
        named = subject or ("retention", actor.agency)
        audit.add(connection, entry_of(actor, act, named, now, detail))


def erase_in_journal(
    store: Engine, journal: Journal, defaults: AgencyDefaults, now: dt.datetime
) -> int:
    """
    Erase in this host's journal what was confirmed to be erased, note in the store that it is done,
    and erase words that no agency keeps any longer; gives how many records were changed.

    What the store has not yet is left until it has it.

    Raises:
        StoreUnavailableError, JournalUnavailableError: one of the two is away; the next run goes
            on.
    """
    count = 0
    for one in erasures.not_done_on(store, journal.host_id, ERASURES_MAX):
        assert one.confirmed_at is not None, "only what is confirmed is asked for"
        erased = journal.erase_call(one.agency, one.call_id, one.confirmed_at)
        if erased is None or not journal.scrub():
            continue  # some of it is on its way to the store, or somebody still reads the log
        done = OnHost(one.id, journal.host_id, erased, now)
        with writing(store) as connection:
            erasures.note_done(connection, done)
        log.info("erased_in_journal", erasure=one.id, records=erased)
        count += erased
    return count + _purge_journal(store, journal, defaults, now)


def erase_aside(
    store: Engine, journal: Journal, home: Path, defaults: AgencyDefaults, now: dt.datetime
) -> int:
    """
    Remove damaged journals that were set aside and shipped: when words in one could be older than
    any agency keeps them, and at once when a call is to be erased that could be in it. While any
    legal hold stands all of them stay. Gives how many.

    Raises:
        StoreUnavailableError: the store cannot be asked; the next run goes on.
    """
    found = aside.shipped(home)
    if not found or legal_holds.any_stands(store):
        return 0
    kept = [settings_of(one.settings, defaults).retention for one in agencies.all_agencies(store)]
    days = _of_nobody([*kept, defaults.retention]).remarks_days
    count = 0
    for path in found:
        try:
            written = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
            host_id = salvage.host_of(path)
            is_over = journal.keeps_since(written) < now - dt.timedelta(days=days)
            if not (is_over or _is_erasure_due(store, host_id, written)):
                continue
            aside.remove(path)
        except OSError as error:
            # Whatever is wrong with an old file, the host's own journal is shipped on.
            log.warning("aside_stays", aside=path.name, reason=type(error).__name__)
            continue
        if host_id is not None:
            journal_positions.note_gone(store, host_id, now)
        log.info("aside_removed", aside=path.name)
        count += 1
    return count


def _is_erasure_due(store: Engine, host_id: str | None, written: dt.datetime) -> bool:
    """
    Tell whether a call is to be erased that could be in a journal nobody can write any more.
    """
    if host_id is not None:
        return bool(erasures.not_done_on(store, host_id, 1))
    return any((one.confirmed_at or written) > written for one in erasures.confirmed(store, 1))


def _purge_journal(
    store: Engine, journal: Journal, defaults: AgencyDefaults, now: dt.datetime
) -> int:
    count = 0
    for agency in agencies.all_agencies(store):
        kept = settings_of(agency.settings, defaults).retention
        before = now - dt.timedelta(days=kept.remarks_days)
        if before < journal.keeps_since(now):
            continue  # nothing in the journal is as old
        held = legal_holds.held_calls(store, agency.id)
        if held is not None:
            count += journal.erase_texts(agency.id, before, held)
    if count:
        journal.scrub()
    return count
