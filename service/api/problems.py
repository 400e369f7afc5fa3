"""
Errors as HTTP: one shape, `application/problem+json` (RFC 9457), made in this one place.

    {"type": "urn:crisis-router:problem:faults", "title": "…", "status": 422, "detail": "…",
     "errors": [{"path": "facts.weapon", "message": "…", "allowed": ["none", "…"]}]}
"""

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from flask import Flask, Response, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from service.erased import RecordErasedError
from service.errors import (
    BodyError,
    ClaimHeldError,
    ConfigurationError,
    ConflictError,
    CursorError,
    DecisionUnreadableError,
    InQuarantineError,
    JournalUnavailableError,
    StoreUnavailableError,
)
from service.log import where_of
from service.metrics import Metrics

log = structlog.get_logger()
TYPE = "urn:crisis-router:problem:"


class RefusedError(Exception):
    """
    A request that cannot be answered as it is; `errors` names each place and the way out.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: tuple[Mapping[str, Any], ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})


def problem(refused: RefusedError, more: Mapping[str, Any] | None = None) -> Response:
    """
    Write a refusal as problem+json; *more* are members of its own.
    """
    document = {
        "type": TYPE + refused.code,
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "detail": refused.detail,
        "errors": list(refused.errors),
        **(more or {}),
    }
    body = orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)
    response = Response(body, refused.status, mimetype="application/problem+json")
    response.headers.extend(refused.headers)
    return response


def faults(messages: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """
    Flatten what marshmallow says of a body into one entry for each fault, with its path.
    """
    if (
        isinstance(messages, Mapping)
        and "message" in messages
        and isinstance(messages["message"], str)
    ):
        yield {"path": path, "message": messages["message"], "allowed": messages.get("allowed", [])}
    elif isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from faults(inner, _inside(path, name))
    elif isinstance(messages, list):
        for inner in messages:
            yield from faults(inner, path)
    else:
        yield {"path": path, "message": _plain(str(messages)), "allowed": []}


def _inside(path: str, name: object) -> str:
    if name == "_schema":
        return path
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else str(name)


def _plain(message: str) -> str:
    """
    Say what marshmallow says in the manner of the other messages: lower case, no full stop.
    """
    plain = {
        "Missing data for required field.": "is required",
        "Unknown field.": "is not a field of this request",
        "Not a valid string.": "must be text",
        "Field may not be null.": "must not be null",
        "Not a valid list.": "must be a list",
    }
    if message in plain:
        return plain[message]
    return message[:1].lower() + message[1:].rstrip(".") if message else message


def unprocessable(errors: tuple[Mapping[str, Any], ...]) -> RefusedError:
    """
    Make the 422 that names every fault of a body.
    """
    count = f"{len(errors)} faults" if len(errors) != 1 else "1 fault"
    return RefusedError(422, "faults", f"the request has {count}: see `errors`", errors=errors)


def handle_errors(
    app: Flask, metrics: Metrics, nothing_here: Callable[[], Response | None]
) -> None:
    """
    Turn every error of a view into problem+json: nobody sees a stack trace.

    *nothing_here* gives the page for an address that is not there, where a browser asked for it.
    """

    def refuse(refused: RefusedError, more: Mapping[str, Any] | None = None) -> Response:
        metrics.refused.labels(str(refused.status)).inc()
        return problem(refused, more)

    def invalid(error: ValidationError) -> Response:
        return refuse(unprocessable(tuple(faults(error.messages))))

    def unreadable(error: BodyError) -> Response:
        return refuse(RefusedError(400, "not-json", str(error)))

    def cursor(error: CursorError) -> Response:
        entry = {"path": "cursor", "message": str(error), "allowed": []}
        return refuse(unprocessable((entry,)))

    def conflict(error: ConflictError) -> Response:
        refused = RefusedError(409, error.code.replace("_", "-"), str(error))
        return refuse(refused, {"code": error.code})

    def rules(error: ConfigurationError) -> Response:
        entries: tuple[dict[str, Any], ...] = tuple(
            {
                "path": f"ruleset.{one.path}" if one.path else "ruleset",
                "message": str(one),
                "allowed": [],
                "code": one.code,
                "rule": one.rule,
                "suggestion": one.suggestion,
            }
            for one in error.problems
        )
        return refuse(unprocessable(entries))

    def blind(error: ClaimHeldError) -> Response:
        return refuse(RefusedError(403, "claim-held", str(error)))

    def erased(error: RecordErasedError) -> Response:
        refused = RefusedError(410, "erased", str(error))
        more = {"erased": error.erased.document, "record": error.record}
        return refuse(refused, {"decision_id": error.record_id, **more})

    def changed(error: DecisionUnreadableError) -> Response:
        return refuse(RefusedError(409, "unreadable", str(error)), {"record": error.record})

    def quarantined(error: InQuarantineError) -> Response:
        return refuse(RefusedError(404, "in-quarantine", str(error)), {"record": error.record})

    def store_away(error: StoreUnavailableError) -> Response:
        detail = "the store cannot be reached: what this host recorded lately is readable by id"
        return refuse(RefusedError(503, "store-away", detail, headers={"Retry-After": "2"}))

    def journal_away(error: JournalUnavailableError) -> Response:
        detail = "nothing can be recorded now"
        return refuse(RefusedError(503, "journal-away", detail, headers={"Retry-After": "2"}))

    def http(error: HTTPException) -> Response:
        status = error.code or 500
        shown = nothing_here() if status == 404 else None
        if shown is not None:
            return shown
        kept = ("Allow", "Retry-After")
        headers = {name: value for name, value in error.get_headers() if name in kept}
        return refuse(RefusedError(status, _code(status), _detail(status), headers=headers))

    def ours(error: Exception) -> Response:
        route = str(request.url_rule or "")
        log.error("view_failed", error=type(error).__name__, route=route, where=where_of(error))
        return refuse(RefusedError(500, "our-fault", _detail(500)))

    app.register_error_handler(RefusedError, refuse)
    app.register_error_handler(ValidationError, invalid)
    app.register_error_handler(BodyError, unreadable)
    app.register_error_handler(CursorError, cursor)
    app.register_error_handler(ConfigurationError, rules)
    app.register_error_handler(ConflictError, conflict)
    app.register_error_handler(ClaimHeldError, blind)
    app.register_error_handler(RecordErasedError, erased)
    app.register_error_handler(DecisionUnreadableError, changed)
    app.register_error_handler(InQuarantineError, quarantined)
    app.register_error_handler(StoreUnavailableError, store_away)
    app.register_error_handler(JournalUnavailableError, journal_away)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(Exception, ours)


def _code(status: int) -> str:
    return HTTPStatus(status).phrase.lower().replace(" ", "-")


def _detail(status: int) -> str:
    return {
        400: "the request cannot be read",
        404: "there is nothing at this address",
        405: "this address does not take this method",
        413: "the body is larger than this service takes",
        500: "our fault: go on by the agency's own card, and send the call again later",
    }.get(status, HTTPStatus(status).description or HTTPStatus(status).phrase.lower())
