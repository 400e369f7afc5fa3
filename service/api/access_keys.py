"""
`/v1/keys`: the keys that systems and people call this API with.
"""

from flask import Blueprint, Response, request

from service.access import MANAGE_PEOPLE, READ_PEOPLE
from service.api.asking import answer, read_document, who_asks
from service.api.listing import read_page
from service.api.problems import RefusedError
from service.parts import Parts


def access_keys_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("access_keys", __name__)

    @blueprint.get("/v1/keys")
    def many() -> Response:
        """
        List the keys of the agency without their secrets, the newest first: 200, 422, 503.
        """
        actor = who_asks(parts, READ_PEOPLE).actor
        cursor, limit = read_page(parts, request.args)
        items, following = parts.access_keys.page(actor, cursor, limit)
        return answer({"items": items, "next": following})

    @blueprint.post("/v1/keys")
    def make() -> Response:
        """
        Make a key; its secret is shown once: 201, 409, 422, 503.
        """
        actor = who_asks(parts, MANAGE_PEOPLE).actor
        made = parts.access_keys.make(actor, read_document(parts))
        return answer({**made.key, "key": made.secret}, 201)

    @blueprint.delete("/v1/keys/<key_id>")
    def end(key_id: str) -> Response:
        """
        End a key, within two seconds everywhere: 204, 404, 503.
        """
        actor = who_asks(parts, MANAGE_PEOPLE).actor
        if not parts.access_keys.end(actor, key_id):
            raise RefusedError(404, "no-such-key", "this agency has no working key with this id")
        return Response(status=204)

    return blueprint
