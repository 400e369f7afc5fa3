"""
`/v1/log`: the agency's log as a chain: its head, its export, its verifier and its verifications.
"""

from flask import Blueprint, Response, request
from marshmallow import fields, validate

from service.access import READ_LOG
from service.api.asking import answer, who_asks
from service.api.problems import RefusedError
from service.chain import verifier as program
from service.chain.export import CONTENT_TYPE
from service.chain.logs import shown
from service.parts import Parts
from service.request import Strict

PLACE_MAX = 2**53  # whole in every reader of JSON


class PieceAsked(Strict):
    """
    Which places of the log are asked for; the first and the last count in.
    """

    from_place = fields.Integer(validate=validate.Range(1, PLACE_MAX))
    to_place = fields.Integer(validate=validate.Range(0, PLACE_MAX))


_PIECE = PieceAsked()


def log_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("log", __name__)

    @blueprint.get("/v1/log")
    def state() -> Response:
        """
        Give the head of the log and its last verifications: 200, 503.
        """
        asker = who_asks(parts, READ_LOG)
        return answer(parts.logs.state(asker.agency.id))

    @blueprint.get("/v1/log/export")
    def export() -> Response:
        """
        Stream the log, or a piece of it, for the verifier: 200, 422, 503.
        """
        actor = who_asks(parts, READ_LOG).actor
        asked = _PIECE.load(request.args.to_dict())
        lines, piece = parts.logs.export(
            actor, parts.blind.hidden(actor), asked.get("from_place"), asked.get("to_place")
        )
        return Response(lines, content_type=CONTENT_TYPE, headers=piece.headers)

    @blueprint.get("/v1/log/verifier")
    def verifier_file() -> Response:
        """
        Give the program that verifies an export, one file: 200.
        """
        who_asks(parts, READ_LOG)
        return Response(
            program.verifier(), None, program.HEADERS, content_type=program.CONTENT_TYPE
        )

    @blueprint.post("/v1/log/verifications")
    def verify() -> Response:
        """
        Ask for a verification of the whole log: 202, 503.
        """
        actor = who_asks(parts, READ_LOG).actor
        made = parts.logs.request(actor)
        response = answer(shown(made), 202)
        response.headers["Location"] = f"/v1/log/verifications/{made.id}"
        return response

    @blueprint.get("/v1/log/verifications/<verification_id>")
    def one(verification_id: str) -> Response:
        """
        Give a verification: 200, 404, 503.
        """
        agency = who_asks(parts, READ_LOG).agency.id
        is_id = verification_id.isascii() and verification_id.isalnum()
        found = parts.logs.find(agency, verification_id) if is_id else None
        if found is None:
            raise RefusedError(404, "no-such-verification", "there is no verification with this id")
        return answer(shown(found))

    return blueprint
