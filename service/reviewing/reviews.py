"""
Gives reviewers one decision at a time: claim it, see the call as the call-taker had it, say whom
one would have sent; only then comes the whole decision.

The API and the pages call the same functions here.
"""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine

from service.access import Actor
from service.agency_settings import ReviewRules
from service.answers import MISSHAPEN, Document
from service.audit import Audit
from service.chain.logs import is_changed
from service.errors import ClaimHeldError, ConflictError, DecisionUnreadableError
from service.instants import iso
from service.journal import Journal
from service.records import Records
from service.request import SIGNALS_CONTRADICT
from service.reviewing.blindness import CLAIM_HELD, Blindness
from service.store import audit, decisions, dispatches, openings, reviews
from service.store.database import reading, writing
from service.store.reviews import Claim, Review

# What the call-taker had. The answer to it, and what follows from the answer, is left out; what was
# read out of the call is evidence of the call, and stays.
CALL_SHOWN: Final = (
    *("received_at", "channel", "facts", "fact_sources", "incident_type", "remarks", "location"),
    *("availability", "dismissed", "more_incident_types"),
)


@dataclass(frozen=True, slots=True)
class Queue:
    """
    A piece of the queue, and the cursor of the next piece; None at the end.
    """

    items: tuple[Review, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far a reviewer is today, and what still waits in the agency.
    """

    answered: int
    due: int
    waiting: int


class Reviews:
    """
    Serves one actor at a time. One per process; any thread may call it.
    """

    def __init__(
        self,
        store: Engine,
        journal: Journal,
        records: Records,
        blind: Blindness,
        trail: Audit,
        *,
        rules: Callable[[str], ReviewRules],
        now: Callable[[], dt.datetime],
    ) -> None:
        self._store = store
        self._journal = journal
        self._records = records
        self._blind = blind
        self._trail = trail
        self._rules = rules
        self._now = now

    def queue(self, actor: Actor, *, is_open: bool, cursor: str | None, limit: int) -> Queue:
        """
        Give reviews of the actor's agency: open ones as they are due, or done ones, newest first.

        Raises:
            CursorError: the cursor is not one that a page gave.
        """
        return Queue(
            *reviews.page(self._store, actor.agency, is_open=is_open, cursor=cursor, limit=limit)
        )

    def progress(self, actor: Actor, since: dt.datetime, until: dt.datetime) -> Progress:
        """
        Say how many reviews the actor answered since a time, how many open ones are due before
        another, and how many wait in all.
        """
        agency = actor.agency
        return Progress(
            answered=reviews.count_answered(self._store, agency, actor.identity, since),
            due=reviews.count_open(self._store, agency, until),
            waiting=reviews.count_open(self._store, agency, None),
        )

    def find(self, actor: Actor, review_id: str) -> Review | None:
        """
        Give a review of the actor's agency, or None.
        """
        if "\0" in review_id:
            return None
        with reading(self._store) as connection:
            return reviews.find(connection, actor.agency, review_id)

    def claim(self, actor: Actor, review_id: str) -> Review | None:
        """
        Let the actor take a review; None where the agency has none with this id. Whoever holds it
        and claims it again holds it anew.

        Raises:
            ConflictError: `already_answered`, `already_claimed` by somebody else, or `already_seen`
                where the actor has opened a decision about this call, took it, or reported what was
                sent.
            DecisionUnreadableError: its decision was changed in the store.
        """
        review = self.find(actor, review_id)
        if review is None:
            return None
        if review.answered_at is not None:
            raise ConflictError("already_answered", "this review is answered: take another one")
        self._record(actor, review)
        at = self._now()
        until = at + dt.timedelta(minutes=self._rules(actor.agency).claim_minutes)
        ids = self._blind.revisions(actor.agency, review.call_id) | {review.decision_id}
        took_it = self._took(actor, review.call_id, ids)
        with writing(self._store) as connection:
            if took_it or self._blind.has_opened(connection, actor, ids):
                text = "you took this call or have opened its decision: leave it to somebody else"
                raise ConflictError("already_seen", text)
            wanted = Claim(actor.identity, actor.name, at, until)
            if not reviews.claim(connection, actor.agency, review_id, wanted):
                raise self._why_not(connection, actor, review_id)
            audit.add(connection, self._trail.entry(actor, "claimed", ("review", review_id)))
        return self.find(actor, review_id)

    def answer(
        self, actor: Actor, review_id: str, would_send: Sequence[str]
    ) -> tuple[Review, Document] | None:
        """
        Keep whom the actor would have sent, and give the review and the whole decision; None where
        the agency has none with this id.

        Raises:
            ConflictError: `already_answered`, `already_claimed` by somebody else, `not_claimed`, or
                `claim_expired`.
            DecisionUnreadableError: its decision was changed in the store.
        """
        review = self.find(actor, review_id)
        if review is None:
            return None
        decision = self._record(actor, review)
        at = self._now()
        with writing(self._store) as connection:
            if not reviews.answer(connection, review, actor.identity, would_send, at):
                raise self._why_not(connection, actor, review_id)
            who = (actor.agency, actor.identity)
            openings.add(connection, who, [review.decision_id], at)
            audit.add(connection, self._trail.entry(actor, "answered", ("review", review_id)))
        answered = self.find(actor, review_id)
        assert answered is not None, "an answered review is never withdrawn"
        return answered, decision

    def call(self, actor: Actor, review: Review) -> Document:
        """
        Give the call of a review as the call-taker had it: no recommendation, no rules, nothing
        that was sent.

        Raises:
            DecisionUnreadableError: its decision was changed in the store.
        """
        record = self._record(actor, review)
        try:
            return self._call(record)
        except MISSHAPEN as error:
            if is_changed(self._store, actor.agency, review.decision_id):
                raise DecisionUnreadableError(record["record"]) from error
            raise

    def _call(self, record: Document) -> Document:
        told = record["request"]
        shown_call = {name: told.get(name) for name in CALL_SHOWN}
        return {
            "call_id": record["call_id"],
            "decided_at": record["decided_at"],
            **shown_call,
            "remarks_kept": told.get("remarks_kept", True),
            "fact_sources": _sources(told.get("fact_sources")),
            "signals": record["signals"],
            "redisclosure_notice": record["redisclosure_notice"],
            "contradictions": [
                one["message"] for one in record["warnings"] if one["code"] == SIGNALS_CONTRADICT
            ],
        }

    def decision(self, actor: Actor, review: Review) -> Document | None:
        """
        Give the whole decision of a review that is answered, and note that the actor has opened it;
        None before.

        Raises:
            ClaimHeldError: the actor holds a claim on another revision of the call.
            DecisionUnreadableError: it was changed in the store.
        """
        if review.answered_at is None:
            return None
        if self._blind.refuses(actor, review.decision_id):
            raise ClaimHeldError(CLAIM_HELD)
        found = self._record(actor, review)
        self._blind.note_opened(actor, [review.decision_id])
        return found

    def shown(self, actor: Actor, found: Collection[Review]) -> list[Document]:
        """
        Give reviews as a list shows them: no reasons before the answer, nor to somebody who holds
        another review of the same call.
        """
        hidden = self._blind.hidden(actor)
        at = self._now()
        return [shown(one, at, is_hidden=one.decision_id in hidden) for one in found]

    def _record(self, actor: Actor, review: Review) -> Document:
        record = self._records.find(actor.agency, review.decision_id)
        # A review is made of a decision that is stored: where there is none, somebody took it out.
        if record is None or "unreadable" in record:
            raise DecisionUnreadableError(record and record["record"])
        return record

    def _took(self, actor: Actor, call_id: str, ids: Collection[str]) -> bool:
        """
        Tell whether the actor decided any revision of a call, or reported what was sent to it.
        """
        agency = actor.agency
        journaled = (
            *self._journal.revisions(agency, call_id),
            *self._journal.dispatches(agency, call_id),
        )
        bodies = [one.body for one in journaled]
        bodies += [one.body for one in decisions.of_call(self._store, agency, call_id)]
        bodies += [one.body for one in dispatches.of_decisions(self._store, agency, ids)]
        return any(_is_by(actor, body.get("by") or {}) for body in bodies)

    def _why_not(self, connection: Connection, actor: Actor, review_id: str) -> ConflictError:
        """
        Say why a review cannot be claimed or answered by this actor now.
        """
        now = reviews.find(connection, actor.agency, review_id)
        if now is None:
            return ConflictError("withdrawn", "this review left the queue: take another one")
        if now.answered_at is not None:
            return ConflictError("already_answered", "this review is answered, and that only once")
        if now.claimed_by == actor.identity:
            return ConflictError("claim_expired", "your claim has run out: claim the review again")
        if now.is_held(self._now()):
            return ConflictError("already_claimed", "somebody else holds this review")
        return ConflictError("not_claimed", "claim the review before you answer it")


def shown(review: Review, at: dt.datetime, *, is_hidden: bool = False) -> Document:
    """
    Give a review as the API shows it in a list.
    """
    is_done = review.answered_at is not None
    is_held = is_done or review.is_held(at)
    return {
        "review_id": review.id,
        "decision_id": review.decision_id,
        "reasons": list(review.reasons) if is_done and not is_hidden else None,
        "due_at": iso(review.due_at),
        "state": "done" if is_done else "open",
        "claimed_by": review.claimed_name if is_held else None,
        "claimed_until": (
            iso(review.claimed_until) if review.claimed_until and review.is_held(at) else None
        ),
    }


def _sources(told: Mapping[str, Any] | None) -> Document | None:
    """
    Give who says each fact in the words of the request.
    """
    if told is None:
        return None
    return {
        name: {"from": one["says"], **({"at": one["at"]} if one.get("at") else {})}
        for name, one in told.items()
    }


def _is_by(actor: Actor, by: Mapping[str, Any]) -> bool:
    is_person = actor.person_id is not None and by.get("person") == actor.person_id
    return is_person or (actor.key_id is not None and by.get("key") == actor.key_id)
