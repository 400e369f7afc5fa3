"""
`/v1/agency`: what the key's agency is, and what it has set.
"""

from typing import Any

from flask import Blueprint, Response, request

from service.access import MANAGE_AGENCY, READ_STATE
from service.accounts.agencies import tag_of
from service.api.asking import answer, read_document, who_asks
from service.api.problems import RefusedError
from service.errors import ConflictError
from service.parts import Parts


def agency_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("agency", __name__)

    @blueprint.get("/v1/agency")
    def one() -> Response:
        """
        Give the agency and its settings, with an `ETag`: 200, 503.
        """
        return _tagged(parts.agencies.find(who_asks(parts, READ_STATE).actor))

    @blueprint.put("/v1/agency")
    def change() -> Response:
        """
        Set all that an agency sets, if nobody else did meanwhile: 200, 412, 422, 428, 503.
        """
        actor = who_asks(parts, MANAGE_AGENCY).actor
        told, tag = read_document(parts), request.headers.get("If-Match")
        if tag is None:
            detail = "send `If-Match` with the `ETag` of the settings that you read"
            raise RefusedError(428, "no-if-match", detail)
        try:
            wanted = None if tag.strip() == "*" else tag.strip().strip('"')
            return _tagged(parts.agencies.change(actor, told, wanted))
        except ConflictError as error:
            raise RefusedError(412, "changed-since", str(error)) from error

    return blueprint


def _tagged(found: dict[str, Any] | None) -> Response:
    if found is None:
        raise RefusedError(404, "no-such-agency", "the store does not have this agency")
    response = answer(found)
    response.set_etag(tag_of(found))
    return response
