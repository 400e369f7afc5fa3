"""
What every view of the API asks of a request first: whose key, may they, and is the body one that
can be read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response, request
from marshmallow import Schema, ValidationError
from werkzeug.datastructures import Headers

from service.access import Actor, may
from service.api.problems import RefusedError
from service.json_body import read_json
from service.parts import Parts
from service.store.agencies import Agency
from service.store.keys import Key

IDEMPOTENCY_KEY_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Asker:
    """
    Who asks: a key that works, its agency, and whose key it is.
    """

    key: Key
    agency: Agency
    actor: Actor


def who_asks(parts: Parts, act: str) -> Asker:
    """
    Give who asks, if their key may do *act*.

    Raises:
        RefusedError: 401 without a key that works, 403 where its role may not.
    """
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    key = parts.surroundings.key(secret.strip()) if scheme.lower() == "bearer" else None
    seen = parts.surroundings.seen
    agency = seen.agencies.get(key.agency) if key else None
    if key is None or agency is None:
        detail = "send `Authorization: Bearer <key>` with a key that works"
        raise RefusedError(401, "no-key", detail, headers={"WWW-Authenticate": "Bearer"})
    if not may(key.role, act):
        raise RefusedError(403, "not-allowed", f"a key of the role {key.role} may not {act}")
    address = request.remote_addr
    actor = Actor(key.agency, key.role, key.id, key.person_id, seen.name_of(key), address)
    return Asker(key, agency, actor)


def read_body(parts: Parts, schema: Schema) -> dict[str, Any]:
    """
    Read the body against *schema*.

    Raises:
        RefusedError, BodyError: as `read_document` does.
        ValidationError: it has faults, all of them named (422).
    """
    loaded: dict[str, Any] = schema.load(read_document(parts))
    return loaded


def read_document(parts: Parts) -> Mapping[str, Any]:
    """
    Read the body as a JSON object.

    Raises:
        RefusedError: 415 for another media type, 413 for too large a body, 422 for no object.
        BodyError: it is not JSON (400).
    """
    if request.mimetype != "application/json":
        raise RefusedError(415, "not-json", "send `Content-Type: application/json`")
    body = request.get_data(cache=False)
    if len(body) > parts.settings.body_bytes_max:
        raise RefusedError(413, "too-large", "the body is larger than this service takes")
    document = read_json(body, parts.settings.body_depth_max)
    if not isinstance(document, Mapping):
        entry = {"path": "", "message": "the body must be a JSON object", "allowed": []}
        raise RefusedError(422, "faults", "the request has 1 fault: see `errors`", errors=(entry,))
    return document


def idempotency_key() -> str | None:
    """
    Give the request's `Idempotency-Key`, or None.

    Raises:
        ValidationError: it is empty or too long (422).
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 0 < len(key) <= IDEMPOTENCY_KEY_CHARACTERS_MAX:
        message = f"must have 1 to {IDEMPOTENCY_KEY_CHARACTERS_MAX} characters"
        raise ValidationError({"Idempotency-Key": [message]})
    return key


class Answer(Response):
    """
    A reply whose headers stand as a view wrote them: there is nothing in them to mend.
    """

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """
        Give the headers for the server.
        """
        return self.headers


def answer(document: Any, status: int = 200, **headers: str) -> Response:
    """
    Write a document as JSON.
    """
    return written(orjson.dumps(document), status, **headers)


def written(body: bytes, status: int, **headers: str) -> Response:
    """
    Reply with a JSON document that is written already.
    """
    return Answer(body, status, headers, content_type="application/json")
