"""
What every page stands in: the bar with what one may do, a strict cookie, files to keep, faults as
pages.

It knows nothing about calls, reviews or rules.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.sansio.blueprints import BlueprintSetupState
from flask_wtf.csrf import generate_csrf  # type: ignore[import-untyped]  # the library has no types
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from service.access import (
    DECIDE,
    READ_ALERTS,
    READ_CALLS,
    READ_PEOPLE,
    READ_REVIEWS,
    READ_RULES,
    READ_STATE,
)
from service.chain.logs import is_changed
from service.erased import RecordErasedError
from service.errors import (
    ClaimHeldError,
    CrisisRouterError,
    DecisionUnreadableError,
    InQuarantineError,
    StoreUnavailableError,
)
from service.log import where_of
from service.pages.alerts_line import open_alerts
from service.pages.form_faults import as_sentence
from service.pages.local_time import moment
from service.pages.visitor import (
    FormTooOldError,
    NotAllowedError,
    SignInFirstError,
    Visitor,
    is_own_form,
    signed_in,
)
from service.parts import Parts

log = structlog.get_logger()
STATIC = Path(__file__).parent / "static"
STATIC_KEEP_S = 86_400
CALL_PAGES = "call_pages"  # the blueprint whose pages somebody has a caller on the line at
KEPT_CHARACTERS_MAX = 400_000  # of a form that is carried over a sign-in


@dataclass(frozen=True, slots=True)
class Place:
    """
    One place of the bar, and what one must be allowed to do to see it.
    """

    name: str
    address: str
    word: str
    act: str


PLACES = (
    Place("call", "/", "Call", DECIDE),
    Place("decisions", "/decisions", "Decisions", READ_CALLS),
    Place("reviews", "/reviews", "Review", READ_REVIEWS),
    Place("rules", "/rules", "Rules", READ_RULES),
    Place("alerts", "/alerts", "Alerts", READ_ALERTS),
    Place("admin", "/admin", "Administration", READ_PEOPLE),
    Place("state", "/state", "State", READ_STATE),
)


def page(
    parts: Parts,
    who: Visitor | None,
    template: str,
    status: int = 200,
    **shown: Any,
) -> Response:
    """
    Show a template to somebody, with the places they may go to and the token of its forms.

    *who* is None where nobody is signed in: then the bar holds no places.
    """
    places = [place for place in PLACES if who and who.actor.may(place.act)]
    # The page of alerts shows them itself.
    alerts = open_alerts(parts, who.actor) if who and shown.get("here") != "alerts" else None
    text = render_template(
        template, csrf_token=generate_csrf(), visitor=who, places=places, alerts=alerts, **shown
    )
    if status >= 400:
        parts.metrics.refused.labels(str(status)).inc()
    return make_response(text, status)


def refused(
    parts: Parts, status: int, title: str, way_out: str, who: Visitor | None = None
) -> Response:
    """
    Say that something cannot be done, and the way out.
    """
    home = who.home if who else "/sign-in"
    return page(
        parts, who, "refused.html", status, title=title, way_out=way_out, home=home, here=""
    )


def frame_pages(parts: Parts) -> Blueprint:
    """
    Make what all pages share: the style sheet, scripts and icons under `/static`, the cookie.
    """
    blueprint = Blueprint("frame", __name__, static_folder="static", static_url_path="/static")
    versions = {path.name: _digest(path) for path in STATIC.iterdir()}

    @blueprint.record_once
    def strict_session(state: BlueprintSetupState) -> None:
        state.app.config.update(
            SESSION_COOKIE_NAME="crisis_router",
            SESSION_COOKIE_HTTPONLY=True,
            # Lax: a link from a CAD or a mail opens the page; every form has a token of its own.
            SESSION_COOKIE_SAMESITE="Lax",
            SESSION_COOKIE_SECURE=parts.settings.proxies > 0,
        )

    @blueprint.app_template_global()
    def asset(name: str) -> str:
        return f"/static/{name}?v={versions[name]}"

    @blueprint.after_request
    def keep_static(response: Response) -> Response:
        if response.status_code == 200:
            response.cache_control.no_cache = None
            response.cache_control.public = True
            response.cache_control.max_age = STATIC_KEEP_S
        return response

    return blueprint


def keep_in_order(blueprint: Blueprint, parts: Parts) -> None:
    """
    Set what holds for each page of a blueprint: who is not in is led to the sign-in, and faults are
    pages too.
    """

    @blueprint.errorhandler(SignInFirstError)
    def sign_in_first(_error: SignInFirstError) -> BaseResponse:
        if request.method != "POST":
            return redirect(sign_in_address(), 303)
        if is_own_form():
            return sign_in_page(parts, to=request.path, kept=kept_of_form(), status=403)
        return redirect(sign_in_address(), 303)

    @blueprint.errorhandler(NotAllowedError)
    def not_allowed(error: NotAllowedError) -> Response:
        role = error.who.actor.role
        way_out = (
            f"Your role here is {role}, which may not {error.act}. An administrator of"
            f" {error.who.agency.name} can change that."
        )
        return refused(parts, 403, "This is not yours to do", way_out, error.who)

    @blueprint.errorhandler(FormTooOldError)
    def form_too_old(error: FormTooOldError) -> Response:
        way_out = (
            "Nothing was changed: the page was open for too long, or the form did not come from it."
            " Go back, load the page again, and send it once more."
        )
        return refused(parts, 400, "This form is too old", way_out, error.who)

    @blueprint.errorhandler(ClaimHeldError)
    def still_blind(_error: ClaimHeldError) -> Response:
        way_out = (
            "You hold the review of this call and have not answered it yet. Say first whom you"
            " would have sent; then you see the whole decision."
        )
        return refused(parts, 403, "Not before your answer", way_out, signed_in(parts))

    @blueprint.errorhandler(RecordErasedError)
    def erased(error: RecordErasedError) -> Response:
        who = signed_in(parts)
        zone = who.agency.time_zone if who else "UTC"
        at = moment(error.erased.at, zone, parts.now())
        return page(parts, who, "decision_erased.html", 410, here="decisions", erased=error, at=at)

    @blueprint.errorhandler(DecisionUnreadableError)
    def changed(error: DecisionUnreadableError) -> Response:
        return unreadable_page(parts, signed_in(parts), error.record, 409)

    @blueprint.errorhandler(InQuarantineError)
    def quarantined(error: InQuarantineError) -> Response:
        who = signed_in(parts)
        return page(parts, who, "decision_quarantined.html", 404, here="decisions", error=error)

    @blueprint.errorhandler(StoreUnavailableError)
    def store_away(_error: StoreUnavailableError) -> Response:
        way_out = (
            "The store cannot be reached. Calls are answered all the same, and nothing that was"
            " recorded is lost. Try again in a moment."
        )
        return refused(parts, 503, "This page needs the store", way_out, signed_in(parts))

    @blueprint.errorhandler(CrisisRouterError)
    def said_plainly(error: CrisisRouterError) -> Response:
        words = as_sentence(str(error))
        return refused(parts, 422, "This cannot be read", words, signed_in(parts))

    @blueprint.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> Response:
        if error.code == 413:
            way_out = "Nothing was recorded. Go back, shorten what you typed and send it again."
            return refused(parts, 413, "This is too long", way_out, signed_in(parts))
        title = {404: "There is nothing here", 405: "This page takes no form"}
        status = error.code or 500
        return refused(
            parts,
            status,
            title.get(status, "This cannot be done"),
            "Go on from your first page.",
            signed_in(parts),
        )

    @blueprint.errorhandler(Exception)
    def our_fault(error: Exception) -> Response:
        route = str(request.url_rule or "")
        log.error("page_failed", error=type(error).__name__, route=route, where=where_of(error))
        return _our_fault_page(parts)


def readable_or_not(
    parts: Parts, who: Visitor, records: Sequence[Mapping[str, Any]], show: Callable[[], Response]
) -> Response:
    """
    Show a page of decisions; where it fails by one that was changed in the store, say so instead.
    """
    try:
        return show()
    except (CrisisRouterError, HTTPException):
        raise
    except Exception:
        for one in records:
            if is_changed(parts.store, who.agency.id, one["decision_id"]):
                return unreadable_page(parts, who, one["record"])
        raise


def unreadable_page(
    parts: Parts, who: Visitor | None, record: Mapping[str, Any] | None, status: int = 200
) -> Response:
    """
    Say of a decision that was changed in the store that it cannot be read, and where it stands.
    """
    return page(parts, who, "decision_unreadable.html", status, here="decisions", record=record)


def _our_fault_page(parts: Parts) -> Response:
    """
    Say that something of ours failed; whoever is signed in is led to their first page.
    """
    title = "Something went wrong here"
    again = "Go back and press once more to try again; if it happens again, tell an administrator."
    # Only who has a caller on the line needs another way to an answer.
    first = (
        "Go on by the agency's own card."
        if request.blueprint == CALL_PAGES
        else "What is on record is not touched by it."
    )
    way_out = f"{first} {again}"
    try:
        return refused(parts, 500, title, way_out, signed_in(parts))
    except Exception as error:  # noqa: BLE001  # the page of a bug must not fail by the same bug
        # What failed may be what this page asks too: who is signed in, or their bar.
        log.error("bar_failed", error=type(error).__name__, where=where_of(error))
        return refused(parts, 500, title, way_out)


def nothing_here(parts: Parts) -> Response | None:
    """
    Show a browser that there is nothing at an address; None for a system, or an address of the API.
    """
    wants_page = request.accept_mimetypes.best_match(["application/json", "text/html"])
    if wants_page != "text/html" or request.path.startswith("/v1/"):
        return None
    title, way_out = "There is nothing here", "Go on from your first page."
    return refused(parts, 404, title, way_out, signed_in(parts))


def sign_in_address() -> str:
    """
    Give the address of the sign-in that leads back to the page that was asked for.
    """
    query = request.query_string.decode("ascii", errors="ignore")
    asked = f"{request.path}?{query}" if query else request.path
    return "/sign-in" if asked == "/" else f"/sign-in?to={quote(asked)}"


def sign_in_page(
    parts: Parts,
    *,
    to: str = "",
    kept: list[tuple[str, str]] | None = None,
    email: str = "",
    wrong: str = "",
    status: int = 200,
) -> Response:
    """
    Show the form to sign in; *to* is the page to go to then, *kept* a form that was sent without a
    session and is carried along.
    """
    return page(
        parts, None, "sign_in.html", status, to=to, kept=kept or [], email=email, wrong=wrong
    )


def kept_of_form() -> list[tuple[str, str]]:
    """
    Give the fields of the form that was sent, its token left out; none where it is too long.
    """
    fields = [
        (name.removeprefix("kept."), text)
        for name, text in request.form.items(multi=True)
        if name not in ("csrf_token", "to", "email", "password", "code", "sealed")
    ]
    is_short = sum(len(name) + len(text) for name, text in fields) <= KEPT_CHARACTERS_MAX
    return fields if is_short else []


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
