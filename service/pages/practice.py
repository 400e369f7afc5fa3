"""
`/practice`: the call page to learn on. It decides as a real call is decided, and records nothing.

No journal, no store and no audit trail hears of a practice call: only the form remembers it.
"""

from dataclasses import replace

from flask import Blueprint, Response, request
from marshmallow import ValidationError

from service.access import SIMULATE
from service.answers import change_between
from service.dispatch_request import Asked, read_report
from service.pages.call_sent import panel, reasons_of, tick_somebody
from service.pages.call_sheet import (
    Beside,
    Practice,
    in_words,
    kinds_of,
    read_call,
    show_call,
    suggested_id,
)
from service.pages.form_faults import each_fault
from service.pages.frame import keep_in_order
from service.pages.sent_form import TypedSent, faults_of_sent, line_of, read_sent, report_of
from service.pages.typed_call import Typed, read_typed
from service.pages.visitor import Visitor, visitor
from service.parts import Parts


def practice_pages(parts: Parts) -> Blueprint:
    """
    Make the page.
    """
    blueprint = Blueprint("practice_pages", __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get("/practice")
    def practice() -> Response:
        """
        Show an empty practice call.
        """
        who = visitor(parts, SIMULATE)
        return show_call(parts, who, Typed(), Beside(), practice=Practice())

    @blueprint.post("/practice")
    def try_call() -> Response:
        """
        Answer a practice call as it was typed.
        """
        return _answered(parts, visitor(parts, SIMULATE), None)

    @blueprint.post("/practice/sent")
    def would_be_sent() -> Response:
        """
        Say what would be recorded as sent.
        """
        vocabulary = parts.rules.config.vocabulary
        return _answered(parts, visitor(parts, SIMULATE), read_sent(request.form, vocabulary))

    return blueprint


def _answered(parts: Parts, who: Visitor, sent: TypedSent | None) -> Response:
    """
    Decide what was typed, beside what would be said of what was sent.
    """
    config = parts.rules.config
    typed = read_typed(request.form, config.vocabulary, config.console)
    typed = typed.named(suggested_id(parts, who))
    before = _read_practice(parts)
    try:
        typed, _, body = read_call(parts, who, typed)
    except ValidationError as error:
        beside = Beside(faults=tuple(each_fault(error.messages)))
        return show_call(parts, who, typed, beside, status=422, practice=before)
    published = parts.rules.published(who.agency)
    document = parts.decisions.simulate(who.agency, body, published)
    if sent is None:
        last = before.last and {"responders": [{"kind": kind} for kind in before.last]}
        document["change"] = change_between(last or None, document["recommendation"])
    kinds = kinds_of(document)
    beside = Beside(in_words(parts, who, document, body, is_recorded=False))
    now = Practice(before.asked | frozenset(kinds), kinds)
    asked = Asked(typed.call_id, frozenset(kinds), before.asked, is_whole=True)
    beside, status = _with_sent(parts, who, beside, sent, asked)
    return show_call(parts, who, typed, beside, status=status, practice=now)


def _with_sent(
    parts: Parts, who: Visitor, beside: Beside, sent: TypedSent | None, asked: Asked
) -> tuple[Beside, int]:
    """
    Add the part about what was sent, judged as a real report is.
    """
    shown = panel(
        parts,
        who,
        sent or TypedSent(),
        after="",
        owes_reason_for=tuple(asked.released(asked.recommended)),
    )
    if sent is None or not sent.way:
        return replace(beside, sent=shown), 200
    told = report_of(sent, asked.recommended, who.agency.time_zone)
    faults = tuple(tick_somebody(sent))
    if not faults:
        reasons, now = reasons_of(parts, who), parts.now()
        try:
            read = read_report(parts.dispatch_schema, told, asked, tuple(reasons), now)
        except ValidationError as error:
            faults = tuple(each_fault(error.messages))
        else:
            kinds = read["responders"]
            report = {
                **read,
                "override": asked.is_override(kinds),
                "released": asked.released(kinds),
            }
            would_be = line_of(report, "you", reasons, at=now)
            shown = panel(parts, who, TypedSent(), after="", would_be=would_be)
            return replace(beside, sent=shown), 200
    places = tuple(faults_of_sent(sent.way, faults))
    return replace(beside, sent=replace(shown, faults=places)), 422


def _read_practice(parts: Parts) -> Practice:
    """
    Read what the practice call has asked for so far; a kind that there is not is left out.
    """
    responders = parts.rules.config.vocabulary.responders
    asked = frozenset(responders).intersection(request.form.getlist("asked"))
    last = tuple(kind for kind in responders if kind in request.form.getlist("last"))
    return Practice(asked, last or None)
