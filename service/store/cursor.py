"""
Write and read the cursor of a list: text that says where the page before ended.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime

from service.errors import CursorError


@dataclass(frozen=True, slots=True)
class Cursor:
    """
    The last row of the page before, in a list with the newest first.
    """

    at: datetime
    id: str


def write_cursor(cursor: Cursor) -> str:
    """
    Give *cursor* as text that means nothing to a caller.
    """
    text = f"{cursor.at.astimezone(UTC).isoformat()}|{cursor.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """
    Read what `write_cursor` gave.

    Raises:
        CursorError: it is something else.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        at, bar, row_id = (
            base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition("|")
        )
        decided_at = datetime.fromisoformat(at)
        decided_at.astimezone(UTC)
    except (binascii.Error, ValueError, OverflowError) as error:
        raise CursorError(
            "`cursor` is not one that a list gave: leave it out to begin anew"
        ) from error
    if not bar or decided_at.tzinfo is None or "\0" in row_id:
        raise CursorError("`cursor` is not one that a list gave: leave it out to begin anew")
    return Cursor(decided_at, row_id)
