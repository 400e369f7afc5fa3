"""
The page of one call: the form, the answer beside it and what was sent, for a real call and for
practice alike.
"""

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, request
from markupsafe import Markup

from service.agency_settings import settings_of
from service.answers import Document
from service.disclosures import NOTICE, PROTECTED_RECORD
from service.erased import RecordErasedError
from service.errors import StoreUnavailableError
from service.pages.answer_keys import PAGE_KEYS
from service.pages.call_answer import Answer, answer_of
from service.pages.call_form import make_form
from service.pages.form_faults import Fault
from service.pages.frame import page
from service.pages.local_time import moment
from service.pages.sent_form import SentPanel
from service.pages.taken_back import still_taken_back
from service.pages.typed_call import Typed, body_of, local_time
from service.pages.visitor import Visitor
from service.parts import Parts

FORM_TOO_OLD = (
    "Nothing was recorded: this page was open too long, or the form did not come from it."
    " All you typed is still here. Look it over and press Recommend."
)


@dataclass(frozen=True, slots=True)
class Practice:
    """
    A practice call: what it has asked for so far, which only the form remembers.

    `last` are the kinds of the answer before, None before the first one.
    """

    asked: frozenset[str] = frozenset()
    last: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """
    What stands beside the form: an answer, faults of what was typed, what happened, what was sent.

    `told_elsewhere` is true where the call has a revision that this form did not come from.
    """

    answer: Answer | None = None
    faults: tuple[Fault, ...] = ()
    notice: str = ""
    sent: SentPanel | None = None
    told_elsewhere: bool = False


def show_call(
    parts: Parts,
    who: Visitor,
    typed: Typed,
    beside: Beside,
    *,
    status: int = 200,
    practice: Practice | None = None,
) -> Response:
    """
    Show a call: a new one, one in the midst of being taken, or one with faults.
    """
    config = parts.rules.config
    answer = beside.answer
    typed = typed.named(suggested_id(parts, who))
    if answer and not typed.received:
        # The first answer is when the call was received, unless somebody says otherwise.
        received = local_time(answer.decided_at, who.agency.time_zone)
        typed = replace(typed, received=received)
    document = answer.document if answer else None
    return page(
        parts,
        who,
        "call.html",
        status,
        here="practice" if practice else "call",
        form=make_form(config.vocabulary, config.console, typed, document, beside.faults),
        answer=answer,
        sent=beside.sent,
        notice_text=beside.notice,
        told_elsewhere=beside.told_elsewhere,
        redisclosure=NOTICE if PROTECTED_RECORD in typed.sources.values() else None,
        is_before=bool(beside.faults or beside.notice),
        agency=who.agency,
        keeps_remarks=settings_of(who.agency.settings, config.agency).keep_remarks,
        take_back=config.console.take_back,
        signal_labels={name: fact.label for name, fact in config.vocabulary.facts.items()},
        kinds=config.vocabulary.responders,
        registries=registries_of(parts, who, typed),
        practice=practice,
        action="/practice" if practice else "/",
        page_keys=PAGE_KEYS,
        agency_time=lambda at: time_in(at, who.agency.time_zone),
    )


def read_call(
    parts: Parts, who: Visitor, typed: Typed
) -> tuple[Typed, dict[str, Any], Mapping[str, Any]]:
    """
    Read a call as it was typed: the same with those signals counting again of which something new
    is said, the request that it is, and the body that the schema makes of it.

    Raises:
        ValidationError: what was typed has faults.
    """
    vocabulary, zone = parts.rules.config.vocabulary, who.agency.time_zone
    told = body_of(typed, vocabulary, zone)
    body = parts.decision_schema.load(told)
    if not typed.taken.reasons:
        return typed, told, body
    published = parts.decisions.rules.published(who.agency)
    signals = parts.decisions.simulate(who.agency, body, published)["signals"]
    typed = replace(typed, taken=still_taken_back(typed.taken, signals, body))
    if typed.taken.again:
        told = body_of(typed, vocabulary, zone)
        body = parts.decision_schema.load(told)
    return typed, told, body


def registries_of(parts: Parts, who: Visitor, typed: Typed) -> tuple[str, ...]:
    """
    Name the lists of type codes, the agency's own, and the one that was typed even if it is not
    there.
    """
    known = parts.rules.config.incident_types.registries
    own = sorted({registry for registry, _ in parts.surroundings.seen.types_of(who.agency.id)})
    return tuple(dict.fromkeys((*known, *own, *((typed.registry,) if typed.registry else ()))))


def in_words(
    parts: Parts,
    who: Visitor,
    document: Document,
    told: Mapping[str, Any],
    *,
    is_recorded: bool,
) -> Answer:
    """
    Put a decision into words; *told* is the request it was made from.
    """
    said = told.get("fact_sources") or {}
    return answer_of(
        document,
        told.get("facts") or {},
        parts.rules.config,
        parts.decisions.rules.published(who.agency),
        time_zone=who.agency.time_zone,
        is_recorded=is_recorded,
        sources={name: str(one.get("says")) for name, one in said.items()},
    )


def find(parts: Parts, who: Visitor, typed: Typed) -> Document | None:
    """
    Find the decision that stood beside the form; None where it is gone, cannot be read or is
    another call's.
    """
    if not typed.seen or "\0" in typed.seen:
        return None
    try:
        document = parts.records.find(who.agency.id, typed.seen)
    except (StoreUnavailableError, RecordErasedError):
        return None
    if document is None or document["call_id"] != typed.call_id or "unreadable" in document:
        return None
    return document


def suggested_id(parts: Parts, who: Visitor) -> str:
    """
    Make an id for a call that has none: local time, and a few signs, since two may open at once.
    """
    now = parts.now().astimezone(ZoneInfo(who.agency.time_zone))
    return f"CALL-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def kinds_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """
    Name whom a decision recommends, in its order.
    """
    return tuple(one["kind"] for one in document["recommendation"]["responders"])


def press_of(told: Mapping[str, Any], *beside: str) -> str:
    """
    Name one press of one form, so that a page sent twice (a reload, a double click) records once.
    """
    form = request.form.get("csrf_token", secrets.token_hex())
    pressed = json.dumps([form, told, beside], sort_keys=True, default=str)
    return "page-" + hashlib.sha256(pressed.encode(errors="surrogatepass")).hexdigest()


def time_in(at: dt.datetime, time_zone: str) -> Markup:
    """
    Write a time where the agency is, with its offset; the whole of it is there to be read out.
    """
    told = moment(at, time_zone, at)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        told.iso, told.whole, told.clock
    )
