"""
`/v1/rulesets`: what is published, its versions and what differs between them; publish, roll back.
"""

from typing import Any

from flask import Blueprint, Response, request
from marshmallow import fields, validate

from service.access import READ_RULES
from service.api.asking import answer, read_body, who_asks
from service.api.problems import unprocessable
from service.api.rule_answers import (
    ApproveChoice,
    Propose,
    Publish,
    Rollback,
    handle_conflicts,
    listed,
    name_in,
    time_of,
    version_shown,
    wants_yaml,
    who_tunes,
    with_tag,
    yaml_answer,
)
from service.errors import CursorError
from service.instants import iso
from service.parts import Parts
from service.request import Strict
from service.store import drafts, ruleset_choices, rulesets
from service.store.ruleset_choices import Choice
from service.store.rulesets import Version
from service.tuning.drafts import version_etag_of
from service.tuning.publishing import Planned
from service.tuning.rule_conflicts import NoSuchRulesError
from service.tuning.rule_differences import differences

PAGE_ITEMS = 50
VERSION = validate.Range(1, 1_000_000_000)


class Versions(Strict):
    """
    Which page of the versions of a ruleset.
    """

    cursor = fields.String(validate=validate.Length(1, 20))
    limit = fields.Integer(validate=validate.Range(1, 200))


class Between(Strict):
    """
    Two versions to compare.
    """

    before = fields.Integer(required=True, data_key="from", validate=VERSION)
    after = fields.Integer(required=True, data_key="to", validate=VERSION)


def rulesets_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("rulesets", __name__)
    handle_conflicts(blueprint, parts)
    _reading(blueprint, parts)
    _changing(blueprint, parts)
    _choosing(blueprint, parts)
    return blueprint


def _reading(blueprint: Blueprint, parts: Parts) -> None:
    pages, between = Versions(), Between()

    @blueprint.get("/v1/rulesets")
    def every() -> Response:
        """
        List the live version of each ruleset: 200.
        """
        asker = who_asks(parts, READ_RULES)
        agency = asker.agency
        drafted = {one.name for one in drafts.of_agency(parts.store, agency.id)}
        items = [
            {
                **version_shown(version, is_live=True, whole=False),
                "in_use": version.name == agency.ruleset,
                "live_since": iso(live.since),
                "has_draft": version.name in drafted,
            }
            for version, live in rulesets.of_agency(parts.store, agency.id)
        ]
        return listed(items)

    @blueprint.get("/v1/rulesets/<name>")
    def live(name: str) -> Response:
        """
        Give the version that is live, as JSON or YAML: 200, 404.
        """
        asker = who_asks(parts, READ_RULES)
        return _one(_version(parts, asker.agency.id, name_in(name), None), is_live=True)

    @blueprint.get("/v1/rulesets/<name>/versions")
    def versions(name: str) -> Response:
        """
        List every version of a ruleset, newest first: 200, 404, 422.
        """
        asker = who_asks(parts, READ_RULES)
        query = pages.load(request.args.to_dict())
        agency, name = asker.agency.id, name_in(name)
        limit = query.get("limit", PAGE_ITEMS)
        now_live = rulesets.find_live(parts.store, agency, name)
        if now_live is None:
            raise NoSuchRulesError(f"there is no ruleset `{name[:60]}`")
        before = _before(query.get("cursor"))
        found = rulesets.page_of_versions(parts.store, agency, name, before, limit + 1)
        items = [
            version_shown(one, is_live=one.version == now_live.version, whole=False)
            for one in found[:limit]
        ]
        return listed(items, str(found[limit - 1].version) if len(found) > limit else None)

    @blueprint.get("/v1/rulesets/<name>/versions/<int:number>")
    def version(name: str, number: int) -> Response:
        """
        Give one version, as JSON or YAML: 200, 404.
        """
        asker = who_asks(parts, READ_RULES)
        agency, name = asker.agency.id, name_in(name)
        found = _version(parts, agency, name, number)
        now_live = rulesets.find_live(parts.store, agency, name)
        return _one(found, is_live=now_live is not None and now_live.version == number)

    @blueprint.get("/v1/rulesets/<name>/differences")
    def difference(name: str) -> Response:
        """
        Say in sentences what differs between two versions: 200, 404, 422.
        """
        asker = who_asks(parts, READ_RULES)
        query = between.load(request.args.to_dict())
        agency, name = asker.agency.id, name_in(name)
        before = _version(parts, agency, name, query["before"])
        after = _version(parts, agency, name, query["after"])
        vocabulary = parts.rules.config.vocabulary
        found = differences(vocabulary, before.content, after.content)
        shown = {"name": name, "from": before.version, "to": after.version}
        return answer({**shown, **found.document()})


def _changing(blueprint: Blueprint, parts: Parts) -> None:
    publishing, rolling_back = Publish(), Rollback()

    @blueprint.post("/v1/rulesets/<name>/publish")
    def publish(name: str) -> Response:
        """
        Publish the approved draft, now or at a time: 201, 404, 409, 422.
        """
        actor = who_tunes(parts)
        body = read_body(parts, publishing)
        done = parts.publishing.publish(
            actor, name_in(name), body["digest"], time_of(body.get("at"))
        )
        if isinstance(done, Planned):
            return answer(_planned(done), 201)
        parts.live_rules.look()
        return with_tag(answer(version_shown(done, is_live=True), 201), version_etag_of(done))

    @blueprint.post("/v1/rulesets/<name>/rollback")
    def rollback(name: str) -> Response:
        """
        Let an older version decide again: 201, 404, 409, 422.
        """
        actor = who_tunes(parts)
        body = read_body(parts, rolling_back)
        done = parts.publishing.rollback(actor, name_in(name), body["version"], body["reason"])
        parts.live_rules.look()
        return with_tag(answer(version_shown(done, is_live=True), 201), version_etag_of(done))


def _choosing(blueprint: Blueprint, parts: Parts) -> None:
    proposing, approving = Propose(), ApproveChoice()

    @blueprint.get("/v1/agency/ruleset")
    def chosen() -> Response:
        """
        Say which ruleset the agency decides with, and what is proposed: 200.
        """
        asker = who_asks(parts, READ_RULES)
        proposed = ruleset_choices.find_open(parts.store, asker.agency.id)
        shown = _choice(proposed) if proposed else None
        return answer({"name": asker.agency.ruleset, "proposed": shown})

    @blueprint.post("/v1/agency/ruleset")
    def propose() -> Response:
        """
        Propose another published ruleset: 201, 422.
        """
        actor = who_tunes(parts)
        body = read_body(parts, proposing)
        try:
            made = parts.publishing.propose(actor, body["name"], body.get("comment"))
        except NoSuchRulesError as fault:
            found = rulesets.of_agency(parts.store, actor.agency)
            names = [version.name for version, _ in found]
            entry = {"path": "name", "message": str(fault), "allowed": names}
            raise unprocessable((entry,)) from fault
        agency = parts.surroundings.seen.agencies[actor.agency]
        return answer({"name": agency.ruleset, "proposed": _choice(made)}, 201)

    @blueprint.post("/v1/agency/ruleset/approve")
    def approve() -> Response:
        """
        Let the agency decide with what somebody else proposed: 200, 409, 422.
        """
        actor = who_tunes(parts)
        body = read_body(parts, approving)
        made = parts.publishing.approve_choice(actor, body["name"])
        parts.surroundings.look()
        return answer({"name": made.name, "proposed": None})


def _version(parts: Parts, agency: str, name: str, number: int | None) -> Version:
    is_huge = number is not None and number > 1_000_000_000
    found = None if is_huge else rulesets.find_version(parts.store, agency, name, number)
    if found is None:
        which = f"version {number} of `{name[:60]}`" if number else f"ruleset `{name[:60]}`"
        raise NoSuchRulesError(f"there is no {which}")
    return found


def _one(found: Version, *, is_live: bool) -> Response:
    if wants_yaml():
        return with_tag(yaml_answer(found.text), version_etag_of(found))
    return with_tag(answer(version_shown(found, is_live=is_live)), version_etag_of(found))


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise CursorError("`cursor` is not one that a list gave: leave it out to begin anew")
    return int(cursor)


def _planned(planned: Planned) -> dict[str, Any]:
    return {
        "name": planned.name,
        "version": planned.version,
        "digest": planned.digest,
        "publish_at": iso(planned.at),
    }


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "name": choice.name,
        "comment": choice.comment,
        "proposed_by": choice.proposed_name,
        "proposed_at": iso(choice.proposed_at),
    }
