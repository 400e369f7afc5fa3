"""
Do what the queue asks: each task is one call of the service, and stands being run again.
"""

import time
from functools import cache
from typing import Any

import structlog
from celery import shared_task

from service import retention
from service.alerts import raise_for_missing, raise_for_stored
from service.encryption import sampling_key
from service.redis_client import ALIVE_KEY, ALIVE_S
from service.reviewing import review_selection
from service.reviewing.review_selection import Selecting
from service.store import records as stored
from service.store.database import compact
from workers.process import now, redis, rules, settings, store

log = structlog.get_logger()


@shared_task(name="workers.tasks.store_records")  # type: ignore[untyped-decorator]  # Celery has no types
def store_records(records: list[dict[str, Any]]) -> int:
    """
    Store records of a host's journal, of any kind, in one transaction, and count the new ones.

    If the store is away the task ends with its error and is not tried again: the host's shipper
    sends again whatever it does not find in the store.
    """
    started = time.perf_counter()
    count, poison = stored.insert(store(), records, now(), also=raise_for_stored)
    for one in poison:
        place = {"host_id": one.host_id, "number": one.journal_number}
        log.error("record_quarantined", **place, record_id=one.record_id, reason=one.reason)
    took_ms = round((time.perf_counter() - started) * 1000, 1)
    log.debug("records_stored", count=count, of=len(records), took_ms=took_ms)
    return count


@shared_task(name="workers.tasks.look_for_missing")  # type: ignore[untyped-decorator]  # Celery has no types
def look_for_missing() -> int:
    """
    Look for records that hosts numbered and the store lacks, and count the new alerts.
    """
    return raise_for_missing(store(), now())


@shared_task(name="workers.tasks.note_alive")  # type: ignore[untyped-decorator]  # Celery has no types
def note_alive(part: str) -> None:
    """
    Note that *part* sent this and that a worker took it, for as long as both should be believed.
    """
    at = now().isoformat()
    pipe = redis().pipeline(transaction=False)
    for alive in (part, "worker"):
        pipe.set(ALIVE_KEY.format(part=alive), at, ex=ALIVE_S)
    pipe.execute()


@shared_task(name="workers.tasks.select_for_review")  # type: ignore[untyped-decorator]  # Celery has no types
def select_for_review() -> int:
    """
    Put into the queue of reviews what was stored since the last time and is to be reviewed.

    If the store is away the task ends with its error; the next one goes on where this began.
    """
    by = Selecting(rules().config.agency, _sampling_key(), now())
    return review_selection.select_for_review(store(), by)


@shared_task(name="workers.tasks.purge")  # type: ignore[untyped-decorator]  # Celery has no types
def purge() -> int:
    """
    Erase what no agency keeps any longer, in batches, and count it.

    If the store is away the task ends with its error; the next one goes on where this ended.
    """
    return retention.purge(store(), rules().config.agency, now())


@shared_task(name="workers.tasks.finish_erasures")  # type: ignore[untyped-decorator]  # Celery has no types
def finish_erasures() -> int:
    """
    Erase what was stored only after its erasure was confirmed, and count it.
    """
    return retention.finish_erasures(store(), now())


@shared_task(name="workers.tasks.compact_store")  # type: ignore[untyped-decorator]  # Celery has no types
def compact_store() -> bool:
    """
    Let no piece of what was erased stay in the file of a store that is SQLite.
    """
    return compact(store())


@cache
def _sampling_key() -> str:
    return sampling_key(settings())
