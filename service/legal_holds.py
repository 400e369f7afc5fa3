"""
Place and lift legal holds: on one call, or on everything of an agency. A hold stops purge and
erasure, and says whose it is to everybody who asks for either.

One person may place a hold and one may lift it, each with a reason; both stand in the audit trail.
What a hold says of its matter may name a person, and is sealed.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Engine

from service.access import Actor
from service.audit import Audit
from service.encryption import KeyRing
from service.errors import ConflictError
from service.instants import iso
from service.request import CALL_ID_CHARACTERS_MAX, Strict, text
from service.store import audit, legal_holds
from service.store.database import reading, writing
from service.store.legal_holds import LegalHold

WORDS_CHARACTERS_MAX: Final = 500
NOT_HERE: Final = "sealed, and its key is not here"


class HoldRequest(Strict):
    """
    Whose hold it is (the authority and the matter), why it is placed, and on which call; without
    one it is on everything of the agency.
    """

    call_id = text(CALL_ID_CHARACTERS_MAX, allow_none=True)
    authority = text(WORDS_CHARACTERS_MAX, required=True)
    matter = text(WORDS_CHARACTERS_MAX, required=True)
    reason = text(WORDS_CHARACTERS_MAX, required=True)


class ReasonRequest(Strict):
    """
    Why something is done.
    """

    reason = text(WORDS_CHARACTERS_MAX, required=True)


HOLD_REQUEST: Final = HoldRequest()
REASON_REQUEST: Final = ReasonRequest()


class LegalHolds:
    """
    Holds of one agency at a time: the actor's. One per process; any thread may call it.
    """

    def __init__(
        self, store: Engine, trail: Audit, key_ring: KeyRing, now: Callable[[], dt.datetime]
    ) -> None:
        self._store = store
        self._trail = trail
        self._key_ring = key_ring
        self._now = now

    def place(self, actor: Actor, told: Mapping[str, Any]) -> dict[str, Any]:
        """
        Place a hold, and give it. It may be on a call of which nothing is here yet.

        Raises:
            ValidationError: what was told has faults; all are named.
            StoreUnavailableError: the store cannot be reached.
        """
        read, hold_id = HOLD_REQUEST.load(told), legal_holds.new_id()
        hold = LegalHold(
            id=hold_id,
            agency=actor.agency,
            call_id=read.get("call_id"),
            authority=read["authority"].strip(),
            matter=self._key_ring.seal(read["matter"].strip(), hold_id),
            reason=self._key_ring.seal(read["reason"].strip(), hold_id),
            placed_by=actor.identity,
            placed_name=actor.name,
            placed_at=self._now(),
        )
        with writing(self._store) as connection:
            legal_holds.add(connection, hold)
            on = "a call" if hold.call_id else "everything"
            entry = self._trail.entry(
                actor, "placed", ("legal_hold", hold_id), on=on, authority=hold.authority
            )
            audit.add(connection, entry)
        return self.shown(hold)

    def lift(self, actor: Actor, hold_id: str, told: Mapping[str, Any]) -> dict[str, Any] | None:
        """
        Lift a hold that stands, and give it; None where the agency has no such hold.

        Raises:
            ValidationError: no reason was given.
            ConflictError: somebody lifted it before (`already_lifted`); says who and when.
        """
        with reading(self._store) as connection:
            if not hold_id.isalnum() or not legal_holds.find(connection, actor.agency, hold_id):
                return None
        read = REASON_REQUEST.load(told)
        why = self._key_ring.seal(read["reason"].strip(), hold_id)
        by = (actor.identity, actor.name)
        with writing(self._store) as connection:
            named = (actor.agency, hold_id)
            done = legal_holds.lift(connection, named, by, why, self._now())
            found = legal_holds.find(connection, actor.agency, hold_id)
            assert found is not None, "a hold is never removed"
            if not done:
                assert found.lifted_at is not None, "what does not stand was lifted"
                text = f"{found.lifted_name} lifted this hold at {iso(found.lifted_at)}"
                raise ConflictError("already_lifted", text)
            entry = self._trail.entry(
                actor, "lifted", ("legal_hold", hold_id), authority=found.authority
            )
            audit.add(connection, entry)
        return self.shown(found)

    def page(
        self, actor: Actor, cursor: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """
        Give holds of the actor's agency, the newest first, and the cursor of the next page.

        Raises:
            CursorError: the cursor is not one that a page gave.
            StoreUnavailableError: the store cannot be reached.
        """
        found, following = legal_holds.page(self._store, actor.agency, cursor, limit)
        return [self.shown(one) for one in found], following

    def standing(self, agency: str, call_id: str) -> list[dict[str, Any]]:
        """
        Give the holds that stand on a call, those on everything among them.
        """
        with reading(self._store) as connection:
            return [self.shown(one) for one in legal_holds.standing(connection, agency, call_id)]

    def refusal(self, connection: Connection, agency: str, call_id: str) -> str | None:
        """
        Say within a transaction whose hold keeps a call from being erased; None where none stands.
        """
        return _said(self.shown(one) for one in legal_holds.standing(connection, agency, call_id))

    def shown(self, hold: LegalHold) -> dict[str, Any]:
        """
        Give a hold as the API and the pages show it.
        """
        return {
            "hold_id": hold.id,
            "call_id": hold.call_id,
            "authority": hold.authority,
            "matter": self._open(hold.matter, hold.id),
            "reason": self._open(hold.reason, hold.id),
            "placed_by": hold.placed_name,
            "placed_at": iso(hold.placed_at),
            "state": "stands" if hold.lifted_at is None else "lifted",
            "lifted_by": hold.lifted_name,
            "lifted_at": iso(hold.lifted_at) if hold.lifted_at else None,
            "lift_reason": self._open(hold.lift_reason, hold.id) if hold.lift_reason else None,
        }

    def _open(self, sealed: str, hold_id: str) -> str:
        return self._key_ring.open_or(sealed, hold_id, NOT_HERE)


def _said(shown: Iterable[Mapping[str, Any]]) -> str | None:
    listed = [
        f"{one['authority']} ({one['matter']}), placed by {one['placed_by']} on"
        f" {one['placed_at'][:10]}"
        for one in shown
    ]
    if not listed:
        return None
    return f"a legal hold stands, so nothing of this call may be erased: {'; '.join(listed)}"
