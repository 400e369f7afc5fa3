"""
What every page stands in: this machine only, a strict cookie, files to keep, faults as pages.

Needs a blueprint that serves the static folder; it knows nothing about calls.
"""

import hashlib
from pathlib import Path
from typing import Any

import structlog
from flask import Blueprint, Response, make_response, render_template, request
from flask.sansio.blueprints import BlueprintSetupState
from flask_wtf.csrf import generate_csrf  # type: ignore[import-untyped]  # the library has no types
from werkzeug.exceptions import HTTPException

from service.log import where_of
from service.pages.visitor import is_on_this_machine
from service.parts import Parts

log = structlog.get_logger()
STATIC = Path(__file__).parent / "static"
STATIC_KEEP_S = 86_400


def page(parts: Parts, template: str, status: int = 200, **shown: Any) -> Response:
    """
    Show a template, with the token that its forms carry.
    """
    if status >= 400:
        parts.metrics.refused.labels(str(status)).inc()
    text = render_template(template, csrf_token=generate_csrf(), **shown)
    return make_response(text, status)


def refused(parts: Parts, status: int, title: str, way_out: str) -> Response:
    """
    Say that something cannot be done, and the way out. It starts no session.
    """
    parts.metrics.refused.labels(str(status)).inc()
    return make_response(render_template("refused.html", title=title, way_out=way_out), status)


def keep_in_order(blueprint: Blueprint, parts: Parts) -> None:
    """
    Set what holds for each page: from this machine only, a strict cookie, faults as pages.
    """

    @blueprint.record_once
    def strict_session(state: BlueprintSetupState) -> None:
        state.app.config.update(
            SESSION_COOKIE_NAME="crisis_router",
            SESSION_COOKIE_HTTPONLY=True,
            SESSION_COOKIE_SAMESITE="Strict",
        )

    versions = {path.name: _digest(path) for path in STATIC.iterdir()}

    @blueprint.app_template_global()
    def asset(name: str) -> str:
        return f"/static/{name}?v={versions[name]}"

    @blueprint.before_request
    def from_this_machine() -> Response | None:
        if request.endpoint == f"{blueprint.name}.static" or is_on_this_machine():
            return None
        way_out = (
            "Until there is sign-in, calls are taken only in a browser on the machine that"
            f" runs the service, at http://localhost:{parts.settings.port}/."
            " Other systems use the API with a key."
        )
        return refused(parts, 403, "This page works only on the machine itself", way_out)

    @blueprint.after_request
    def keep_static(response: Response) -> Response:
        if request.endpoint == f"{blueprint.name}.static" and response.status_code == 200:
            response.cache_control.no_cache = None
            response.cache_control.public = True
            response.cache_control.max_age = STATIC_KEEP_S
        return response

    _show_faults(blueprint, parts)


def _show_faults(blueprint: Blueprint, parts: Parts) -> None:
    @blueprint.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> Response:
        if error.code == 413:
            way_out = (
                "Nothing was recorded. Go back, shorten the remarks and press Recommend again."
            )
            return refused(parts, 413, "This is too long", way_out)
        return refused(parts, error.code or 500, "There is nothing here", "Go to the call.")

    @blueprint.errorhandler(Exception)
    def our_fault(error: Exception) -> Response:
        log.error("page_failed", error=type(error).__name__, where=where_of(error))
        way_out = (
            "Go on by the agency's own card. Go back and press Recommend again to try once more."
        )
        return refused(parts, 500, "Something went wrong here", way_out)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
