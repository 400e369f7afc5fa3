"""
Look after records that the store could not take as they are: the newest few by their names and
reasons, another try once the program can read them, and the word that one stays for good.

What a record says is shown to nobody: it may be about a person.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine

from service.access import Actor
from service.alerts import raise_for_stored
from service.audit import Audit
from service.errors import ConflictError, InQuarantineError
from service.instants import iso
from service.store import audit, quarantined, records
from service.store.database import writing
from service.store.quarantined import Quarantined

NEWEST_MAX: Final = 5
NUMBER_MAX: Final = 2**63 - 1  # of a journal, and of a column
STORED: Final = "stored out of quarantine"
LEFT: Final = "left in quarantine"


class Quarantine:
    """
    Quarantine of one agency at a time. One per process; any thread may call it.
    """

    def __init__(self, store: Engine, trail: Audit, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._trail = trail
        self._now = now

    def state(self, agency: str) -> dict[str, Any]:
        """
        Count an agency's records, those of which nobody can tell whose they are, and those that
        somebody left there for good; and give the agency's newest few that nobody did.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        count, of_nobody, left = quarantined.counts(self._store, agency)
        newest = quarantined.newest(self._store, agency, NEWEST_MAX) if count else ()
        return {
            "count": count,
            "of_nobody": of_nobody,
            "left": left,
            "newest": [
                {
                    "host_id": one.host_id,
                    "number": one.journal_number,
                    "record_id": one.record_id,
                    "kind": one.kind,
                    "reason": one.reason,
                    "at": iso(one.stored_at),
                }
                for one in newest
            ],
        }

    def refuse_if_here(self, agency: str, record_id: str) -> None:
        """
        Refuse to say that an agency has no such record where it is in quarantine and not erased.

        Raises:
            InQuarantineError: it is; says its place, and what shows the rest.
            StoreUnavailableError: the store cannot be reached.
        """
        if "\0" in record_id:
            return  # no id of ours, and none that every store can be asked for
        found = quarantined.find_record(self._store, agency, record_id)
        if found is not None and found.erased is None:
            raise InQuarantineError(found.host_id, found.journal_number)

    def retry(self, actor: Actor, host_id: str, number: int) -> dict[str, Any] | None:
        """
        Try to store a record of the actor's agency, now that the program may be able to; None where
        there is none. One that still cannot be stored stays, and `reason` says why.

        Raises:
            ConflictError: it was stored before (`already_stored`), or `erased`.
            StoreUnavailableError: the store cannot be reached; nothing was stored.
        """
        found = self._of_agency(actor, host_id, number)
        if found is None:
            return None
        reason = self.store_again(actor, found)
        return {**_place(found), "stored": reason is None, "reason": reason}

    def leave(self, actor: Actor, host_id: str, number: int) -> dict[str, Any] | None:
        """
        Say of a record of the actor's agency that it stays in quarantine for good; None where there
        is none.

        Raises:
            ConflictError: it was stored before (`already_stored`), or `erased`.
            StoreUnavailableError: the store cannot be reached; nothing has changed.
        """
        found = self._of_agency(actor, host_id, number)
        if found is None:
            return None
        self.leave_there(actor, found)
        return {**_place(found), "left": True}

    def store_again(self, actor: Actor, kept: Quarantined) -> str | None:
        """
        Try to store one record, and note who did it in the trail of its agency, if it has one.

        Returns:
            Why it still cannot be stored, and nothing has changed; None: it is stored.

        Raises:
            ConflictError: it was stored before (`already_stored`), or `erased`.
            StoreUnavailableError: the store cannot be reached; nothing was stored.
        """
        _refuse_what_is_settled(kept)

        def also(connection: Connection, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
            raise_for_stored(connection, kind, rows)
            self._note(connection, actor, STORED, kept)

        return records.store_again(self._store, kept, actor.identity, self._now(), also=also)

    def leave_there(self, actor: Actor, kept: Quarantined) -> None:
        """
        Note of one record, and in the trail of its agency, that it stays for good: it is kept as it
        is, can still be stored, and asks for nothing more. Said before, nothing changes.

        Raises:
            ConflictError: it was stored before (`already_stored`), or `erased`.
            StoreUnavailableError: the store cannot be reached; nothing has changed.
        """
        _refuse_what_is_settled(kept)
        with writing(self._store) as connection:
            place = kept.host_id, kept.journal_number
            if quarantined.leave(connection, place, actor.identity, self._now()):
                self._note(connection, actor, LEFT, kept)

    def _of_agency(self, actor: Actor, host_id: str, number: int) -> Quarantined | None:
        is_place = host_id.isascii() and host_id.isprintable() and 0 < number <= NUMBER_MAX
        found = quarantined.find(self._store, host_id, number) if is_place else None
        return found if found is not None and found.agency == actor.agency else None

    def _note(self, connection: Connection, actor: Actor, act: str, kept: Quarantined) -> None:
        if kept.agency is None:
            return
        subject = kept.kind or "record", kept.record_id or f"{kept.host_id}:{kept.journal_number}"
        place = {"host_id": kept.host_id, "number": kept.journal_number}
        audit.add(connection, self._trail.entry(actor, act, subject, **place))


def _place(kept: Quarantined) -> dict[str, Any]:
    return {
        "host_id": kept.host_id,
        "number": kept.journal_number,
        "record_id": kept.record_id,
    }


def _refuse_what_is_settled(kept: Quarantined) -> None:
    if kept.erased is not None:
        said = f"it was erased on {kept.erased.at[:10]}: {kept.erased.words}"
        raise ConflictError("erased", f"{said}. Nothing is left to store")
    if kept.settled_at is not None:
        text = f"it was stored at {kept.settled_at:%Y-%m-%d %H:%M:%S} UTC"
        raise ConflictError("already_stored", text)
