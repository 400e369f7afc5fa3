"""
`/v1/findings`: what reviewers found, and the figures of it.
"""

from typing import Any

from flask import Blueprint, Response, request
from marshmallow import fields, validate

from service.access import ADD_SCENARIOS, READ_REVIEWS
from service.api.asking import answer, who_asks
from service.api.filters import QueryInstant
from service.api.problems import RefusedError
from service.parts import Parts
from service.request import OneOf, Strict, no_nul, text
from service.reviewing.review_request import RULE_CHARACTERS_MAX
from service.store.findings import VERDICTS, Search

PAGE_ITEMS = 50
ME = "me"


class FiguresQuery(Strict):
    """
    The time that figures are of.
    """

    since = QueryInstant(data_key="from")
    until = QueryInstant(data_key="to")


def findings_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("findings", __name__)
    listing, figures_query = list_schema(parts), FiguresQuery()

    @blueprint.get("/v1/findings")
    def many() -> Response:
        """
        List findings, newest first, by the filters of the query: 200, 422.
        """
        asker = who_asks(parts, READ_REVIEWS)
        query: dict[str, Any] = listing.load(request.args.to_dict())
        cursor, limit = query.pop("cursor", None), query.pop("limit", PAGE_ITEMS)
        if query.get("reviewer") == ME:
            query["reviewer"] = asker.actor.identity
        search = Search(**query, hidden=parts.findings.hidden(asker.actor))
        items, following = parts.findings.page(asker.actor, search, cursor, limit)
        return answer({"items": items, "next": following})

    @blueprint.get("/v1/findings/figures")
    def figures() -> Response:
        """
        Count what was found, the random sample apart from what was chosen: 200, 422.
        """
        asker = who_asks(parts, READ_REVIEWS)
        query = figures_query.load(request.args.to_dict())
        return answer(parts.findings.figures(asker.actor, query.get("since"), query.get("until")))

    @blueprint.post("/v1/findings/<finding_id>/scenario")
    def add_scenario(finding_id: str) -> Response:
        """
        Add a finding to the scenarios of the draft: 201, 403, 404, 409, 422.
        """
        asker = who_asks(parts, ADD_SCENARIOS)
        scenario = parts.findings.scenario(asker.actor, asker.agency.ruleset, finding_id)
        if scenario is None:
            raise RefusedError(404, "no-such-finding", "there is no finding with this id")
        return answer({"ruleset": asker.agency.ruleset, "scenario": scenario}, 201)

    return blueprint


def list_schema(parts: Parts) -> Strict:
    """
    Make the schema of the list's query. A plus in a time must be written %2B.
    """
    largest = parts.settings.page_items_max

    class FindingList(Strict):
        """
        A page of the findings that the filters leave.
        """

        verdict = fields.String(validate=OneOf(VERDICTS))
        rule = text(RULE_CHARACTERS_MAX)
        reviewer = fields.String(validate=OneOf((ME,)))
        since = QueryInstant(data_key="from")
        until = QueryInstant(data_key="to")
        cursor = fields.String(validate=[validate.Length(1, 1000), no_nul])
        limit = fields.Integer(validate=validate.Range(1, largest))

    return FindingList()
