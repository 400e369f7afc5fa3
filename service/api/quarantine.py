"""
`/v1/quarantine/{host_id}/{number}/…`: another try to store what the store could not take, and the
word that it stays there. What is there is listed by `/readyz`.
"""

from flask import Blueprint, Response

from service.access import LOOK_AFTER_QUARANTINE
from service.api.asking import answer, who_asks
from service.api.problems import RefusedError
from service.parts import Parts

NO_RECORD = "your agency has no such record there"


def quarantine_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("quarantine", __name__)

    @blueprint.post("/v1/quarantine/<host_id>/<int:number>/retry")
    def retry(host_id: str, number: int) -> Response:
        """
        Try to store a record of the agency: 200, 404, 409 `already_stored` or `erased`, 503.
        """
        actor = who_asks(parts, LOOK_AFTER_QUARANTINE).actor
        found = parts.quarantine.retry(actor, host_id, number)
        if found is None:
            raise RefusedError(404, "no-such-record", NO_RECORD)
        return answer(found)

    @blueprint.post("/v1/quarantine/<host_id>/<int:number>/leave")
    def leave(host_id: str, number: int) -> Response:
        """
        Say that a record of the agency stays for good: 200, 404, 409 `already_stored` or `erased`,
        503.
        """
        actor = who_asks(parts, LOOK_AFTER_QUARANTINE).actor
        found = parts.quarantine.leave(actor, host_id, number)
        if found is None:
            raise RefusedError(404, "no-such-record", NO_RECORD)
        return answer(found)

    return blueprint
