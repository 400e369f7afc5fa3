"""
`/admin/people`: who may sign in, with which role, and how they get in.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Blueprint, Response, abort, redirect, request
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from service.access import MANAGE_PEOPLE, MAY, READ_PEOPLE, Actor
from service.accounts.people import Issued
from service.errors import ConflictError
from service.pages.form_faults import faults_of, sentence, typed
from service.pages.frame import keep_in_order, page
from service.pages.local_time import moment
from service.pages.visitor import Visitor, visitor
from service.parts import Parts

PAGE_ITEMS: Final = 50
ROLES: Final = tuple(MAY)
# What each role is for, as the form says it.
ROLE_WORDS: Final[Mapping[str, str]] = {
    "dispatch": "takes calls",
    "supervisor": "reviews decisions",
    "admin": "tunes rules, looks after people",
    "auditor": "reads all, changes nothing",
}
# What a press on a button of a person's page changes.
_CHANGES: Final[Mapping[str, dict[str, Any]]] = {
    "disable": {"disabled": True},
    "enable": {"disabled": False},
    "ask_totp": {"totp_required": True},
    "no_totp": {"totp_required": False},
}


def people_pages(parts: Parts) -> Blueprint:
    """
    Make the pages.
    """
    blueprint = Blueprint("people_pages", __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get("/admin/people")
    def many() -> Response:
        """
        List people by e-mail address, with the form to add one.
        """
        return _list(parts, visitor(parts, READ_PEOPLE))

    @blueprint.post("/admin/people")
    def add() -> Response:
        """
        Add a person, and show their first password once.
        """
        who = visitor(parts, MANAGE_PEOPLE)
        told = typed("email", "name", "role")
        try:
            made = parts.people.add(who.actor, told)
        except ValidationError as error:
            return _list(parts, who, told=told, faults=faults_of(error), status=422)
        except ConflictError as error:
            faults = {"email": [sentence(str(error))]}
            return _list(parts, who, told=told, faults=faults, status=409)
        return _issued(parts, who, made, is_new=True)

    @blueprint.get("/admin/people/<person_id>")
    def one(person_id: str) -> Response:
        """
        Show a person, and what can be done for them.
        """
        return _person(parts, visitor(parts, READ_PEOPLE), person_id)

    @blueprint.post("/admin/people/<person_id>")
    def change(person_id: str) -> BaseResponse:
        """
        Do what the pressed button says, and lead back to the person.
        """
        who = visitor(parts, MANAGE_PEOPLE)
        try:
            done = _do(parts, who.actor, person_id, request.form.get("act", ""))
        except ValidationError as error:
            return _person(parts, who, person_id, faults=faults_of(error), status=422)
        except ConflictError as error:
            return _person(parts, who, person_id, refused=sentence(str(error)), status=409)
        if done is None:
            abort(404)
        if isinstance(done, Issued):
            return _issued(parts, who, done, is_new=False)
        return redirect(f"/admin/people/{person_id}?done=yes", 303)

    return blueprint


def _do(parts: Parts, actor: Actor, person_id: str, act: str) -> Any:
    """
    Do one of the acts that the page offers; None where there is no such person or act.
    """
    people = parts.people
    acts: Mapping[str, Callable[[], Any]] = {
        "change": lambda: people.change(actor, person_id, {"name": "", **typed("name", "role")}),
        "password": lambda: people.reset_password(actor, person_id),
        "reset_totp": lambda: people.reset_totp(actor, person_id),
        "end_sessions": lambda: people.end_sessions(actor, person_id),
    }
    if act in _CHANGES:
        return people.change(actor, person_id, _CHANGES[act])
    return acts[act]() if act in acts else None


def _list(
    parts: Parts,
    who: Visitor,
    *,
    told: Mapping[str, str] | None = None,
    faults: Mapping[str, list[str]] | None = None,
    status: int = 200,
) -> Response:
    cursor = request.args.get("cursor") if request.method == "GET" else None
    items, following = parts.people.page(who.actor, cursor or None, PAGE_ITEMS)
    return page(
        parts,
        who,
        "people.html",
        status,
        here="admin",
        items=items,
        following=following,
        warnings=parts.people.warnings(who.actor),
        may_change=who.actor.may(MANAGE_PEOPLE),
        roles=ROLE_WORDS,
        told=told or {},
        faults=faults or {},
    )


def _person(
    parts: Parts,
    who: Visitor,
    person_id: str,
    *,
    faults: Mapping[str, list[str]] | None = None,
    refused: str = "",
    status: int = 200,
) -> Response:
    found = parts.people.find(who.actor, person_id)
    if found is None:
        abort(404)
    zone, now = who.agency.time_zone, parts.now()
    times = {name: moment(at, zone, now) for name, at in found.items() if name[-3:] == "_at" and at}
    return page(
        parts,
        who,
        "person.html",
        status,
        here="admin",
        person=found,
        times=times,
        is_self=who.actor.person_id == person_id,
        may_change=who.actor.may(MANAGE_PEOPLE),
        roles=ROLE_WORDS,
        told={**found, **typed("name", "role")},
        faults=faults or {},
        refusal=refused,
        is_done=request.args.get("done") == "yes",
    )


def _issued(parts: Parts, who: Visitor, made: Issued, *, is_new: bool) -> Response:
    # Shown in the answer itself: it must not be kept anywhere to be shown again.
    return page(
        parts,
        who,
        "person_password.html",
        201 if is_new else 200,
        here="admin",
        person=made.person,
        password=made.password,
        is_new=is_new,
    )
