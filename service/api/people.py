"""
`/v1/people`: who may sign in, with which role, and how they get in.
"""

from typing import Any

from flask import Blueprint, Response, request

from service.access import MANAGE_PEOPLE, READ_PEOPLE
from service.api.asking import answer, read_document, who_asks
from service.api.listing import read_page
from service.api.problems import RefusedError
from service.parts import Parts


def people_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("people", __name__)

    @blueprint.get("/v1/people")
    def many() -> Response:
        """
        List the people of the agency by e-mail address: 200, 422, 503.
        """
        actor = who_asks(parts, READ_PEOPLE).actor
        cursor, limit = read_page(parts, request.args)
        items, following = parts.people.page(actor, cursor, limit)
        return answer({"items": items, "next": following, "warnings": parts.people.warnings(actor)})

    @blueprint.post("/v1/people")
    def add() -> Response:
        """
        Add a person, with a first password that is shown once: 201, 409, 422, 503.
        """
        actor = who_asks(parts, MANAGE_PEOPLE).actor
        made = parts.people.add(actor, read_document(parts))
        response = answer({**made.person, "password": made.password}, 201)
        response.headers["Location"] = f"/v1/people/{made.person['person_id']}"
        return response

    @blueprint.get("/v1/people/<person_id>")
    def one(person_id: str) -> Response:
        """
        Give a person: 200, 404, 503.
        """
        actor = who_asks(parts, READ_PEOPLE).actor
        return answer(_there(parts.people.find(actor, person_id)))

    @blueprint.patch("/v1/people/<person_id>")
    def change(person_id: str) -> Response:
        """
        Change a name or role, let in or not, ask for a second factor: 200, 404, 409, 422, 503.
        """
        actor = who_asks(parts, MANAGE_PEOPLE).actor
        return answer(_there(parts.people.change(actor, person_id, read_document(parts))))

    @blueprint.post("/v1/people/<person_id>/password")
    def reset_password(person_id: str) -> Response:
        """
        Make a new password, shown once, and end the sessions: 200, 404, 409, 503.
        """
        actor = who_asks(parts, MANAGE_PEOPLE).actor
        made = _there(parts.people.reset_password(actor, person_id))
        return answer({**made.person, "password": made.password})

    @blueprint.delete("/v1/people/<person_id>/totp")
    def reset_totp(person_id: str) -> Response:
        """
        Forget the authenticator and end the sessions: 200, 404, 409, 503.
        """
        actor = who_asks(parts, MANAGE_PEOPLE).actor
        return answer(_there(parts.people.reset_totp(actor, person_id)))

    @blueprint.delete("/v1/people/<person_id>/sessions")
    def end_sessions(person_id: str) -> Response:
        """
        End every session of a person: 200 with how many, 404, 503.
        """
        actor = who_asks(parts, MANAGE_PEOPLE).actor
        return answer({"ended": _there(parts.people.end_sessions(actor, person_id))})

    return blueprint


def _there(found: Any) -> Any:
    if found is None:
        raise RefusedError(404, "no-such-person", "this agency has no person with this id")
    return found
