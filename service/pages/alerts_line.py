"""
The line of open alerts that stands above every page until somebody settles them.

The frame puts it there: it hands `alerts=open_alerts(parts, actor)` to the template, and
`base.html` includes `alerts_line.html`.
"""

from service.access import Actor
from service.alerts import OpenAlerts
from service.parts import Parts


def open_alerts(parts: Parts, actor: Actor) -> OpenAlerts | None:
    """
    Give what must stand above this person's page; None where nothing is theirs to look at.

    Two queries, and never an error: with the store away the line says that nobody knows.
    """
    if not parts.surroundings.seen.has_store:
        # A store that was away a second ago is not waited for on every page.
        return parts.alerts.not_known(actor)
    return parts.alerts.open_now(actor)
