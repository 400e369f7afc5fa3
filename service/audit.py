"""
Write the audit trail: who did what, when, to what, from where.

A change writes its entry in its own transaction (`entry`); what only reads is noted on the side
(`note`), and never fails because the trail cannot be written: the log says so instead. A whole log
that leaves is noted before (`note_first`), or does not leave.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from sqlalchemy import Engine

from service.access import Actor
from service.errors import StoreUnavailableError
from service.instants import iso
from service.store import audit
from service.store.audit import Entry

log = structlog.get_logger()


class Audit:
    """
    Writes entries. One per process; any thread may call it.
    """

    def __init__(
        self,
        store: Engine,
        now: Callable[[], dt.datetime],
        has_store: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._now = now
        # Nobody who reads a call waits for a store that was away a second ago.
        self._has_store = has_store
        self.lost = 0  # entries of this process that only the log has

    def entry(self, actor: Actor, act: str, subject: tuple[str, str], /, **detail: Any) -> Entry:
        """
        Make an entry for `store.audit.add` within the transaction of the change itself.

        *act* is a short verb in the past, *subject* a kind and an id; *detail* never holds words of
        a call or a secret.
        """
        return audit.entry_of(actor, act, subject, self._now(), detail)

    def note(self, actor: Actor, act: str, subject: tuple[str, str], /, **detail: Any) -> None:
        """
        Note what somebody read. Never raises: with the store away the entry goes to the log.
        """
        made = self.entry(actor, act, subject, **detail)
        if self._has_store():
            try:
                audit.create(self._store, made)
                return
            except StoreUnavailableError:
                pass  # the log says it, as it does where the store was away before
        self.lost += 1
        log.error(
            "audit_not_stored",
            identity=made.identity,
            agency=made.agency,
            act=act,
            subject_kind=subject[0],
            subject_id=subject[1],
        )

    def note_first(
        self, actor: Actor, act: str, subject: tuple[str, str], /, **detail: Any
    ) -> None:
        """
        Note what somebody is about to be given, and must not be given without an entry.

        Raises:
            StoreUnavailableError: it cannot be noted.
        """
        try:
            audit.create(self._store, self.entry(actor, act, subject, **detail))
        except StoreUnavailableError as error:
            raise StoreUnavailableError(
                f"nothing was {act}: it cannot be noted in the audit trail, since {error}"
            ) from error


def shown(entry: Entry) -> Mapping[str, Any]:
    """
    Give an entry as the API shows it.
    """
    return {
        "audit_id": entry.id,
        "at": iso(entry.at),
        "identity": entry.identity,
        "name": entry.name,
        "role": entry.role,
        "address": entry.address,
        "act": entry.act,
        "subject": {"kind": entry.subject_kind, "id": entry.subject_id},
        "detail": dict(entry.detail),
    }
