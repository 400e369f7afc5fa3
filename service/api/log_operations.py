"""
The operations of the log, and what they answer.
"""

from typing import Any

from service.api.answer_schemas import FLAG, MAYBE_TEXT, TEXT, TIME, WHOLE, maybe, ref, thing
from service.api.described import KEYED, REFUSED, Operations, path, query, responses


def log_operations() -> dict[str, Operations]:
    """
    Describe every path of the log.
    """
    return {
        "/v1/log": {"get": _state()},
        "/v1/log/export": {"get": _export()},
        "/v1/log/verifier": {"get": _verifier()},
        "/v1/log/verifications": {"post": _verify()},
        "/v1/log/verifications/{verification_id}": {"get": _verification()},
    }


def log_schemas() -> dict[str, dict[str, Any]]:
    """
    Describe what these operations answer.
    """
    verification = {
        "verification_id": TEXT,
        "state": {"type": "string", "enum": ["requested", "running", "done"]},
        "whole": FLAG,
        "requested_at": TIME,
        "finished_at": maybe(TIME),
        "from_place": WHOLE,
        "through": WHOLE,
        "head": TEXT,
        "good": {"type": ["boolean", "null"]},
        "fault": MAYBE_TEXT,
    }
    state = {
        "agency": TEXT,
        "place": WHOLE,
        "hash": TEXT,
        "sealed_at": maybe(TIME),
        "count": WHOLE,
        "unsealed": WHOLE,
        "last_verification": maybe(ref("Verification")),
        "last_whole_verification": maybe(ref("Verification")),
        "waiting_verification": maybe(ref("Verification")),
    }
    return {"Verification": thing(verification), "Log": thing(state)}


def _state() -> dict[str, Any]:
    return {
        "summary": "Read the head of the log, and whether it verifies",
        "description": """`place:hash` is what to keep elsewhere as an anchor: a log that was
rewritten or cut shows against it. `unsealed` records wait a second or two for their place.""",
        "operationId": "readLog",
        "responses": responses({200: ref("Log")}, (*REFUSED, 503)),
        **KEYED,
    }


def _export() -> dict[str, Any]:
    place = {"type": "integer", "minimum": 1}
    places = {
        "from_place": (place, "The first place; without it the first of the log"),
        "to_place": ({"type": "integer", "minimum": 0}, "The last place; without it the newest"),
    }
    good = {
        "description": "The log in the order of its places, for the verifier",
        "headers": {"Content-Disposition": {"schema": {"type": "string"}}},
        "content": {"application/jsonl": {"schema": {"type": "string"}}},
    }
    return {
        "summary": "Export the log with its chain, streamed whole",
        "description": """A header, a line for each record with its content, and the end. Texts
about a person never leave: their fingerprints stand in their place. Content that the key may not
read is `null` with `why`; the chain is whole all the same.""",
        "operationId": "exportLog",
        "parameters": query(places),
        "responses": {"200": good, **responses({}, (*REFUSED, 422, 503))},
        **KEYED,
    }


def _verifier() -> dict[str, Any]:
    good = {
        "description": "One file for any Python from 3.9 on, which needs nothing else",
        "headers": {"Content-Disposition": {"schema": {"type": "string"}}},
        "content": {"text/x-python": {"schema": {"type": "string"}}},
    }
    return {
        "summary": "Download the program that verifies an export",
        "operationId": "downloadVerifier",
        "responses": {"200": good, **responses({}, REFUSED)},
        **KEYED,
    }


def _verify() -> dict[str, Any]:
    return {
        "summary": "Verify the whole log now",
        "description": "A worker does it; `Location` is where its result will stand.",
        "operationId": "verifyLog",
        "responses": responses({202: ref("Verification")}, (*REFUSED, 503)),
        **KEYED,
    }


def _verification() -> dict[str, Any]:
    return {
        "summary": "Read the result of a verification",
        "operationId": "readVerification",
        "parameters": [path("verification_id", "The verification's id")],
        "responses": responses({200: ref("Verification")}, (*REFUSED, 404, 503)),
        **KEYED,
    }
