"""
The operations of the API, with every status that each can give.
"""

from typing import Any

from service.api.answer_schemas import READ, TIME, ref
from service.api.described import KEYED, REFUSED, REFUSED_BODY, Operations
from service.api.described import body as _body
from service.api.described import path as _path
from service.api.described import query as _query
from service.api.described import responses as _responses
from service.api.filters import FORMATS
from service.disclosures import WORDS_CHARACTERS_MAX
from service.routing.facts import Vocabulary
from service.settings import Settings

EXAMPLE = {
    "call_id": "E26-000123",
    "received_at": "2026-11-23T02:15:00-08:00",
    "facts": {"caller": "with_person", "suicide": "plan", "weapon": "none", "violence": "none"},
}
DISPATCH_EXAMPLE = {
    "responders": ["co_responder"],
    "reason": "scene_changed",
    "comment": "the caller now sees a knife",
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key and body again: the first answer (200); another body: 409",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}


def operations_of(vocabulary: Vocabulary, settings: Settings) -> dict[str, Operations]:
    """
    Describe every path.
    """
    return {
        "/v1/decisions": {"post": _decide(), "get": _list(vocabulary, settings)},
        "/v1/decisions/{decision_id}": {"get": _find()},
        "/v1/decisions/{decision_id}/dispatch": {"post": _report()},
        "/v1/decisions/{decision_id}/replay": {"post": _replay()},
        "/v1/decisions/export": {"get": _export(vocabulary)},
        "/v1/simulations": {"post": _simulate()},
        "/v1/calls/{call_id}": {"get": _call()},
        "/healthz": {"get": _open("Does the process live?", {200: ref("Health")})},
        "/metrics": {"get": _metrics()},
    }


def _open(summary: str, good: dict[int, dict[str, Any]]) -> dict[str, Any]:
    return {"summary": summary, "responses": _responses(good, ())}


def _decide() -> dict[str, Any]:
    return {
        "summary": "Recommend who should answer a call, and record it",
        "operationId": "decide",
        "parameters": [IDEMPOTENCY_KEY],
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
        "responses": _responses({200: ref("Answer")}, (*REFUSED_BODY, 503)),
        **KEYED,
    }


def _find() -> dict[str, Any]:
    return {
        "summary": "Read a whole decision record, at once from this host's journal",
        "description": "410 where it was erased: `erased` says why and when, `record` where it was."
        " A `redisclosure_notice` stands on it where facts came from a protected record. One that"
        " was changed in the store says `unreadable`, and only where it stands. One that the store"
        " cannot take as it is gives a 404 of the type `…:in-quarantine`, with its `record`: `host`"
        " and `number`.",
        "operationId": "readDecision",
        "parameters": [_path("decision_id", "The decision's id")],
        "responses": _responses({200: READ}, (*REFUSED, 404, 410, 503)),
        **KEYED,
    }


def _replay() -> dict[str, Any]:
    return {
        "summary": "Decide a recorded call again, and compare the answers to the byte",
        "description": """From what is on record alone: the request, the ruleset of its digest, and
what was stated of availability; where the words of a remark are gone, what was read in them then.
`erased`, `sealed`, `other_ruleset` and `other_program` cannot be compared, and are no differences.
`text` says the result in a sentence. One in quarantine is a 404 that says so, as on a read.""",
        "operationId": "replayDecision",
        "parameters": [_path("decision_id", "The decision's id")],
        "responses": _responses({200: ref("Replay")}, (*REFUSED, 404, 503)),
        **KEYED,
    }


def _report() -> dict[str, Any]:
    return {
        "summary": "Report what was really sent, and why it differs",
        "description": """Each report is kept; the latest counts.

A `reason` is owed where other kinds were sent than this decision recommends, where nobody is sent,
and where EMS or police that this or any earlier revision of the call asked for are not sent, even
if this revision asks for them no more: they are `released`. Either kind of police stands for the
other. The 422 lists the agency's reasons in `allowed`; `other` needs a `comment`. An empty list
also needs a `call_back_at` in the future.""",
        "operationId": "reportDispatch",
        "parameters": [_path("decision_id", "The decision's id"), IDEMPOTENCY_KEY],
        "requestBody": _body("DispatchRequest", DISPATCH_EXAMPLE),
        "responses": _responses(
            {200: ref("Dispatch"), 201: ref("Dispatch")}, (*REFUSED_BODY, 404, 409, 503)
        ),
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


def _filters(vocabulary: Vocabulary) -> dict[str, tuple[dict[str, Any], str]]:
    flag = {"type": "string", "enum": ["true", "false"]}
    name = {"type": "string", "minLength": 1, "maxLength": 200}
    return {
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
        "overridden": (
            flag,
            "`true`: something else was sent, by the latest report; `false`: what was recommended"
            " was sent. Neither finds a decision of which nothing is reported",
        ),
        "reviewed": (flag, "A supervisor has reviewed it"),
        "q": (name, "With this id, or about a call whose id begins so"),
    }


def _list(vocabulary: Vocabulary, settings: Settings) -> dict[str, Any]:
    page = {
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
        "parameters": _query(_filters(vocabulary) | page),
        "responses": _responses({200: ref("DecisionList")}, (*REFUSED, 422, 503)),
        **KEYED,
    }


def _export(vocabulary: Vocabulary) -> dict[str, Any]:
    form = ({"type": "string", "enum": list(FORMATS)}, "`csv` (the default) or `jsonl`")
    text = {"schema": {"type": "string"}}
    good = {
        "description": "Every decision that the filters leave, newest first",
        "headers": {"Content-Disposition": {"schema": {"type": "string"}}},
        "content": {"text/csv": text, "application/jsonl": text},
    }
    return {
        "summary": "Export decisions as a file, streamed whole",
        "description": """The filters of the list. JSON lines are the items of the list; CSV has one
row for each. Lists in a cell are separated by spaces; `fallback` is its reason; `sent`, `override`
and `reason` are of the latest report, empty without one, and `sent` is `nobody` where it says so. A
cell that a spreadsheet would run starts with an apostrophe. No remarks, comments or facts.

Rules that a fact from a protected record (42 CFR part 2) made fire are left out, and `withheld`
says so, unless `recipient` and `purpose` are given: then a disclosure is kept (`/v1/disclosures`),
and `redisclosure_notice` must go with the file.

Should the store go away under way, the last line says that the file is incomplete: in CSV a row of
one cell that starts with `incomplete`, in JSON lines a problem with `status` 503.""",
        "operationId": "exportDecisions",
        "parameters": _query(_filters(vocabulary) | {"format": form} | _to()),
        "responses": {"200": good, **_responses({}, (*REFUSED, 422, 503))},
        **KEYED,
    }


def _to() -> dict[str, tuple[dict[str, Any], str]]:
    word = {"type": "string", "minLength": 1, "maxLength": WORDS_CHARACTERS_MAX}
    return {
        "recipient": (word, "Who receives facts from protected records; needs a `purpose`"),
        "purpose": (word, "What they are for; needs a `recipient`"),
    }


def _metrics() -> dict[str, Any]:
    content = {"text/plain": {"schema": {"type": "string"}}}
    responses = {
        "200": {"description": "Metrics in the text format of Prometheus", "content": content}
    }
    return {
        "summary": "What the service counts about itself",
        "description": "Each metric says in its `HELP` what it is; what cannot be read is left out."
        " Nothing is about a person or a call.",
        "responses": responses,
    }
