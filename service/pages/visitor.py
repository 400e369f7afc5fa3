"""
Who stands before a page: a browser on this machine, and the key that it was given.

Until there is sign-in a page works only from the loopback address, under a loopback name. The
session is a signed cookie that holds a key's digest, never the key; the digest is looked up again
at every request.
"""

import re
from dataclasses import dataclass

from flask import request, session
from flask_wtf.csrf import validate_csrf  # type: ignore[import-untyped]  # the library has no types
from wtforms import ValidationError  # type: ignore[import-untyped]  # the library has no types

from service.access import DECIDE, may
from service.parts import Parts
from service.store.agencies import Agency
from service.store.keys import Key

LOOPBACK = frozenset(("127.0.0.1", "::1"))
# A name that another site points at this machine (DNS rebinding) still stands in `Host`.
LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.ASCII | re.IGNORECASE)
# A proxy on this machine makes everybody look local.
PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")

# A form stays good for a long shift: a call-taker's page may stand open all night.
FORM_HOLDS_S = 14 * 3600


@dataclass(frozen=True, slots=True)
class Visitor:
    """
    Who takes calls on a page: a key that works and may decide, and its agency.
    """

    key: Key
    agency: Agency


def is_on_this_machine() -> bool:
    """
    Tell whether the request comes from this machine, to a name that only this machine has.
    """
    is_local = request.remote_addr in LOOPBACK
    is_named = LOCAL_HOST.fullmatch(request.headers.get("Host", "")) is not None
    return is_local and is_named and not any(name in request.headers for name in PROXY_HEADERS)


def is_own_form() -> bool:
    """
    Tell whether the form that was sent is one that this session was shown.
    """
    try:
        validate_csrf(request.form.get("csrf_token"), time_limit=FORM_HOLDS_S)
    except ValidationError:
        return False
    return True


def visitor(parts: Parts) -> Visitor | None:
    """
    Give whose key the session holds, if it still works and may decide calls.
    """
    seen = parts.surroundings.seen
    key = seen.keys.get(str(session.get("key", "")))
    agency = seen.agencies.get(key.agency) if key else None
    if key is None or agency is None or not may(key.role, DECIDE):
        return None
    return Visitor(key, agency)


def why_not(key: Key | None) -> str | None:
    """
    Say why a key that was typed cannot be used here, or None if it can.
    """
    if key is None:
        return "This key is not known here, or no longer works. Look whether all of it was copied."
    if not may(key.role, DECIDE):
        return f"This key has the role {key.role}, which does not take calls. Use a dispatch key."
    return None


def remember(key: Key) -> None:
    """
    Keep a key's digest in a new session.
    """
    session.clear()
    session["key"] = key.secret_digest


def forget() -> None:
    """
    End the session.
    """
    session.clear()
