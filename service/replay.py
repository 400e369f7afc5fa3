"""
Decides recorded calls again, from what is on record alone, and compares the answers to the byte.

It reads no clock and nothing that may have changed since: ruleset and tables are found by their
digest, the day and what the agency said itself of a code stand in the record. What cannot be
compared is said to be so, and is never a difference.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from sqlalchemy import Engine

from service import PROGRAM_VERSION
from service.access import Actor
from service.answers import (
    MISSHAPEN,
    Document,
    change_between,
    read_then,
    recommendation_document,
    signal_of,
)
from service.audit import Audit
from service.encryption import KeyRing
from service.erased import Erased, erased_whole
from service.errors import KeyNotHereError, SealedTextError, StoreUnavailableError
from service.gathering import (
    NOT_READ,
    Gathered,
    decide_again,
    gather,
    nothing_gathered,
    unknown_type,
)
from service.instants import iso
from service.journal import Journal, Record
from service.routing.decide import floor
from service.routing.signals import REMARKS
from service.rules_in_force import RulesInForce
from service.rulesets import Config
from service.store import decisions, quarantined, replayed
from service.store.agencies import Agency
from service.tuning.kept_rules import KeptRules, Then

SAME: Final = "same"
DIFFERENT: Final = "different"
ERASED: Final = "erased"
SEALED: Final = "sealed"
OTHER_RULESET: Final = "other_ruleset"
OTHER_PROGRAM: Final = "other_program"
RESULTS: Final = (SAME, DIFFERENT, ERASED, SEALED, OTHER_RULESET, OTHER_PROGRAM)
# These say when and in what state the host was, not what follows from the call.
NOT_COMPARED: Final = frozenset(("revision", "decided_at"))
PAGE: Final = 500  # records held at once
NOT_OURS: Final = "The record is not one that this program wrote: it cannot be decided again."
GONE: Final = (
    "The store had this record and has it no more, though the host's journal still has it:"
    " `crisis-router verify` says what else is missing."
)

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recorded:
    """
    A decision as the store has it, else the journal; `is_gone`: the store had it and lost it.
    """

    record_id: str
    call_id: str
    body: Body
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Replayed:
    """
    How a recorded answer compares with the same call decided now: one of `RESULTS`, the members
    that were compared and those that differ, and one sentence for people.
    """

    decision_id: str
    result: str
    text: str
    compared: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    program: str | None = None
    ruleset: Mapping[str, Any] | None = None

    @property
    def document(self) -> Document:
        """
        Give it as the API answers it.
        """
        return {
            "decision_id": self.decision_id,
            "result": self.result,
            "compared": list(self.compared),
            "different": list(self.different),
            "text": self.text,
            "program": {"decided": self.program, "here": PROGRAM_VERSION},
            "ruleset": dict(self.ruleset) if self.ruleset else None,
        }


class Replay:
    """
    Decides recorded calls again. One per process; any thread may call it.
    """

    def __init__(
        self,
        rules: RulesInForce,
        journal: Journal,
        store: Engine,
        key_ring: KeyRing,
        trail: Audit,
    ) -> None:
        self._rules = rules
        self._trail = trail
        self._journal = journal
        self._store = store
        self._key_ring = key_ring
        self._kept = KeptRules(rules, store)

    def one(self, actor: Actor, agency: Agency, record_id: str) -> Replayed | None:
        """
        Decide a recorded call again, and note who asked; None if this agency has no such decision.

        Raises:
            StoreUnavailableError: something that is needed is not on this host.
        """
        found = self._find(agency.id, record_id)
        if found is None:
            return None
        compared = self._one(agency, found)
        self._trail.note(actor, "replayed", ("decision", record_id), result=compared.result)
        return compared

    def _one(self, agency: Agency, found: Recorded) -> Replayed:
        if found.is_gone:
            return Replayed(found.record_id, DIFFERENT, GONE, different=("record",))
        earlier = {}
        before = _given(found.body).get("before")
        first = self._find(agency.id, before) if before else None
        if first is not None:
            earlier[first.record_id] = first.body
        return self._compared(agency, found, earlier)

    def every(self, actor: Actor, agency: Agency, since: dt.datetime) -> Iterator[Replayed]:
        """
        Decide every stored call again that was decided since then, the oldest first; never more
        than a page is held. Who asked is noted with the counts, at the end.

        Raises:
            StoreUnavailableError: the store cannot be asked any more.
        """
        last, counts = None, dict.fromkeys(RESULTS, 0)
        while True:
            rows = replayed.in_order(self._store, agency.id, since, last, PAGE)
            page = [Recorded(row.record_id, row.call_id, row.body) for row in rows]
            earlier: dict[str, Body] = {one.record_id: one.body for one in page}
            wanted = {_given(one.body).get("before") for one in page} - earlier.keys() - {None}
            earlier |= replayed.bodies(self._store, agency.id, sorted(map(str, wanted)))
            for one in page:
                compared = self._compared(agency, one, earlier)
                counts[compared.result] += 1
                yield compared
            if len(rows) < PAGE:
                break
            last = rows[-1].decided_at, rows[-1].record_id
        subject = ("agency", agency.id)
        self._trail.note(actor, "replayed", subject, since=iso(since), **counts)

    def _find(self, agency: str, record_id: str) -> Recorded | None:
        # The store first: what is to be shown is that nobody changed it there. With the store away,
        # or before the record came to it, the journal tells.
        try:
            stored = decisions.find(self._store, agency, record_id)
        except StoreUnavailableError:
            journaled = self._journaled(agency, record_id)
            if journaled is None:
                raise
            return Recorded(record_id, journaled.call_id, journaled.body)
        if stored is not None:
            return Recorded(record_id, stored.call_id, stored.body)
        journaled = self._journaled(agency, record_id)
        if journaled is None:
            return None
        place = journaled.host_id, journaled.number
        is_gone = journaled.state == "stored" and quarantined.find(self._store, *place) is None
        return Recorded(record_id, journaled.call_id, journaled.body, is_gone=is_gone)

    def _journaled(self, agency: str, record_id: str) -> Record | None:
        found = self._journal.find(agency, record_id)
        return found if found is not None and found.kind == "decision" else None

    def _compared(self, agency: Agency, record: Recorded, earlier: Mapping[str, Body]) -> Replayed:
        erased = erased_whole(record.body)
        if erased is not None:
            return Replayed(record.record_id, ERASED, _erased_words(erased))
        try:
            return self._compared_whole(agency, record, earlier)
        except MISSHAPEN:
            return Replayed(record.record_id, DIFFERENT, NOT_OURS, different=("record",))

    def _compared_whole(
        self, agency: Agency, record: Recorded, earlier: Mapping[str, Body]
    ) -> Replayed:
        body, answer = record.body, record.body["answer"]
        named, program = answer["ruleset"], body.get("program")
        found = Replayed(record.record_id, SAME, "", program=program, ruleset=named)
        live = self._rules.published(agency, named["name"]) if named["name"] else None
        tables = _given(body).get("tables")
        then = self._kept.then(agency.id, named, tables, (live,) if live else ())
        if then is None:
            return replace(found, result=OTHER_RULESET, text=self._other_rules(named, live, tables))
        remark = body["request"].get("remarks")
        try:
            opened = self._key_ring.open(remark, record.record_id) if _is_sealed(remark) else None
        except KeyNotHereError as fault:
            text = (
                f"Its remark is sealed by key `{fault.key_id}`, which is not here: put it back to"
                " compare."
            )
            return replace(found, result=SEALED, text=text)
        except SealedTextError:
            text = "Its sealed remark does not open: it was altered, or belongs to another record."
            return replace(found, result=DIFFERENT, text=text, different=("request.remarks",))
        gathered, is_gone = _gathered(then.config, agency, body, opened)
        again = {
            "decision_id": record.record_id,
            "call_id": body["request"]["call_id"],
            **_decided(then, gathered, named["version"]),
        }
        recorded = {**answer, "mode": "floor" if answer["mode"] == "floor" else "full"}
        skipped = NOT_COMPARED | _change(again, body, earlier)
        names = tuple(name for name in sorted(again.keys() | answer.keys()) if name not in skipped)
        different = tuple(name for name in names if _bytes(again, name) != _bytes(recorded, name))
        found = replace(found, compared=names, different=different)
        return _judged(found, is_gone=is_gone)

    def _other_rules(self, named: Mapping[str, Any], live: Any, tables: str | None) -> str:
        if named["name"]:
            here = f"{live.digest}" if live else "none of that name"
            return (
                f"Decided by ruleset digest {named['digest']}, here is {here}: cannot be compared."
            )
        here = self._rules.config.tables_digest
        return (
            f"Decided by no ruleset and the tables {tables}, here are {here}: cannot be compared."
        )


def _given(body: Body) -> Mapping[str, Any]:
    # Records of before this was written down have none, and one that was changed any.
    given = body.get("given")
    return given if isinstance(given, Mapping) else {}


def _is_sealed(remark: object) -> bool:
    return isinstance(remark, str) and bool(remark)


def _gathered(
    config: Config, agency: Agency, body: Body, remark: str | None
) -> tuple[Gathered, bool]:
    """
    Read a recorded request as it was read then, and tell whether the words of its remark are gone.
    """
    request, given, answer = body["request"], _given(body), body["answer"]
    at = dt.datetime.fromisoformat(answer["decided_at"])
    if any(one["code"] == NOT_READ for one in answer["warnings"]):
        return nothing_gathered(_day(given, at.date())), False
    is_gone = isinstance(request.get("remarks"), Mapping) or not request.get("remarks_kept", True)
    told = {**request, "remarks": remark}
    if "own_types" in given:
        own = {(one["registry"], one["code"]): one["facts"] for one in given["own_types"]}
        in_remark = None
        if is_gone:
            read = [signal_of(one) for one in answer["signals"]]
            in_remark = [one for one in read if one.source == REMARKS]
        gathered = gather(
            *(config, agency.time_zone, told, at), own_types=own, read_in_remark=in_remark
        )
    else:
        before = read_then({"request": told, "signals": answer["signals"]})
        if is_gone and before is None:
            before = tuple(map(signal_of, answer["signals"]))
        gathered = gather(config, agency.time_zone, told, at, read_before=before)
        if before is not None:
            # Codes are not read anew then: of those that no table knew, the record says how many.
            place = len(request.get("warned") or ())
            unknown = (unknown_type(),) * len(body.get("unknown_types") or ())
            warned = (*gathered.warned[:place], *unknown, *gathered.warned[place:])
            gathered = replace(gathered, warned=warned)
    return replace(gathered, day=_day(given, gathered.day)), is_gone


def _day(given: Mapping[str, Any], otherwise: dt.date) -> dt.date:
    return dt.date.fromisoformat(given["day"]) if "day" in given else otherwise


def _decided(then: Then, gathered: Gathered, version: int | None) -> Document:
    """
    Decide, and write the answer as it is recorded. The number of a version follows from what was
    published and not from the call, so it is taken from the record.
    """
    config, published = then
    if published is None:
        found = floor(gathered.call, config.vocabulary, config.ways)
        return recommendation_document(found, None, config.vocabulary, gathered.warned)
    found = decide_again(gathered, published)
    applied = None if found.mode == "floor" else replace(published, version=version or 0)
    return recommendation_document(found, applied, config.vocabulary, gathered.warned)


def _change(again: Document, body: Body, earlier: Mapping[str, Body]) -> frozenset[str]:
    """
    Put into the answer what it changes of the revision before; where that is not known any more,
    name the member, so that it is not compared.
    """
    given = _given(body)
    if given.get("before") is None:
        # Without it the answer changes nothing, or the record does not say what was before.
        return frozenset() if "before" in given else frozenset(("change",))
    first = earlier.get(given["before"])
    if first is None or "answer" not in first:
        return frozenset(("change",))
    again["change"] = change_between(first["answer"]["recommendation"], again["recommendation"])
    return frozenset()


_MISSING: Final = b""


def _bytes(document: Mapping[str, Any], name: str) -> bytes:
    return orjson.dumps(document[name]) if name in document else _MISSING


def _judged(found: Replayed, *, is_gone: bool) -> Replayed:
    """
    Say how both answers compare. What another program answers otherwise is no fault of a record.
    """
    gone = " The words of its remark are gone: what was read in them is on record." * is_gone
    if not found.different:
        count = len(found.compared)
        text = f"The same answer, to the byte: {count} parts of it were compared.{gone}"
        return replace(found, text=text)
    names = ", ".join(found.different)
    if found.program != PROGRAM_VERSION:
        text = (
            f"Decided by program {found.program}, here is {PROGRAM_VERSION}, which answers"
            f" otherwise in {names}: cannot be compared."
        )
        return replace(found, result=OTHER_PROGRAM, text=text)
    text = f"Not the same answer: it differs in {names}.{gone}"
    return replace(found, result=DIFFERENT, text=text)


def _erased_words(erased: Erased) -> str:
    return f"The record was erased on {erased.at[:10]}: {erased.words}. Nothing is left to compare."
