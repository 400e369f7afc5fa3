"""
`/v1/retention`, `/v1/legal-holds`, `/v1/erasures`, `/v1/disclosures`: how long what is kept, what
stops that it goes, what somebody asked to be erased, and what left of protected records.
"""

from typing import Any

from flask import Blueprint, Response, request

from service.access import ERASE_CALLS, HOLD_CALLS, READ_RETENTION
from service.agency_settings import RETENTION_LEAST, RETENTION_MOST
from service.api.asking import answer, read_document, who_asks
from service.api.listing import read_page
from service.api.problems import RefusedError
from service.parts import Parts


def retention_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resources.
    """
    blueprint = Blueprint("retention", __name__)

    @blueprint.get("/v1/retention")
    def kept() -> Response:
        """
        Give how long what is kept, with the least and the most of each: 200, 503.
        """
        found = parts.agencies.find(who_asks(parts, READ_RETENTION).actor)
        limits = {"least": dict(RETENTION_LEAST), "most": dict(RETENTION_MOST)}
        return answer({**_there(found)["retention"], **limits})

    @blueprint.get("/v1/legal-holds")
    def holds() -> Response:
        """
        List legal holds, the newest first: 200, 422, 503.
        """
        actor = who_asks(parts, READ_RETENTION).actor
        items, following = parts.legal_holds.page(actor, *read_page(parts, request.args))
        return answer({"items": items, "next": following})

    @blueprint.post("/v1/legal-holds")
    def place() -> Response:
        """
        Place a hold: 201, 422, 503.
        """
        actor = who_asks(parts, HOLD_CALLS).actor
        return answer(parts.legal_holds.place(actor, read_document(parts)), 201)

    @blueprint.post("/v1/legal-holds/<hold_id>/lift")
    def lift(hold_id: str) -> Response:
        """
        Lift a hold: 200, 404, 409, 422, 503.
        """
        actor = who_asks(parts, HOLD_CALLS).actor
        return answer(_there(parts.legal_holds.lift(actor, hold_id, read_document(parts))))

    @blueprint.get("/v1/erasures")
    def erasures() -> Response:
        """
        List erasures, the newest first, with what each host has done of them: 200, 422, 503.
        """
        actor = who_asks(parts, READ_RETENTION).actor
        items, following = parts.erasures.page(actor, *read_page(parts, request.args))
        return answer({"items": items, "next": following})

    @blueprint.post("/v1/erasures")
    def ask() -> Response:
        """
        Ask for a call to be erased: 201, 404, 409, 422, 503.
        """
        actor = who_asks(parts, ERASE_CALLS).actor
        return answer(_there(parts.erasures.ask(actor, read_document(parts))), 201)

    @blueprint.post("/v1/erasures/<erasure_id>/confirm")
    def confirm(erasure_id: str) -> Response:
        """
        Confirm what somebody else asked for, and erase it: 200, 404, 409, 503.
        """
        actor = who_asks(parts, ERASE_CALLS).actor
        return answer(_there(parts.erasures.confirm(actor, erasure_id)))

    @blueprint.post("/v1/erasures/<erasure_id>/withdraw")
    def withdraw(erasure_id: str) -> Response:
        """
        Withdraw what nobody has confirmed: 200, 404, 409, 503.
        """
        actor = who_asks(parts, ERASE_CALLS).actor
        return answer(_there(parts.erasures.withdraw(actor, erasure_id)))

    @blueprint.get("/v1/disclosures")
    def disclosures() -> Response:
        """
        List what left of protected records, the newest first: 200, 422, 503.
        """
        actor = who_asks(parts, READ_RETENTION).actor
        items, following = parts.disclosures.page(actor, *read_page(parts, request.args))
        return answer({"items": items, "next": following})

    return blueprint


def _there(found: dict[str, Any] | None) -> dict[str, Any]:
    if found is None:
        raise RefusedError(404, "not-there", "your agency has nothing with this id")
    return found
