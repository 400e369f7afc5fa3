"""
`/v1/alerts`: what a supervisor must look at now, until somebody settles it.
"""

from typing import Final

from flask import Blueprint, Response, request
from marshmallow import fields, validate

from service.access import READ_ALERTS, SETTLE_ALERTS
from service.alerts import COMMENT_CHARACTERS_MAX
from service.api.asking import answer, read_body, who_asks
from service.api.listing import PAGE_MEMBERS, read_page
from service.api.problems import RefusedError
from service.parts import Parts
from service.request import OneOf, Strict, no_nul

STATES: Final = ("open", "settled")


class AlertQuery(Strict):
    """
    Which alerts a list holds.
    """

    state = fields.String(validate=OneOf(STATES))


class SettleRequest(Strict):
    """
    What somebody says who settles an alert.
    """

    comment = fields.String(
        allow_none=True, validate=[validate.Length(0, COMMENT_CHARACTERS_MAX), no_nul]
    )


_QUERY: Final = AlertQuery()
SETTLE_REQUEST: Final = SettleRequest()


def alerts_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("alerts", __name__)

    @blueprint.get("/v1/alerts")
    def many() -> Response:
        """
        List alerts, the newest first, open or settled: 200, 422, 503.
        """
        actor = who_asks(parts, READ_ALERTS).actor
        query = request.args.to_dict()
        page = {name: query.pop(name) for name in PAGE_MEMBERS if name in query}
        state = _QUERY.load(query).get("state", "open")
        cursor, limit = read_page(parts, page)
        items, following = parts.alerts.page(
            actor, is_open=state == "open", cursor=cursor, limit=limit
        )
        waiting = parts.alerts.waiting(actor).count
        return answer({"items": items, "next": following, "waiting": waiting})

    @blueprint.post("/v1/alerts/<alert_id>/settle")
    def settle(alert_id: str) -> Response:
        """
        Settle an alert: 200, 404, 409 `already_settled`, 422, 503.
        """
        actor = who_asks(parts, SETTLE_ALERTS).actor
        # A word about it is welcome and not owed: nothing at all settles it too.
        body = read_body(parts, SETTLE_REQUEST) if request.get_data() else {}
        found = parts.alerts.settle(actor, alert_id, body.get("comment"))
        if found is None:
            raise RefusedError(404, "no-such-alert", "there is no alert with this id")
        return answer(found)

    return blueprint
