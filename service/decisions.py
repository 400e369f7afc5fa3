"""
Gather, decide, record, answer: what happens to a call between the request and the reply.

The API and the pages call the same functions here. A decision is on disk before it is answered, and
the answer needs neither the queue nor the store.
"""

import datetime as dt
import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog

from service import PROGRAM_VERSION
from service.access import Actor
from service.agency_settings import keeps_remarks
from service.answers import Document, change_between, recommendation_document
from service.encryption import KeyRing
from service.erased import is_erased_text
from service.errors import JournalUnavailableError, RecordUnreadableError
from service.gathering import Gathered, gather, nothing_gathered
from service.instants import iso
from service.journal import Entry, Journal, LastRevision, Record, Repeat, Stale, Written
from service.routing.decide import decide, floor
from service.routing.recommendation import Recommendation
from service.routing.signals import Signal
from service.rules_in_force import RulesInForce
from service.rulesets import Published
from service.store.agencies import Agency
from service.surroundings import Surroundings

log = structlog.get_logger()
REST_S = 1.0  # after a journal that did not answer, calls are answered at once for this long


@dataclass(frozen=True, slots=True)
class Answered:
    """
    What is replied: the HTTP status and the document, and where it was just recorded the very bytes
    that the record holds. `is_recorded` is false where the journal could not write.
    """

    status: int
    document: Document
    is_recorded: bool = True
    written: bytes | None = None


class Decisions:
    """
    Decides calls and records them. One per process; any thread may call it.
    """

    def __init__(
        self,
        rules: RulesInForce,
        journal: Journal,
        key_ring: KeyRing,
        surroundings: Surroundings,
        *,
        fingerprint_key: str,
        is_only_host: bool,
        journal_wait_s_max: float,
        now: Callable[[], dt.datetime],
        on_unknown_code: Callable[[str], None],
    ) -> None:
        self._rules = rules
        self._journal = journal
        self._key_ring = key_ring
        self._surroundings = surroundings
        self._fingerprint_key = fingerprint_key.encode()
        self._is_only_host = is_only_host
        self._journal_wait_s_max = journal_wait_s_max
        self._now = now
        self._on_unknown_code = on_unknown_code
        self._rests_until = 0.0

    @property
    def rules(self) -> RulesInForce:
        """
        Give the rules that decide now.
        """
        return self._rules

    def decide(
        self, actor: Actor, agency: Agency, request: Mapping[str, Any], idempotency_key: str | None
    ) -> Answered:
        """
        Decide a call, put it on disk, and answer.

        Args:
            actor: Who asks. agency: Whose call it is; its ruleset decides. request: A body that the
            schema has read. idempotency_key: With one, the same body again gets the first answer
            (200), another body a 409.

        Returns:
            201 with the answer; 200 for a repeat; 409; or 503, still with the recommendation, where
            nothing can be recorded.
        """
        published = self._rules.published(agency)
        gathered = self._gather_or_nothing(agency, request)
        document = self._recommend(agency, gathered, published)
        record_id = record_id_of(agency.id, idempotency_key)
        document = {
            "decision_id": record_id,
            "call_id": request["call_id"],
            "revision": None,
            "decided_at": iso(self._now()),
            **document,
        }
        try:
            return self._record(
                *(actor, agency, request, document),
                with_key=idempotency_key is not None,
                gathered=gathered,
            )
        except JournalUnavailableError as fault:
            if not self.is_journal_resting and not isinstance(fault, RecordUnreadableError):
                # A refusal in a rest must not make it longer: under a steady load none would end.
                self._rests_until = time.monotonic() + REST_S
            log.error("decision_not_recorded", reason=str(fault), agency=agency.id)
            document |= {"decision_id": None, "revision": None, "change": None}
            return Answered(503, document, is_recorded=False)

    @property
    def is_journal_resting(self) -> bool:
        """
        Tell whether the journal did not answer just now, so that calls are answered without it.
        """
        return time.monotonic() < self._rests_until

    def simulate(
        self,
        agency: Agency,
        request: Mapping[str, Any],
        published: Published | None,
        *,
        read_before: Iterable[Signal] | None = None,
    ) -> Document:
        """
        Decide a call under a ruleset and record nothing; *read_before* are the signals of a call
        whose remark is not kept.
        """
        gathered = self._gather_or_nothing(agency, request, read_before)
        document = self._recommend(agency, gathered, published)
        return {
            "decision_id": None,
            "call_id": request["call_id"],
            "revision": None,
            "decided_at": iso(self._now()),
            **document,
        }

    def _gather_or_nothing(
        self,
        agency: Agency,
        request: Mapping[str, Any],
        read_before: Iterable[Signal] | None = None,
    ) -> Gathered:
        try:
            return self._gather(agency, request, read_before)
        except Exception as fault:  # noqa: BLE001  # a bug of ours leaves nobody alone
            # INVARIANT (somebody-always-answers): a call that cannot be read is one of which
            # nothing is known, and that is said.
            log.error("gather_failed", error=type(fault).__name__, agency=agency.id)
            return nothing_gathered(self._now().date())

    def _gather(
        self,
        agency: Agency,
        request: Mapping[str, Any],
        read_before: Iterable[Signal] | None = None,
    ) -> Gathered:
        return gather(
            *(self._rules.config, agency.time_zone, request, self._now(), self._on_unknown_code),
            own_types=self._surroundings.seen.types_of(agency.id),
            read_before=read_before,
        )

    def _recommend(
        self, agency: Agency, gathered: Gathered, published: Published | None
    ) -> Document:
        vocabulary = self._rules.config.vocabulary
        recommendation = self._decide_or_floor(gathered, published)
        applied = None if recommendation.mode == "floor" else published
        document = recommendation_document(recommendation, applied, vocabulary, gathered.warned)
        if recommendation.mode == "full":
            document["mode"] = self._mode(agency)
        return document

    def _decide_or_floor(self, gathered: Gathered, published: Published | None) -> Recommendation:
        if published is not None:
            try:
                found = decide(gathered.call, published.router, gathered.available, gathered.day)
            except Exception as fault:  # noqa: BLE001  # a bug of ours leaves nobody alone
                # INVARIANT (somebody-always-answers): the floor answers instead.
                log.error("decide_failed", error=type(fault).__name__, ruleset=published.digest)
            else:
                if found.mode == "floor":
                    log.error("invariant_broken", ruleset=published.digest)
                return found
        return floor(gathered.call, self._rules.config.vocabulary, self._rules.config.ways)

    def _mode(self, agency: Agency) -> str:
        seen = self._surroundings.seen
        mode = self._rules.mode_of(agency)
        if mode != "full":
            return mode
        return "full" if seen.has_store and seen.has_queue else "journal_only"

    def _record(
        self,
        actor: Actor,
        agency: Agency,
        request: Mapping[str, Any],
        document: Document,
        *,
        with_key: bool,
        gathered: Gathered,
    ) -> Answered:
        if self.is_journal_resting:
            raise JournalUnavailableError("the journal did not answer just now")
        record_id = document["decision_id"]
        keeps = keeps_remarks(agency.settings, self._rules.config.agency)
        sealed = seal_request(self._key_ring, request, record_id, keep_remarks=keeps)
        fingerprint = self._fingerprint(request) if with_key else None
        until = time.monotonic() + self._journal_wait_s_max
        # Most calls are told once: what was told before is read when the journal says that there
        # is something to read.
        last = _NO_REVISION
        while True:
            # Revisions of one call told at the same moment take turns; one that finds no turn in
            # time is recorded without its number, which the store knows.
            has_turn = time.monotonic() < until
            document["decided_at"] = _stamp(self._now(), last.decided_at)
            document["change"] = (
                change_between(last.recommendation, document["recommendation"])
                if has_turn
                else None
            )
            document["revision"] = last.revision + 1 if has_turn and self._is_only_host else None
            written = orjson.dumps(document)
            body: dict[str, Any] = {
                "request": sealed,
                "given": self._given(gathered, (last.record_id or None) if has_turn else None),
                "answer": orjson.Fragment(written),
                "by": {"key": actor.key_id, "person": actor.person_id},
                "program": PROGRAM_VERSION,
            }
            if gathered.unknown_types:  # the store counts them
                body["unknown_types"] = [one._asdict() for one in gathered.unknown_types]
            entry = Entry(
                "decision",
                record_id,
                agency.id,
                request["call_id"],
                document["decided_at"],
                fingerprint,
                last.revision if has_turn else None,
                body,
            )
            match self._journal.append(entry):
                case Written():
                    return Answered(201, document, written=written)
                case Repeat(record):
                    return answer_again(record, fingerprint)
                case Stale():
                    last = self._journal.last_of_call(agency.id, request["call_id"]) or _NO_REVISION

    def _given(self, gathered: Gathered, before: str | None) -> Document:
        """
        Say what decided beside the request and the ruleset, so that the call can be decided again
        when all of it has changed.
        """
        return {
            "day": gathered.day.isoformat(),
            "tables": self._rules.config.tables_digest,
            "own_types": [
                {"registry": registry, "code": code, "facts": dict(facts)}
                for (registry, code), facts in gathered.own_said.items()
            ],
            "before": before,
        }

    def _fingerprint(self, request: Mapping[str, Any]) -> str:
        # Of all that was sent, also a remark that is not kept: keyed, it leads back to no word.
        text = orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
        return hmac.new(self._fingerprint_key, text, hashlib.sha256).hexdigest()


_NO_REVISION: Final = LastRevision(0, "", {}, None)


def _stamp(now: dt.datetime, before: str | None) -> str:
    """
    Say when a revision was decided: never before the one that it follows, whatever the clock says,
    so that the order in time is that of the numbers.
    """
    if before is not None:
        now = max(now, dt.datetime.fromisoformat(before) + dt.timedelta(microseconds=1))
    return iso(now)


def answer_again(record: Record, fingerprint: str | None) -> Answered:
    """
    Answer a request whose record id is on disk already: 200 with the first answer where it asked
    the same, else 409.

    Raises:
        RecordUnreadableError: a disk or somebody changed it.
    """
    if not record.is_readable:
        raise RecordUnreadableError("what was recorded first with this key cannot be read")
    if record.fingerprint == fingerprint:
        return Answered(200, dict(record.body["answer"]))
    return Answered(409, {})


def record_id_of(agency: str, idempotency_key: str | None) -> str:
    """
    Give the id of a decision: a function of agency and key where there is one, so that a repeat
    finds the first.
    """
    if idempotency_key is None:
        return uuid.uuid4().hex
    return hashlib.sha256(f"{agency}\0{idempotency_key}".encode()).hexdigest()[:32]


def seal_request(
    key_ring: KeyRing, request: Mapping[str, Any], record_id: str, *, keep_remarks: bool = True
) -> dict[str, Any]:
    """
    Give a request as it may be kept: what people wrote about a person is sealed.

    Without *keep_remarks* the remark is left out whole, and `remarks_kept` says that there was one.
    """
    kept = dict(request)
    if kept.get("remarks") and keep_remarks:
        kept["remarks"] = key_ring.seal(kept["remarks"], record_id)
    elif kept.get("remarks"):
        kept |= {"remarks": None, "remarks_kept": False}
    if kept.get("dismissed"):
        kept["dismissed"] = [
            {**one, "reason": key_ring.seal(one["reason"], record_id)} for one in kept["dismissed"]
        ]
    return kept


def open_request(key_ring: KeyRing, request: Mapping[str, Any], record_id: str) -> dict[str, Any]:
    """
    Give a kept request with its texts open again. Of a remark that was erased it says, as of one
    that was never kept, that there was one; a reason that was erased is null.
    """
    opened = dict(request)
    if is_erased_text(opened.get("remarks")):
        opened |= {"remarks": None, "remarks_kept": False}
    elif opened.get("remarks"):
        opened["remarks"] = key_ring.open(opened["remarks"], record_id)
    if opened.get("dismissed"):
        opened["dismissed"] = [
            {**one, "reason": _opened(key_ring, one["reason"], record_id)}
            for one in opened["dismissed"]
        ]
    return opened


def _opened(key_ring: KeyRing, kept: Any, record_id: str) -> str | None:
    return None if is_erased_text(kept) else key_ring.open(kept, record_id)
