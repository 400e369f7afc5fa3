"""
`/alerts`: what must be looked at now, and who settled what was before.
"""

from typing import Final

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from service.access import READ_ALERTS, READ_CALLS, SETTLE_ALERTS
from service.alerts import COMMENT_CHARACTERS_MAX
from service.errors import ConflictError
from service.pages.form_faults import sentence
from service.pages.frame import keep_in_order, page
from service.pages.local_time import moment
from service.pages.visitor import Visitor, visitor
from service.parts import Parts

PAGE_ITEMS: Final = 50
KIND_WORDS: Final = {
    "nobody_sent": "Nobody sent",
    "call_back_due": "Call-back due",
    "record_missing": "Record missing",
    "chain_broken": "Log changed",
    "record_quarantined": "Record in quarantine",
    "journal_damaged": "Journal damaged",
    "rules_not_loaded": "Rules not loaded",
}


def alerts_pages(parts: Parts) -> Blueprint:
    """
    Make the page.
    """
    blueprint = Blueprint("alerts_pages", __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get("/alerts")
    def many() -> Response:
        """
        Show what is open, each with the form that settles it, or what was settled.
        """
        return _list(parts, visitor(parts, READ_ALERTS))

    @blueprint.post("/alerts/<alert_id>/settle")
    def settle(alert_id: str) -> BaseResponse:
        """
        Settle an alert, and lead back to those that are open.
        """
        who = visitor(parts, SETTLE_ALERTS)
        comment = request.form.get("comment", "").strip().replace("\0", "")
        if len(comment) > COMMENT_CHARACTERS_MAX:
            words = f"Say it in {COMMENT_CHARACTERS_MAX} characters or fewer."
            return _list(parts, who, wrong=(alert_id, words, comment), status=422)
        try:
            if parts.alerts.settle(who.actor, alert_id, comment or None) is None:
                abort(404)
        except ConflictError as error:
            return _list(parts, who, refused=sentence(str(error)), status=409)
        return redirect("/alerts?done=settled", 303)

    return blueprint


def _list(
    parts: Parts,
    who: Visitor,
    *,
    wrong: tuple[str, str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> Response:
    is_open = request.args.get("state") != "settled"
    cursor = request.args.get("cursor") if request.method == "GET" else None
    items, following = parts.alerts.page(
        who.actor, is_open=is_open, cursor=cursor or None, limit=PAGE_ITEMS
    )
    zone, now = who.agency.time_zone, parts.now()
    for one in items:
        one["word"] = KIND_WORDS.get(one["kind"], one["kind"])
        one["at"] = moment(one["due_at"], zone, now)
        one["settled"] = moment(one["settled_at"], zone, now) if one["settled_at"] else None
    return page(
        parts,
        who,
        "alerts.html",
        status,
        here="alerts",
        items=items,
        following=following,
        waiting=parts.alerts.waiting(who.actor),
        is_open=is_open,
        may_settle=who.actor.may(SETTLE_ALERTS),
        reads_calls=who.actor.may(READ_CALLS),
        wrong=wrong,
        refusal=refused,
        is_done=request.args.get("done") == "settled",
        characters_max=COMMENT_CHARACTERS_MAX,
    )
