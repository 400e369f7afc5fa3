"""
`/`: one call, taken in a browser. Each press is the next revision of it, decided and recorded.

The page works without scripts and keeps nothing between two presses: the form carries the whole
call.
"""

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, request
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from service.access import DECIDE
from service.answers import Document
from service.errors import StoreUnavailableError
from service.pages.call_answer import Answer, answer_of
from service.pages.call_form import Fault, Typed, body_of, faults_of, make_form, read_typed
from service.pages.frame import keep_in_order, page
from service.pages.visitor import Visitor, is_own_form, signed_in, visitor
from service.parts import Parts
from service.routing.facts import Vocabulary

FORM_TOO_OLD = (
    "Nothing was recorded: this page was open too long, or the form did not come from it."
    " All you typed is still here. Look it over and press Recommend."
)


@dataclass(frozen=True, slots=True)
class Beside:
    """
    What stands beside the form: an answer, faults of what was typed, what happened.
    """

    answer: Answer | None = None
    faults: tuple[Fault, ...] = ()
    notice: str = ""


def call_pages(parts: Parts) -> Blueprint:
    """
    Make the page, with its stylesheet and icons under `/static`.
    """
    blueprint = Blueprint("call_pages", __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get("/")
    def call() -> BaseResponse:
        """
        Show an empty call; who takes no calls is led to where their own work begins.
        """
        who = signed_in(parts)
        if who is not None and not who.actor.may(DECIDE):
            return redirect(who.home, 303)
        return _call_page(parts, visitor(parts, DECIDE), Typed(), Beside())

    @blueprint.post("/")
    def decide() -> Response:
        """
        Decide the call as it was typed: the next revision of it.
        """
        who = visitor(parts, DECIDE, check_form=False)
        is_ours = is_own_form()
        typed = read_typed(request.form, _vocabulary(parts))
        typed = typed.named(_suggested_id(who))
        if not is_ours:
            before = Beside(_answer_before(parts, who, typed), notice=FORM_TOO_OLD)
            return _call_page(parts, who, typed, before, 400)
        return _decided(parts, who, typed)

    return blueprint


def _vocabulary(parts: Parts) -> Vocabulary:
    return parts.decisions.rules.config.vocabulary


def _decided(parts: Parts, who: Visitor, typed: Typed) -> Response:
    """
    Check what was typed, decide it, and show the answer beside it.
    """
    vocabulary = _vocabulary(parts)
    with parts.metrics.latency_s.time():
        try:
            body = parts.decision_schema.load(body_of(typed, vocabulary))
        except ValidationError as error:
            before = _answer_before(parts, who, typed)
            beside = Beside(before, faults=tuple(faults_of(error.messages)))
            return _call_page(parts, who, typed, beside, 422)
        answered = parts.decisions.decide(who.actor, who.agency, body, _press(body))
    document = answered.document
    police = str(document["law_enforcement"]["included"]).lower()
    parts.metrics.decisions.labels(document["mode"], police).inc()
    answer = _answer(parts, who, document, body["facts"], is_recorded=answered.is_recorded)
    status = 200 if answered.is_recorded else 503
    return _call_page(parts, who, typed, Beside(answer), status)


def _press(body: Mapping[str, object]) -> str:
    """
    Name one press of one form, so that a page sent twice (a reload, a double click) records once.
    """
    form = request.form.get("csrf_token", secrets.token_hex())
    pressed = json.dumps([form, body], sort_keys=True, default=str)
    return "page-" + hashlib.sha256(pressed.encode()).hexdigest()


def _answer_before(parts: Parts, who: Visitor, typed: Typed) -> Answer | None:
    """
    Give the answer that stood beside the form, so that a fault does not take it away.
    """
    if not typed.seen or "\0" in typed.seen:
        return None
    try:
        document = parts.records.find(who.agency.id, typed.seen)
    except StoreUnavailableError:
        return None
    if document is None or document["call_id"] != typed.call_id:
        return None
    told = document["request"].get("facts") or {}
    return _answer(parts, who, document, told, is_recorded=True)


def _answer(
    parts: Parts,
    who: Visitor,
    document: Document,
    told: Mapping[str, object],
    *,
    is_recorded: bool,
) -> Answer:
    return answer_of(
        document,
        told,
        _vocabulary(parts),
        parts.decisions.rules.published(who.agency),
        time_zone=who.agency.time_zone,
        is_recorded=is_recorded,
    )


def _suggested_id(who: Visitor) -> str:
    """
    Make an id for a call that has none: local time, and a few signs, since two may open at once.
    """
    now = dt.datetime.now(ZoneInfo(who.agency.time_zone))
    return f"CALL-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _call_page(
    parts: Parts, who: Visitor, typed: Typed, beside: Beside, status: int = 200
) -> Response:
    vocabulary = _vocabulary(parts)
    typed = typed.named(_suggested_id(who))
    answer = beside.answer
    form = make_form(
        vocabulary, typed, answer.document["ask_next"] if answer else None, beside.faults
    )
    return page(
        parts,
        who,
        "call.html",
        status,
        form=form,
        answer=answer,
        notice_text=beside.notice,
        is_before=bool(beside.faults or beside.notice),
        agency=who.agency,
        here="call",
        kinds=vocabulary.responders,
    )
