"""
`/v1/rulesets/{name}/draft` and `/v1/checks/{id}`: write a draft, check it, approve it.
"""

from typing import Any

from flask import Blueprint, Response

from service.access import READ_RULES
from service.api.asking import answer, read_body, who_asks
from service.api.rule_answers import (
    Approve,
    handle_conflicts,
    matches,
    name_in,
    read_written,
    scenarios_in,
    wants_yaml,
    who_tunes,
    with_tag,
    yaml_answer,
)
from service.instants import iso
from service.parts import Parts
from service.store import drafts
from service.store.drafts import Approval, Draft
from service.tuning.checks import shown, without
from service.tuning.drafts import etag_of, scenarios_etag_of
from service.tuning.rule_conflicts import NoSuchRulesError


def drafts_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("drafts", __name__)
    handle_conflicts(blueprint, parts)
    _writing(blueprint, parts)
    _scenarios(blueprint, parts)
    _judging(blueprint, parts)
    return blueprint


def _writing(blueprint: Blueprint, parts: Parts) -> None:
    @blueprint.get("/v1/rulesets/<name>/draft")
    def one(name: str) -> Response:
        """
        Give the draft, as JSON or YAML: 200, 404.
        """
        asker = who_asks(parts, READ_RULES)
        draft = parts.drafts.find(asker.agency.id, name_in(name))
        if wants_yaml():
            return with_tag(yaml_answer(draft.text), etag_of(draft))
        return with_tag(answer(_draft(parts, draft)), etag_of(draft))

    @blueprint.put("/v1/rulesets/<name>/draft")
    def save(name: str) -> Response:
        """
        Save the whole draft, with its problems: 200, 409, 412, 413, 415, 422, 428.
        """
        actor = who_tunes(parts)
        written = read_written(parts)
        draft = parts.drafts.save(actor, name_in(name), written, matches())
        return with_tag(answer(_saved(draft)), etag_of(draft))

    @blueprint.delete("/v1/rulesets/<name>/draft")
    def throw_away(name: str) -> Response:
        """
        Throw the draft away: 204, 404, 412.
        """
        actor = who_tunes(parts)
        parts.drafts.throw_away(actor, name_in(name), matches())
        return Response(status=204)


def _scenarios(blueprint: Blueprint, parts: Parts) -> None:
    @blueprint.get("/v1/rulesets/<name>/draft/scenarios")
    def scenarios(name: str) -> Response:
        """
        Give the scenarios that travel with the draft: 200, 404.
        """
        asker = who_asks(parts, READ_RULES)
        draft = parts.drafts.find(asker.agency.id, name_in(name))
        tag = scenarios_etag_of(draft.scenarios)
        return with_tag(answer({"scenarios": list(draft.scenarios)}), tag)

    @blueprint.put("/v1/rulesets/<name>/draft/scenarios")
    def save_scenarios(name: str) -> Response:
        """
        Save the scenarios that travel with the draft: 200, 404, 412, 413, 415, 422.
        """
        actor = who_tunes(parts)
        given = scenarios_in(parts)
        draft = parts.drafts.save_scenarios(actor, name_in(name), given, matches())
        tag = scenarios_etag_of(draft.scenarios)
        return with_tag(answer({"count": len(draft.scenarios)}), tag)


def _judging(blueprint: Blueprint, parts: Parts) -> None:
    approving = Approve()

    @blueprint.post("/v1/rulesets/<name>/draft/check")
    def check(name: str) -> Response:
        """
        Ask for a check of the draft: 202, 404.
        """
        actor = who_tunes(parts)
        made = parts.checks.request(actor, name_in(name))
        response = answer({"check_id": made.id, "digest": made.digest}, 202)
        response.headers["Location"] = f"/v1/checks/{made.id}"
        return response

    @blueprint.get("/v1/checks/<check_id>")
    def checked(check_id: str) -> Response:
        """
        Give a check and its result: 200, 404.
        """
        asker = who_asks(parts, READ_RULES)
        if "\0" in check_id:
            raise NoSuchRulesError("there is no check with this id")
        found = parts.checks.find(asker.agency.id, check_id)
        return answer(shown(without(found, parts.blind.hidden(asker.actor))))

    @blueprint.post("/v1/rulesets/<name>/draft/approve")
    def approve(name: str) -> Response:
        """
        Approve exactly what the digest names: 200, 404, 409, 422.
        """
        actor = who_tunes(parts)
        body = read_body(parts, approving)
        made = parts.publishing.approve(
            actor,
            name_in(name),
            body["digest"],
            comment=body.get("comment"),
            accepts=body.get("accepts", []),
        )
        return answer(_approval(made))


def _saved(draft: Draft) -> dict[str, Any]:
    return {"digest": draft.digest, "problems": list(draft.problems)}


def _draft(parts: Parts, draft: Draft) -> dict[str, Any]:
    saves = drafts.saves_of(parts.store, draft.id)
    approval = drafts.approval_of(parts.store, draft.id)
    newest = parts.checks.newest(draft)
    authors = {one.identity: one.name for one in saves}
    return {
        "name": draft.name,
        **_saved(draft),
        "base_version": draft.base_version or None,
        "content": draft.content,
        # What cannot be read as a ruleset is given back as it was written.
        "text": draft.text if draft.content is None else None,
        "authors": [{"identity": key, "name": value} for key, value in authors.items()],
        "saved_by": draft.saved_name,
        "saved_at": iso(draft.saved_at),
        "scenarios": len(draft.scenarios),
        "check": {"check_id": newest.id, "state": newest.state} if newest else None,
        "approval": _approval(approval) if approval else None,
    }


def _approval(approval: Approval) -> dict[str, Any]:
    return {
        "digest": approval.digest,
        "approver": approval.approver_name,
        "comment": approval.comment,
        "accepts": list(approval.accepts),
        "approved_at": iso(approval.at),
        "publish_at": iso(approval.publish_at) if approval.publish_at else None,
    }
