"""
Read the columns that lists are filtered by out of a decision record, and the cursor of such a list.

The body of a record is the API's business: what it lacks is stored as not known, never refused.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from service.errors import CursorError

_POLICE = ("law_enforcement", "co_responder")


@dataclass(frozen=True, slots=True)
class Filters:
    """
    Say which decisions a list holds: all that meet every filter that is not None.

    `since` counts in, `until` does not; both are aware. `rule` is one that fired, `responder` a
    kind. `overridden` asks the latest report of what was sent; without one neither value holds.
    """

    since: datetime | None = None
    until: datetime | None = None
    responder: str | None = None
    urgency: str | None = None
    rule: str | None = None
    call_id: str | None = None
    fallback: bool | None = None
    overridden: bool | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """
    The last decision of the page before.
    """

    decided_at: datetime
    record_id: str


def write_cursor(cursor: Cursor) -> str:
    """
    Give *cursor* as text that means nothing to a caller.
    """
    text = f"{cursor.decided_at.astimezone(UTC).isoformat()}|{cursor.record_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """
    Read what `write_cursor` gave.

    Raises:
        CursorError: it is something else.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        at, bar, record_id = (
            base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition("|")
        )
        decided_at = datetime.fromisoformat(at)
        decided_at.astimezone(UTC)
    except (binascii.Error, ValueError, OverflowError) as error:
        raise CursorError(
            "`cursor` is not one that a list gave: leave it out to begin anew"
        ) from error
    if not bar or decided_at.tzinfo is None or "\0" in record_id:
        raise CursorError("`cursor` is not one that a list gave: leave it out to begin anew")
    return Cursor(decided_at, record_id)


def fields_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """
    Give the columns of a decision, `stored_at` left out, from a journal's record.

    `body["answer"]` is the answer as the contract has it and `body["request"]` what was asked.

    Raises:
        KeyError, TypeError, ValueError: the record itself lacks an id, a place in its journal or a
        time.
    """
    body = record["body"]
    answer = _mapping(_mapping(body).get("answer"))
    recommendation = _mapping(answer.get("recommendation"))
    responders = [
        str(_mapping(one).get("kind", one)) for one in _list(recommendation, "responders")
    ]
    ruleset = _mapping(answer.get("ruleset"))
    police = _mapping(answer.get("law_enforcement")).get("included")
    version = ruleset.get("version")
    return {
        "record_id": record["record_id"],
        "agency": record["agency"],
        "call_id": record["call_id"],
        "host_id": record["host_id"],
        "journal_number": int(record["number"]),
        "decided_at": instant(record["decided_at"]),
        "received_at": instant_or_none(_mapping(_mapping(body).get("request")).get("received_at")),
        "urgency": _text(recommendation.get("urgency")),
        "responders": responders,
        "rules": [str(_mapping(one).get("rule", one)) for one in _list(answer, "because")],
        "police": any(kind in _POLICE for kind in responders) if police is None else bool(police),
        "fallback": recommendation.get("fallback") is not None,
        "ruleset_name": _text(ruleset.get("name")),
        "ruleset_version": version if isinstance(version, int) else None,
        "ruleset_digest": _text(ruleset.get("digest")),
        "mode": _text(answer.get("mode")),
        "fingerprint": record.get("fingerprint"),
        "body": body,
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(holder: Mapping[str, Any], name: str) -> list[Any]:
    value = holder.get(name)
    return list(value) if isinstance(value, list | tuple) else []


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def instant(text: str) -> datetime:
    """
    Read a time as aware UTC; one without a zone is taken as UTC.
    """
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def instant_or_none(text: Any) -> datetime | None:
    """
    Read a time as aware UTC; None where there is none that can be read.
    """
    try:
        return instant(text)
    except (TypeError, ValueError):
        return None
