"""
`/log/export` and `/log/verifier`: the whole log with its chain, and the program that verifies it,
as downloads of the page of decisions.
"""

from flask import Blueprint, Response

from service.access import READ_LOG
from service.chain import verifier as program
from service.chain.export import CONTENT_TYPE
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
        lines, piece = parts.logs.export(actor, parts.blind.hidden(actor))
        return Response(lines, content_type=CONTENT_TYPE, headers=piece.headers)

    @blueprint.get("/log/verifier")
    def verifier_file() -> Response:
        """
        Give the program that verifies an export.
        """
        visitor(parts, READ_LOG)
        return Response(
            program.verifier(), None, program.HEADERS, content_type=program.CONTENT_TYPE
        )

    return blueprint
