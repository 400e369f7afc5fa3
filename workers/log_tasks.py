"""
Keep the logs of the agencies: give records their places in the chain, and verify it.
"""

import time

from celery import shared_task

from service.alerts import raise_for_broken_chain
from service.chain import logs
from service.store import chain
from workers.process import now, store

SEALED_MAX = 1_000  # records in one transaction, which other writers of SQLite wait for
TURNS_MAX = 20  # transactions in one task; the next comes a second later


@shared_task(name="workers.log_tasks.seal")  # type: ignore[untyped-decorator]  # Celery has no types
def seal() -> int:
    """
    Give records that wait their places in their agencies' logs, and count them.

    If the store is away the task ends with its error; the next one goes on where this began.
    """
    count = 0
    for _ in range(TURNS_MAX):
        sealed = chain.seal(store(), now(), SEALED_MAX)
        count += sealed
        if sealed < SEALED_MAX:
            break
    return count


@shared_task(name="workers.log_tasks.ask_for_verifications")  # type: ignore[untyped-decorator]  # Celery has no types
def ask_for_verifications(*, whole: bool) -> int:
    """
    Ask for a verification of every agency's log, or of its new part.
    """
    return logs.ask_for_all(store(), now(), whole=whole)


@shared_task(name="workers.log_tasks.verify")  # type: ignore[untyped-decorator]  # Celery has no types
def verify() -> bool:
    """
    Do one piece of a verification that waits; a fault is an alert.
    """
    found = logs.work(store(), now, time.monotonic)
    if found is None:
        return False
    if found.fault is not None:
        raise_for_broken_chain(store(), found.agency, found.fault, now())
    return True
