"""
Keeps reviews blind: who may not see a decision now, and who has opened it and may not review it.

Whoever holds a claim that is not answered sees no revision of that call by any other way. Every
view and page that shows a decision asks here, in this order:

    if parts.blind.refuses(actor, decision_id): ...      # 403
    parts.blind.note_opened(actor, [decision_id])        # then show it
    parts.blind.hidden(actor)                            # left out of lists and exports

What cannot be checked is not shown: with the store away a reviewer gets a 503. Keys of systems that
may not review are never checked and never wait for the store.
"""

import datetime as dt
from collections.abc import Callable, Collection
from typing import Final

from sqlalchemy import Connection, Engine

from service.access import REVIEW, Actor
from service.errors import ClaimHeldError, StoreUnavailableError
from service.journal import Journal
from service.store import decisions, openings, reviews
from service.store.database import reading, writing
from service.store.reviews import Review

CLAIM_HELD: Final = "answer the review of this call first: you hold its claim"


class Blindness:
    """
    Judges one actor at a time. One per process; any thread may call it.
    """

    def __init__(self, store: Engine, journal: Journal, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._journal = journal
        self._now = now

    def refuses(self, actor: Actor, decision_id: str) -> bool:
        """
        Tell whether this actor holds an unanswered claim on the call of this decision: then it is a
        403.

        Raises:
            StoreUnavailableError: it cannot be known, and the actor may review.
        """
        return decision_id in self.hidden(actor)

    def refuses_call(self, actor: Actor, call_id: str) -> bool:
        """
        Tell whether this actor holds an unanswered claim on this call.

        Raises:
            StoreUnavailableError: it cannot be known, and the actor may review.
        """
        return any(one.call_id == call_id for one in self._held(actor))

    def hidden(self, actor: Actor) -> frozenset[str]:
        """
        Give the ids of the decisions that lists and exports leave out for this actor: every
        revision of each call of which they hold an unanswered claim.

        Raises:
            StoreUnavailableError: it cannot be known, and the actor may review.
        """
        return self._hidden(actor.agency, self._held(actor))

    def note_opened(self, actor: Actor, decision_ids: Collection[str]) -> None:
        """
        Note that this actor is shown these decisions, so that they never review them. Of a key that
        may not review, and is nobody's, nothing is noted.

        Raises:
            ClaimHeldError: they claimed the review of one just now: it must not be shown.
            StoreUnavailableError: it cannot be noted, and the actor may review.
        """
        if not _is_watched(actor) or not decision_ids:
            return
        who, at = (actor.agency, actor.identity), self._now()
        try:
            with writing(self._store) as connection:
                openings.alone(connection, who)
                held = reviews.held(connection, *who, at)
                if self._hidden(actor.agency, held) & frozenset(decision_ids):
                    raise ClaimHeldError(CLAIM_HELD)
                openings.add(connection, who, decision_ids, at)
        except StoreUnavailableError:
            # Somebody who takes calls must be shown them whatever is down.
            if actor.may(REVIEW):
                raise

    def has_opened(
        self, connection: Connection, actor: Actor, decision_ids: Collection[str]
    ) -> bool:
        """
        Tell within the transaction of a claim whether the actor has opened any of these decisions.
        """
        who = (actor.agency, actor.identity)
        openings.alone(connection, who)
        return openings.is_opened(connection, who, decision_ids)

    def revisions(self, agency: str, call_id: str) -> frozenset[str]:
        """
        Give the ids of all decisions about one call that the store or this host's journal has.
        """
        known = {one.record_id for one in self._journal.revisions(agency, call_id)}
        return frozenset(known | decisions.ids_of_call(self._store, agency, call_id))

    def _hidden(self, agency: str, held: tuple[Review, ...]) -> frozenset[str]:
        return frozenset(
            found
            for one in held
            for found in (one.decision_id, *self.revisions(agency, one.call_id))
        )

    def _held(self, actor: Actor) -> tuple[Review, ...]:
        if not _is_watched(actor):
            return ()
        try:
            with reading(self._store) as connection:
                return reviews.held(connection, actor.agency, actor.identity, self._now())
        except StoreUnavailableError:
            if actor.may(REVIEW):
                raise
            return ()


def _is_watched(actor: Actor) -> bool:
    # A person who takes calls today may review next year, and may hold a key of another role.
    return actor.may(REVIEW) or actor.person_id is not None
