"""
`/v1/incident-types`: codes that nobody knows, and what the agency says of its own.
"""

from typing import Final

from flask import Blueprint, Response, request
from marshmallow import Schema

from service.access import MAP_TYPES, READ_TYPES
from service.api.asking import answer, read_body, read_document, who_asks
from service.api.listing import read_page
from service.api.problems import RefusedError
from service.parts import Parts
from service.request import Strict, text
from service.type_codes import CHARACTERS_MAX
from service.type_mappings import REGISTRY_CHARACTERS_MAX


class TypeNamed(Strict):
    """
    Which code a mapping is of.
    """

    registry = text(REGISTRY_CHARACTERS_MAX, required=True)
    code = text(CHARACTERS_MAX, required=True)


TYPE_NAMED: Final[Schema] = TypeNamed()


def incident_types_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("incident_types", __name__)

    @blueprint.get("/v1/incident-types/unmapped")
    def unmapped() -> Response:
        """
        List codes that nobody knows, the most frequent first: 200, 422, 503.
        """
        actor = who_asks(parts, READ_TYPES).actor
        items, following = parts.type_mappings.unmapped(actor, *read_page(parts, request.args))
        return answer({"items": items, "next": following})

    @blueprint.get("/v1/incident-types/mapped")
    def mapped() -> Response:
        """
        List what the agency says of its codes, the newest first: 200, 422, 503.
        """
        actor = who_asks(parts, READ_TYPES).actor
        items, following = parts.type_mappings.mapped(actor, *read_page(parts, request.args))
        return answer({"items": items, "next": following})

    @blueprint.put("/v1/incident-types/mapped")
    def put() -> Response:
        """
        Say what a code means: 200, 409, 422, 503.
        """
        actor = who_asks(parts, MAP_TYPES).actor
        made = parts.type_mappings.put(actor, read_document(parts))
        parts.surroundings.look()
        return answer(made)

    @blueprint.delete("/v1/incident-types/mapped")
    def undo() -> Response:
        """
        Take a mapping back, named in the query or in a body: 204, 404, 422, 503.
        """
        actor = who_asks(parts, MAP_TYPES).actor
        has_body = bool(request.get_data()) and not request.args
        named = read_body(parts, TYPE_NAMED) if has_body else TYPE_NAMED.load(request.args)
        if not parts.type_mappings.undo(actor, named["registry"], named["code"]):
            raise RefusedError(404, "no-such-mapping", "the agency has not mapped this code")
        parts.surroundings.look()
        return Response(status=204)

    return blueprint
