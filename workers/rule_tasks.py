"""
Do what administrators asked for: a piece of a check, and publications whose time has come.

Nothing is asked for by a task: each of these looks for requested rows, is sent by beat every
second, and stands being run again and beside itself.
"""

from datetime import UTC, datetime
from functools import cache

from celery import shared_task
from sqlalchemy import Engine

from service.audit import Audit
from service.rules_in_force import RulesInForce, read_rules
from service.settings import read_settings
from service.store.database import open_store
from service.tuning.checks import work
from service.tuning.live_rules import Bell
from service.tuning.publishing import Publishing

PIECES_MAX = 3  # pieces of checks in one task, so that none is long


@shared_task(name="workers.rule_tasks.check_drafts")  # type: ignore[untyped-decorator]  # Celery has no types
def check_drafts() -> int:
    """
    Do the next pieces of the checks that wait; gives how many.
    """
    for count in range(PIECES_MAX):
        if not work(_store(), _rules().config, _now):
            return count
    return PIECES_MAX


@shared_task(name="workers.rule_tasks.publish_due")  # type: ignore[untyped-decorator]  # Celery has no types
def publish_due() -> int:
    """
    Publish what was planned and whose time has come; gives how many.
    """
    store = _store()
    bell = Bell(read_settings().redis_url)
    return Publishing(_rules(), store, Audit(store, _now), _now, bell).publish_due()


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _store() -> Engine:
    settings = read_settings()
    return open_store(settings.database_url, wait_s_max=settings.store_wait_s_max)


@cache
def _rules() -> RulesInForce:
    return read_rules(read_settings())
