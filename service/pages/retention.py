"""
`/admin/retention`: how long what is kept, legal holds, erasures by two people, and what left of
protected records.
"""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, abort, redirect, request
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from service.access import ERASE_CALLS, HOLD_CALLS, READ_RETENTION
from service.agency_settings import RETENTION_LEAST
from service.errors import ConflictError
from service.pages.form_faults import as_sentence, faults_of, sentence, typed
from service.pages.frame import keep_in_order, page
from service.pages.local_time import moment
from service.pages.visitor import Visitor, visitor
from service.parts import Parts

PAGE_ITEMS: Final = 25
PATH: Final = "/admin/retention"
DONE: Final[Mapping[str, tuple[str, str]]] = {
    "placed": ("The hold stands.", "Nothing that it is on is erased from now on."),
    "lifted": ("The hold is lifted.", "What was due meanwhile is erased within the hour."),
    "asked": ("It is asked for.", "Nothing is erased until another person confirms it."),
    "confirmed": (
        "The call is erased from the store.",
        "Each host erases it from its journal within seconds; it is listed below.",
    ),
    "withdrawn": ("The request is withdrawn.", "Nothing was erased."),
}


def retention_pages(parts: Parts) -> Blueprint:
    """
    Make the page.
    """
    blueprint = Blueprint("retention_pages", __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get(PATH)
    def one() -> Response:
        """
        Show all of it, with the forms for whoever may send them.
        """
        return _shown(parts, visitor(parts, READ_RETENTION))

    @blueprint.post(f"{PATH}/holds")
    def place() -> BaseResponse:
        """
        Place a hold.
        """
        who = visitor(parts, HOLD_CALLS)
        told = typed("call_id", "authority", "matter", "reason")
        try:
            parts.legal_holds.place(who.actor, told)
        except ValidationError as error:
            return _shown(parts, who, hold=told, faults=faults_of(error), status=422)
        return redirect(f"{PATH}?done=placed", 303)

    @blueprint.post(f"{PATH}/holds/<hold_id>/lift")
    def lift(hold_id: str) -> BaseResponse:
        """
        Lift a hold.
        """
        who = visitor(parts, HOLD_CALLS)
        try:
            found = parts.legal_holds.lift(who.actor, hold_id, typed("reason"))
        except ValidationError:
            wrong = "Say why the hold is lifted: nothing was changed."
            return _shown(parts, who, refused=wrong, status=422)
        except ConflictError as error:
            return _shown(parts, who, refused=sentence(str(error)), status=409)
        return _done(found, "lifted")

    @blueprint.post(f"{PATH}/erasures")
    def ask() -> BaseResponse:
        """
        Ask for a call to be erased.
        """
        who = visitor(parts, ERASE_CALLS)
        told = typed("call_id", "reason")
        try:
            found = parts.erasures.ask(who.actor, told)
        except ValidationError as error:
            wrong = {f"erase_{name}": said for name, said in faults_of(error).items()}
            return _shown(parts, who, erase=told, faults=wrong, status=422)
        except ConflictError as error:
            refused = sentence(str(error))
            return _shown(parts, who, erase=told, refused=refused, status=409)
        if found is None:
            wrong = {"erase_call_id": ["There is no call with this id."]}
            return _shown(parts, who, erase=told, faults=wrong, status=422)
        return redirect(f"{PATH}?done=asked#erasures", 303)

    @blueprint.post(f"{PATH}/erasures/<erasure_id>/confirm")
    def confirm(erasure_id: str) -> BaseResponse:
        """
        Confirm what somebody else asked for.
        """
        who = visitor(parts, ERASE_CALLS)
        try:
            return _done(parts.erasures.confirm(who.actor, erasure_id), "confirmed")
        except ConflictError as error:
            return _shown(parts, who, refused=sentence(str(error)), status=409)

    @blueprint.post(f"{PATH}/erasures/<erasure_id>/withdraw")
    def withdraw(erasure_id: str) -> BaseResponse:
        """
        Withdraw what nobody has confirmed.
        """
        who = visitor(parts, ERASE_CALLS)
        try:
            return _done(parts.erasures.withdraw(who.actor, erasure_id), "withdrawn")
        except ConflictError as error:
            return _shown(parts, who, refused=sentence(str(error)), status=409)

    return blueprint


def _done(found: Mapping[str, Any] | None, what: str) -> BaseResponse:
    if found is None:
        abort(404)
    return redirect(f"{PATH}?done={what}", 303)


def _shown(
    parts: Parts,
    who: Visitor,
    *,
    hold: Mapping[str, Any] | None = None,
    erase: Mapping[str, Any] | None = None,
    faults: Mapping[str, list[str]] | None = None,
    refused: str = "",
    status: int = 200,
) -> Response:
    held = parts.agencies.find(who.actor)
    if held is None:
        abort(404)
    asked = request.args if request.method == "GET" else {}
    lists = {
        "holds": parts.legal_holds.page(who.actor, asked.get("holds") or None, PAGE_ITEMS),
        "erasures": parts.erasures.page_to_confirm(
            who.actor, asked.get("erasures") or None, PAGE_ITEMS
        ),
        "disclosures": parts.disclosures.page(
            who.actor, asked.get("disclosures") or None, PAGE_ITEMS
        ),
    }
    for items, _ in lists.values():
        for one in items:
            _put_times(one, who.agency.time_zone, parts)
    for one in lists["erasures"][0]:
        one["refused"] = as_sentence(one["refused"]) if one["refused"] else ""
    return page(
        parts,
        who,
        "retention.html",
        status,
        here="admin",
        kept=held["retention"],
        least=RETENTION_LEAST,
        hold=hold or {},
        erase=erase or {},
        faults=faults or {},
        refused=refused,
        labels={name: fact.label for name, fact in parts.rules.config.vocabulary.facts.items()},
        done=DONE.get(asked.get("done", "")),
        may_hold=who.actor.may(HOLD_CALLS),
        may_erase=who.actor.may(ERASE_CALLS),
        **{name: items for name, (items, _) in lists.items()},
        more={name: following for name, (_, following) in lists.items()},
    )


def _put_times(one: dict[str, Any], zone: str, parts: Parts) -> None:
    """
    Put the times of a listed thing, and of what is within it, into words.
    """
    for name, value in one.items():
        if (name == "at" or name.endswith("_at")) and value:
            one[name] = moment(value, zone, parts.now())
    for host in one.get("done_on") or ():
        _put_times(host, zone, parts)
