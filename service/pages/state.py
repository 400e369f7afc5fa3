"""
`/state`: what runs, what waits, what is away, and what went wrong last.
"""

from typing import Any, Final

from flask import Blueprint, Response

from service.access import READ_STATE
from service.pages.frame import keep_in_order, page
from service.pages.local_time import moment
from service.pages.visitor import visitor
from service.parts import Parts
from service.state import whole

PART_WORDS: Final = {
    "journal": "Journal of this host",
    "store": "Store",
    "queue": "Queue (Redis)",
    "worker": "Workers",
    "beat": "Schedule of the workers",
}
DOES: Final = {
    "api": "answers calls and shows pages",
    "shipper": "carries records to the store",
    "worker": "stores records and does what takes longer",
    "beat": "says when the workers look",
    "redis": "holds the queue",
}


def state_pages(parts: Parts) -> Blueprint:
    """
    Make the page.
    """
    blueprint = Blueprint("state_pages", __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get("/state")
    def state() -> Response:
        """
        Show the same facts as `/readyz`, in words.
        """
        who = visitor(parts, READ_STATE)
        told, zone, now = whole(parts, who.actor), who.agency.time_zone, parts.now()
        return page(
            parts,
            who,
            "state.html",
            here="state",
            told=told,
            processes=[
                {**one, "does": DOES.get(one["part"], ""), "rules": _rules(one.get("ruleset"))}
                for one in told["processes"]
            ],
            troubles=[{**one, "when": moment(one["at"], zone, now)} for one in told["troubles"]],
            part_words=PART_WORDS,
            at=moment(now, zone, now),
        )

    return blueprint


def _rules(ruleset: Any) -> list[str]:
    """
    Say which rules a process decides with: each ruleset's name and version.
    """
    if not isinstance(ruleset, dict):
        return []
    if "name" in ruleset:
        return [f"{ruleset['name']} version {ruleset.get('version')}"]
    versions = ruleset.get("versions")
    listed = versions.items() if isinstance(versions, dict) else ()
    return [f"{name} version {one[0]}" for name, one in listed]
