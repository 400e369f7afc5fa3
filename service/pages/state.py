"""
`/state`: what runs, where records are, whether the log verifies, what is away, and what went wrong
last.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from service.access import LOOK_AFTER_QUARANTINE, READ_LOG, READ_STATE
from service.errors import ConflictError
from service.pages.form_faults import sentence
from service.pages.frame import keep_in_order, page
from service.pages.local_time import DAY_S, HOUR_S, MINUTE_S, moment
from service.pages.visitor import Visitor, visitor
from service.parts import Parts
from service.state import whole

PART_WORDS: Final = {
    "journal": "Journal of this host",
    "store": "Store",
    "queue": "Queue (Redis)",
    "worker": "Workers",
    "beat": "Schedule of the workers",
}
DOES: Final = {
    "api": "answers calls and shows pages",
    "shipper": "carries records to the store",
    "worker": "stores records and does what takes longer",
    "beat": "says when the workers look",
    "redis": "holds the queue",
}
KIND_WORDS: Final = {"decision": "Decision", "dispatch": "Report of what was sent"}
TIMED: Final = ("journals", "journals_in_store", "quarantine", "log", "troubles")
DONE: Final[Mapping[str, tuple[str, str]]] = {
    "asked": (
        "The verification is asked for.",
        "The workers do it; load this page again in a moment to see what it found.",
    ),
    "stored": ("The record is stored.", "It has its place among the others from now on."),
    "left": ("The record stays in quarantine.", "It is kept as it is, and asks for nothing more."),
}


def state_pages(parts: Parts) -> Blueprint:
    """
    Make the page.
    """
    blueprint = Blueprint("state_pages", __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get("/state")
    def state() -> Response:
        """
        Show the same facts as `/readyz`, in words.
        """
        return _shown(parts, visitor(parts, READ_STATE))

    @blueprint.post("/state/verify")
    def verify() -> BaseResponse:
        """
        Ask for a verification of the whole log.
        """
        parts.logs.request(visitor(parts, READ_LOG).actor)
        return redirect("/state?done=asked#log", 303)

    @blueprint.post("/state/quarantine/<host_id>/<int:number>/retry")
    def retry(host_id: str, number: int) -> BaseResponse:
        """
        Try again to store what is in quarantine.
        """
        who = visitor(parts, LOOK_AFTER_QUARANTINE)
        try:
            found = parts.quarantine.retry(who.actor, host_id, number)
        except ConflictError as error:
            return _shown(parts, who, refused=sentence(str(error)), status=409)
        if found is None:
            abort(404)
        if not found["stored"]:
            refused = f"Record {number} stays in quarantine: {found['reason']}."
            return _shown(parts, who, refused=refused, status=409)
        return redirect("/state?done=stored#quarantine", 303)

    @blueprint.post("/state/quarantine/<host_id>/<int:number>/leave")
    def leave(host_id: str, number: int) -> BaseResponse:
        """
        Say that a record stays in quarantine for good.
        """
        who = visitor(parts, LOOK_AFTER_QUARANTINE)
        try:
            found = parts.quarantine.leave(who.actor, host_id, number)
        except ConflictError as error:
            return _shown(parts, who, refused=sentence(str(error)), status=409)
        if found is None:
            abort(404)
        return redirect("/state?done=left#quarantine", 303)

    return blueprint


def _shown(parts: Parts, who: Visitor, *, refused: str = "", status: int = 200) -> Response:
    told, zone, now = whole(parts, who.actor), who.agency.time_zone, parts.now()
    for name in TIMED:
        _put_times(told[name], zone, now)
    here = told["journals"]["here"]
    return page(
        parts,
        who,
        "state.html",
        status,
        here="state",
        told=told,
        processes=[
            {**one, "does": DOES.get(one["part"], ""), "rules": _rules(one.get("ruleset"))}
            for one in told["processes"]
        ],
        part_words=PART_WORDS,
        kind_words=KIND_WORDS,
        own=here,
        oldest=_lasting(here["oldest_s"]) if here else "",
        at=moment(now, zone, now),
        done=DONE.get(request.args.get("done", "")),
        refused=refused,
        may_verify=who.actor.may(READ_LOG),
        may_store=who.actor.may(LOOK_AFTER_QUARANTINE),
    )


def _put_times(told: Any, zone: str, now: dt.datetime) -> None:
    """
    Put every time within what is told into words.
    """
    inner = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
    for one in inner:
        _put_times(one, zone, now)
    if isinstance(told, dict):
        for name, value in told.items():
            if value and (name == "at" or name.endswith("_at")):
                told[name] = moment(value, zone, now)


def _lasting(seconds: float) -> str:
    """
    Say how long something lasts already.
    """
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S:.0f} min"
    if seconds < DAY_S:
        return f"{seconds // HOUR_S:.0f} h"
    return f"{seconds // DAY_S:.0f} d"


def _rules(ruleset: Any) -> list[str]:
    """
    Say which rules a process decides with: each ruleset's name and version.
    """
    if not isinstance(ruleset, dict):
        return []
    if "name" in ruleset:
        return [f"{ruleset['name']} version {ruleset.get('version')}"]
    versions = ruleset.get("versions")
    listed = versions.items() if isinstance(versions, dict) else ()
    return [f"{name} version {one[0]}" for name, one in listed]
