"""
Whether an approver is really somebody else: one person with two accounts is one person.
"""

import datetime as dt
from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection

from service.access import Actor
from service.store import audit

# Whoever does one of these to an account could sign in with it. For a day the trail, and whoever
# finds that their password no longer works, has time to tell. Source: none; our own [inferred].
MAKES_AN_ACCOUNT: Final = ("added", "changed", "reset password", "reset second factor")
SETTLED_AFTER: Final = dt.timedelta(hours=24)


def fault_of_approver(
    connection: Connection, actor: Actor, authors: Collection[str], now: dt.datetime
) -> str | None:
    """
    Say why somebody who wrote nothing may not approve all the same: an author has just made their
    account, or could have come into it; None if they may.
    """
    subject = ("person", str(actor.person_id))
    since = now - SETTLED_AFTER
    did = audit.who_did(connection, actor.agency, subject, acts=MAKES_AN_ACCOUNT, since=since)
    if not did & set(authors):
        return None
    hours = int(SETTLED_AFTER.total_seconds() / 3600)
    return (
        "who wrote or asked for this made your account or set its password within the last"
        f" {hours} hours: another administrator must do it, or you when the time has passed"
    )
