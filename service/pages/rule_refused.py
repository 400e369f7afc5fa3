"""
The page that says why a change of the rules was not made, with the way back to where it began.
"""

from urllib.parse import quote

from flask import Response, request

from service.pages.frame import page
from service.pages.visitor import Visitor
from service.parts import Parts

# Where each form of a ruleset stands: the end of the page's address, and its name in words.
_BEGAN = {
    "approve": ("/publish", "Back to check and publish"),
    "publish": ("/publish", "Back to check and publish"),
    "check": ("/publish", "Back to check and publish"),
    "rollback": ("/history", "Back to the history"),
    "draft": ("?view=yaml", "Back to the YAML"),
}


def refused_rules(
    parts: Parts, status: int, title: str, way_out: str, who: Visitor | None
) -> Response:
    """
    Say why a change was not made, and lead back to the page whose form was sent.
    """
    name = (request.view_args or {}).get("name")
    back, words = "/rules", "Back to the rules"
    if name and status != 404:
        end, words = _BEGAN.get(request.path.rpartition("/")[2], ("", words))
        back = f"/rules/{quote(name, safe='')}{end}"
    return page(
        parts,
        who,
        "rule_refused.html",
        status,
        here="rules",
        title=title,
        way_out=way_out,
        back=back,
        back_words=words,
    )
