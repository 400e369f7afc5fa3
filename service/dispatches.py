"""
Gather, judge, record, answer: what happens to a report of what was really sent.

A report is on disk, behind its decision, before it is answered. It needs the store only where this
host's journal no longer has every revision of the call.
"""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from marshmallow import Schema
from sqlalchemy import Engine

from service import PROGRAM_VERSION
from service.access import Actor
from service.answers import Document
from service.decisions import Answered, answer_again, record_id_of
from service.dispatch_request import Asked, read_report
from service.encryption import KeyRing
from service.erased import erased_whole
from service.errors import JournalUnavailableError, StoreUnavailableError
from service.instants import iso
from service.journal import Entry, Journal, Record, Repeat, Stale
from service.store import decisions
from service.store.agencies import Agency

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Report:
    """
    A report as it came: about which decision, its body as JSON, and its `Idempotency-Key`.
    """

    decision_id: str
    document: Mapping[str, Any]
    idempotency_key: str | None


class Dispatches:
    """
    Takes reports and records them. One per process; any thread may call it.
    """

    def __init__(
        self,
        schema: Schema,
        journal: Journal,
        store: Engine,
        key_ring: KeyRing,
        *,
        reasons: Callable[[Agency], Iterable[str]],
        fingerprint_key: str,
        is_only_host: bool,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._schema = schema
        self._journal = journal
        self._store = store
        self._key_ring = key_ring
        self._reasons = reasons
        self._fingerprint_key = fingerprint_key.encode()
        self._is_only_host = is_only_host
        self._now = now

    def report(self, actor: Actor, agency: Agency, told: Report) -> Answered:
        """
        Judge a report, put it on disk, and answer.

        Returns:
            201 with the answer; 200 for a repeat; 404 where this agency has no such decision; 409
            for a key that came with something else; or 503 where nothing can be recorded.

        Raises:
            ValidationError: the body has faults, or owes a reason; all are named.
            StoreUnavailableError: the journal does not have the decision, and the store cannot be
                asked.
        """
        # Reports and decisions may use the same keys of idempotency: they are apart by their kind.
        record_id = record_id_of(f"{agency.id}\0dispatch", told.idempotency_key)
        fingerprint = self._fingerprint(told) if told.idempotency_key is not None else None
        answer: Document = {}
        try:
            # A repeat is known before it is judged: its call-back may have passed meanwhile.
            first = self._journal.find(agency.id, record_id) if fingerprint else None
            if first is not None:
                return answer_again(first, fingerprint)
            asked = self.asked(agency.id, told.decision_id)
            if asked is None:
                return Answered(404, {})
            at = self._now()
            read = read_report(self._schema, told.document, asked, tuple(self._reasons(agency)), at)
            answer = {
                "dispatch_id": record_id,
                "decision_id": told.decision_id,
                **_answer(read, asked, at),
            }
            body = {
                "request": self._seal(read, record_id),
                "answer": answer,
                "by": {"key": actor.key_id, "person": actor.person_id},
                "program": PROGRAM_VERSION,
            }
            return self._record(agency, asked.call_id, fingerprint, body)
        except JournalUnavailableError as fault:
            log.error("dispatch_not_recorded", reason=str(fault), agency=agency.id)
            return Answered(503, {**answer, "dispatch_id": None}, is_recorded=False)

    def _record(
        self, agency: Agency, call_id: str, fingerprint: str | None, body: dict[str, Any]
    ) -> Answered:
        answer: Document = body["answer"]
        at, record_id = answer["reported_at"], answer["dispatch_id"]
        entry = Entry("dispatch", record_id, agency.id, call_id, at, fingerprint, None, body)
        appended = self._journal.append(entry)
        assert not isinstance(appended, Stale), "a report follows no revision"
        if isinstance(appended, Repeat):
            return answer_again(appended.record, fingerprint)
        return Answered(201, answer)

    def asked(self, agency: str, decision_id: str) -> Asked | None:
        """
        Find whom a decision and the earlier revisions of its call asked for; None where this agency
        has no such decision.

        Raises:
            StoreUnavailableError: the journal does not have it, and the store cannot be asked.
        """
        found = self._journal.find(agency, decision_id)
        if found is not None and erased_whole(found.body):
            return None
        if found is None or found.kind != "decision":
            stored = decisions.find(self._store, agency, decision_id)
            if stored is None or erased_whole(stored.body):
                return None
            at, call_id = stored.decided_at, stored.call_id
            recommended = frozenset(stored.responders)
            known = self._journal.revisions(agency, call_id)
            earlier = [one for one in known if _decided_at(one) < at]
        else:
            at, call_id, recommended = _decided_at(found), found.call_id, _kinds_of(found)
            known = self._journal.revisions(agency, call_id)
            earlier = [one for one in known if one.number < found.number]
            if self._is_only_host and len(earlier) == found.revision - 1:
                return Asked(call_id, recommended, _kinds_of_all(earlier), is_whole=True)
        before = _kinds_of_all(earlier)
        try:
            for one in decisions.of_call(self._store, agency, call_id):
                if (one.decided_at, one.record_id) < (at, decision_id):
                    before |= frozenset(one.responders)
        except StoreUnavailableError:
            return Asked(call_id, recommended, before, is_whole=False)
        return Asked(call_id, recommended, before, is_whole=True)

    def _seal(self, read: Mapping[str, Any], record_id: str) -> dict[str, Any]:
        comment = read["comment"]
        return {**read, "comment": comment and self._key_ring.seal(comment, record_id)}

    def _fingerprint(self, told: Report) -> str:
        # The standard writer, since the body is not judged yet and may hold any number.
        text = json.dumps([told.decision_id, told.document], sort_keys=True)
        return hmac.new(self._fingerprint_key, text.encode(), hashlib.sha256).hexdigest()


def _answer(read: Mapping[str, Any], asked: Asked, at: dt.datetime) -> Document:
    sent, call_back_at = read["responders"], read["call_back_at"]
    warnings = []
    if not asked.is_whole:
        text = "the store cannot be asked whom earlier revisions of the call asked for"
        warnings.append({"code": "revisions_not_known", "message": text, "path": None})
    if call_back_at is not None and dt.datetime.fromisoformat(call_back_at) <= at:
        text = "this time has passed"
        warnings.append({"code": "call_back_passed", "message": text, "path": "call_back_at"})
    return {
        "responders": sent,
        "override": asked.is_override(sent),
        "released": asked.released(sent),
        "reason": read["reason"],
        "call_back_at": call_back_at,
        "reported_at": iso(at),
        "warnings": warnings,
    }


def _decided_at(record: Record) -> dt.datetime:
    return dt.datetime.fromisoformat(record.decided_at)


def _kinds_of(record: Record) -> frozenset[str]:
    return frozenset(one["kind"] for one in record.body["answer"]["recommendation"]["responders"])


def _kinds_of_all(records: Iterable[Record]) -> frozenset[str]:
    return frozenset(kind for one in records for kind in _kinds_of(one))
