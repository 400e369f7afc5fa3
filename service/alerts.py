"""
Raise and settle what a supervisor must look at now.

An alert stands until somebody settles it. The workers raise those about calls when a report is
stored; a process that cannot load its rules raises that itself. No text of an alert holds a word of
a call.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine

from service.access import READ_ALERTS, READ_CALLS, Actor
from service.audit import Audit
from service.encryption import KeyRing
from service.erased import is_erased_column
from service.errors import ConflictError, StoreUnavailableError
from service.instants import iso
from service.store import alerts, audit, journal_numbers, records
from service.store.alerts import Alert, Settled
from service.store.database import writing
from service.verify_log import Fault

NOBODY_SENT: Final = "nobody_sent"
CALL_BACK_DUE: Final = "call_back_due"
RECORD_MISSING: Final = alerts.RECORD_MISSING
RECORD_QUARANTINED: Final = "record_quarantined"
JOURNAL_DAMAGED: Final = "journal_damaged"
RULES_NOT_LOADED: Final = "rules_not_loaded"
CHAIN_BROKEN: Final = "chain_broken"
# An administrator has no need to read calls, and sees only the alerts that are about none.
KINDS: Final = (
    NOBODY_SENT,
    CALL_BACK_DUE,
    RECORD_MISSING,
    RECORD_QUARANTINED,
    JOURNAL_DAMAGED,
    RULES_NOT_LOADED,
    CHAIN_BROKEN,
)

NOBODY_SENT_TEXT: Final = "Nobody was sent to this call. See that somebody calls back."
CALL_BACK_TEXT: Final = "The caller was to be called back by now. See that it was done."
# Workers store in any order; a number that is missing for longer than this is worth a look.
MISSING_AFTER: Final = dt.timedelta(minutes=1)
ON_A_PAGE_MAX: Final = 3
COMMENT_CHARACTERS_MAX: Final = 2_000
SUBJECT_CHARACTERS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """
    How many open alerts somebody is not shown because they hold the review of their call, and the
    review to answer so that they are.
    """

    count: int = 0
    review_id: str | None = None


@dataclass(frozen=True, slots=True)
class OpenAlerts:
    """
    What stands on every page of somebody who must look at it: the newest few, how many there are in
    all, and what waits for their answer. `is_known` is false where the store could not be asked.
    """

    items: tuple[Alert, ...]
    count: int
    is_known: bool = True
    waiting: Waiting = Waiting()


class Alerts:
    """
    Alerts of one agency at a time. One per process; any thread may call it.
    """

    def __init__(
        self, store: Engine, trail: Audit, key_ring: KeyRing, now: Callable[[], dt.datetime]
    ) -> None:
        self._store = store
        self._trail = trail
        self._key_ring = key_ring
        self._now = now

    def open_now(self, actor: Actor) -> OpenAlerts | None:
        """
        Give what must stand on the actor's page; None for somebody who does not look at alerts.

        Never raises: with the store away it says that alerts are not known.
        """
        if not actor.may(READ_ALERTS):
            return None
        try:
            items, count = alerts.newest_open(
                self._store,
                actor.agency,
                self._now(),
                about_calls=actor.may(READ_CALLS),
                identity=actor.identity,
                limit=ON_A_PAGE_MAX,
            )
            return OpenAlerts(items, count, waiting=self.waiting(actor))
        except StoreUnavailableError:
            return self.not_known(actor)

    def waiting(self, actor: Actor) -> Waiting:
        """
        Say what waits until the actor has answered the review that they hold: an alert says what
        was sent, and so it stays hidden; that there is one does not.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        if not (actor.may(READ_ALERTS) and actor.may(READ_CALLS)):
            return Waiting()
        return Waiting(*alerts.waiting(self._store, actor.agency, actor.identity, self._now()))

    def not_known(self, actor: Actor) -> OpenAlerts | None:
        """
        Say that nobody can tell; None for somebody who does not look at alerts.
        """
        return OpenAlerts((), 0, is_known=False) if actor.may(READ_ALERTS) else None

    def page(
        self, actor: Actor, *, is_open: bool, cursor: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """
        Give alerts that the actor may see, the newest first, and the cursor of the next page.

        Raises:
            CursorError: the cursor is not one that a page gave.
            StoreUnavailableError: the store cannot be reached.
        """
        found, following = alerts.page(
            self._store,
            actor.agency,
            is_open=is_open,
            now=self._now(),
            about_calls=actor.may(READ_CALLS),
            identity=actor.identity,
            cursor=cursor,
            limit=limit,
        )
        return [self.shown(one) for one in found], following

    def settle(self, actor: Actor, alert_id: str, comment: str | None) -> dict[str, Any] | None:
        """
        Settle an open alert that the actor may see, and give it; None if there is none.

        Raises:
            ConflictError: somebody settled it before (`already_settled`); says who and when.
            StoreUnavailableError: the store cannot be reached.
        """
        if self._find(actor, alert_id) is None:
            return None
        sealed = self._key_ring.seal(comment, alert_id) if comment else None
        settled = Settled(actor.identity, actor.name, self._now(), sealed)
        with writing(self._store) as connection:
            done = alerts.settle(connection, actor.agency, alert_id, settled)
            if done:
                audit.add(connection, self._trail.entry(actor, "settled", ("alert", alert_id)))
        found = alerts.find(self._store, actor.agency, alert_id)
        assert found is not None, "an alert is never removed"
        if not done:
            assert found.settled_at is not None, "what is not open is settled"
            text = f"{found.settled_name} settled this alert at {iso(found.settled_at)}"
            raise ConflictError("already_settled", text)
        return self.shown(found)

    def shown(self, alert: Alert) -> dict[str, Any]:
        """
        Give an alert as the API and the pages show it.
        """
        return {
            "alert_id": alert.id,
            "kind": alert.kind,
            "subject_id": alert.subject_id.partition(" ")[0],
            "decision_id": decision_of(alert),
            "call_id": alert.call_id,
            "text": alert.text,
            "raised_at": iso(alert.raised_at),
            "due_at": iso(alert.due_at),
            "state": "open" if alert.settled_at is None else "settled",
            "settled_at": iso(alert.settled_at) if alert.settled_at else None,
            "settled_by": alert.settled_name,
            "comment": self._comment(alert),
        }

    def _find(self, actor: Actor, alert_id: str) -> Alert | None:
        if not (alert_id.isascii() and alert_id.isalnum()):
            return None
        return alerts.find(
            self._store,
            actor.agency,
            alert_id,
            now=self._now(),
            about_calls=actor.may(READ_CALLS),
            identity=actor.identity,
        )

    def _comment(self, alert: Alert) -> str | None:
        if alert.comment is None or is_erased_column(alert.comment):
            return None
        return self._key_ring.open_or(alert.comment, alert.id, None)


def decision_of(alert: Alert) -> str | None:
    """
    Give the decision that an alert about a call is about.
    """
    return alert.subject_id.partition(" ")[0] if alert.call_id is not None else None


def raise_for_stored(connection: Connection, kind: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """
    Raise what stored records call for, within the transaction that stores them, and count it. The
    same record again raises nothing; only reports of what was sent, and records that went into
    quarantine, call for anything.

    A report that sends nobody is an alert at once; any time at which a caller is to be called back
    is one when it comes. A later report of the same call settles neither: a person does.
    """
    if kind == records.QUARANTINED:
        return _raise_for_quarantined(connection, rows)
    if kind != "dispatch":
        return 0
    count = 0
    for row in rows:
        at, call_back_at = row["stored_at"], row["call_back_at"]
        # Another time of the same decision is another promise, and is looked at anew.
        subject = f"{row['decision_id']} {iso(call_back_at)}" if call_back_at else row["record_id"]
        due = []
        if not row["responders"]:
            due.append((NOBODY_SENT, NOBODY_SENT_TEXT, at))
        if call_back_at is not None and call_back_at > row["reported_at"]:
            due.append((CALL_BACK_DUE, CALL_BACK_TEXT, call_back_at))
        for what, text, due_at in due:
            made = Alert(
                *(alerts.new_id(), row["agency"], what, subject, row["call_id"], text, at, due_at)
            )
            count += alerts.add(connection, made)
    return count


def raise_for_broken_chain(store: Engine, agency: str, fault: Fault, at: dt.datetime) -> bool:
    """
    Raise an alert that the log of an agency does not verify; False if this fault was raised before.

    Raises:
        StoreUnavailableError: the store cannot be reached.
    """
    text = (
        f"The log does not verify: {fault}. Change nothing in the store, export the log, and ask"
        " who had access to the database."
    )
    subject = f"place-{fault.place} {fault}"[:SUBJECT_CHARACTERS_MAX]
    made = Alert(alerts.new_id(), agency, CHAIN_BROKEN, subject, None, text, at, at)
    return alerts.create(store, made)


def _raise_for_quarantined(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> int:
    """
    Raise one alert a day for each agency and host: a program that is at fault may refuse many.
    """
    count = 0
    for row in rows:
        if row["agency"] is None:
            continue
        host_id, at = row["host_id"], row["stored_at"]
        text = (
            f"Record {row['journal_number']} of the journal of host {host_id[:12]}, and maybe"
            " others, cannot be stored as it is. It is kept. Have the administrator of this host"
            " look: crisis-router quarantine list"
        )
        subject = f"{host_id} {at.date().isoformat()}"
        made = Alert(
            *(alerts.new_id(), row["agency"], RECORD_QUARANTINED, subject, None, text, at, at)
        )
        count += alerts.add(connection, made)
    return count


def raise_for_damaged(store: Engine, host_id: str, unreadable: int, at: dt.datetime) -> int:
    """
    Raise an alert for a journal that was damaged, in each agency that its host worked for, and
    count the new ones.

    Raises:
        StoreUnavailableError: the store cannot be reached.
    """
    lost = f"; {unreadable} of its records could not be read" if unreadable else ""
    text = (
        f"The journal of host {host_id[:12]} was damaged and set aside. What could be read of it is"
        f" in the store{lost}. Have the disk of that host looked at. Numbers that are missing have"
        " alerts of their own."
    )
    count = 0
    for agency in journal_numbers.agencies_of(store, host_id):
        made = Alert(alerts.new_id(), agency, JOURNAL_DAMAGED, host_id, None, text, at, at)
        count += alerts.create(store, made)
    return count


def raise_for_missing(store: Engine, at: dt.datetime) -> int:
    """
    Raise an alert for every gap in the numbers of a host's journal that is older than a minute, in
    each agency that the host works for, and count the new ones.

    Whose record is missing nobody can tell, so each of them must know.

    Raises:
        StoreUnavailableError: the store cannot be reached.
    """
    count = 0
    for gap in journal_numbers.gaps(store, stored_before=at - MISSING_AFTER):
        numbers = f"{gap.first}" if gap.first == gap.last else f"{gap.first} to {gap.last}"
        text = (
            f"Record {numbers} of the journal of host {gap.host_id[:12]} is not in the store,"
            " though later ones are. If it never came: look at that host's journal and at the log"
            " of its shipper. If it was stored and is gone: `crisis-router verify` names it."
        )
        subject = f"{gap.host_id} {gap.first}-{gap.last}"
        for agency in journal_numbers.agencies_of(store, gap.host_id):
            made = Alert(alerts.new_id(), agency, RECORD_MISSING, subject, None, text, at, at)
            count += alerts.create(store, made)
    return count
