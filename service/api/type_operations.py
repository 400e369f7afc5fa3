"""
The operations of type codes, and what they answer.
"""

from typing import Any

from service.api.answer_schemas import (
    ANY_OBJECT,
    MAYBE_TEXT,
    TEXT,
    TIME,
    WHOLE,
    many,
    ref,
    thing,
)
from service.api.described import (
    KEYED,
    REFUSED,
    REFUSED_BODY,
    Operations,
    body,
    page_parameters,
    query,
    responses,
)
from service.settings import Settings
from service.type_codes import CHARACTERS_MAX
from service.type_mappings import REGISTRY_CHARACTERS_MAX

MAPPING_EXAMPLE = {
    "registry": "local",
    "code": "SUI-T",
    "facts": {"behavioral_health": True, "suicide": "intent"},
    "comment": "threatens suicide; the desk's code since 2024",
}


def type_operations(settings: Settings) -> dict[str, Operations]:
    """
    Describe every path of type codes.
    """
    pages = page_parameters(settings.page_items_max)
    return {
        "/v1/incident-types/unmapped": {"get": _unmapped(pages)},
        "/v1/incident-types/mapped": {"get": _mapped(pages), "put": _put(), "delete": _undo()},
    }


def type_schemas() -> dict[str, dict[str, Any]]:
    """
    Describe what these operations answer.
    """
    unmapped = {
        "registry": TEXT,
        "code": TEXT,
        "count": WHOLE,
        "first_seen_at": TIME,
        "last_seen_at": TIME,
    }
    mapped = {
        "registry": TEXT,
        "code": TEXT,
        "facts": ANY_OBJECT,
        "comment": MAYBE_TEXT,
        "mapped_by": TEXT,
        "mapped_at": TIME,
    }
    return {
        "UnmappedType": thing(unmapped),
        "UnmappedTypeList": thing({"items": many(ref("UnmappedType")), "next": MAYBE_TEXT}),
        "MappedType": thing(mapped),
        "MappedTypeList": thing({"items": many(ref("MappedType")), "next": MAYBE_TEXT}),
    }


def _unmapped(pages: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": "List type codes that nobody knows, the most frequent first",
        "description": """Each decision counts once, whichever way its code was written: `code` is
as it was last sent. What the agency has mapped since is left out.""",
        "operationId": "listUnmappedTypes",
        "parameters": query(pages),
        "responses": responses({200: ref("UnmappedTypeList")}, (*REFUSED, 422, 503)),
        **KEYED,
    }


def _mapped(pages: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": "List what the agency says of its type codes, the newest first",
        "operationId": "listMappedTypes",
        "parameters": query(pages),
        "responses": responses({200: ref("MappedTypeList")}, (*REFUSED, 422, 503)),
        **KEYED,
    }


def _put() -> dict[str, Any]:
    return {
        "summary": "Say what a type code means to the agency",
        "description": """It wins over the files that are shipped, and replaces what the agency said
of this code before. What a code says counts as if a person had said it, so it can never say that
there is no danger. `facts` may be empty: the code is known, and silent. Every process reads calls
by it within two seconds. 409 `too_many_mappings`.""",
        "operationId": "mapType",
        "requestBody": body("TypeMapping", MAPPING_EXAMPLE),
        "responses": responses({200: ref("MappedType")}, (*REFUSED_BODY, 409, 503)),
        **KEYED,
    }


def _undo() -> dict[str, Any]:
    registry = {"type": "string", "minLength": 1, "maxLength": REGISTRY_CHARACTERS_MAX}
    code = {"type": "string", "minLength": 1, "maxLength": CHARACTERS_MAX}
    named = query({"registry": (registry, "The registry"), "code": (code, "The code")})
    return {
        "summary": "Take back what the agency said of a type code",
        "description": "The code is as it was before: what a file says of it, or not known.",
        "operationId": "undoType",
        "parameters": [{**one, "required": True} for one in named],
        "responses": {
            "204": {"description": "It is taken back"},
            **responses({}, (*REFUSED_BODY, 404, 503)),
        },
        **KEYED,
    }
