"""
`/`: one call, taken in a browser. Each press is the next revision of it, decided and recorded.

The page works without scripts and keeps nothing between two presses: the form carries the whole
call. Until there is sign-in it answers only browsers on this machine, with a key that may decide.
"""

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from service.answers import Document
from service.errors import StoreUnavailableError
from service.host.first_start import CREDENTIALS
from service.pages.call_answer import Answer, answer_of
from service.pages.call_form import Fault, Typed, body_of, faults_of, make_form, read_typed
from service.pages.frame import keep_in_order, page
from service.pages.visitor import (
    Visitor,
    forget,
    is_own_form,
    remember,
    visitor,
    why_not,
)
from service.parts import Parts
from service.routing.facts import Vocabulary

FORM_TOO_OLD = (
    "Nothing was recorded: this page was open too long, or the form did not come from it."
    " All you typed is still here. Look it over and press Recommend."
)
KEY_ENDED = (
    "Nothing was recorded: the key of this page was forgotten, or no longer works."
    " All you typed is kept. Enter a key to go on."
)
KEY_WORKS = "The key works. Nothing is recorded yet: look over what you typed and press Recommend."
KEY_FORM_TOO_OLD = "This page was open too long, or the form did not come from it. Try again."


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
    blueprint = Blueprint("call_pages", __name__, static_folder="static", static_url_path="/static")
    keep_in_order(blueprint, parts)
    _key_routes(blueprint, parts)

    @blueprint.get("/")
    def call() -> Response:
        """
        Show an empty call, or ask for the key.
        """
        who = visitor(parts)
        if who is None:
            return _key_page(parts, Typed())
        return _call_page(parts, who, Typed(), Beside())

    @blueprint.post("/")
    def decide() -> Response:
        """
        Decide the call as it was typed: the next revision of it.
        """
        is_ours = is_own_form()
        typed = read_typed(request.form, _vocabulary(parts))
        who = visitor(parts)
        if who is None:
            return _key_page(parts, typed, KEY_ENDED, 403)
        typed = typed.named(_suggested_id(who))
        if not is_ours:
            before = Beside(_answer_before(parts, who, typed), notice=FORM_TOO_OLD)
            return _call_page(parts, who, typed, before, 400)
        return _decided(parts, who, typed)

    return blueprint


def _key_routes(blueprint: Blueprint, parts: Parts) -> None:
    """
    Take the key once, and forget it when asked.
    """

    @blueprint.get("/key")
    def key_again() -> BaseResponse:
        """
        Lead somebody who comes back to this address to the call.
        """
        return redirect(url_for(".call"), 303)

    @blueprint.post("/key")
    def take_key() -> BaseResponse:
        """
        Take a key, and go on with what was typed before it was asked for.
        """
        is_ours = is_own_form()
        typed = read_typed(request.form, _vocabulary(parts))
        if not is_ours:
            return _key_page(parts, typed, KEY_FORM_TOO_OLD, 400)
        key = parts.surroundings.seen.key(request.form.get("key", "").strip())
        wrong = why_not(key)
        if key is None or wrong:
            return _key_page(parts, typed, wrong or "", 403)
        remember(key)
        who = visitor(parts)
        if who is None or not typed.call_id:
            return redirect(url_for(".call"), 303)
        beside = Beside(_answer_before(parts, who, typed), notice=KEY_WORKS)
        return _call_page(parts, who, typed, beside)

    @blueprint.post("/forget")
    def forget_key() -> BaseResponse:
        """
        Forget the key.
        """
        if is_own_form():
            forget()
        return redirect(url_for(".call"), 303)


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
        answered = parts.decisions.decide(who.key, who.agency, body, _press(body))
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
        "call.html",
        status,
        form=form,
        answer=answer,
        notice_text=beside.notice,
        is_before=bool(beside.faults or beside.notice),
        agency=who.agency,
        kinds=vocabulary.responders,
    )


def _key_page(parts: Parts, typed: Typed, wrong: str = "", status: int = 200) -> Response:
    kept: Iterable[tuple[str, str]] = typed.pairs() if typed != Typed() else ()
    return page(
        parts,
        "key.html",
        status,
        kept=[(name, text) for name, text in kept if text],
        wrong=wrong,
        credentials=parts.settings.home / CREDENTIALS,
    )
