"""
`/admin/keys`: the keys that systems and people call the API with.
"""

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response, abort, redirect, request
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from service.access import MANAGE_PEOPLE, READ_PEOPLE
from service.accounts.access_keys import MadeKey
from service.errors import ConflictError
from service.pages.form_faults import faults_of, sentence, typed
from service.pages.frame import keep_in_order, page
from service.pages.local_time import moment
from service.pages.people import ROLE_WORDS
from service.pages.visitor import Visitor, visitor
from service.parts import Parts

PAGE_ITEMS: Final = 50
PEOPLE_MAX: Final = 200  # to choose from; a key of somebody further down is made by the API


def access_keys_pages(parts: Parts) -> Blueprint:
    """
    Make the page.
    """
    blueprint = Blueprint("access_keys_pages", __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get("/admin/keys")
    def many() -> Response:
        """
        List keys, the newest first, with the form to make one.
        """
        return _list(parts, visitor(parts, READ_PEOPLE))

    @blueprint.post("/admin/keys")
    def make() -> Response:
        """
        Make a key, and show its secret once.
        """
        who = visitor(parts, MANAGE_PEOPLE)
        told = typed("label", "whose")
        kind, _, named = told.get("whose", "").partition(":")
        body = {"label": told["label"]} if "label" in told else {}
        body |= {"person_id": named} if kind == "person" else {"role": named}
        try:
            made = parts.access_keys.make(who.actor, body)
        except ValidationError as error:
            faults = faults_of(error)
            said = [one for name in ("role", "person_id") for one in faults.get(name, [])]
            wrong = {"label": faults.get("label", []), "whose": said}
            return _list(parts, who, told=told, faults=wrong, status=422)
        except ConflictError as error:
            wrong = {"whose": [sentence(str(error))]}
            return _list(parts, who, told=told, faults=wrong, status=409)
        return _list(parts, who, made=made, status=201)

    @blueprint.post("/admin/keys/<key_id>/end")
    def end(key_id: str) -> BaseResponse:
        """
        End a key, and lead back to the list.
        """
        who = visitor(parts, MANAGE_PEOPLE)
        if not parts.access_keys.end(who.actor, key_id):
            abort(404)
        return redirect("/admin/keys?done=ended", 303)

    return blueprint


def _list(
    parts: Parts,
    who: Visitor,
    *,
    told: Mapping[str, str] | None = None,
    faults: Mapping[str, list[str]] | None = None,
    made: MadeKey | None = None,
    status: int = 200,
) -> Response:
    cursor = request.args.get("cursor") if request.method == "GET" else None
    items, following = parts.access_keys.page(who.actor, cursor or None, PAGE_ITEMS)
    zone, now = who.agency.time_zone, parts.now()
    for one in items:
        one["made"] = moment(one["created_at"], zone, now)
        one["ended"] = moment(one["ended_at"], zone, now) if one["ended_at"] else None
    people, _ = parts.people.page(who.actor, None, PEOPLE_MAX)
    return page(
        parts,
        who,
        "access_keys.html",
        status,
        here="admin",
        items=items,
        following=following,
        people=[
            one
            for one in people
            if not one["disabled"]
            and (one["role"] != "admin" or one["person_id"] == who.actor.person_id)
        ],
        roles=ROLE_WORDS,
        may_change=who.actor.may(MANAGE_PEOPLE),
        told=told or {},
        faults=faults or {},
        made=made,
        is_done=request.args.get("done") == "ended",
    )
