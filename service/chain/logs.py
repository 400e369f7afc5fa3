"""
The log of an agency as people ask for it: its head, whether it verifies, and where a record stands.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, Final

import structlog
from sqlalchemy import Engine

from service.access import Actor
from service.audit import Audit
from service.chain import verification
from service.chain.export import Piece, lines_of, piece_of, withheld_from
from service.chain.verification import BEGINNING, Verified
from service.errors import StoreUnavailableError
from service.instants import iso
from service.store import audit, chain, linked, verifications
from service.store.database import writing
from service.store.piecework import DONE, REQUESTED
from service.store.verifications import Verification
from service.verify_log import digest_of, hash_of

log = structlog.get_logger()
PIECE_S_MAX: Final = 10.0  # far less than a task may take before another worker gets it
HELD_S: Final = 60
TRIES_MAX: Final = 5
MARGIN: Final = dt.timedelta(minutes=10)  # a record counts as new again this far back
CLOCK: Final = "the clock"
NOT_KNOWN: Final = {"place": None, "hash": None, "sealed_at": None, "verifies": None}


class Logs:
    """
    Reads the log of one agency at a time. One per process; any thread may call it.
    """

    def __init__(self, store: Engine, trail: Audit, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._trail = trail
        self._now = now

    def state(self, agency: str) -> dict[str, Any]:
        """
        Give the head of the log, what waits for its place, the last verifications, and one of the
        whole log that is asked for and not done yet.
        """
        head = chain.head(self._store, agency)
        last = verifications.last(self._store, agency)
        last_whole = verifications.last(self._store, agency, whole=True)
        waiting = verifications.waiting(self._store, agency)
        return {
            "agency": agency,
            "place": head.place,
            "hash": head.hash,
            "sealed_at": iso(head.sealed_at) if head.sealed_at else None,
            "count": head.place,
            "unsealed": chain.unsealed_count(self._store, agency),
            "last_verification": shown(last) if last else None,
            "last_whole_verification": shown(last_whole) if last_whole else None,
            "waiting_verification": shown(waiting) if waiting else None,
        }

    def request(self, actor: Actor) -> Verification:
        """
        Ask for a verification of the whole log; one that is not done yet is given again.
        """
        wanted = wanted_of(self._store, actor.agency, self._now(), actor.identity, whole=True)
        made = verifications.ask(self._store, wanted)
        if made.id == wanted.id:
            with writing(self._store) as connection:
                entry = self._trail.entry(actor, "asked for verification", ("log", actor.agency))
                audit.add(connection, entry)
        return made

    def export(
        self,
        actor: Actor,
        hidden: frozenset[str],
        first: int | None = None,
        last: int | None = None,
    ) -> tuple[Iterator[bytes], Piece]:
        """
        Write the actor's log, or a piece of it, for the verifier, without what they may not see and
        the decisions *hidden* from them; that it left is noted first.

        Raises:
            ValidationError: the log has no such places.
            StoreUnavailableError: the store cannot be reached, or cannot take the entry.
        """
        piece = piece_of(self._store, actor.agency, first, last)
        self._trail.note_first(actor, "exported", ("log", actor.agency), places=piece.places)
        withhold = withheld_from(actor, hidden)
        return lines_of(self._store, piece, withhold, self._now()), piece

    def find(self, agency: str, verification_id: str) -> Verification | None:
        """
        Give a verification of an agency, or None.
        """
        return verifications.find(self._store, agency, verification_id)


def standing_of(store: Engine, agency: str, kind: str, record_id: str) -> dict[str, Any]:
    """
    Say where a record stands in its log, and whether its content and its link verify; None each
    until it is sealed. Of an erased record the link alone is left to verify.

    Raises:
        StoreUnavailableError: the store cannot be reached.
    """
    link = chain.of_subject(store, agency, kind, record_id)
    if link is None or link.place is None or link.sealed_at is None:
        return dict(NOT_KNOWN)
    before = chain.at_place(store, agency, link.place - 1) if link.place > 1 else None
    previous = before.hash if before else BEGINNING[1] if link.place == 1 else None
    (content,) = linked.contents(store, [link])
    # What was erased whole has no salt, and no content to compare.
    is_same = link.salt is None or (
        content is not None and digest_of(link.salt, content) == link.digest
    )
    joins = previous is not None and hash_of(agency, link.names(), previous) == link.hash
    return {
        "place": link.place,
        "hash": link.hash,
        "sealed_at": iso(link.sealed_at),
        "verifies": is_same and joins,
    }


def wanted_of(
    store: Engine, agency: str, at: dt.datetime, by: str = CLOCK, *, whole: bool
) -> Verification:
    """
    Make a verification to ask for: of the whole log, or from where the last one ended.
    """
    last = None if whole else verifications.last(store, agency)
    place, head = (last.through, last.head) if last else BEGINNING
    return Verification(
        *(verifications.new_id(), agency, whole or not place, REQUESTED, by, at, place, place, head)
    )


def ask_for_all(store: Engine, at: dt.datetime, *, whole: bool) -> int:
    """
    Ask for a verification of each agency's log, or of what is new in it, and count them.
    """
    names = [one for one in chain.agencies(store) if whole or _has_new(store, one)]
    asked = [wanted_of(store, agency, at, whole=whole) for agency in names]
    for one in asked:
        verifications.ask(store, one)
    return len(asked)


def _has_new(store: Engine, agency: str) -> bool:
    last = verifications.last(store, agency)
    return last is None or not last.good or chain.head(store, agency).place != last.through


def work(
    store: Engine, now: Callable[[], dt.datetime], clock: Callable[[], float]
) -> Verified | None:
    """
    Do one piece of the next verification that waits; None if none does.

    Raises:
        StoreUnavailableError: the store cannot be reached; the piece is done again.
    """
    at = now()
    asked = verifications.take(store, at, at + dt.timedelta(seconds=HELD_S))
    if asked is None:
        return None
    start = asked.through, asked.head
    if asked.tries > TRIES_MAX:
        text = f"it was begun {TRIES_MAX} times and never came to its end: ask for another"
        verifications.finish(store, asked.id, at, start, text)
        return None
    until = clock() + PIECE_S_MAX
    last = verifications.last(store, asked.agency)
    anchors = {last.through: last.head} if last and last.through > start[0] else {}
    found = verification.verify(
        store, asked.agency, start, anchors=anchors, goes_on=lambda _: clock() < until
    )
    if found.fault is None and not found.is_end:
        verifications.go_on(store, asked.id, *found.reached)
        return found
    fault = found.fault
    if fault is None:
        since = None if asked.whole or last is None else last.requested_at - MARGIN
        fault = verification.beside(store, asked.agency, now(), since)
    verifications.finish(store, asked.id, now(), found.reached, str(fault) if fault else None)
    if fault is not None:
        log.error("chain_broken", agency=asked.agency, place=fault.place, fault=fault.kind)
    return Verified(asked.agency, found.reached, found.records, fault)


def shown(one: Verification) -> dict[str, Any]:
    """
    Give a verification as the API and the pages show it.
    """
    return {
        "verification_id": one.id,
        "state": one.state,
        "whole": one.whole,
        "requested_at": iso(one.requested_at),
        "finished_at": iso(one.finished_at) if one.state == DONE and one.finished_at else None,
        "from_place": one.from_place + 1,
        "through": one.through,
        "head": one.head,
        "good": one.good,
        "fault": one.fault,
    }


def is_changed(store: Engine, agency: str, decision_id: str) -> bool:
    """
    Tell whether a decision is not as it was sealed; with the store away, or before it was sealed,
    nobody can tell, and it is not.
    """
    return standing_or_not(store, agency, "decision", decision_id)["verifies"] is False


def standing_or_not(store: Engine, agency: str, kind: str, record_id: str) -> dict[str, Any]:
    """
    Say where a record stands as `standing_of` does; with the store away nothing is known.
    """
    try:
        return standing_of(store, agency, kind, record_id)
    except StoreUnavailableError:
        return dict(NOT_KNOWN)
