"""
Raise and settle what a supervisor must look at now.

An alert stands until somebody settles it. The workers raise those about calls when a report is
stored; a process that cannot load its rules raises that itself.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Engine

from service.access import Actor
from service.audit import Audit
from service.store import alerts, audit
from service.store.alerts import Alert, Settled
from service.store.database import writing

NOBODY_SENT: Final = "nobody_sent"
CALL_BACK_DUE: Final = "call_back_due"
RECORD_MISSING: Final = "record_missing"
RULES_NOT_LOADED: Final = "rules_not_loaded"
# An administrator has no need to read calls, and sees only the alerts that are about none.
KINDS: Final = (NOBODY_SENT, CALL_BACK_DUE, RECORD_MISSING, RULES_NOT_LOADED)


class Alerts:
    """
    Alerts of one agency at a time. One per process; any thread may call it.
    """

    def __init__(self, store: Engine, trail: Audit, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._trail = trail
        self._now = now

    def settle(self, actor: Actor, alert_id: str, comment: str | None) -> Alert | None:
        """
        Settle an open alert of the actor's agency; None if there is none.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        settled = Settled(actor.identity, actor.name, self._now(), comment)
        with writing(self._store) as connection:
            if not alerts.settle(connection, actor.agency, alert_id, settled):
                return None
            audit.add(connection, self._trail.entry(actor, "settled", ("alert", alert_id)))
        return alerts.find(self._store, actor.agency, alert_id)


def shown(alert: Alert) -> dict[str, Any]:
    """
    Give an alert as the API shows it.
    """
    return {
        "alert_id": alert.id,
        "kind": alert.kind,
        "subject_id": alert.subject_id,
        "call_id": alert.call_id,
        "text": alert.text,
        "raised_at": _iso(alert.raised_at),
        "due_at": _iso(alert.due_at),
        "state": "open" if alert.settled_at is None else "settled",
        "settled_at": _iso(alert.settled_at) if alert.settled_at else None,
        "settled_by": alert.settled_name,
        "comment": alert.comment,
    }


def _iso(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
