"""
What a list shows of a stored decision: of one that was erased, or changed in the store, where it
stands and no more.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from service.answers import MISSHAPEN, Document, is_whole
from service.disclosures import NOTICE, protected_facts, revealing_rules
from service.erased import Erased, erased_whole
from service.instants import iso
from service.store.decisions import Decision
from service.store.dispatches import Dispatch


@dataclass(frozen=True, slots=True)
class Listed:
    """
    What a list shows of a decision, and the latest report of what was sent; None without one.

    `facts` are those that were told, with what a signal raised or filled; no words of the call.
    Of a record that is `erased` the summary holds no more than its place, and neither does it of
    one that is not `is_readable`: it was changed in the store. `protected` are facts from a
    protected record, `revealing` the rules that fired and read one.
    """

    summary: Document
    sent: Dispatch | None
    facts: Mapping[str, Any]
    erased: Erased | None = None
    protected: frozenset[str] = frozenset()
    revealing: frozenset[str] = frozenset()
    is_readable: bool = True


def place_in_store(stored: Decision | Dispatch) -> Document:
    """
    Say where a record stands, of what is in the store.
    """
    return {
        "state": "stored",
        "host": stored.host_id,
        "number": stored.journal_number,
        "stored_at": iso(stored.stored_at),
    }


def is_whole_body(body: Mapping[str, Any]) -> bool:
    """
    Tell whether a body holds a call and its answer, and was not changed so that it does not.
    """
    return is_whole(body.get("answer")) and isinstance(body.get("request"), Mapping)


def _summary(stored: Decision, sent: Dispatch | None) -> Document:
    """
    Give what a list shows of a record: everything but the call's own facts and texts, which stay
    sealed.
    """
    answer, body = stored.body["answer"], stored.body
    return {
        "decision_id": answer["decision_id"],
        "call_id": answer["call_id"],
        "revision": stored.revision,
        "decided_at": answer["decided_at"],
        "recommendation": answer["recommendation"],
        "ruleset": answer["ruleset"],
        "mode": answer["mode"],
        "rules": [one["rule"] for one in answer["because"]],
        "law_enforcement": answer["law_enforcement"],
        "redisclosure_notice": NOTICE if protected_facts(body["request"]) else None,
        "override": sent.override if sent and not erased_whole(sent.body) else None,
        "record": {**place_in_store(stored), "by": body.get("by"), "program": body.get("program")},
    }


def listed(stored: Decision, sent: Dispatch | None) -> Listed:
    """
    Give what a list shows of a decision, with the latest report of what was sent.
    """
    erased = erased_whole(stored.body)
    if erased is not None:
        return Listed(_place_of(stored, erased=erased.document), None, {}, erased)
    # One record that was changed must not keep all others from being seen.
    with suppress(*MISSHAPEN):
        if is_whole_body(stored.body):
            return _whole_item(stored, sent)
    return Listed(_place_of(stored, unreadable=True), None, {}, is_readable=False)


def _whole_item(stored: Decision, sent: Dispatch | None) -> Listed:
    protected = protected_facts(stored.body["request"])
    return Listed(
        _summary(stored, sent),
        sent,
        _facts(stored.body),
        protected=protected,
        revealing=revealing_rules(stored.body["answer"], protected),
    )


def _place_of(stored: Decision, **why: Any) -> Document:
    """
    Give what a list shows of a record of which it shows nothing else, and why.
    """
    return {
        "decision_id": stored.record_id,
        "call_id": stored.call_id,
        "decided_at": iso(stored.decided_at),
        **why,
        "record": {**place_in_store(stored), "by": None, "program": None},
    }


def _facts(body: Mapping[str, Any]) -> dict[str, Any]:
    request, answer = body["request"], body["answer"]
    told = dict(request.get("facts") or {})
    if request.get("channel"):
        told["channel"] = request["channel"]
    return told | {one["fact"]: one["value"] for one in answer["signals"] if one["used"]}
