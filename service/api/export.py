"""
`/v1/decisions/export`: every decision that the filters leave, streamed as one file.
"""

from functools import partial

from flask import Blueprint, Response, request

from service.access import READ_CALLS
from service.api.asking import who_asks
from service.api.filters import export_schema
from service.api.problems import RefusedError, problem
from service.decision_export import BROKEN_OFF, export_of
from service.disclosures import read_to
from service.parts import Parts
from service.store.decision_fields import Filters


def export_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("export", __name__)
    asked = export_schema(parts)

    @blueprint.get("/v1/decisions/export")
    def export() -> Response:
        """
        Stream decisions, newest first, by the filters of the query: 200, 422, 503.
        """
        asker = who_asks(parts, READ_CALLS)
        query = asked.load(request.args.to_dict())
        form, page_items = query.pop("form", "csv"), parts.settings.page_items_max
        to = read_to(query.pop("recipient", None), query.pop("purpose", None))
        filters = Filters(**query, hidden=parts.blind.hidden(asker.actor))
        listed = parts.records.every(asker.agency.id, filters, page_items)
        asked_for = {name: str(value) for name, value in sorted(query.items())}
        parts.audit.note(asker.actor, "exported", ("decisions", form), filters=asked_for)
        refused = RefusedError(503, "incomplete", BROKEN_OFF)
        disclose = partial(parts.disclosures.note, asker.actor, to) if to else None
        file = export_of(listed, form, problem(refused).get_data(), disclose)
        return Response(file.lines, content_type=file.content_type, headers=file.headers)

    return blueprint
