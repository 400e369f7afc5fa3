"""
`/v1/audit`: who did what, when, to what, from where.
"""

from flask import Blueprint, Response, request

from service.access import READ_AUDIT
from service.api.asking import answer, who_asks
from service.api.listing import PAGE_MEMBERS, read_page
from service.audit import shown
from service.audit_search import csv_lines, every, read_search
from service.parts import Parts
from service.store import audit


def audit_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("audit", __name__)

    @blueprint.get("/v1/audit")
    def many() -> Response:
        """
        Search the trail, the newest first: 200, 422, 503.
        """
        actor = who_asks(parts, READ_AUDIT).actor
        query = request.args.to_dict()
        page = {name: query.pop(name) for name in PAGE_MEMBERS if name in query}
        search, (cursor, limit) = read_search(query), read_page(parts, page)
        found, following = audit.page(parts.store, actor.agency, search, cursor, limit)
        return answer({"items": [shown(one) for one in found], "next": following})

    @blueprint.get("/v1/audit/export")
    def export() -> Response:
        """
        Stream all that a search finds as CSV: 200, 422, 503.
        """
        actor = who_asks(parts, READ_AUDIT).actor
        query = request.args.to_dict()
        search = read_search(query)
        entries = every(parts.store, actor.agency, search, parts.settings.page_items_max)
        parts.audit.note(actor, "exported", ("audit", "csv"), filters=query)
        named = 'attachment; filename="audit.csv"'
        return Response(
            csv_lines(entries),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": named},
        )

    return blueprint
