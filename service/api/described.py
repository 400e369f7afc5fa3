"""
What every operation of the description is made of: answers, bodies, and parameters.
"""

from http import HTTPStatus
from typing import Any

from service.api.answer_schemas import ref

Operations = dict[str, dict[str, Any]]
KEYED: dict[str, Any] = {"security": [{"key": []}]}
REFUSED = (401, 403)
REFUSED_BODY = (*REFUSED, 400, 413, 415, 422)


def responses(good: dict[int, dict[str, Any]], refused: tuple[int, ...]) -> dict[str, Any]:
    """
    Describe what an operation answers: each good status with its schema, and each refusal.
    """
    described = {
        str(status): {
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": schema}},
        }
        for status, schema in good.items()
    }
    for status in sorted(refused):
        described[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": ref("Problem")}},
        }
    return described


def body(name: str, example: dict[str, Any]) -> dict[str, Any]:
    """
    Describe a JSON body by the name of its schema, with an example.
    """
    content = {"application/json": {"schema": ref(name), "example": example}}
    return {"required": True, "content": content}


def path(name: str, words: str) -> dict[str, Any]:
    """
    Describe a part of the address.
    """
    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return {"name": name, "in": "path", "required": True, "description": words, "schema": schema}


def query(parameters: dict[str, tuple[dict[str, Any], str]]) -> list[dict[str, Any]]:
    """
    Describe the parameters of a query: the schema and the words of each name.
    """
    return [
        {"name": name, "in": "query", "description": words, "schema": schema}
        for name, (schema, words) in parameters.items()
    ]


def page_parameters(items_max: int) -> dict[str, tuple[dict[str, Any], str]]:
    """
    Describe which page of a list is asked for, as `query` takes it.
    """
    return {
        "cursor": (
            {"type": "string", "minLength": 1, "maxLength": 1000},
            "The `next` of the page before",
        ),
        "limit": ({"type": "integer", "minimum": 1, "maximum": items_max}, "Items in a page"),
    }
