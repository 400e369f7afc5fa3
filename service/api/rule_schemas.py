"""
What the API answers about rules, as JSON Schema.
"""

from typing import Any

from service.api.answer_schemas import (
    ANY_OBJECT,
    FLAG,
    MAYBE_TEXT,
    MAYBE_WHOLE,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    many,
    maybe,
    ref,
    thing,
)

STATES = ("requested", "running", "done", "failed")


def rule_schemas() -> dict[str, Schema]:
    """
    Describe every answer about rulesets, drafts and checks.
    """
    author = thing({"identity": TEXT, "name": TEXT})
    version = {
        "name": TEXT,
        "version": WHOLE,
        "digest": TEXT,
        "author": TEXT,
        "authors": many(author),
        "approver": MAYBE_TEXT,
        "comment": MAYBE_TEXT,
        "accepts": many(TEXT),
        "published_by": TEXT,
        "published_at": TIME,
        "live": FLAG,
    }
    listed = {**version, "in_use": FLAG, "live_since": TIME, "has_draft": FLAG}
    proposed = {"name": TEXT, "comment": MAYBE_TEXT, "proposed_by": TEXT, "proposed_at": TIME}
    return {
        "RulesetContent": ANY_OBJECT,
        "RulesetVersion": thing({**version, "content": ref("RulesetContent")}),
        "RulesetList": thing({"items": many(thing(listed)), "next": MAYBE_TEXT}),
        "VersionList": thing({"items": many(thing(version)), "next": MAYBE_TEXT}),
        "Planned": thing({"name": TEXT, "version": WHOLE, "digest": TEXT, "publish_at": TIME}),
        "AgencyRuleset": thing({"name": TEXT, "proposed": maybe(thing(proposed))}),
        **_drafts(author),
        **_checks(),
        **_differences(),
        "RuleConflict": _conflict(),
    }


def _drafts(author: Schema) -> dict[str, Schema]:
    saved = {"digest": TEXT, "problems": many(ref("RuleProblem"))}
    check = thing({"check_id": TEXT, "state": {"type": "string", "enum": list(STATES)}})
    return {
        "RuleProblem": thing(
            {
                "code": TEXT,
                "rule": MAYBE_TEXT,
                "path": TEXT,
                "line": MAYBE_WHOLE,
                "message": TEXT,
                "suggestion": MAYBE_TEXT,
            }
        ),
        "SavedDraft": thing(saved),
        "Draft": thing(
            {
                "name": TEXT,
                **saved,
                "base_version": MAYBE_WHOLE,
                "content": maybe(ref("RulesetContent")),
                "text": MAYBE_TEXT,
                "authors": many(author),
                "saved_by": TEXT,
                "saved_at": TIME,
                "scenarios": WHOLE,
                "check": maybe(check),
                "approval": maybe(ref("Approval")),
            }
        ),
        "Scenarios": thing({"scenarios": many(ANY_OBJECT)}),
        "SavedScenarios": thing({"count": WHOLE}),
        "Approval": thing(
            {
                "digest": TEXT,
                "approver": TEXT,
                "comment": MAYBE_TEXT,
                "accepts": many(TEXT),
                "approved_at": TIME,
                "publish_at": maybe(TIME),
            }
        ),
    }


def _checks() -> dict[str, Schema]:
    faults = thing({"name": TEXT, "faults": many(TEXT)})
    kinds = many(ref("Kind"))
    move = thing({"from": kinds, "to": kinds, "count": WHOLE, "examples": many(TEXT)})
    lead = thing({"from": TEXT, "to": TEXT, "count": WHOLE})
    changes = thing(
        {
            "against": MAYBE_WHOLE,
            "decisions": WHOLE,
            "moved": WHOLE,
            "not_read": WHOLE,
            "moves": many(move),
            "leads": many(lead),
        }
    )
    result = thing(
        {
            "problems": many(ref("RuleProblem")),
            "scenarios": thing(
                {
                    "run": WHOLE,
                    "failed": many(TEXT),
                    "faults": {"type": "object", "additionalProperties": faults},
                }
            ),
            "changes": maybe(changes),
        }
    )
    return {
        "RequestedCheck": thing({"check_id": TEXT, "digest": TEXT}),
        "Check": thing(
            {
                "check_id": TEXT,
                "ruleset": TEXT,
                "state": {"type": "string", "enum": list(STATES)},
                "digest": TEXT,
                "requested_by": TEXT,
                "requested_at": TIME,
                "finished_at": maybe(TIME),
                "decided_again": MAYBE_WHOLE,
                "reason": MAYBE_TEXT,
                "result": maybe(result),
            }
        ),
    }


def _differences() -> dict[str, Schema]:
    one = {"table": TEXT, "rule": TEXT, "sentence": TEXT, "why": TEXT}
    changed = thing({**one, "before": TEXT, "members": many(TEXT)})
    other = thing({"member": TEXT, "before": {}, "after": {}})
    return {
        "RuleDifferences": thing(
            {
                "name": TEXT,
                "from": WHOLE,
                "to": WHOLE,
                "added": many(thing(one)),
                "removed": many(thing(one)),
                "changed": many(changed),
                "moved": many(thing(one)),
                "other": many(other),
            }
        )
    }


def _conflict() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "type": TEXT,
            "title": TEXT,
            "status": WHOLE,
            "detail": TEXT,
            "code": TEXT,
            "errors": many(ref("Fault")),
            "saved_by": TEXT,
            "saved_at": maybe(TIME),
        },
        "required": ["type", "title", "status", "detail", "errors"],
    }
