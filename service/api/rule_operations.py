"""
The operations of the API about rules, with every status that each can give.
"""

from http import HTTPStatus
from typing import Any

from service.api.answer_schemas import ref

Operation = dict[str, Any]
KEYED: Operation = {"security": [{"key": []}]}
REFUSED = (401, 403)
REFUSED_BODY = (*REFUSED, 400, 413, 415, 422)
# Conflicts carry a `code` besides what every problem has.
CONFLICTS = (404, 409, 412, 428)
EXAMPLE = {
    "name": "national-baseline",
    "needs": [
        {
            "id": "someone-should-come",
            "lead": "mobile_crisis",
            "urgency": "moderate",
            "why": "A mobile crisis team should see the person.",
            "source": {"title": "An example"},
        }
    ],
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of what the change was made on",
    "schema": {"type": "string"},
}


def rule_operations() -> dict[str, dict[str, Operation]]:
    """
    Describe every path about rulesets, drafts and checks.
    """
    return {
        "/v1/rulesets": {
            "get": _keyed("List the live version of each ruleset", "listRulesets", "RulesetList")
        },
        "/v1/rulesets/{name}": {
            "get": _of_name(
                "Read the live version of a ruleset, as JSON or YAML",
                "readRuleset",
                "RulesetVersion",
                (404,),
                yaml=True,
            )
        },
        "/v1/rulesets/{name}/versions": {"get": _versions()},
        "/v1/rulesets/{name}/versions/{number}": {"get": _version()},
        "/v1/rulesets/{name}/differences": {"get": _differences()},
        "/v1/rulesets/{name}/draft": {
            "get": _of_name(
                "Read the draft, as JSON or YAML", "readDraft", "Draft", (404,), yaml=True
            ),
            "put": _save(),
            "delete": _throw_away(),
        },
        "/v1/rulesets/{name}/draft/scenarios": {
            "get": _of_name(
                "Read the scenarios that travel with the draft",
                "readDraftScenarios",
                "Scenarios",
                (404,),
            ),
            "put": _save_scenarios(),
        },
        "/v1/rulesets/{name}/draft/check": {"post": _check()},
        "/v1/rulesets/{name}/draft/approve": {"post": _approve()},
        "/v1/rulesets/{name}/publish": {"post": _publish()},
        "/v1/rulesets/{name}/rollback": {"post": _rollback()},
        "/v1/checks/{check_id}": {"get": _checked()},
        "/v1/agency/ruleset": {
            "get": _keyed(
                "Which ruleset the agency decides with", "readAgencyRuleset", "AgencyRuleset"
            ),
            "post": _propose(),
        },
        "/v1/agency/ruleset/approve": {"post": _approve_choice()},
    }


def _responses(good: dict[int, Operation], refused: tuple[int, ...]) -> Operation:
    found: Operation = {
        str(status): {
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": schema}},
        }
        for status, schema in good.items()
    }
    for status in sorted((*refused, 503)):
        name = "RuleConflict" if status in CONFLICTS else "Problem"
        found[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": ref(name)}},
        }
    return found


def _with_yaml(responses: Operation) -> Operation:
    responses["200"]["content"]["application/yaml"] = {"schema": {"type": "string"}}
    return responses


def _keyed(summary: str, name: str, schema: str, refused: tuple[int, ...] = ()) -> Operation:
    return {
        "summary": summary,
        "operationId": name,
        "responses": _responses({200: ref(schema)}, (*REFUSED, *refused)),
        **KEYED,
    }


def _of_name(
    summary: str, name: str, schema: str, refused: tuple[int, ...], *, yaml: bool = False
) -> Operation:
    made = _keyed(summary, name, schema, refused)
    if yaml:
        _with_yaml(made["responses"])
    return {**made, "parameters": [_path("name", "The ruleset's name")]}


def _path(name: str, words: str, schema: Operation | None = None) -> Operation:
    text = {"type": "string", "minLength": 1, "maxLength": 200}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": words,
        "schema": schema or text,
    }


def _number(name: str, words: str, *, where: str = "query", most: int = 1_000_000_000) -> Operation:
    schema = {"type": "integer", "minimum": 1, "maximum": most}
    return {"name": name, "in": where, "required": True, "description": words, "schema": schema}


def _body(name: str, example: Operation | None = None) -> Operation:
    content: Operation = {"schema": ref(name)}
    if example:
        content["example"] = example
    return {"required": True, "content": {"application/json": content}}


def _versions() -> Operation:
    made = _of_name(
        "List every version of a ruleset, newest first", "listVersions", "VersionList", (404, 422)
    )
    cursor = {"type": "string", "minLength": 1, "maxLength": 20}
    limit = _number("limit", "Items in a page", most=200)
    made["parameters"] += [
        {"name": "cursor", "in": "query", "description": "The `next` before", "schema": cursor},
        {**limit, "required": False},
    ]
    return made


def _version() -> Operation:
    made = _of_name(
        "Read one version, as JSON or YAML", "readVersion", "RulesetVersion", (404,), yaml=True
    )
    made["parameters"].append(_number("number", "The version", where="path"))
    return made


def _differences() -> Operation:
    made = _of_name(
        "Say in sentences what differs between two versions",
        "compareVersions",
        "RuleDifferences",
        (404, 422),
    )
    made["parameters"] += [
        _number("from", "The version before"),
        _number("to", "The version after"),
    ]
    return made


def _save() -> Operation:
    # Any YAML at all is kept, and its problems are told.
    yaml: Operation = {"schema": {}}
    content = {"schema": ref("RulesetContent"), "example": EXAMPLE}
    return {
        "summary": "Save the whole draft of a ruleset",
        "description": """The body is the ruleset, JSON or YAML. A draft with problems is kept and
cannot be approved; so is one that cannot be read at all (anchors and aliases are not read). Where a
draft exists `If-Match` must name it: 428 without it, 412 with who saved and when if somebody else
did since. Without a draft `If-Match` may name the published version. Every save voids an
approval. A name that no ruleset can have is a 422; 409 with `code` too_many_rulesets.""",
        "operationId": "saveDraft",
        "parameters": [_path("name", "The ruleset's name"), IF_MATCH],
        "requestBody": {
            "required": True,
            "content": {"application/json": content, "application/yaml": yaml},
        },
        "responses": _responses({200: ref("SavedDraft")}, (*REFUSED_BODY, 404, 409, 412, 428)),
        **KEYED,
    }


def _throw_away() -> Operation:
    return {
        "summary": "Throw the draft away, with its scenarios and its approval",
        "operationId": "throwDraftAway",
        "parameters": [_path("name", "The ruleset's name"), IF_MATCH],
        "responses": {
            "204": {"description": "No Content"},
            **_responses({}, (*REFUSED, 404, 412)),
        },
        **KEYED,
    }


def _save_scenarios() -> Operation:
    return {
        "summary": "Save the scenarios that travel with the draft",
        "description": """The whole list, as in a `scenarios.yaml`. Without a draft one begins with
the published version. `If-Match` is optional here; with it, 412 if somebody else saved since. It
counts as a save of the draft, and voids an approval.""",
        "operationId": "saveDraftScenarios",
        "parameters": [_path("name", "The ruleset's name"), IF_MATCH],
        "requestBody": _body("Scenarios"),
        "responses": _responses({200: ref("SavedScenarios")}, (*REFUSED_BODY, 404, 409, 412)),
        **KEYED,
    }


def _check() -> Operation:
    return {
        "summary": "Ask for a check of exactly what the draft holds now",
        "description": """The workers take it up within a second or two: problems, every scenario,
and the last 10,000 stored decisions decided again. It is of this content alone: a draft that is
changed meanwhile ends it as failed.""",
        "operationId": "checkDraft",
        "parameters": [_path("name", "The ruleset's name")],
        "responses": _responses({202: ref("RequestedCheck")}, (*REFUSED, 404)),
        **KEYED,
    }


def _checked() -> Operation:
    made = _keyed("Read a check and its result", "readCheck", "Check", (404,))
    return {**made, "parameters": [_path("check_id", "The check's id")]}


def _approve() -> Operation:
    return {
        "summary": "Approve exactly the content that the digest names",
        "description": """Only by a person (a page, or a key of theirs) who is none of the draft's
authors: whoever saved it, its scenarios too, since it began. 409 with `code` author_is_approver,
approver_is_no_person, digest_changed, not_checked or check_failed.""",
        "operationId": "approveDraft",
        "parameters": [_path("name", "The ruleset's name")],
        "requestBody": _body("ApproveRequest"),
        "responses": _responses({200: ref("Approval")}, (*REFUSED_BODY, 404, 409)),
        **KEYED,
    }


def _publish() -> Operation:
    either = {"anyOf": [ref("RulesetVersion"), ref("Planned")]}
    return {
        "summary": "Publish the approved draft, now or at a time",
        "description": """Every process that answers calls takes it up within 2 seconds. With a time
to come the answer names the version that it will be; any edit until then voids it. A time that is
more than a minute past is a 422. 409 with `code` digest_changed, not_approved or cannot_load.""",
        "operationId": "publishRuleset",
        "parameters": [_path("name", "The ruleset's name")],
        "requestBody": _body("PublishRequest"),
        "responses": _responses({201: either}, (*REFUSED_BODY, 404, 409)),
        **KEYED,
    }


def _rollback() -> Operation:
    return {
        "summary": "Let an older published version decide again, in one step",
        "description": "409 with `code` already_live or cannot_load.",
        "operationId": "rollBackRuleset",
        "parameters": [_path("name", "The ruleset's name")],
        "requestBody": _body("RollbackRequest"),
        "responses": _responses({201: ref("RulesetVersion")}, (*REFUSED_BODY, 404, 409)),
        **KEYED,
    }


def _propose() -> Operation:
    return {
        "summary": "Propose another published ruleset for the agency to decide with",
        "operationId": "proposeAgencyRuleset",
        "requestBody": _body("ProposeRequest"),
        "responses": _responses({201: ref("AgencyRuleset")}, REFUSED_BODY),
        **KEYED,
    }


def _approve_choice() -> Operation:
    return {
        "summary": "Let the agency decide with what somebody else proposed",
        "description": """409 with `code` no_proposal, author_is_approver or
approver_is_no_person.""",
        "operationId": "approveAgencyRuleset",
        "requestBody": _body("ApproveChoiceRequest"),
        "responses": _responses({200: ref("AgencyRuleset")}, (*REFUSED_BODY, 409)),
        **KEYED,
    }
