"""
The operations of retention, legal holds, erasures and disclosures, and what they answer.
"""

from typing import Any

from marshmallow import Schema

from service.agency_settings import RETENTION_LEAST
from service.api.answer_schemas import MAYBE_TEXT, TEXT, TIME, WHOLE, many, maybe, ref, thing
from service.api.described import (
    KEYED,
    REFUSED,
    REFUSED_BODY,
    Operations,
    body,
    page_parameters,
    path,
    query,
    responses,
)
from service.erasures import ERASURE_REQUEST
from service.legal_holds import HOLD_REQUEST, REASON_REQUEST
from service.settings import Settings

RETENTION_BODIES: dict[str, Schema] = {
    "LegalHoldRequest": HOLD_REQUEST,
    "ReasonRequest": REASON_REQUEST,
    "ErasureRequest": ERASURE_REQUEST,
}
HOLD_EXAMPLE = {
    "call_id": "E26-000123",
    "authority": "County prosecutor",
    "matter": "case 26-4711",
    "reason": "letter of 24 November 2026",
}
ERASURE_EXAMPLE = {"call_id": "E26-000123", "reason": "asked for by the person, form 12"}


def retention_schemas() -> dict[str, dict[str, Any]]:
    """
    Describe what these operations answer.
    """
    numbers = dict.fromkeys(RETENTION_LEAST, WHOLE)
    hold = {
        "hold_id": TEXT,
        "call_id": MAYBE_TEXT,
        "authority": TEXT,
        "matter": TEXT,
        "reason": TEXT,
        "placed_by": TEXT,
        "placed_at": TIME,
        "state": {"type": "string", "enum": ["stands", "lifted"]},
        "lifted_by": MAYBE_TEXT,
        "lifted_at": maybe(TIME),
        "lift_reason": MAYBE_TEXT,
    }
    erasure = {
        "erasure_id": TEXT,
        "call_id": TEXT,
        "reason": TEXT,
        "state": {"type": "string", "enum": ["asked", "confirmed", "withdrawn"]},
        "asked_by": TEXT,
        "asked_at": TIME,
        "confirmed_by": MAYBE_TEXT,
        "confirmed_at": maybe(TIME),
        "withdrawn_by": MAYBE_TEXT,
        "withdrawn_at": maybe(TIME),
        "done_on": many(thing({"host": TEXT, "records": WHOLE, "at": TIME})),
        "waits_for": many(TEXT),
    }
    disclosure = {
        "disclosure_id": TEXT,
        "at": TIME,
        "disclosed_by": TEXT,
        "recipient": TEXT,
        "purpose": TEXT,
        "facts": many(TEXT),
        "records": many(TEXT),
    }
    listed = {"LegalHold": hold, "Erasure": erasure, "Disclosure": disclosure}
    return {
        "Kept": thing({**numbers, "least": thing(numbers), "most": thing(numbers)}),
        **{name: thing(one) for name, one in listed.items()},
        **{f"{name}List": thing({"items": many(ref(name)), "next": MAYBE_TEXT}) for name in listed},
    }


def retention_operations(settings: Settings) -> Operations:
    """
    Describe every path of them.
    """
    pages = page_parameters(settings.page_items_max)
    hold, erasure = path("hold_id", "The hold's id"), path("erasure_id", "The erasure's id")
    return {
        "/v1/retention": {"get": _read()},
        "/v1/legal-holds": {
            "get": _list("LegalHold", "legal holds, lifted ones too", pages),
            "post": _place(),
        },
        "/v1/legal-holds/{hold_id}/lift": {"post": {**_lift(), "parameters": [hold]}},
        "/v1/erasures": {
            "get": _list("Erasure", "erasures, with what each host has done", pages),
            "post": _ask(),
        },
        "/v1/erasures/{erasure_id}/confirm": {
            "post": {**_end("confirm", "Confirm an erasure, and do it"), "parameters": [erasure]}
        },
        "/v1/erasures/{erasure_id}/withdraw": {
            "post": {**_end("withdraw", "Withdraw an erasure"), "parameters": [erasure]}
        },
        "/v1/disclosures": {"get": _list("Disclosure", "what left of protected records", pages)},
    }


def _read() -> dict[str, Any]:
    return {
        "summary": "Read how long what is kept; it is set with the agency",
        "operationId": "readRetention",
        "responses": responses({200: ref("Kept")}, (*REFUSED, 404, 503)),
        **KEYED,
    }


def _list(name: str, what: str, pages: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": f"List {what}, the newest first",
        "operationId": f"list{name}s",
        "parameters": query(pages),
        "responses": responses({200: ref(f"{name}List")}, (*REFUSED, 422, 503)),
        **KEYED,
    }


def _place() -> dict[str, Any]:
    return {
        "summary": "Place a legal hold on a call, or without `call_id` on everything",
        "description": "It stops purge and erasure at once, and says whose it is.",
        "operationId": "placeLegalHold",
        "requestBody": body("LegalHoldRequest", HOLD_EXAMPLE),
        "responses": responses({201: ref("LegalHold")}, (*REFUSED_BODY, 503)),
        **KEYED,
    }


def _lift() -> dict[str, Any]:
    return {
        "summary": "Lift a legal hold",
        "description": "409 `already_lifted` says who did it, and when.",
        "operationId": "liftLegalHold",
        "requestBody": body("ReasonRequest", {"reason": "the case is closed"}),
        "responses": responses({200: ref("LegalHold")}, (*REFUSED_BODY, 404, 409, 503)),
        **KEYED,
    }


def _ask() -> dict[str, Any]:
    return {
        "summary": "Ask for a call to be erased; another person confirms it",
        "description": "409: `needs_a_person`, `already_asked`, or `held`, which says whose hold.",
        "operationId": "askForErasure",
        "requestBody": body("ErasureRequest", ERASURE_EXAMPLE),
        "responses": responses({201: ref("Erasure")}, (*REFUSED_BODY, 404, 409, 503)),
        **KEYED,
    }


def _end(act: str, summary: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "description": "409: `already_ended`; to confirm also `needs_a_person`, `same_person` and"
        " `held`.",
        "operationId": f"{act}Erasure",
        "responses": responses({200: ref("Erasure")}, (*REFUSED, 404, 409, 503)),
        **KEYED,
    }
