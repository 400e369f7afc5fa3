"""
`/v1/decisions`: ask for a recommendation, read it again, list what was decided.
"""

from flask import Blueprint, Response, request

from service.access import DECIDE, READ_CALLS
from service.api.asking import answer, idempotency_key, read_body, who_asks
from service.api.decided import decided
from service.api.filters import list_schema
from service.api.problems import RefusedError
from service.errors import ClaimHeldError
from service.parts import Parts
from service.reviewing.blindness import CLAIM_HELD
from service.store.decision_fields import Filters

PAGE_ITEMS = 50
NO_DECISION = "there is no decision with this id"


def decisions_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("decisions", __name__)
    listing = list_schema(parts)

    @blueprint.post("/v1/decisions")
    def decide() -> Response:
        """
        Recommend who should answer a call, and record it: 201, 200 for a repeat, 409, 422, 503.
        """
        asker = who_asks(parts, DECIDE)
        with parts.metrics.latency_s.time():
            body = read_body(parts, parts.decision_schema)
            answered = parts.decisions.decide(asker.actor, asker.agency, body, idempotency_key())
        if answered.status == 409:
            detail = (
                "this `Idempotency-Key` came before, with another body or for a call now erased"
            )
            raise RefusedError(409, "key-reused", detail)
        return decided(parts, answered)

    @blueprint.get("/v1/decisions/<record_id>")
    def one(record_id: str) -> Response:
        """
        Give a whole record, at once from this host's journal: 200, 403, 404.
        """
        asker = who_asks(parts, READ_CALLS)
        if parts.blind.refuses(asker.actor, record_id):
            raise ClaimHeldError(CLAIM_HELD)
        document = parts.records.find(asker.agency.id, record_id) if "\0" not in record_id else None
        if document is None:
            parts.quarantine.refuse_if_here(asker.agency.id, record_id)
            raise RefusedError(404, "no-such-decision", NO_DECISION)
        parts.audit.note(asker.actor, "read", ("decision", record_id))
        parts.blind.note_opened(asker.actor, [record_id])
        return answer(document)

    @blueprint.post("/v1/decisions/<record_id>/replay")
    def replay(record_id: str) -> Response:
        """
        Decide a recorded call again and compare: 200, 403, 404, 503.
        """
        asker = who_asks(parts, READ_CALLS)
        if parts.blind.refuses(asker.actor, record_id):
            raise ClaimHeldError(CLAIM_HELD)
        found = (
            parts.replay.one(asker.actor, asker.agency, record_id)
            if "\0" not in record_id
            else None
        )
        if found is None:
            parts.quarantine.refuse_if_here(asker.agency.id, record_id)
            raise RefusedError(404, "no-such-decision", NO_DECISION)
        return answer(found.document)

    @blueprint.get("/v1/decisions")
    def many() -> Response:
        """
        List decisions, newest first, by the filters of the query: 200, 422.
        """
        asker = who_asks(parts, READ_CALLS)
        query = listing.load(request.args.to_dict())
        cursor, limit = query.pop("cursor", None), query.pop("limit", PAGE_ITEMS)
        filters = Filters(**query, hidden=parts.blind.hidden(asker.actor))
        items, following = parts.records.page(asker.agency.id, filters, cursor, limit)
        return answer({"items": items, "next": following})

    return blueprint
