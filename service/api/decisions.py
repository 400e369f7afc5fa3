"""
`/v1/decisions`: ask for a recommendation, read it again, list what was decided.
"""

import datetime as dt
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from service.access import DECIDE, READ_CALLS
from service.api.asking import answer, read_body, who_asks
from service.api.problems import RefusedError, problem
from service.parts import Parts
from service.request import CALL_ID_CHARACTERS_MAX, Instant, no_nul, text
from service.store.decision_fields import Filters

IDEMPOTENCY_KEY_CHARACTERS_MAX = 200
PAGE_ITEMS = 50


def decisions_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("decisions", __name__)
    listing = _list_schema(parts)

    @blueprint.post("/v1/decisions")
    def decide() -> Response:
        """
        Recommend who should answer a call, and record it: 201, 200 for a repeat, 409, 422, 503.
        """
        asker = who_asks(parts, DECIDE)
        with parts.metrics.latency_s.time():
            body = read_body(parts, parts.decision_schema)
            answered = parts.decisions.decide(asker.key, asker.agency, body, _idempotency_key())
        if answered.status == 409:
            detail = "this `Idempotency-Key` came before with another body"
            raise RefusedError(409, "key-reused", detail)
        police = str(answered.document["law_enforcement"]["included"]).lower()
        parts.metrics.decisions.labels(answered.document["mode"], police).inc()
        if not answered.is_recorded:
            detail = "the decision could not be recorded; the recommendation holds all the same"
            refused = RefusedError(503, "not-recorded", detail, headers={"Retry-After": "2"})
            return problem(refused, {**answered.document, "recorded": False})
        response = answer(answered.document, answered.status)
        response.headers["Location"] = f"/v1/decisions/{answered.document['decision_id']}"
        return response

    @blueprint.get("/v1/decisions/<record_id>")
    def one(record_id: str) -> Response:
        """
        Give a whole record, at once from this host's journal: 200, 404.
        """
        asker = who_asks(parts, READ_CALLS)
        document = parts.records.find(asker.agency.id, record_id) if "\0" not in record_id else None
        if document is None:
            raise RefusedError(404, "no-such-decision", "there is no decision with this id")
        return answer(document)

    @blueprint.get("/v1/decisions")
    def many() -> Response:
        """
        List decisions, newest first, by the filters of the query: 200, 422.
        """
        asker = who_asks(parts, READ_CALLS)
        query = listing.load(request.args.to_dict())
        # No dispatch has been reported and no review answered yet, so nothing is overridden or
        # reviewed.
        wanted = query.pop("overridden", False), query.pop("reviewed", False)
        cursor, limit = query.pop("cursor", None), query.pop("limit", PAGE_ITEMS)
        if any(wanted):
            return answer({"items": [], "next": None})
        items, following = parts.records.page(asker.agency.id, Filters(**query), cursor, limit)
        return answer({"items": items, "next": following})

    return blueprint


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 0 < len(key) <= IDEMPOTENCY_KEY_CHARACTERS_MAX:
        message = f"must have 1 to {IDEMPOTENCY_KEY_CHARACTERS_MAX} characters"
        raise ValidationError({"Idempotency-Key": [message]})
    return key


class QueryFlag(fields.Field[bool]):
    """
    `true` or `false`, as they stand in a query.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value not in ("true", "false"):
            raise ValidationError("must be `true` or `false`")
        return bool(value == "true")


class QueryInstant(Instant):
    """
    A time in a query, read into an aware one.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return dt.datetime.fromisoformat(super()._deserialize(value, attr, data, **kwargs))


def _list_schema(parts: Parts) -> Schema:
    """
    Make the schema of a list's query. A plus in a time must be written %2B.
    """
    vocabulary = parts.rules.config.vocabulary
    largest = parts.settings.page_items_max

    class DecisionList(Schema):
        """
        The filters of a list of decisions; each that is given must hold.
        """

        class Meta:
            """
            Refuse filters that there are not.
            """

            unknown = RAISE

        since = QueryInstant(data_key="from")
        until = QueryInstant(data_key="to")
        responder = fields.String(validate=validate.OneOf(tuple(vocabulary.responders)))
        urgency = fields.String(validate=validate.OneOf(tuple(vocabulary.urgencies)))
        rule = text(CALL_ID_CHARACTERS_MAX)
        call_id = text(CALL_ID_CHARACTERS_MAX)
        fallback = QueryFlag()
        overridden = QueryFlag()
        reviewed = QueryFlag()
        cursor = fields.String(validate=[validate.Length(1, 1000), no_nul])
        limit = fields.Integer(validate=validate.Range(1, largest))

    return DecisionList()
