"""
Let facts out of protected records (42 CFR part 2) leave only with a row that says to whom and for
what, and with the notice that they may not be passed on.

Everywhere else they are withheld: the facts, and what would reveal them.
"""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from marshmallow import ValidationError
from sqlalchemy import Engine

from service.access import Actor
from service.audit import Audit
from service.instants import iso
from service.request import SIGNALS_CONTRADICT
from service.store import audit, disclosures
from service.store.database import writing
from service.store.disclosures import Disclosure

PROTECTED_RECORD: Final = "protected_record"
# Source: 42 CFR 2.32(a)(2), as amended by 89 FR 12472 (16 February 2024).
NOTICE: Final = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
WORDS_CHARACTERS_MAX: Final = 200


def protected_facts(request: Mapping[str, Any]) -> frozenset[str]:
    """
    Name the facts of a kept request that came from a protected record.
    """
    told = {**(request.get("facts") or {}), "channel": request.get("channel")}
    return frozenset(
        name
        for name, one in (request.get("fact_sources") or {}).items()
        if one.get("says") == PROTECTED_RECORD and told.get(name) is not None
    )


def revealing_rules(answer: Mapping[str, Any], facts: Collection[str]) -> frozenset[str]:
    """
    Name the rules that fired and read any of these facts.
    """
    return frozenset(
        one["rule"]
        for one in answer.get("because") or ()
        if not set(one.get("facts") or ()).isdisjoint(facts)
    )


def withhold(document: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """
    Give a record without what came from a protected record or would reveal it, and whether there
    was any; then its member `withheld` says so.

    *document* is a record as the API gives it, or the body of one with `request` and `answer`.
    Whom the answer recommends stays: it was acted on.
    """
    request = document.get("request")
    facts = protected_facts(request) if isinstance(request, Mapping) else frozenset()
    if not facts:
        return dict(document), False
    assert isinstance(request, Mapping), "facts are of a request"
    held: dict[str, Any] = {**document, "request": _request_without(request, facts)}
    answer = document.get("answer")
    if isinstance(answer, Mapping):
        held["answer"] = _answer_without(answer, facts)
    else:
        held = _answer_without(held, facts)
    return {**held, "withheld": [PROTECTED_RECORD]}, True


def _request_without(request: Mapping[str, Any], facts: Collection[str]) -> dict[str, Any]:
    left = dict(request)
    for name in ("facts", "fact_sources"):
        if left.get(name):
            left[name] = {key: one for key, one in left[name].items() if key not in facts}
    if "channel" in facts:
        left["channel"] = None
    if left.get("dismissed"):
        left["dismissed"] = [one for one in left["dismissed"] if one["fact"] not in facts]
    return left


def _answer_without(answer: Mapping[str, Any], facts: Collection[str]) -> dict[str, Any]:
    rules, left = revealing_rules(answer, facts), dict(answer)
    for name in ("signals", "would_change", "ask_next"):
        if name in left:
            left[name] = [one for one in left[name] or () if one["fact"] not in facts]
    if "because" in left:
        left["because"] = [one for one in left["because"] if one["rule"] not in rules]
    if "rules" in left:
        left["rules"] = [one for one in left["rules"] if one not in rules]
    if "law_enforcement" in left:
        left["law_enforcement"] = police_without(left["law_enforcement"], rules)
    if "warnings" in left:
        paths = {f"{part}.{name}" for part in ("facts", "fact_sources") for name in facts}
        left["warnings"] = [
            one
            for one in left["warnings"]
            if one.get("path") not in paths and one.get("code") != SIGNALS_CONTRADICT
        ]
    return left


def police_without(police: Mapping[str, Any], rules: Collection[str]) -> dict[str, Any]:
    """
    Give why police were in an answer without these rules.
    """
    because = [one for one in police["because"] if one.get("rule") not in rules]
    return {**police, "because": because}


class Disclosures:
    """
    Disclosures of one agency at a time: the actor's. One per process; any thread may call it.
    """

    def __init__(self, store: Engine, trail: Audit, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._trail = trail
        self._now = now

    def note(
        self,
        actor: Actor,
        to: tuple[str, str],
        facts: Collection[str],
        record_ids: Collection[str],
    ) -> None:
        """
        Keep, before they leave, that these facts of these records go *to* a recipient for a
        purpose.

        Raises:
            StoreUnavailableError: it cannot be kept, so nothing may leave.
        """
        made = Disclosure(
            id=disclosures.new_id(),
            agency=actor.agency,
            at=self._now(),
            disclosed_by=actor.identity,
            disclosed_name=actor.name,
            recipient=to[0],
            purpose=to[1],
            facts=tuple(sorted(facts)),
            records=tuple(record_ids),
        )
        with writing(self._store) as connection:
            disclosures.add(connection, made)
            subject = ("disclosure", made.id)
            entry = self._trail.entry(actor, "disclosed", subject, records=len(made.records))
            audit.add(connection, entry)

    def page(
        self, actor: Actor, cursor: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """
        Give disclosures of the actor's agency, the newest first, and the cursor of the next page.

        Raises:
            CursorError: the cursor is not one that a page gave.
            StoreUnavailableError: the store cannot be reached.
        """
        found, following = disclosures.page(self._store, actor.agency, cursor, limit)
        return [shown(one) for one in found], following


def shown(one: Disclosure) -> dict[str, Any]:
    """
    Give a disclosure as the API and the pages show it.
    """
    return {
        "disclosure_id": one.id,
        "at": iso(one.at),
        "disclosed_by": one.disclosed_name,
        "recipient": one.recipient,
        "purpose": one.purpose,
        "facts": list(one.facts),
        "records": list(one.records),
    }


def read_to(recipient: str | None, purpose: str | None) -> tuple[str, str] | None:
    """
    Read to whom an export goes and for what; None where neither is said.

    Raises:
        ValidationError: one of the two is missing.
    """
    if not recipient and not purpose:
        return None
    if not recipient:
        raise ValidationError({"recipient": ["name who receives it, since you gave a purpose"]})
    if not purpose:
        raise ValidationError({"purpose": ["say what it is for, since you gave a recipient"]})
    return recipient, purpose
