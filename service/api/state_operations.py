"""
The operations of the state and of quarantine, and what they answer of where records are.
"""

from typing import Any

from service.api.answer_schemas import (
    FLAG,
    MAYBE_TEXT,
    TEXT,
    TIME,
    WHOLE,
    many,
    maybe,
    ref,
    thing,
)
from service.api.described import KEYED, REFUSED, Operations, path, responses


def state_operations() -> dict[str, Operations]:
    """
    Describe every path of the state.
    """
    return {
        "/readyz": {"get": _ready()},
        "/v1/quarantine/{host_id}/{number}/retry": {"post": _retry()},
        "/v1/quarantine/{host_id}/{number}/leave": {"post": _leave()},
    }


def state_schemas() -> dict[str, dict[str, Any]]:
    """
    Describe what stands in the answers.
    """
    here = {
        "host_id": TEXT,
        "not_stored": WHOLE,
        "oldest_s": {"type": "number"},
        "bytes_used": WHOLE,
        "bytes_max": WHOLE,
        "disk_free_bytes": WHOLE,
        "disk_free_bytes_min": WHOLE,
    }
    aside = {
        "name": TEXT,
        "why": {"type": "string", "enum": ["damaged", "restored"]},
        "host_id": MAYBE_TEXT,
        "state": {"type": "string", "enum": ["waits", "done"]},
        "at": TIME,
    }
    known = {
        "host_id": TEXT,
        "through": WHOLE,
        "highest": WHOLE,
        "missing": maybe(thing({"first": WHOLE, "last": WHOLE})),
        "at": TIME,
    }
    place = {"host_id": TEXT, "number": WHOLE, "record_id": MAYBE_TEXT}
    kept = {**place, "kind": MAYBE_TEXT, "reason": TEXT, "at": TIME}
    return {
        "JournalsHere": thing({"here": maybe(thing(here)), "aside": many(thing(aside))}),
        "JournalsInStore": thing({"count": WHOLE, "newest": many(thing(known))}),
        "Quarantine": thing(
            {"count": WHOLE, "of_nobody": WHOLE, "left": WHOLE, "newest": many(thing(kept))}
        ),
        "StoredAgain": thing({**place, "stored": FLAG, "reason": MAYBE_TEXT}),
        "LeftThere": thing({**place, "left": FLAG}),
    }


def _ready() -> dict[str, Any]:
    return {
        "summary": "Can calls be answered, and what is degraded?",
        "description": """With any key that works it also lists where records are (the journals of
this host and those that the store knows, what is in quarantine, the head of the agency's log),
every process of this host, what it stands on, and what went wrong last. What cannot be asked while
the store is away is `null`. `missing` are numbers of a journal that the store still lacks a minute
after later ones came.

`journal` says what of this host is not in the store yet, and for how long; `quarantined` counts,
from 0 to 1000, the records of the key's agency (without a key: of all) that the store cannot take
as they are and that nobody left there for good, as last seen; `null` where the store was never
seen.""",
        "responses": responses({200: ref("Readiness")}, REFUSED),
        "security": [{}, {"key": []}],
    }


def _retry() -> dict[str, Any]:
    return {
        "summary": "Try again to store a record that is in quarantine",
        "description": """For a program that can read it since. `stored` says whether it is stored
now; where it is not it stays, and `reason` says why.""",
        "operationId": "storeAgain",
        "parameters": _place(),
        "responses": responses({200: ref("StoredAgain")}, (*REFUSED, 404, 409, 503)),
        **KEYED,
    }


def _leave() -> dict[str, Any]:
    return {
        "summary": "Leave a record in quarantine for good",
        "description": """For one that no program will ever read. It is kept as it is, under the
same times as any record, and can still be stored; it counts as `left`, and nothing is degraded by
it any more.""",
        "operationId": "leaveThere",
        "parameters": _place(),
        "responses": responses({200: ref("LeftThere")}, (*REFUSED, 404, 409, 503)),
        **KEYED,
    }


def _place() -> list[dict[str, Any]]:
    return [
        path("host_id", "The host whose journal it came from"),
        {
            "name": "number",
            "in": "path",
            "required": True,
            "description": "Its number in that journal",
            "schema": {"type": "integer", "minimum": 1},
        },
    ]
