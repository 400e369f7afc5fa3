"""
`/`: one call, taken in a browser. Each press is the next revision of it, decided and recorded.

The page works without scripts and keeps nothing between two presses: the form carries the whole
call. A small script presses the same buttons by their keys, and puts the answer in place.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from flask import Blueprint, Response, redirect, request
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from service.access import DECIDE, REPORT_DISPATCH
from service.answers import Document
from service.errors import DecisionUnreadableError
from service.pages.call_sent import panel_of, reported
from service.pages.call_sheet import (
    FORM_TOO_OLD,
    Beside,
    find,
    in_words,
    press_of,
    read_call,
    show_call,
    suggested_id,
)
from service.pages.form_faults import each_fault
from service.pages.frame import CALL_PAGES, keep_in_order, readable_or_not, refused
from service.pages.sent_form import TypedSent, read_sent
from service.pages.taken_back import still_taken_back
from service.pages.typed_call import Typed, read_typed, typed_of, with_what_was_read
from service.pages.visitor import NotAllowedError, Visitor, is_own_form, visitor
from service.parts import Parts
from service.request import CALL_ID_CHARACTERS_MAX

NO_SUCH_CALL = "There is no such call"


def call_pages(parts: Parts) -> Blueprint:
    """
    Make the page.
    """
    blueprint = Blueprint(CALL_PAGES, __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get("/")
    def call() -> BaseResponse:
        """
        Show an empty call, or take up one that is on record; who takes no calls is led to where
        their own work begins.
        """
        try:
            who = visitor(parts, DECIDE)
        except NotAllowedError as error:
            return redirect(error.who.home, 303)
        call_id = request.args.get("call", "").strip()
        if call_id:
            return _taken_up(parts, who, call_id)
        return show_call(parts, who, Typed(), Beside())

    @blueprint.post("/")
    def decide() -> Response:
        """
        Decide the call as it was typed: the next revision of it.
        """
        who = visitor(parts, DECIDE, check_form=False)
        typed = _typed(parts, who)
        if not is_own_form():
            return _too_old(parts, who, typed)
        return _decided(parts, who, typed)

    @blueprint.post("/sent")
    def report() -> Response:
        """
        Record what was really sent.
        """
        who = visitor(parts, REPORT_DISPATCH, check_form=False)
        typed = _typed(parts, who)
        if not is_own_form():
            return _too_old(parts, who, typed)
        return reported(parts, who, typed, _sent(parts))

    return blueprint


def _typed(parts: Parts, who: Visitor) -> Typed:
    config = parts.rules.config
    typed = read_typed(request.form, config.vocabulary, config.console)
    return typed.named(suggested_id(parts, who))


def _too_old(parts: Parts, who: Visitor, typed: Typed) -> Response:
    beside = replace(_before(parts, who, typed), notice=FORM_TOO_OLD)
    return show_call(parts, who, typed, beside, status=400)


def _before(parts: Parts, who: Visitor, typed: Typed) -> Beside:
    """
    Give what stood beside the form, so that a fault does not take it away.
    """
    document = find(parts, who, typed)
    if document is None:
        return Beside()
    answer = in_words(parts, who, document, document["request"], is_recorded=True)
    return Beside(answer, sent=panel_of(parts, who, document, typed=_sent(parts)))


def _sent(parts: Parts) -> TypedSent:
    return read_sent(request.form, parts.rules.config.vocabulary)


def _taken_up(parts: Parts, who: Visitor, call_id: str) -> Response:
    """
    Show the newest revision of a call of this agency, with its facts to go on from.
    """
    revisions: list[Document] = []
    if "\0" not in call_id and len(call_id) <= CALL_ID_CHARACTERS_MAX:
        revisions = parts.records.of_call(who.agency.id, call_id)
    if not revisions:
        way_out = "Look whether the whole id was copied, or take it as a new call."
        return refused(parts, 404, NO_SUCH_CALL, way_out, who)
    newest = revisions[-1]
    if "unreadable" in newest:
        raise DecisionUnreadableError(newest["record"])
    return readable_or_not(
        parts, who, revisions, lambda: _gone_on_with(parts, who, call_id, revisions)
    )


def _gone_on_with(
    parts: Parts, who: Visitor, call_id: str, revisions: Sequence[Document]
) -> Response:
    newest = revisions[-1]
    parts.audit.note(who.actor, "read", ("call", call_id))
    typed = typed_of(
        newest["request"],
        parts.rules.config.vocabulary,
        call_id=call_id,
        seen=newest["decision_id"],
        time_zone=who.agency.time_zone,
    )
    taken = still_taken_back(typed.taken, newest["signals"], newest["request"])
    typed = replace(typed, taken=taken)
    if newest["request"].get("remarks_kept") is False:
        typed = with_what_was_read(typed, newest["signals"])
    reports = sorted(
        (one for revision in revisions for one in revision["dispatches"]),
        key=lambda one: dt.datetime.fromisoformat(one["reported_at"]),
    )
    answer = in_words(parts, who, newest, newest["request"], is_recorded=True)
    sent = panel_of(parts, who, newest, reports)
    return show_call(parts, who, typed, Beside(answer, sent=sent))


def _decided(parts: Parts, who: Visitor, typed: Typed) -> Response:
    """
    Check what was typed, decide it, and show the answer beside it.
    """
    with parts.metrics.latency_s.time():
        try:
            typed, told, body = read_call(parts, who, typed)
        except ValidationError as error:
            faults = tuple(each_fault(error.messages))
            beside = replace(_before(parts, who, typed), faults=faults)
            return show_call(parts, who, typed, beside, status=422)
        press = press_of(told, typed.seen)
        answered = parts.decisions.decide(who.actor, who.agency, body, press)
    document = answered.document
    police = str(document["law_enforcement"]["included"]).lower()
    parts.metrics.decisions.labels(document["mode"], police).inc()
    answer = in_words(parts, who, document, body, is_recorded=answered.is_recorded)
    beside = Beside(
        answer,
        sent=panel_of(parts, who, document, typed=_sent(parts)) if answered.is_recorded else None,
        told_elsewhere=_is_told_elsewhere(typed, document),
    )
    return show_call(parts, who, typed, beside, status=200 if answered.is_recorded else 503)


def _is_told_elsewhere(typed: Typed, document: Document) -> bool:
    """
    Tell whether the call has a revision that this form did not come from: what was told there is
    not in this one.
    """
    revision, before = document["revision"] or 1, typed.seen_revision if typed.seen else "0"
    return revision > 1 and before.isdecimal() and revision != int(before[:9]) + 1
