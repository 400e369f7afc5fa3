"""
Who stands before a page: somebody signed in, or nobody yet.

The cookie holds a random token in a signed wrapper; what it opens is looked up at every request, so
that a sign-out, a new role or a person who is disabled counts at once.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import request, session
from flask_wtf.csrf import validate_csrf  # type: ignore[import-untyped]  # the library has no types
from wtforms import ValidationError  # type: ignore[import-untyped]  # the library has no types

from service.access import (
    DECIDE,
    READ_CALLS,
    READ_RULES,
    REVIEW,
    Actor,
    may,
)
from service.accounts.sign_in import SignedIn, actor_in
from service.parts import Parts
from service.store.agencies import Agency
from service.store.sessions import Session

# A form stays good for a long shift: a call-taker's page may stand open all night.
FORM_HOLDS_S = 14 * 3600
TOKEN = "token"  # noqa: S105  # the name it has in the cookie, and no secret
# Where each kind of work begins: the first that somebody may do is where they are led.
HOMES = ((DECIDE, "/"), (REVIEW, "/reviews"), (READ_CALLS, "/decisions"), (READ_RULES, "/rules"))


@dataclass(frozen=True, slots=True)
class Visitor:
    """
    Who is signed in, as an actor; their agency and their session.
    """

    actor: Actor
    agency: Agency
    session: Session

    @property
    def home(self) -> str:
        """
        Give the page that this person's work begins on.
        """
        return next((path for act, path in HOMES if self.actor.may(act)), "/state")


class SignInFirstError(Exception):
    """
    Nobody is signed in: the frame leads to the sign-in, and back.
    """


class NotAllowedError(Exception):
    """
    Whoever is signed in may not do this; `act` names it.
    """

    def __init__(self, who: Visitor, act: str) -> None:
        super().__init__(act)
        self.who = who
        self.act = act


class FormTooOldError(Exception):
    """
    The form that was sent is none that this session was shown, or it stood open for too long.
    """

    def __init__(self, who: Visitor) -> None:
        super().__init__("form")
        self.who = who


def visitor(parts: Parts, act: str, *, check_form: bool = True) -> Visitor:
    """
    Give who is signed in, if they may do *act*; a form that was sent must be one of this session.

    Raises:
        SignInFirstError, NotAllowedError, FormTooOldError: the frame shows each as a page.
    """
    who = signed_in(parts)
    if who is None:
        raise SignInFirstError
    if not may(who.actor.role, act):
        raise NotAllowedError(who, act)
    if check_form and request.method == "POST" and not is_own_form():
        raise FormTooOldError(who)
    return who


def signed_in(parts: Parts) -> Visitor | None:
    """
    Give who is signed in, or None; somebody who still owes a code or a password is not yet.
    """
    found = parts.sign_in.session_of(token()) if token() else None
    agency = parts.surroundings.seen.agencies.get(found.agency) if found else None
    if found is None or agency is None or not found.is_whole:
        return None
    return Visitor(actor_in(found, request.remote_addr), agency, found)


def token() -> str:
    """
    Give the token that the browser's cookie holds; empty without one.
    """
    return str(session.get(TOKEN, ""))


def remember(signed: SignedIn) -> None:
    """
    Let the browser hold the token of a session that began; nothing of the one before is kept.
    """
    session.clear()
    session[TOKEN] = signed.token


def forget() -> None:
    """
    Let the browser hold nothing.
    """
    session.clear()


def is_own_form() -> bool:
    """
    Tell whether the form that was sent is one that this session was shown.
    """
    try:
        validate_csrf(request.form.get("csrf_token"), time_limit=FORM_HOLDS_S)
    except ValidationError:
        return False
    return True


def local_path(text: str | None) -> str | None:
    """
    Give *text* if it is a path of this service, to be led back to; else None.

    Anything that a browser could read as another place is none: two slashes, a backslash, a scheme,
    a control character.
    """
    if not text or len(text) > 2000 or not text.startswith("/"):
        return None
    if text.startswith("//") or "\\" in text or not text.isprintable():
        return None
    parsed = urlsplit(text)
    is_ours = not parsed.scheme and not parsed.netloc
    return text if is_ours and parsed.path != "/sign-in" else None
