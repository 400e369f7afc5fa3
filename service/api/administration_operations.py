"""
The operations of people, keys, the agency, the audit trail and alerts, and what they answer.
"""

from typing import Any

from marshmallow import Schema

from service.access import MAY
from service.accounts.access_keys import KEY_REQUEST
from service.accounts.agencies import AGENCY_REQUEST
from service.accounts.people import PERSON_CHANGE, PERSON_REQUEST
from service.agency_settings import RETENTION_LEAST, REVIEW_LEAST
from service.alerts import KINDS
from service.api.alerts import SETTLE_REQUEST
from service.api.answer_schemas import (
    ANY_OBJECT,
    FLAG,
    MAYBE_TEXT,
    TEXT,
    TIME,
    WHOLE,
    many,
    maybe,
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
    path,
    query,
    responses,
)
from service.settings import Settings

ADMINISTRATION_BODIES: dict[str, Schema] = {
    "PersonRequest": PERSON_REQUEST,
    "PersonChange": PERSON_CHANGE,
    "KeyRequest": KEY_REQUEST,
    "AgencyRequest": AGENCY_REQUEST,
    "SettleRequest": SETTLE_REQUEST,
}
PERSON_EXAMPLE = {"email": "ada@example.org", "name": "Ada Example", "role": "supervisor"}
KEY_EXAMPLE = {"label": "the CAD of the night desk", "role": "dispatch"}
AGENCY_EXAMPLE = {
    "name": "Example agency",
    "time_zone": "America/New_York",
    "dispatch_reasons": [{"id": "other", "label": "Another reason, told in the comment."}],
    "review": {
        **{name: True for name, least in REVIEW_LEAST.items() if least is None},
        "sample_percent": 2,
        "sample_per_week": 10,
        "due_days": 7,
        "claim_minutes": 30,
    },
    "keep_remarks": True,
    "retention": {"remarks_days": 90, "decisions_years": 6},
}
PERSON = path("person_id", "The person's id")


def administration_schemas() -> dict[str, dict[str, Any]]:
    """
    Describe what these operations answer.
    """
    role = {"type": "string", "enum": list(MAY)}
    return {
        **_people_schemas(role),
        **_key_schemas(role),
        **_agency_schemas(),
        **_trail_schemas(),
        **_alert_schemas(),
    }


def administration_operations(settings: Settings) -> Operations:
    """
    Describe every path of administration.
    """
    pages = page_parameters(settings.page_items_max)
    return {
        "/v1/people": {"get": _list_people(pages), "post": _add_person()},
        "/v1/people/{person_id}": {"get": _read_person(), "patch": _change_person()},
        "/v1/people/{person_id}/password": {"post": _reset_password()},
        "/v1/people/{person_id}/totp": {"delete": _reset_totp()},
        "/v1/people/{person_id}/sessions": {"delete": _end_sessions()},
        "/v1/keys": {"get": _list_keys(pages), "post": _make_key()},
        "/v1/keys/{key_id}": {"delete": _end_key()},
        "/v1/agency": {"get": _read_agency(), "put": _change_agency()},
        "/v1/audit": {"get": _search(pages)},
        "/v1/audit/export": {"get": _export()},
        "/v1/alerts": {"get": _list_alerts(pages)},
        "/v1/alerts/{alert_id}/settle": {"post": _settle()},
    }


def _people_schemas(role: dict[str, Any]) -> dict[str, dict[str, Any]]:
    person = {
        "person_id": TEXT,
        "email": TEXT,
        "name": TEXT,
        "role": role,
        "disabled": FLAG,
        "disabled_at": maybe(TIME),
        "created_at": TIME,
        "password_changed_at": maybe(TIME),
        "must_change_password": FLAG,
        "totp_required": FLAG,
        "totp_set_up": FLAG,
    }
    listed = {"items": many(ref("Person")), "next": MAYBE_TEXT, "warnings": many(ANY_OBJECT)}
    return {
        "Person": thing(person),
        "IssuedPerson": thing({**person, "password": TEXT}),
        "PersonList": thing(listed),
        "EndedSessions": thing({"ended": WHOLE}),
    }


def _key_schemas(role: dict[str, Any]) -> dict[str, dict[str, Any]]:
    key = {
        "key_id": TEXT,
        "role": role,
        "label": TEXT,
        "person_id": MAYBE_TEXT,
        "person": MAYBE_TEXT,
        "created_at": TIME,
        "ended_at": maybe(TIME),
    }
    return {
        "Key": thing(key),
        "MadeKey": thing({**key, "key": TEXT}),
        "KeyList": thing({"items": many(ref("Key")), "next": MAYBE_TEXT}),
    }


def _agency_schemas() -> dict[str, dict[str, Any]]:
    agency = {
        "agency_id": TEXT,
        "name": TEXT,
        "time_zone": TEXT,
        "ruleset": TEXT,
        "dispatch_reasons": many(thing({"id": TEXT, "label": TEXT})),
        "review": ANY_OBJECT,
        "keep_remarks": FLAG,
        "retention": thing(dict.fromkeys(RETENTION_LEAST, WHOLE)),
    }
    return {"Agency": thing(agency)}


def _trail_schemas() -> dict[str, dict[str, Any]]:
    entry = {
        "audit_id": TEXT,
        "at": TIME,
        "identity": TEXT,
        "name": TEXT,
        "role": TEXT,
        "address": MAYBE_TEXT,
        "act": TEXT,
        "subject": thing({"kind": TEXT, "id": TEXT}),
        "detail": ANY_OBJECT,
    }
    return {
        "AuditEntry": thing(entry),
        "AuditList": thing({"items": many(ref("AuditEntry")), "next": MAYBE_TEXT}),
    }


def _alert_schemas() -> dict[str, dict[str, Any]]:
    alert = {
        "alert_id": TEXT,
        "kind": {"type": "string", "enum": list(KINDS)},
        "subject_id": TEXT,
        "decision_id": MAYBE_TEXT,
        "call_id": MAYBE_TEXT,
        "text": TEXT,
        "raised_at": TIME,
        "due_at": TIME,
        "state": {"type": "string", "enum": ["open", "settled"]},
        "settled_at": maybe(TIME),
        "settled_by": MAYBE_TEXT,
        "comment": MAYBE_TEXT,
    }
    return {
        "Alert": thing(alert),
        "AlertList": thing({"items": many(ref("Alert")), "next": MAYBE_TEXT, "waiting": WHOLE}),
    }


def _list_people(pages: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": "List who may sign in, by e-mail address",
        "description": "`warnings` says where an agency has too few administrators to publish.",
        "operationId": "listPeople",
        "parameters": query(pages),
        "responses": responses({200: ref("PersonList")}, (*REFUSED, 422, 503)),
        **KEYED,
    }


def _add_person() -> dict[str, Any]:
    return {
        "summary": "Add a person; the first password is shown once",
        "description": "It must be changed at the first sign-in. 409 `email_taken`.",
        "operationId": "addPerson",
        "requestBody": body("PersonRequest", PERSON_EXAMPLE),
        "responses": responses({201: ref("IssuedPerson")}, (*REFUSED_BODY, 409, 503)),
        **KEYED,
    }


def _read_person() -> dict[str, Any]:
    return {
        "summary": "Read a person",
        "operationId": "readPerson",
        "parameters": [PERSON],
        "responses": responses({200: ref("Person")}, (*REFUSED, 404, 503)),
        **KEYED,
    }


def _change_person() -> dict[str, Any]:
    return {
        "summary": "Change a name or role, disable or enable, ask for a second factor",
        "description": """What is left out stays. A new role ends the person's sessions and keys;
being disabled ends their sessions, and their keys rest until they are enabled again.

409 with a `code`: `own_role`, `own_access`, `own_totp` (nobody changes these of themself) and
`last_admin` (the last administrator who may sign in stays one).""",
        "operationId": "changePerson",
        "parameters": [PERSON],
        "requestBody": body("PersonChange", {"role": "auditor"}),
        "responses": responses({200: ref("Person")}, (*REFUSED_BODY, 404, 409, 503)),
        **KEYED,
    }


def _reset_password() -> dict[str, Any]:
    return {
        "summary": "Make a new password, shown once, and end the person's sessions",
        "description": "It must be changed at the next sign-in. 409 `own_password`.",
        "operationId": "resetPassword",
        "parameters": [PERSON],
        "responses": responses({200: ref("IssuedPerson")}, (*REFUSED, 404, 409, 503)),
        **KEYED,
    }


def _reset_totp() -> dict[str, Any]:
    return {
        "summary": "Forget a person's authenticator, and end their sessions",
        "description": "They set one up anew where one is asked for. 409 `own_totp`.",
        "operationId": "resetTotp",
        "parameters": [PERSON],
        "responses": responses({200: ref("Person")}, (*REFUSED, 404, 409, 503)),
        **KEYED,
    }


def _end_sessions() -> dict[str, Any]:
    return {
        "summary": "End every session of a person",
        "operationId": "endSessions",
        "parameters": [PERSON],
        "responses": responses({200: ref("EndedSessions")}, (*REFUSED, 404, 503)),
        **KEYED,
    }


def _list_keys(pages: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": "List keys without their secrets, the newest first",
        "operationId": "listKeys",
        "parameters": query(pages),
        "responses": responses({200: ref("KeyList")}, (*REFUSED, 422, 503)),
        **KEYED,
    }


def _make_key() -> dict[str, Any]:
    return {
        "summary": "Make a key; its secret is shown once",
        "description": """With `person_id` it acts as that person and has their role; without, it
belongs to a system and needs a `role`. 409 `not_your_key`: a key of another administrator is made
by that person.""",
        "operationId": "makeKey",
        "requestBody": body("KeyRequest", KEY_EXAMPLE),
        "responses": responses({201: ref("MadeKey")}, (*REFUSED_BODY, 409, 503)),
        **KEYED,
    }


def _end_key() -> dict[str, Any]:
    return {
        "summary": "End a key; it stops working within two seconds",
        "operationId": "endKey",
        "parameters": [path("key_id", "The key's id")],
        "responses": {
            "204": {"description": "It is ended"},
            **responses({}, (*REFUSED, 404, 503)),
        },
        **KEYED,
    }


def _read_agency() -> dict[str, Any]:
    return {
        "summary": "Read the agency of the key, and what it has set",
        "operationId": "readAgency",
        "responses": responses({200: ref("Agency")}, (*REFUSED, 404, 503)),
        **KEYED,
    }


def _change_agency() -> dict[str, Any]:
    if_match = {
        "name": "If-Match",
        "in": "header",
        "description": "The `ETag` of the settings that were read; 428 without it",
        "schema": {"type": "string"},
    }
    return {
        "summary": "Set the agency's name, time zone, reasons, review rules and remarks, all of it",
        "description": "412 where somebody else changed them since they were read.",
        "operationId": "changeAgency",
        "parameters": [if_match],
        "requestBody": body("AgencyRequest", AGENCY_EXAMPLE),
        "responses": responses({200: ref("Agency")}, (*REFUSED_BODY, 404, 412, 428, 503)),
        **KEYED,
    }


def _trail_filters() -> dict[str, tuple[dict[str, Any], str]]:
    word = {"type": "string", "minLength": 1, "maxLength": 200}
    return {
        "from": (TIME, "At this time or later"),
        "to": (TIME, "Before this time"),
        "who": (word, "This `identity`, or a piece of a name"),
        "act": (word, "This act, such as `signed in`"),
        "subject_kind": (word, "Done to something of this kind, such as `person`"),
        "subject_id": (word, "Done to the one with this id"),
    }


def _search(pages: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": "Search who did what, the newest first; nobody can change it",
        "operationId": "searchAudit",
        "parameters": query(_trail_filters() | pages),
        "responses": responses({200: ref("AuditList")}, (*REFUSED, 422, 503)),
        **KEYED,
    }


def _export() -> dict[str, Any]:
    good = {
        "description": "Every entry that the filters leave, the newest first",
        "headers": {"Content-Disposition": {"schema": {"type": "string"}}},
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
    return {
        "summary": "Export the audit trail as CSV, streamed whole",
        "description": """A cell that a spreadsheet would run starts with an apostrophe. Should the
store go away under way, the last row has one cell that starts with `incomplete`.""",
        "operationId": "exportAudit",
        "parameters": query(_trail_filters()),
        "responses": {"200": good, **responses({}, (*REFUSED, 422, 503))},
        **KEYED,
    }


def _list_alerts(pages: dict[str, Any]) -> dict[str, Any]:
    state = {"type": "string", "enum": ["open", "settled"]}
    return {
        "summary": "List what must be looked at now, the newest first",
        "description": "An administrator sees those that are about no call. `waiting` counts open"
        " ones that are not listed: you hold the review of their call, and answer it first.",
        "operationId": "listAlerts",
        "parameters": query({"state": (state, "`open` (the default) or `settled`"), **pages}),
        "responses": responses({200: ref("AlertList")}, (*REFUSED, 422, 503)),
        **KEYED,
    }


def _settle() -> dict[str, Any]:
    told = body("SettleRequest", {"comment": "called back, the person is with family"})
    return {
        "summary": "Settle an alert",
        "description": "409 `already_settled` says who settled it, and when.",
        "operationId": "settleAlert",
        "parameters": [path("alert_id", "The alert's id")],
        "requestBody": {**told, "required": False},
        "responses": responses({200: ref("Alert")}, (*REFUSED_BODY, 404, 409, 503)),
        **KEYED,
    }
