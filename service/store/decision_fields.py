"""
Read the columns that lists are filtered by out of a decision record.

The body of a record is the API's business: what it lacks is stored as not known, never refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_POLICE = ("law_enforcement", "co_responder")


@dataclass(frozen=True, slots=True)
class Filters:
    """
    Say which decisions a list holds: all that meet every filter that is not None.

    `since` counts in, `until` does not; both are aware. `rule` is one that fired, `responder` a
    kind. `overridden` asks the latest report of what was sent; without one neither value holds.
    `search` is a decision's id, or the beginning of its call's.
    `reviewed` asks whether a reviewer has answered. `hidden` are ids that are left out.
    """

    since: datetime | None = None
    until: datetime | None = None
    responder: str | None = None
    urgency: str | None = None
    rule: str | None = None
    call_id: str | None = None
    fallback: bool | None = None
    overridden: bool | None = None
    search: str | None = None
    reviewed: bool | None = None
    hidden: frozenset[str] = frozenset()


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
