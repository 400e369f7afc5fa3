"""
Erase a call because somebody has a right to it: asked for by one person with a reason, confirmed by
another, and never under a legal hold.

The store is done at once; each host does its own journal, and says so. What stays is that a record
was there, its place in the journal and in the chain, who erased it and when.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from service import retention
from service.access import Actor
from service.audit import Audit
from service.encryption import KeyRing
from service.errors import ConflictError
from service.instants import iso
from service.journal import Journal
from service.legal_holds import NOT_HERE, WORDS_CHARACTERS_MAX, LegalHolds
from service.request import CALL_ID_CHARACTERS_MAX, Strict, text
from service.store import audit, decisions, erasures, journal_numbers, quarantine_erasing
from service.store.database import reading, scrub, writing
from service.store.erasures import Erasure
from service.tuning.two_persons import fault_of_approver


class ErasureRequest(Strict):
    """
    Which call is to be erased, and why.
    """

    call_id = text(CALL_ID_CHARACTERS_MAX, required=True)
    reason = text(WORDS_CHARACTERS_MAX, required=True)


ERASURE_REQUEST: Final = ErasureRequest()


class AlreadyAskedError(ConflictError):
    """
    Somebody has asked for the call to be erased before, by the request `erasure_id`.
    """

    def __init__(self, before: Erasure) -> None:
        said = f"{before.asked_name} asked for it at {iso(before.asked_at)}"
        super().__init__("already_asked", f"{said}: confirm that, request {before.id}")
        self.erasure_id = before.id


class Erasures:
    """
    Erasures of one agency at a time: the actor's. One per process; any thread may call it.
    """

    def __init__(
        self,
        store: Engine,
        journal: Journal,
        trail: Audit,
        *,
        key_ring: KeyRing,
        holds: LegalHolds,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._store = store
        self._journal = journal
        self._trail = trail
        self._key_ring = key_ring
        self._holds = holds
        self._now = now

    def ask(self, actor: Actor, told: Mapping[str, Any]) -> dict[str, Any] | None:
        """
        Ask for a call to be erased, and give the request; None where the agency has no such call.

        Raises:
            ValidationError: what was told has faults; all are named.
            AlreadyAskedError: somebody has asked for it before; says which request that is.
            ConflictError: `needs_a_person`, or `held`, which says whose hold.
            StoreUnavailableError: the store cannot be reached.
        """
        read = ERASURE_REQUEST.load(told)
        agency, call_id = actor.agency, read["call_id"]
        _person(actor)
        if not self._is_there(agency, call_id):
            return None
        made_id = erasures.new_id()
        made = Erasure(
            id=made_id,
            agency=agency,
            call_id=call_id,
            reason=self._key_ring.seal(read["reason"].strip(), made_id),
            asked_by=actor.identity,
            asked_name=actor.name,
            asked_at=self._now(),
        )
        with self._judged() as connection:
            self._refuse_held(connection, agency, call_id)
            before = erasures.open_of_call(connection, agency, call_id)
            if before is not None:
                raise AlreadyAskedError(before)
            erasures.add(connection, made)
            audit.add(connection, self._trail.entry(actor, "asked for", ("erasure", made_id)))
        return self._shown_one(actor, made_id)

    def confirm(self, actor: Actor, erasure_id: str) -> dict[str, Any] | None:
        """
        Confirm what somebody else asked for, and erase it in the store; None where the agency has
        no such request.

        Raises:
            ConflictError: `needs_a_person`, `same_person`, `already_ended`, or `held`, which says
                whose hold.
            StoreUnavailableError: the store cannot be reached; nothing was erased.
        """
        if not erasure_id.isalnum():
            return None
        now = self._now()
        with self._judged() as connection:
            found = erasures.find(connection, actor.agency, erasure_id)
            if found is None:
                return None
            _person(actor)
            _open(found)
            fault = _fault_of(connection, actor, found, now)
            if fault is not None:
                raise ConflictError("same_person", fault)
            self._refuse_held(connection, actor.agency, found.call_id)
            erasures.confirm(connection, erasure_id, (actor.identity, actor.name), now)
            audit.add(connection, self._trail.entry(actor, "confirmed", ("erasure", erasure_id)))
            done = erasures.find(connection, actor.agency, erasure_id)
            assert done is not None, "it was there a moment ago"
            retention.erase_call(connection, actor, done, now)
        scrub(self._store)
        return self._shown_one(actor, erasure_id)

    def withdraw(self, actor: Actor, erasure_id: str) -> dict[str, Any] | None:
        """
        Withdraw a request that nobody has confirmed; None where the agency has no such request.

        Raises:
            ConflictError: `already_ended`; says how.
        """
        if not erasure_id.isalnum():
            return None
        with self._judged() as connection:
            found = erasures.find(connection, actor.agency, erasure_id)
            if found is None:
                return None
            _open(found)
            by = (actor.identity, actor.name)
            erasures.withdraw(connection, erasure_id, by, self._now())
            audit.add(connection, self._trail.entry(actor, "withdrew", ("erasure", erasure_id)))
        return self._shown_one(actor, erasure_id)

    def page(
        self, actor: Actor, cursor: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """
        Give erasures of the actor's agency, the newest first, with what each host has done of them,
        and the cursor of the next page.

        Raises:
            CursorError: the cursor is not one that a page gave.
            StoreUnavailableError: the store cannot be reached.
        """
        listed, following = self._page(actor, cursor, limit)
        return [shown for _, shown in listed], following

    def page_to_confirm(
        self, actor: Actor, cursor: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """
        Give what `page` gives, each with `refused`: why the actor may not confirm it (whose legal
        hold stands comes first), None if they may, or if nothing is left to confirm.
        """
        listed, following = self._page(actor, cursor, limit)
        with reading(self._store) as connection:
            told = [
                {**shown, "refused": self._refusal(connection, actor, one)} for one, shown in listed
            ]
        return told, following

    def _page(
        self, actor: Actor, cursor: str | None, limit: int
    ) -> tuple[list[tuple[Erasure, dict[str, Any]]], str | None]:
        found, following = erasures.page(self._store, actor.agency, cursor, limit)
        hosts = erasures.hosts_of(self._store, [one.id for one in found])
        known = journal_numbers.hosts_of(self._store) if found else ()
        listed = [(one, self._shown(one, hosts.get(one.id, ()), known)) for one in found]
        return listed, following

    def _shown_one(self, actor: Actor, erasure_id: str) -> dict[str, Any]:
        with writing(self._store) as connection:
            found = erasures.find(connection, actor.agency, erasure_id)
        assert found is not None, "an erasure is never removed"
        done = erasures.hosts_of(self._store, [erasure_id]).get(erasure_id, ())
        return self._shown(found, done, journal_numbers.hosts_of(self._store))

    def _shown(
        self, one: Erasure, done: tuple[erasures.OnHost, ...], known: tuple[str, ...]
    ) -> dict[str, Any]:
        are_done = {host.host_id for host in done}
        waits = [host for host in known if host not in are_done] if one.confirmed_at else []
        return {
            "erasure_id": one.id,
            "call_id": one.call_id,
            "reason": self._key_ring.open_or(one.reason, one.id, NOT_HERE),
            "state": one.state,
            "asked_by": one.asked_name,
            "asked_at": iso(one.asked_at),
            "confirmed_by": one.confirmed_name,
            "confirmed_at": iso(one.confirmed_at) if one.confirmed_at else None,
            "withdrawn_by": one.withdrawn_name,
            "withdrawn_at": iso(one.withdrawn_at) if one.withdrawn_at else None,
            "done_on": [
                {"host": host.host_id, "records": host.records, "at": iso(host.at)} for host in done
            ],
            "waits_for": waits,
        }

    def _is_there(self, agency: str, call_id: str) -> bool:
        return bool(
            self._journal.revisions(agency, call_id)
            or decisions.ids_of_call(self._store, agency, call_id)
            or quarantine_erasing.is_of_call(self._store, agency, call_id)
        )

    def _refusal(self, connection: Connection, actor: Actor, asked: Erasure) -> str | None:
        if asked.state != "asked":
            return None
        held = self._holds.refusal(connection, asked.agency, asked.call_id)
        return held or _fault_of(connection, actor, asked, self._now())

    def _refuse_held(self, connection: Connection, agency: str, call_id: str) -> None:
        said = self._holds.refusal(connection, agency, call_id)
        if said is not None:
            raise ConflictError("held", said)

    @contextmanager
    def _judged(self) -> Iterator[Connection]:
        """
        Open a transaction in which the database judges too.
        """
        try:
            with writing(self._store) as connection:
                yield connection
        except IntegrityError as error:
            # What was checked changed at the same moment: a hold, or who was first.
            text = "something changed at the same moment: look at it again"
            raise ConflictError("changed_since", text) from error


def _fault_of(connection: Connection, actor: Actor, asked: Erasure, now: dt.datetime) -> str | None:
    if asked.asked_by == actor.identity:
        return "you asked for it yourself: another person must confirm it"
    return fault_of_approver(connection, actor, (asked.asked_by,), now)


def _person(actor: Actor) -> None:
    if actor.person_id is None:
        text = "a person must do this, by a key of their own or on the page"
        raise ConflictError("needs_a_person", text)


def _open(erasure: Erasure) -> None:
    if erasure.state != "asked":
        by = erasure.confirmed_name or erasure.withdrawn_name
        at = erasure.confirmed_at or erasure.withdrawn_at
        assert at is not None, "what has ended ended at some time"
        raise ConflictError("already_ended", f"{by} {erasure.state} it at {iso(at)}")
