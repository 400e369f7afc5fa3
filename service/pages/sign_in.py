"""
`/sign-in`, `/sign-out`, `/account`: come in, go out, and see to one's own password.

A form that was sent after the session had ended is carried along, and offered to be sent again.
"""

import segno
from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from service.access import READ_STATE
from service.accounts.sign_in import Denied, SignedIn
from service.errors import StoreUnavailableError
from service.pages.frame import keep_in_order, kept_of_form, page, sign_in_page
from service.pages.visitor import (
    Visitor,
    forget,
    is_own_form,
    local_path,
    remember,
    signed_in,
    token,
    visitor,
)
from service.parts import Parts
from service.store.sessions import Session

TOO_OLD = "This page was open for too long. Try again."


def sign_in_pages(parts: Parts) -> Blueprint:
    """
    Make the pages.
    """
    blueprint = Blueprint("sign_in_pages", __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get("/sign-in")
    def sign_in() -> BaseResponse:
        """
        Ask for address and password, or lead on who is in already.
        """
        to = local_path(request.args.get("to"))
        who = signed_in(parts)
        if who is not None:
            return redirect(to or who.home, 303)
        return sign_in_page(parts, to=to or "")

    @blueprint.post("/sign-in")
    def let_in() -> BaseResponse:
        """
        Judge address and password, and go on to what is still owed.
        """
        email, password = request.form.get("email", ""), request.form.get("password", "")
        if not is_own_form():
            return _again(parts, email, Denied(TOO_OLD, 400))
        signed = parts.sign_in.sign_in(email, password, _address())
        return _again(parts, email, signed) if isinstance(signed, Denied) else _on(parts, signed)

    _owed_routes(blueprint, parts)
    _account_routes(blueprint, parts)
    return blueprint


def _owed_routes(blueprint: Blueprint, parts: Parts) -> None:
    """
    Take what a session still owes: a code, an authenticator, a new password.
    """

    @blueprint.get("/sign-in/next")
    def owed() -> BaseResponse:
        """
        Ask for what is owed, or lead on.
        """
        session = parts.sign_in.session_of(token()) if token() else None
        if session is None:
            return redirect("/sign-in", 303)
        return _next_page(parts, session)

    @blueprint.post("/sign-in/code")
    def take_code() -> BaseResponse:
        """
        Take a code of the authenticator.
        """
        if not is_own_form():
            return _not_yet(parts, Denied(TOO_OLD, 400))
        code = request.form.get("code", "")
        return _given(parts, parts.sign_in.give_code(token(), code, _address()))

    @blueprint.post("/sign-in/authenticator")
    def set_up() -> BaseResponse:
        """
        Take a new authenticator with its first code.
        """
        if not is_own_form():
            return _not_yet(parts, Denied(TOO_OLD, 400))
        sealed, code = request.form.get("sealed", ""), request.form.get("code", "")
        return _given(parts, parts.sign_in.set_up(token(), sealed, code, _address()))

    @blueprint.post("/sign-in/password")
    def new_password() -> BaseResponse:
        """
        Take the new password that is owed.
        """
        if not is_own_form():
            return _not_yet(parts, Denied(TOO_OLD, 400))
        return _given(parts, _changed(parts))


def _account_routes(blueprint: Blueprint, parts: Parts) -> None:
    """
    See to one's own account, and sign out.
    """

    @blueprint.get("/account")
    def account() -> BaseResponse:
        """
        Show who one is here, and the form for a new password.
        """
        return _account_page(parts, visitor(parts, READ_STATE))

    @blueprint.post("/account")
    def change_password() -> BaseResponse:
        """
        Set one's own password: every other session of one's own ends.
        """
        who = visitor(parts, READ_STATE)
        changed = _changed(parts)
        if isinstance(changed, Denied):
            return _account_page(parts, who, wrong=changed.words, status=changed.status)
        remember(changed)
        return redirect("/account?done=password", 303)

    @blueprint.post("/sign-out")
    def sign_out() -> BaseResponse:
        """
        End the session, here and wherever its token went.
        """
        who = visitor(parts, READ_STATE)
        parts.sign_in.end(who.session, _address())
        forget()
        return redirect("/sign-in", 303)


def _changed(parts: Parts) -> SignedIn | Denied:
    """
    Read the form for a new password, and set it.
    """
    new, again = request.form.get("new", ""), request.form.get("again", "")
    if new != again:
        return Denied("The two new passwords are not the same. Type both again.", 422)
    return parts.sign_in.change_password(token(), request.form.get("old", ""), new, _address())


def _given(parts: Parts, signed: SignedIn | Denied) -> BaseResponse:
    return _not_yet(parts, signed) if isinstance(signed, Denied) else _on(parts, signed)


def _on(parts: Parts, signed: SignedIn) -> BaseResponse:
    """
    Go on: to what is still owed, to the form that was carried along, or to the page asked for.
    """
    remember(signed)
    if not signed.session.is_whole:
        return _next_page(parts, signed.session)
    to, kept = local_path(request.form.get("to")), kept_of_form()
    who = signed_in(parts)
    if who is None:
        return redirect("/sign-in", 303)
    if to and kept:
        return page(parts, who, "sign_in_go_on.html", to=to, kept=kept, here="")
    return redirect(to or who.home, 303)


def _again(parts: Parts, email: str, denied: Denied) -> BaseResponse:
    to = local_path(request.form.get("to")) or ""
    shown = sign_in_page(
        parts, to=to, kept=kept_of_form(), email=email, wrong=denied.words, status=denied.status
    )
    if denied.status in (429, 503):
        shown.headers["Retry-After"] = str(parts.settings.lockout_s if denied.status == 429 else 2)
    return shown


def _not_yet(parts: Parts, denied: Denied) -> BaseResponse:
    session = parts.sign_in.session_of(token()) if token() else None
    if session is None:
        return _again(parts, "", denied)
    return _next_page(parts, session, denied)


def _next_page(parts: Parts, session: Session, denied: Denied | None = None) -> BaseResponse:
    """
    Show the form for what a session owes; a whole one is led on.
    """
    try:
        owed = parts.sign_in.owed(session)
    except StoreUnavailableError:
        return sign_in_page(parts, wrong="Nobody can sign in now: the store is away.", status=503)
    if owed is None:
        return redirect("/sign-in", 303)
    sealed, address = _authenticator(parts, session) if owed == "authenticator" else ("", "")
    return page(
        parts,
        None,
        "sign_in_next.html",
        denied.status if denied else 200,
        owed=owed,
        wrong=denied.words if denied else "",
        to=local_path(request.form.get("to")) or "",
        kept=kept_of_form(),
        sealed=sealed,
        secret=address.partition("secret=")[2].partition("&")[0],
        picture=segno.make(address).svg_data_uri(scale=5, border=2) if address else "",
        least=parts.settings.password_characters_min,
    )


def _authenticator(parts: Parts, session: Session) -> tuple[str, str]:
    """
    Give the secret that stood in the form before, so that one picture serves several tries, or a
    new one.
    """
    sealed = request.form.get("sealed", "")
    address = parts.sign_in.second_factor.address_of(sealed, session) if sealed else None
    return (sealed, address) if address else parts.sign_in.second_factor.new_secret(session)


def _account_page(
    parts: Parts, who: Visitor, *, wrong: str = "", status: int = 200
) -> BaseResponse:
    return page(
        parts,
        who,
        "account.html",
        status,
        here="account",
        wrong=wrong,
        is_done=request.args.get("done") == "password",
        least=parts.settings.password_characters_min,
    )


def _address() -> str:
    return request.remote_addr or "unknown"
