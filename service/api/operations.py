"""
The operations of the API, with every status that each can give.
"""

from http import HTTPStatus
from typing import Any

from service.api.answer_schemas import TIME, ref
from service.routing.facts import Vocabulary
from service.settings import Settings

Operations = dict[str, dict[str, Any]]
KEYED: dict[str, Any] = {"security": [{"key": []}]}
REFUSED = (401, 403)
REFUSED_BODY = (*REFUSED, 400, 413, 415, 422)
EXAMPLE = {
    "call_id": "E26-000123",
    "received_at": "2026-11-23T02:15:00-08:00",
    "facts": {"caller": "with_person", "suicide": "plan", "weapon": "none", "violence": "none"},
}


def operations_of(vocabulary: Vocabulary, settings: Settings) -> dict[str, Operations]:
    """
    Describe every path.
    """
    return {
        "/v1/decisions": {"post": _decide(), "get": _list(vocabulary, settings)},
        "/v1/decisions/{decision_id}": {"get": _find()},
        "/v1/simulations": {"post": _simulate()},
        "/v1/calls/{call_id}": {"get": _call()},
        "/healthz": {"get": _open("Does the process live?", {200: ref("Health")})},
        "/readyz": {"get": _ready()},
        "/metrics": {"get": _metrics()},
    }


def _responses(good: dict[int, dict[str, Any]], refused: tuple[int, ...]) -> dict[str, Any]:
    responses = {
        str(status): {
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": schema}},
        }
        for status, schema in good.items()
    }
    for status in sorted(refused):
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": ref("Problem")}},
        }
    return responses


def _open(summary: str, good: dict[int, dict[str, Any]]) -> dict[str, Any]:
    return {"summary": summary, "responses": _responses(good, ())}


def _body(name: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": ref(name), "example": example}}
    return {"required": True, "content": content}


def _decide() -> dict[str, Any]:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key and body again: the first answer (200); another body: 409",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    }
    return {
        "summary": "Recommend who should answer a call, and record it",
        "operationId": "decide",
        "parameters": [key],
        "requestBody": _body("DecisionRequest", EXAMPLE),
        "responses": _responses(
            {200: ref("Answer"), 201: ref("Answer")}, (*REFUSED_BODY, 409, 503)
        ),
        **KEYED,
    }


def _simulate() -> dict[str, Any]:
    return {
        "summary": "Try a call, under any ruleset, and record nothing",
        "operationId": "simulate",
        "requestBody": _body("SimulationRequest", EXAMPLE),
        "responses": _responses({200: ref("Answer")}, REFUSED_BODY),
        **KEYED,
    }


def _path(name: str, words: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return {"name": name, "in": "path", "required": True, "description": words, "schema": schema}


def _find() -> dict[str, Any]:
    return {
        "summary": "Read a whole decision record, at once from this host's journal",
        "operationId": "readDecision",
        "parameters": [_path("decision_id", "The decision's id")],
        "responses": _responses({200: ref("DecisionRecord")}, (*REFUSED, 404, 503)),
        **KEYED,
    }


def _call() -> dict[str, Any]:
    return {
        "summary": "Read every revision of a call, oldest first",
        "operationId": "readCall",
        "parameters": [_path("call_id", "The call's id in the CAD")],
        "responses": _responses({200: ref("Call")}, (*REFUSED, 404, 503)),
        **KEYED,
    }


def _list(vocabulary: Vocabulary, settings: Settings) -> dict[str, Any]:
    flag = {"type": "string", "enum": ["true", "false"]}
    name = {"type": "string", "minLength": 1, "maxLength": 200}
    filters = {
        "from": (TIME, "Decided at this time or later"),
        "to": (TIME, "Decided before this time"),
        "responder": (
            {"type": "string", "enum": list(vocabulary.responders)},
            "This kind is in the answer",
        ),
        "urgency": ({"type": "string", "enum": list(vocabulary.urgencies)}, "Of this urgency"),
        "rule": (name, "This rule fired"),
        "call_id": (name, "About this call"),
        "fallback": (flag, "Somebody else than preferred was recommended"),
        "overridden": (flag, "Something else was sent"),
        "reviewed": (flag, "A supervisor has reviewed it"),
        "cursor": (
            {"type": "string", "minLength": 1, "maxLength": 1000},
            "The `next` of the page before",
        ),
        "limit": (
            {"type": "integer", "minimum": 1, "maximum": settings.page_items_max},
            "Items in a page",
        ),
    }
    return {
        "summary": "List decisions, newest first",
        "operationId": "listDecisions",
        "parameters": [
            {"name": key, "in": "query", "description": words, "schema": schema}
            for key, (schema, words) in filters.items()
        ],
        "responses": _responses({200: ref("DecisionList")}, (*REFUSED, 422, 503)),
        **KEYED,
    }


def _ready() -> dict[str, Any]:
    return {
        "summary": "Can calls be answered, and what is degraded?",
        "description": "With any key that works, every process of this host is listed too.",
        "responses": _responses({200: ref("Readiness")}, REFUSED),
        "security": [{}, {"key": []}],
    }


def _metrics() -> dict[str, Any]:
    content = {"text/plain": {"schema": {"type": "string"}}}
    responses = {
        "200": {"description": "Counters in the text format of Prometheus", "content": content}
    }
    return {"summary": "What the service counts about itself", "responses": responses}
