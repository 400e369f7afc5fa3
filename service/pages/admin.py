"""
`/admin`: where an administrator begins, and an auditor reads along.
"""

from flask import Blueprint, Response

from service.access import READ_PEOPLE
from service.pages.frame import keep_in_order, page
from service.pages.visitor import visitor
from service.parts import Parts


def admin_pages(parts: Parts) -> Blueprint:
    """
    Make the overview.
    """
    blueprint = Blueprint("admin_pages", __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get("/admin")
    def overview() -> Response:
        """
        Show what can be looked after, and what is dangerous as it is.
        """
        who = visitor(parts, READ_PEOPLE)
        warnings = parts.people.warnings(who.actor)
        return page(parts, who, "admin.html", here="admin", warnings=warnings)

    return blueprint
