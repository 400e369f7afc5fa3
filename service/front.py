"""
What stands before the views: the headers that every answer carries, and the cookie that only pages
open.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
API: Final = "/v1/"  # nobody is known by a cookie there

# Nothing is loaded from elsewhere, nothing runs inline, and nobody frames a page.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
# Each is left out where a view wrote its own.
HEADERS: Final = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
_NAMED: Final = tuple((name.lower(), (name, value)) for name, value in HEADERS)


def guarded(app: Wsgi) -> Wsgi:
    """
    Add the headers to every answer of a WSGI application, an error of the server's own included.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *fault: Any) -> Any:
            there = {name.lower() for name, _ in headers}
            more = [header for name, header in _NAMED if name not in there]
            return start_response(status, [*headers, *more], *fault)

        return app(environ, start)

    return answer


class PageSessions(SecureCookieSessionInterface):
    """
    Open the cookie for pages only: a call of the API has no session, and pays for none.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """
        Give the session of a page; None under `/v1/`, which Flask takes for an empty one that
        nobody writes to.
        """
        return None if request.path.startswith(API) else super().open_session(app, request)
