"""
What the resources about rules share: bodies in JSON or YAML, tags of what was read, and conflicts
as problems with a `code`.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import ValidationError, fields, validate

from service.access import TUNE_RULES, Actor
from service.api.asking import answer, who_asks
from service.api.problems import RefusedError, problem, unprocessable
from service.instants import iso
from service.json_body import read_json
from service.parts import Parts
from service.request import Instant, Strict, no_nul, text
from service.routing.reading import ROWS_MAX
from service.store import people
from service.store.rulesets import Version
from service.tuning import ruleset_text
from service.tuning.rule_conflicts import (
    DraftChangedError,
    DraftNotNamedError,
    FaultyMemberError,
    NoSuchRulesError,
    RuleConflictError,
    ScenariosError,
)

JSON = "application/json"
YAML = "application/yaml"
YAMLS = (YAML, "application/x-yaml", "text/yaml", "text/x-yaml")
COMMENT_CHARACTERS_MAX = 2_000


class Approve(Strict):
    """
    Which content is approved, why, and which failing scenarios are meant.
    """

    digest = text(80, required=True)
    comment = fields.String(
        validate=[validate.Length(0, COMMENT_CHARACTERS_MAX), no_nul], allow_none=True
    )
    accepts = fields.List(text(200), validate=validate.Length(0, 2_000))


class Publish(Strict):
    """
    Which approved content goes live, and when; null or left out means now.
    """

    digest = text(80, required=True)
    at = Instant(allow_none=True)


class Rollback(Strict):
    """
    Which older version decides again, and why.
    """

    version = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1_000_000_000))
    reason = text(COMMENT_CHARACTERS_MAX, required=True)


class Propose(Strict):
    """
    Which published ruleset the agency is to decide with, and why.
    """

    name = text(200, required=True)
    comment = fields.String(
        validate=[validate.Length(0, COMMENT_CHARACTERS_MAX), no_nul], allow_none=True
    )


class ApproveChoice(Strict):
    """
    Which proposed ruleset is approved.
    """

    name = text(200, required=True)


# The bodies that the API description names.
REQUESTS: Mapping[str, type[Strict]] = {
    "ApproveRequest": Approve,
    "PublishRequest": Publish,
    "RollbackRequest": Rollback,
    "ProposeRequest": Propose,
    "ApproveChoiceRequest": ApproveChoice,
}


def who_tunes(parts: Parts) -> Actor:
    """
    Give who changes rules; a person by a key of theirs goes by their own name, not the key's.

    Raises:
        RefusedError: 401 without a key that works, 403 where its role may not.
    """
    actor = who_asks(parts, TUNE_RULES).actor
    if actor.person_id is None:
        return actor
    person = people.find(parts.store, actor.agency, actor.person_id)
    return replace(actor, name=person.name) if person else actor


def name_in(name: str) -> str:
    """
    Give a name of the address as it can be looked up.

    Raises:
        NoSuchRulesError: no ruleset can have it.
    """
    if "\0" in name or len(name) > 200:
        raise NoSuchRulesError("no ruleset has this name")
    return name


def wants_yaml() -> bool:
    """
    Tell whether the caller would rather have YAML.
    """
    best = request.accept_mimetypes.best_match([JSON, *YAMLS], default=JSON)
    return best in YAMLS


def with_tag(response: Response, tag: str) -> Response:
    """
    Say which state of a thing was given.
    """
    response.set_etag(tag)
    return response


def yaml_answer(text_of: str) -> Response:
    """
    Write a ruleset as YAML.
    """
    return Response(text_of, 200, mimetype=YAML)


def matches() -> Callable[[str], bool] | None:
    """
    Give how to tell whether a tag is one that the caller's change was made on; None without an
    `If-Match`.
    """
    if "If-Match" not in request.headers:
        return None
    return request.if_match.contains_weak


def read_bytes(parts: Parts) -> bytes:
    """
    Read a body that may be as large as a ruleset.

    Raises:
        RefusedError: 413, it is larger still.
    """
    largest = parts.settings.ruleset_bytes_max
    request.max_content_length = largest + 1
    body = request.get_data(cache=False)
    if len(body) > largest:
        raise RefusedError(413, "too-large", f"a ruleset has at most {largest} bytes")
    return body


def read_written(parts: Parts) -> str:
    """
    Read a whole ruleset, JSON or YAML by its content type, as YAML.

    Raises:
        RefusedError: 415 for another type, 413, 400 for what is no text, 422 for no object.
        BodyError: it is not JSON (400).
    """
    if request.mimetype not in (JSON, *YAMLS):
        detail = f"send `Content-Type: {JSON}` or `{YAML}`"
        raise RefusedError(415, "not-a-ruleset", detail)
    body = read_bytes(parts)
    if request.mimetype != JSON:
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError as fault:
            raise RefusedError(400, "not-text", "the body is not UTF-8") from fault
    document = read_json(body, parts.settings.body_depth_max)
    if not isinstance(document, Mapping):
        entry = {"path": "", "message": "the body must be a JSON object", "allowed": []}
        raise unprocessable((entry,))
    # What is too large to be a ruleset is kept as it came: writing it anew would take long.
    has_too_many = body.count(b'"id"') > ROWS_MAX
    return body.decode() if has_too_many else ruleset_text.write_text(document)


def version_shown(version: Version, *, is_live: bool, whole: bool = True) -> dict[str, Any]:
    """
    Give a version as the API shows it; *whole* with its content.
    """
    found = {
        "name": version.name,
        "version": version.version,
        "digest": version.digest,
        "author": ", ".join(one["name"] for one in version.authors),
        "authors": list(version.authors),
        "approver": version.approver_name,
        "comment": version.comment,
        "accepts": list(version.accepts),
        "published_by": version.published_name,
        "published_at": iso(version.published_at),
        "live": is_live,
    }
    return {**found, "content": version.content} if whole else found


def time_of(told: str | None) -> dt.datetime | None:
    """
    Read a time that a schema has read.
    """
    return dt.datetime.fromisoformat(told) if told else None


def conflict(parts: Parts, status: int, code: str, detail: str, **more: Any) -> Response:
    """
    Write a conflict as a problem whose `code` a program can go by.
    """
    parts.metrics.refused.labels(str(status)).inc()
    refused = RefusedError(status, code.replace("_", "-"), detail)
    return problem(refused, {"code": code, **more})


def handle_conflicts(blueprint: Blueprint, parts: Parts) -> None:
    """
    Turn what the service says of a change of rules into problems.
    """

    @blueprint.errorhandler(NoSuchRulesError)
    def not_there(error: NoSuchRulesError) -> Response:
        return conflict(parts, 404, "not_here", str(error))

    @blueprint.errorhandler(RuleConflictError)
    def refused(error: RuleConflictError) -> Response:
        return conflict(parts, 409, error.code, str(error))

    @blueprint.errorhandler(DraftChangedError)
    def changed(error: DraftChangedError) -> Response:
        at = iso(error.saved_at) if error.saved_at else None
        detail = f"{error}: read it again, and send your change with its ETag"
        said = {"saved_by": error.saved_name, "saved_at": at}
        return conflict(parts, 412, "draft_changed", detail, **said)

    @blueprint.errorhandler(DraftNotNamedError)
    def not_named(error: DraftNotNamedError) -> Response:
        return conflict(parts, 428, "if_match_missing", str(error))

    @blueprint.errorhandler(FaultyMemberError)
    def cannot_be(error: FaultyMemberError) -> Response:
        entry = {"path": error.path, "message": str(error), "allowed": []}
        parts.metrics.refused.labels("422").inc()
        return problem(unprocessable((entry,)))

    @blueprint.errorhandler(ScenariosError)
    def faulty(error: ScenariosError) -> Response:
        entries: tuple[dict[str, Any], ...] = tuple(
            {
                "path": one.path,
                "message": one.message,
                "allowed": [],
                "code": one.code,
                "rule": None,
                "suggestion": one.suggestion,
            }
            for one in error.problems[: ruleset_text.PROBLEMS_MAX]
        )
        parts.metrics.refused.labels("422").inc()
        return problem(unprocessable(entries))


def listed(items: Sequence[Any], following: str | None = None) -> Response:
    """
    Write a list and the cursor of its next page.
    """
    return answer({"items": list(items), "next": following})


def scenarios_in(parts: Parts) -> Sequence[Any]:
    """
    Read a list of scenarios, bare or as the member `scenarios` of an object.

    Raises:
        RefusedError, BodyError: as `read_written` does.
        ValidationError: it is no list.
    """
    if request.mimetype != JSON:
        raise RefusedError(415, "not-json", f"send `Content-Type: {JSON}`")
    document = read_json(read_bytes(parts), parts.settings.body_depth_max)
    found = document.get("scenarios") if isinstance(document, Mapping) else document
    if not isinstance(found, list):
        raise ValidationError({"scenarios": ["must be a list of scenarios"]})
    return found
