"""
`/v1/decisions/{decision_id}/dispatch`: what was really sent, and why it differs.
"""

from flask import Blueprint, Response

from service.access import REPORT_DISPATCH
from service.api.asking import answer, idempotency_key, read_document, who_asks
from service.api.problems import RefusedError, problem
from service.dispatches import Report
from service.parts import Parts


def dispatches_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("dispatches", __name__)

    @blueprint.post("/v1/decisions/<record_id>/dispatch")
    def report(record_id: str) -> Response:
        """
        Record what was sent, behind its decision: 201, 200 for a repeat, 404, 409, 422, 503.
        """
        asker = who_asks(parts, REPORT_DISPATCH)
        told = Report(record_id, read_document(parts), idempotency_key())
        if "\0" in record_id:
            raise _no_such_decision()
        answered = parts.dispatches.report(asker.actor, asker.agency, told)
        if answered.status == 404:
            raise _no_such_decision()
        if answered.status == 409:
            detail = "this `Idempotency-Key` came before with another body or for another decision"
            raise RefusedError(409, "key-reused", detail)
        if not answered.is_recorded:
            detail = "the report could not be recorded: send it again"
            refused = RefusedError(503, "not-recorded", detail, headers={"Retry-After": "2"})
            return problem(refused, {**answered.document, "recorded": False})
        return answer(answered.document, answered.status)

    return blueprint


def _no_such_decision() -> RefusedError:
    return RefusedError(404, "no-such-decision", "there is no decision with this id")
