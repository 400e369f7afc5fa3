"""
Do what the queue asks: each task is one call of the service, and stands being run again.
"""

import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

import structlog
from celery import shared_task
from sqlalchemy import Engine

from service.agency_settings import AgencyDefaults
from service.alerts import raise_for_missing, raise_for_stored
from service.encryption import sampling_key
from service.reviewing import review_selection
from service.reviewing.review_selection import Selecting
from service.rules_in_force import read_rules
from service.settings import read_settings
from service.store import records as stored
from service.store.database import open_store
from workers.redis_client import ALIVE_KEY, ALIVE_S, Client, connect

log = structlog.get_logger()


@shared_task(name="workers.tasks.store_records")  # type: ignore[untyped-decorator]  # Celery has no types
def store_records(records: list[dict[str, Any]]) -> int:
    """
    Store records of a host's journal, of any kind, in one transaction, and count the new ones.

    If the store is away the task ends with its error and is not tried again: the host's shipper
    sends again whatever it does not find in the store.
    """
    started = time.perf_counter()
    count, refused = stored.insert(_store(), records, datetime.now(UTC), also=raise_for_stored)
    for one in refused:
        # It stays in its journal, so nothing is lost; but somebody must look at it.
        log.error("record_refused", record_id=one.record_id, reason=one.reason)
    took_ms = round((time.perf_counter() - started) * 1000, 1)
    log.debug("records_stored", count=count, of=len(records), took_ms=took_ms)
    return count


@shared_task(name="workers.tasks.look_for_missing")  # type: ignore[untyped-decorator]  # Celery has no types
def look_for_missing() -> int:
    """
    Look for records that hosts numbered and the store lacks, and count the new alerts.
    """
    return raise_for_missing(_store(), datetime.now(UTC))


@shared_task(name="workers.tasks.note_alive")  # type: ignore[untyped-decorator]  # Celery has no types
def note_alive(part: str) -> None:
    """
    Note that *part* sent this and that a worker took it, for as long as both should be believed.
    """
    at = datetime.now(UTC).isoformat()
    pipe = _redis().pipeline(transaction=False)
    for alive in (part, "worker"):
        pipe.set(ALIVE_KEY.format(part=alive), at, ex=ALIVE_S)
    pipe.execute()


@shared_task(name="workers.tasks.select_for_review")  # type: ignore[untyped-decorator]  # Celery has no types
def select_for_review() -> int:
    """
    Put into the queue of reviews what was stored since the last time and is to be reviewed.

    If the store is away the task ends with its error; the next one goes on where this began.
    """
    defaults, key = _selecting()
    return review_selection.select_for_review(_store(), Selecting(defaults, key, datetime.now(UTC)))


@cache
def _selecting() -> tuple[AgencyDefaults, str]:
    settings = read_settings()
    return read_rules(settings).config.agency, sampling_key(settings)


@cache
def _store() -> Engine:
    settings = read_settings()
    return open_store(settings.database_url, wait_s_max=settings.store_wait_s_max)


@cache
def _redis() -> Client:
    return connect(read_settings().redis_url)
