"""
`/log/export` and `/log/verifier`: the whole log with its chain, and the program that verifies it,
as downloads of the page of decisions.
"""

from flask import Blueprint, Response

from service.access import READ_LOG
from service.chain.export import CONTENT_TYPE, lines_of, piece_of, withheld_from
from service.chain.verifier import VERIFIER_NAME, verifier
from service.pages.frame import keep_in_order
from service.pages.visitor import visitor
from service.parts import Parts


def log_pages(parts: Parts) -> Blueprint:
    """
    Make the two downloads.
    """
    blueprint = Blueprint("log_pages", __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get("/log/export")
    def export() -> Response:
        """
        Stream the whole log for the verifier.
        """
        actor = visitor(parts, READ_LOG).actor
        piece = piece_of(parts.store, actor.agency, None, None)
        withhold = withheld_from(actor, parts.blind.hidden(actor))
        parts.audit.note(actor, "exported", ("log", actor.agency), places=piece.places)
        lines = lines_of(parts.store, piece, withhold, parts.now())
        return Response(lines, content_type=CONTENT_TYPE, headers=piece.headers)

    @blueprint.get("/log/verifier")
    def verifier_file() -> Response:
        """
        Give the program that verifies an export.
        """
        visitor(parts, READ_LOG)
        named = {"Content-Disposition": f'attachment; filename="{VERIFIER_NAME}"'}
        return Response(verifier(), content_type="text/x-python; charset=utf-8", headers=named)

    return blueprint
