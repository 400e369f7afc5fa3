"""
`/v1/openapi.json` and `/docs`: the description of this API, made from the schemas and the
vocabulary.

The page shows Swagger UI out of an installed package; nothing is fetched from elsewhere and nothing
runs inline.
"""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint, Response, abort, render_template

from service import PROGRAM_VERSION
from service.api.administration_operations import (
    ADMINISTRATION_BODIES,
    administration_operations,
    administration_schemas,
)
from service.api.answer_schemas import schemas_of
from service.api.eido_operations import eido_operations, eido_schemas
from service.api.log_operations import log_operations, log_schemas
from service.api.operations import operations_of
from service.api.retention_operations import (
    RETENTION_BODIES,
    retention_operations,
    retention_schemas,
)
from service.api.review_operations import review_operations, review_schemas
from service.api.rule_answers import REQUESTS
from service.api.rule_operations import rule_operations
from service.api.rule_schemas import rule_schemas
from service.api.state_operations import state_operations, state_schemas
from service.api.type_operations import type_operations, type_schemas
from service.parts import Parts
from service.request import ByName, Degrees, Facts, Flag, Instant, Names
from service.reviewing.review_request import Name, answer_schema, finding_schema

SHOWN_FILES = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
START = b"""window.addEventListener("load", function () {
  window.ui = SwaggerUIBundle({
    url: "/v1/openapi.json", dom_id: "#api", validatorUrl: null, deepLinking: true
  });
});
"""
INTRODUCTION = """Recommends who should answer a crisis call: the least coercive help that is safe.

**Advice, not an order**: a person decides. If this service does not answer within 2 seconds, go on
by the agency's own card and post the call later with its `received_at`.

What is not told is unknown, and unknown is never read as the mildest value. Every error is
`application/problem+json` with every fault of the request in `errors`."""


def description_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("description", __name__, template_folder="templates")
    document = orjson.dumps(describe(parts))

    @blueprint.get("/v1/openapi.json")
    def openapi() -> Response:
        """
        Give the OpenAPI 3.1 description: 200.
        """
        return Response(document, mimetype="application/json")

    @blueprint.get("/docs")
    def docs() -> str:
        """
        Show the description to people: 200.
        """
        return render_template("docs.html")

    @blueprint.get("/docs/<name>")
    def docs_file(name: str) -> Response:
        """
        Give a file of the documentation page: 200, 404.
        """
        if name == "start.js":
            return Response(START, mimetype="text/javascript")
        if name not in SHOWN_FILES:
            abort(404)
        return Response(_shown(name), mimetype=SHOWN_FILES[name])

    return blueprint


@cache
def _shown(name: str) -> bytes:
    return (files("flask_swagger_ui") / "dist" / name).read_bytes()


def describe(parts: Parts) -> dict[str, Any]:
    """
    Make the OpenAPI 3.1 document of every operation, every answer and every status a view can give.
    """
    vocabulary = parts.rules.config.vocabulary
    plugin = MarshmallowPlugin()
    spec = APISpec(
        title="Crisis Router",
        version=PROGRAM_VERSION,
        openapi_version="3.1.0",
        info={
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        plugins=[plugin],
    )
    assert plugin.converter is not None
    add: Callable[[Any], None] = plugin.converter.add_attribute_function
    add(_fields_of_ours)
    spec.components.security_scheme("key", {"type": "http", "scheme": "bearer"})
    spec.components.schema("DecisionRequest", schema=parts.decision_schema)
    spec.components.schema("SimulationRequest", schema=parts.simulation_schema)
    spec.components.schema("DispatchRequest", schema=parts.dispatch_schema)
    spec.components.schema("TypeMapping", schema=parts.type_mappings.schema)
    spec.components.schema("ReviewAnswer", schema=answer_schema(vocabulary))
    spec.components.schema("ReviewFinding", schema=finding_schema(vocabulary))
    schemas = schemas_of(vocabulary)
    schemas |= eido_schemas(schemas["Answer"])
    schemas |= rule_schemas()
    schemas |= review_schemas(vocabulary, schemas["DecisionRecord"])
    for name, schema in schemas.items():
        spec.components.schema(name, schema)
    more = administration_schemas() | type_schemas() | log_schemas() | retention_schemas()
    more |= state_schemas()
    for name, schema in more.items():
        spec.components.schema(name, schema)
    for name, read in (ADMINISTRATION_BODIES | RETENTION_BODIES).items():
        spec.components.schema(name, schema=read)
    described = operations_of(vocabulary, parts.settings) | review_operations(parts.settings)
    described |= administration_operations(parts.settings) | rule_operations() | eido_operations()
    described |= type_operations(parts.settings) | log_operations()
    described |= retention_operations(parts.settings) | state_operations()
    for name, body in REQUESTS.items():
        spec.components.schema(name, schema=body)
    for path, operations in described.items():
        spec.path(path, operations=operations)
    document: dict[str, Any] = spec.to_dict()
    return document


def _fields_of_ours(converter: Any, field: Any, **kwargs: Any) -> dict[str, Any]:
    """
    Describe the fields that are the project's own.
    """
    described: dict[str, Any] = {}
    if isinstance(field, Facts):
        described = {"type": "object", "additionalProperties": False, "properties": _facts(field)}
    elif isinstance(field, ByName):
        inner = converter.field2property(field.inner)
        described = {
            "type": "object",
            "additionalProperties": False,
            "properties": dict.fromkeys(field.allowed, inner),
        }
    elif isinstance(field, Name):
        described = {"type": "string", "enum": list(field.allowed)}
    elif isinstance(field, Names):
        name = {"type": "string", "enum": list(field.allowed)}
        described = {"type": "array", "items": name, "uniqueItems": True}
    elif isinstance(field, Degrees):
        described = {"type": "number", "minimum": -field.limit, "maximum": field.limit}
    elif isinstance(field, Flag):
        described = {"type": "boolean"}
    elif isinstance(field, Instant):
        described = {"type": "string", "format": "date-time"}
    if described and field.allow_none:
        described["type"] = [described["type"], "null"]
    return described


def _facts(field: Facts) -> dict[str, Any]:
    described: dict[str, dict[str, Any]] = {}
    for name, fact in field.vocabulary.facts.items():
        if fact.kind == "number":
            low, high = fact.values[0], fact.values[-1]
            options = [
                {"type": "integer", "minimum": low, "maximum": high},
                {"enum": ["unknown", None]},
            ]
            described[name] = {"anyOf": options}
        else:
            described[name] = {"enum": [*fact.values, "unknown", None]}
        marks = ("hazard", "parity", "calming", "volunteered", "protected")
        named = ", ".join(mark for mark in marks if getattr(fact, mark))
        words = f"{fact.question} {fact.help}" + (f" ({named})" if named else "")
        described[name] |= {"description": words}
    return described
