"""
Do what administrators asked for: a piece of a check, and publications whose time has come.

Nothing is asked for by a task: each of these looks for requested rows, is sent by beat every
second, and stands being run again and beside itself.
"""

from functools import cache

from celery import shared_task

from service.audit import Audit
from service.tuning.checks import work
from service.tuning.live_rules import Bell
from service.tuning.publishing import Publishing
from workers.process import now, rules, settings, store

PIECES_MAX = 3  # pieces of checks in one task, so that none is long


@shared_task(name="workers.rule_tasks.check_drafts")  # type: ignore[untyped-decorator]  # Celery has no types
def check_drafts() -> int:
    """
    Do the next pieces of the checks that wait; gives how many.
    """
    for count in range(PIECES_MAX):
        if not work(store(), rules().config, now):
            return count
    return PIECES_MAX


@shared_task(name="workers.rule_tasks.publish_due")  # type: ignore[untyped-decorator]  # Celery has no types
def publish_due() -> int:
    """
    Publish what was planned and whose time has come; gives how many.
    """
    return _publishing().publish_due()


@cache
def _publishing() -> Publishing:
    bell = Bell(settings().redis_url)
    return Publishing(rules(), store(), Audit(store(), now), now, bell)
