"""
`/v1/eido`: ask for a recommendation with a NENA EIDO document.

It is read into a request of our own and then goes the way of `/v1/decisions`.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response
from marshmallow import ValidationError

from service.access import DECIDE
from service.api.asking import Asker, idempotency_key, read_document, who_asks
from service.api.decided import decided
from service.api.problems import RefusedError
from service.decisions import record_id_of
from service.eido.answer import notes_component
from service.eido.incident import Tables
from service.eido.noticed import Noticed
from service.eido.reading import EidoCall, is_older, read_eido
from service.errors import JournalUnavailableError
from service.parts import Parts

KEY_REUSED = "this `$id` and `lastUpdateTimeStamp`, or this key, came before with another document"


def eido_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("eido", __name__)

    @blueprint.post("/v1/eido")
    def decide() -> Response:
        """
        Recommend who should answer an incident, and record it: 201, 200 for a repeat, 409, 422,
        503.
        """
        asker = who_asks(parts, DECIDE)
        with parts.metrics.latency_s.time():
            read = _read(parts, asker, read_document(parts))
            request, key = _request(parts, asker, *read)
            answered = parts.decisions.decide(asker.actor, asker.agency, request, key)
        if answered.status == 409:
            raise RefusedError(409, "key-reused", KEY_REUSED)
        words = parts.rules.config.eido
        note = notes_component(answered.document, words, asker.agency.id)
        return decided(parts, answered, {"notes_component": note})

    return blueprint


def _read(parts: Parts, asker: Asker, document: Mapping[str, Any]) -> tuple[EidoCall, Noticed]:
    types = parts.rules.config.incident_types
    own = parts.surroundings.seen.types_of(asker.agency.id)
    names = types.registries.keys() | {registry for registry, _ in own}
    tables = Tables(names, lambda name, code: types.signals(name, code, own) is not None)
    noticed = Noticed()
    call = read_eido(
        *(document, parts.rules.config.eido, tables, noticed),
        agency=asker.agency.id,
        # As long as a whole document may be: no note that came in goes unread for its length.
        remarks_characters_max=max(
            parts.settings.remarks_characters_max, parts.settings.body_bytes_max
        ),
    )
    return call, noticed


def _request(
    parts: Parts, asker: Asker, call: EidoCall, noticed: Noticed
) -> tuple[dict[str, Any], str | None]:
    """
    Give the request and what makes a repeat of it one.

    Raises:
        ValidationError: the document has no id that could be a call's (422).
    """
    body = _judged(parts, call.body, noticed)
    key = idempotency_key() or call.key
    older = _is_older(parts, asker, call, key)
    if older:
        noticed.add("eido_older_than_known", "lastUpdateTimeStamp")
    warned = [
        {"code": one.code, "message": one.message, "path": one.path} for one in noticed.warned()
    ]
    more = {
        "eido": {**call.kept, "older_than_known": older},
        "more_incident_types": [dict(one) for one in call.more_types],
        "warned": warned,
    }
    return body | {name: value for name, value in more.items() if value}, key


def _judged(parts: Parts, body: Mapping[str, Any], noticed: Noticed) -> dict[str, Any]:
    """
    Read the body against the schema of a decision; of what was read here and cannot stand there,
    only the id is a fault of the caller's.
    """
    try:
        return dict(parts.decision_schema.load(body))
    except ValidationError as error:
        wrong = error.messages_dict
        if "call_id" in wrong:
            raise ValidationError({"$id": wrong["call_id"]}) from error
        for _ in wrong:
            noticed.add("eido_answered_in_part", "")
        left = {name: value for name, value in body.items() if name not in wrong}
        return dict(parts.decision_schema.load(left))


def _is_older(parts: Parts, asker: Asker, call: EidoCall, key: str | None) -> bool:
    """
    Tell whether a later document about the incident was answered on this host before; a repeat is
    told what it was told the first time.
    """
    agency, call_id = asker.agency.id, call.body["call_id"]
    if parts.decisions.is_journal_resting:
        return False
    try:
        first = parts.journal.find(agency, record_id_of(agency, key)) if key else None
        if first is not None:
            told = (first.body.get("request") or {}).get("eido") or {}
            return bool(told.get("older_than_known"))
        before = [one.body["request"] for one in parts.journal.revisions(agency, call_id)]
    except JournalUnavailableError:
        return False
    return is_older(call.kept["updated_at"], before)
