"""
Finds decision records again: in this host's journal at once, and in the store as soon as the
workers have them.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine

from service.answers import Document
from service.decisions import iso, open_request
from service.encryption import KeyRing
from service.errors import SealedTextError, StoreUnavailableError
from service.journal import Journal, Record
from service.store import decisions
from service.store.decision_fields import Filters
from service.store.decisions import Decision


class Records:
    """
    Reads records of one agency at a time. One per process; any thread may call it.
    """

    def __init__(self, journal: Journal, store: Engine, key_ring: KeyRing) -> None:
        self._journal = journal
        self._store = store
        self._key_ring = key_ring

    def find(self, agency: str, record_id: str) -> Document | None:
        """
        Give the whole record, or None if this agency has none with this id.

        Raises:
            StoreUnavailableError: this host's journal does not have it, and the store cannot be
                asked.
        """
        journaled = self._journal.find(agency, record_id)
        if journaled is not None:
            return self._of_journal(journaled)
        stored = decisions.find(self._store, agency, record_id)
        return self._of_store(stored) if stored else None

    def of_call(self, agency: str, call_id: str) -> list[Document]:
        """
        Give every revision of a call, the oldest first; those of other hosts once they are stored.
        """
        found = {
            one.record_id: self._of_journal(one) for one in self._journal.revisions(agency, call_id)
        }
        try:
            for one in decisions.of_call(self._store, agency, call_id):
                found[one.record_id] = self._of_store(one)
        except StoreUnavailableError:
            if not found:
                raise
        return sorted(found.values(), key=lambda one: (one["decided_at"], one["decision_id"]))

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
        return [_summary(self._of_store(one)) for one in page.items], page.next

    def _of_journal(self, record: Record) -> Document:
        place = {
            "state": record.state,
            "host": record.host_id,
            "number": record.number,
            "stored_at": None,
        }
        return self._document(record.body, record.record_id, place)

    def _of_store(self, stored: Decision) -> Document:
        place = {
            "state": "stored",
            "host": stored.host_id,
            "number": stored.journal_number,
            "stored_at": iso(stored.stored_at),
        }
        document = self._document(stored.body, stored.record_id, place)
        document["revision"] = document["revision"] or stored.revision
        return document

    def _document(
        self, body: Mapping[str, Any], record_id: str, place: Mapping[str, Any]
    ) -> Document:
        document = dict(body["answer"])
        try:
            document["request"] = open_request(self._key_ring, body["request"], record_id)
        except SealedTextError:
            warning = {
                "code": "text_sealed",
                "message": "the key of its texts is not here",
                "path": None,
            }
            document["request"] = {**body["request"], "remarks": None, "dismissed": None}
            document["warnings"] = [*document["warnings"], warning]
        document["record"] = {**place, "by": body.get("by"), "program": body.get("program")}
        return document


def _summary(document: Document) -> Document:
    """
    Give what a list shows of a record: everything but the call's own facts and texts.
    """
    shown = (
        "decision_id",
        "call_id",
        "revision",
        "decided_at",
        "recommendation",
        "ruleset",
        "mode",
    )
    return {
        **{name: document[name] for name in shown},
        "rules": [one["rule"] for one in document["because"]],
        "law_enforcement": document["law_enforcement"],
        "record": document["record"],
    }
