"""
`/v1/calls/{call_id}`: every revision of one call.
"""

from flask import Blueprint, Response

from service.access import READ_CALLS
from service.api.asking import answer, who_asks
from service.api.problems import RefusedError
from service.errors import ClaimHeldError
from service.parts import Parts
from service.reviewing.blindness import CLAIM_HELD


def calls_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("calls", __name__)

    # A call's id is the CAD's own and may hold a slash.
    @blueprint.get("/v1/calls/<path:call_id>")
    def call(call_id: str) -> Response:
        """
        Give the revisions of a call, oldest first: 200, 403, 404.
        """
        asker = who_asks(parts, READ_CALLS)
        if parts.blind.refuses_call(asker.actor, call_id):
            raise ClaimHeldError(CLAIM_HELD)
        revisions = parts.records.of_call(asker.agency.id, call_id) if "\0" not in call_id else []
        if not revisions:
            raise RefusedError(404, "no-such-call", "no decision was asked for a call with this id")
        parts.audit.note(asker.actor, "read", ("call", call_id))
        parts.blind.note_opened(asker.actor, [one["decision_id"] for one in revisions])
        return answer({"call_id": call_id, "revisions": revisions})

    return blueprint
