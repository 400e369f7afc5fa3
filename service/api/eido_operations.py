"""
The operation that takes an EIDO document, as the description of this API has it.
"""

from typing import Any

from service.api.answer_schemas import TEXT, TIME, Schema, ref, thing
from service.api.described import KEYED, REFUSED_BODY, Operations, body, responses

COMPONENT = "One object or a list of them"
MEMBERS = {
    "lastUpdateTimeStamp": "With `$id` it makes a repeat one; a later one is the next revision",
    "eidoVersion": "1.0, or 1.1 (the draft)",
    "incidentComponent": "Its type codes, priority and status are read",
    "callComponent": f"{COMPONENT}; when the first call began is read",
    "notesComponent": f"{COMPONENT}; their words, in the order of time, are the remarks",
    "cautionComponent": f"{COMPONENT} (1.1 draft); each is a line of the remarks",
    "personComponent": f"{COMPONENT}; roles, age and language are read, and nothing else",
    "locationComponent": f"{COMPONENT}; by value only: no address is ever fetched",
    "emergencyResourceComponent": f"{COMPONENT}; kinds and status are kept in the record",
    "dispositionComponent": f"{COMPONENT}, as `disposition` too; kept in the record",
}
POINT = (
    '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:call@example.gov"><tuple id="t1">'
    '<status><gp:geopriv xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10"><gp:location-info>'
    '<gml:Point xmlns:gml="http://www.opengis.net/gml" srsName="urn:ogc:def:crs:EPSG::4326">'
    "<gml:pos>47.62 -122.28</gml:pos></gml:Point></gp:location-info></gp:geopriv></status></tuple>"
    "</presence>"
)
EXAMPLE = {
    "$id": "urn:emergency:uid:incidentid:b0a2:bcf.example.gov",
    "lastUpdateTimeStamp": "2026-05-04T22:02:41.000-07:00",
    "updatedByAgencyReference": {"$ref": "ecc.example.gov"},
    "eidoVersion": "1.0",
    "issuingElementIdentification": "cad.ecc.example.gov",
    "incidentComponent": {
        "incidentTypeCommonRegistryText": "MTLV",
        "incidentStatusCommonRegistryText": ["Active"],
        "incidentCommonPriorityNumber": 9,
    },
    "notesComponent": [
        {
            "lastUpdateTimeStamp": "2026-05-04T22:02:41.000-07:00",
            "notesActionComments": "BROTHER HAS KNIFE, THREATENING FAMILY",
        }
    ],
    "locationComponent": [
        {"locationTypeDescriptionRegistryText": "CurrentIncident", "locationByValue": POINT}
    ],
    "personComponent": [{"personIncidentRoleRegistryText": ["Caller"]}],
}


IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "In place of `$id` and `lastUpdateTimeStamp`",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}


WORDS = """As `POST /v1/decisions`, with the note of the answer as an entry for the document's
`notesComponent` too. `$id` is the `call_id`; with `lastUpdateTimeStamp` it is what an
`Idempotency-Key` is elsewhere: the same document again gets the first answer (200), another one
with both the same is a 409. A header `Idempotency-Key` stands in place of them where it is sent.

Only a document without a usable `$id` is a 422. Whatever else is missing or wrong is a warning,
with its place. Names, numbers and addresses of people are not taken; references are never
fetched."""


def eido_operations() -> dict[str, Operations]:
    """
    Describe the one path.
    """
    return {
        "/v1/eido": {
            "post": {
                "summary": "Recommend who should answer an incident told as a NENA EIDO document",
                "description": WORDS,
                "operationId": "decideEido",
                "parameters": [IDEMPOTENCY],
                "requestBody": body("EidoDocument", EXAMPLE),
                "responses": responses(
                    {200: ref("EidoAnswer"), 201: ref("EidoAnswer")}, (*REFUSED_BODY, 409, 503)
                ),
                **KEYED,
            }
        }
    }


def eido_schemas(answer: Schema) -> dict[str, Schema]:
    """
    Describe the document as far as it is read, and the answer: *answer*, with the note's component.
    """
    reference = thing({"$ref": TEXT})
    note = {
        "$id": TEXT,
        "lastUpdateTimeStamp": TIME,
        "updatedByAgencyReference": reference,
        "updatedByAgentReference": reference,
        "notesActionComments": TEXT,
        "agentReference": reference,
    }
    # Members have no type here: one of another type than EIDO gives it is a warning, no fault.
    members: dict[str, Any] = {name: {"description": words} for name, words in MEMBERS.items()}
    document = {
        "type": "object",
        "properties": {"$id": {"type": "string", "minLength": 1, "maxLength": 200}, **members},
        "required": ["$id"],
    }
    return {
        "EidoDocument": document,
        "NotesComponent": thing(note),
        "EidoAnswer": thing({**answer["properties"], "notes_component": ref("NotesComponent")}),
    }
