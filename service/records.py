"""
Finds decision records again, with what was really sent: in this host's journal at once, and in the
store as soon as the workers have them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from service.answers import MISSHAPEN, Document
from service.chain.logs import NOT_KNOWN, standing_or_not
from service.decisions import open_request
from service.disclosures import NOTICE, protected_facts
from service.encryption import KeyRing
from service.erased import (
    RecordErasedError,
    erased_whole,
    has_erased_text,
    is_erased_text,
)
from service.errors import SealedTextError, StoreUnavailableError
from service.instants import iso
from service.journal import Journal, Record
from service.listed import Listed, is_whole_body, listed, place_in_store
from service.store import decisions, dispatches
from service.store.decision_fields import Filters
from service.store.decisions import Decision, Page
from service.store.dispatches import Dispatch
from service.surroundings import Surroundings

_SEALED: Document = {
    "code": "text_sealed",
    "message": "the key of its texts is not here",
    "path": None,
}

_ERASED: Document = {
    "code": "text_erased",
    "message": "words of it are erased: their time of keeping was over",
    "path": None,
}


_REPORT_CHANGED: Document = {
    "code": "report_changed",
    "message": "a report of what was sent cannot be read: it was changed in the store",
    "path": None,
}


class Records:
    """
    Reads records of one agency at a time. One per process; any thread may call it.
    """

    def __init__(
        self, journal: Journal, store: Engine, key_ring: KeyRing, surroundings: Surroundings
    ) -> None:
        self._journal = journal
        self._store = store
        self._key_ring = key_ring
        self._surroundings = surroundings

    def find(self, agency: str, record_id: str) -> Document | None:
        """
        Give the whole record, or None if this agency has none with this id.

        Raises:
            StoreUnavailableError: this host's journal does not have it, and the store cannot be
                asked.
            RecordErasedError: it was erased; the error says why and when.
        """
        journaled = self._journal.find(agency, record_id)
        if journaled is not None and journaled.kind == "decision":
            document = self._of_journal(journaled)
            # At once: a store that was away a second ago is not waited for.
            has_store = self._surroundings.seen.has_store
            self._add_dispatches(agency, [document], asks_store=has_store)
            self._add_chain(agency, document, asks_store=has_store)
            return document
        stored = decisions.find(self._store, agency, record_id)
        if stored is None:
            return None
        document = self._of_store(stored)
        self._add_dispatches(agency, [document], asks_store=True)
        self._add_chain(agency, document, asks_store=True)
        return document

    def of_call(self, agency: str, call_id: str) -> list[Document]:
        """
        Give every revision of a call, the oldest first; those of other hosts once they are stored.
        What was erased is of no call any more.
        """
        found = {
            one.record_id: self._of_journal(one)
            for one in self._journal.revisions(agency, call_id)
            if not erased_whole(one.body)
        }
        has_store = True
        try:
            for one in decisions.of_call(self._store, agency, call_id):
                if not erased_whole(one.body):
                    found[one.record_id] = self._of_store(one)
        except StoreUnavailableError:
            if not found:
                raise
            has_store = False
        revisions = sorted(found.values(), key=lambda one: (one["decided_at"], one["decision_id"]))
        self._add_dispatches(agency, revisions, asks_store=has_store)
        return revisions

    def reports_in_journal(self, agency: str, call_id: str) -> list[Document]:
        """
        Give the reports of what was sent to a call that this host's journal has, the earliest
        first; the store is not asked, so nothing is waited for.
        """
        found = [
            self._dispatch(one.body, _journal_place(one))
            for one in self._journal.dispatches(agency, call_id)
            if not erased_whole(one.body)
        ]
        return sorted(found, key=_when_reported)

    def page(
        self, agency: str, filters: Filters, cursor: str | None, limit: int
    ) -> tuple[list[Document], str | None]:
        """
        Give a page of an agency's stored decisions, newest first, and the cursor of the next page.

        Raises:
            CursorError: the cursor is not one that a page gave.
            StoreUnavailableError: the store cannot be asked.
        """
        page = decisions.page(self._store, agency, filters, cursor, limit)
        return [one.summary for one in self._listed(agency, page)], page.next

    def listed(
        self, agency: str, filters: Filters, cursor: str | None, limit: int
    ) -> tuple[list[Listed], str | None]:
        """
        Give a page as `page` does, with what a person wants to see of each decision.

        Raises:
            CursorError: the cursor is not one that a page gave.
            StoreUnavailableError: the store cannot be asked.
        """
        page = decisions.page(self._store, agency, filters, cursor, limit)
        return self._listed(agency, page), page.next

    def every(self, agency: str, filters: Filters, page_items: int) -> Iterator[Listed]:
        """
        Give all of an agency's stored decisions, newest first; never more than a page is held.

        Raises:
            StoreUnavailableError: the store cannot be asked; for the first page at once.
        """
        page = decisions.page(self._store, agency, filters, None, page_items)
        return self._following(agency, filters, page_items, (self._listed(agency, page), page.next))

    def _following(
        self,
        agency: str,
        filters: Filters,
        page_items: int,
        first: tuple[list[Listed], str | None],
    ) -> Iterator[Listed]:
        items, cursor = first
        yield from items
        while cursor is not None:
            page = decisions.page(self._store, agency, filters, cursor, page_items)
            yield from self._listed(agency, page)
            cursor = page.next

    def _listed(self, agency: str, page: Page) -> list[Listed]:
        ids = [one.record_id for one in page.items]
        sent = dispatches.latest(self._store, agency, ids)
        return [listed(one, sent.get(one.record_id)) for one in page.items]

    def _add_dispatches(
        self, agency: str, documents: Sequence[Document], *, asks_store: bool
    ) -> None:
        """
        Add to each decision what was reported to have been sent, the earliest first.
        """
        found: dict[str, Document] = {}
        changed: set[str] = set()
        for call_id in {one["call_id"] for one in documents}:
            for journaled in self._journal.dispatches(agency, call_id):
                if erased_whole(journaled.body):
                    continue
                place = _journal_place(journaled)
                found[journaled.record_id] = self._dispatch(journaled.body, place)
        ids = [one["decision_id"] for one in documents]
        if asks_store:
            for stored in self._stored_dispatches(agency, ids, documents):
                if erased_whole(stored.body):
                    continue
                try:
                    told = self._dispatch(stored.body, place_in_store(stored))
                    _when_reported(told)
                except MISSHAPEN:
                    changed.add(stored.decision_id)
                    continue
                found[stored.record_id] = told
        for document in documents:
            about = [one for one in found.values() if one["decision_id"] == document["decision_id"]]
            document["dispatches"] = sorted(about, key=_when_reported)
            if document["decision_id"] in changed and "warnings" in document:
                document["warnings"] = [*document["warnings"], _REPORT_CHANGED]

    def _add_chain(self, agency: str, document: Document, *, asks_store: bool) -> None:
        """
        Add where the record stands in its agency's log, and whether it verifies.
        """
        found = dict(NOT_KNOWN)
        if asks_store:
            found = standing_or_not(self._store, agency, "decision", document["decision_id"])
        document["record"]["chain"] = found

    def _stored_dispatches(
        self, agency: str, ids: Sequence[str], documents: Iterable[Document]
    ) -> tuple[Dispatch, ...]:
        try:
            return dispatches.of_decisions(self._store, agency, ids)
        except StoreUnavailableError:
            # What the journal knows is given at once; what only the store knew is not given in
            # part.
            if any(one["record"]["stored_at"] is not None for one in documents):
                raise
            return ()

    def _dispatch(self, body: Mapping[str, Any], place: Mapping[str, Any]) -> Document:
        document: Document = {**body["answer"], "comment": body["request"]["comment"]}
        if is_erased_text(document["comment"]):
            document["comment"] = None
            document["warnings"] = [*document["warnings"], _ERASED]
        elif document["comment"] is not None:
            document["comment"] = self._key_ring.open_or(
                document["comment"], document["dispatch_id"], None
            )
            if document["comment"] is None:
                document["warnings"] = [*document["warnings"], _SEALED]
        document["record"] = {**place, "by": body.get("by"), "program": body.get("program")}
        return document

    def _of_journal(self, record: Record) -> Document:
        document = self._document(record.body, record.record_id, _journal_place(record))
        named = {
            "decision_id": record.record_id,
            "call_id": record.call_id,
            "revision": record.revision,
            "decided_at": record.decided_at,
        }
        return {**named, **document}

    def _of_store(self, stored: Decision) -> Document:
        document = self._document(stored.body, stored.record_id, place_in_store(stored))
        document["revision"] = document.get("revision") or stored.revision
        # What was changed in the store is still found by its names.
        named = {"call_id": stored.call_id, "decided_at": iso(stored.decided_at)}
        return {"decision_id": stored.record_id, **named, **document}

    def _document(
        self, body: Mapping[str, Any], record_id: str, place: Mapping[str, Any]
    ) -> Document:
        erased = erased_whole(body)
        if erased is not None:
            raise RecordErasedError(record_id, erased, place)
        with suppress(*MISSHAPEN):
            if is_whole_body(body):
                return self._whole(body, record_id, place)
        # It was changed, and nothing of it is told as if it were what was answered.
        stands = {**place, "by": None, "program": None}
        return {"unreadable": True, "dispatches": [], "record": stands}

    def _whole(self, body: Mapping[str, Any], record_id: str, place: Mapping[str, Any]) -> Document:
        document = dict(body["answer"])
        document["redisclosure_notice"] = NOTICE if protected_facts(body["request"]) else None
        if has_erased_text(body):
            document["warnings"] = [*document["warnings"], _ERASED]
        try:
            document["request"] = open_request(self._key_ring, body["request"], record_id)
        except SealedTextError:
            document["request"] = {**body["request"], "remarks": None, "dismissed": None}
            document["warnings"] = [*document["warnings"], _SEALED]
        document["record"] = {**place, "by": body.get("by"), "program": body.get("program")}
        return document


def _when_reported(report: Mapping[str, Any]) -> tuple[datetime, str]:
    return datetime.fromisoformat(report["reported_at"]), report["dispatch_id"]


def _journal_place(record: Record) -> Document:
    return {
        "state": record.state,
        "host": record.host_id,
        "number": record.number,
        "stored_at": None,
    }
