"""
What the API answers, as JSON Schema: read from the vocabulary, so that no list of kinds stands here
twice.
"""

from typing import Any

from service.erased import WHY
from service.replay import RESULTS
from service.routing.facts import Vocabulary

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
WHOLE: Schema = {"type": "integer"}
MAYBE_WHOLE: Schema = {"type": ["integer", "null"]}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
VALUE: Schema = {"type": ["string", "boolean", "integer", "null"]}
ANY_OBJECT: Schema = {"type": "object"}
# It stands on whatever holds facts from a protected record; null elsewhere.
NOTICE: Schema = {"redisclosure_notice": MAYBE_TEXT}
MODES = ("full", "stale_directory", "timetable_only", "journal_only", "last_good_rules", "floor")
REASONS = (
    *("out_of_hours", "out_of_area", "all_busy", "too_far", "not_offered", "stated_unavailable"),
    "no_directory",
)


def thing(properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    """
    Describe an object with these properties, all there but the optional ones, and no others.
    """
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def many(items: Schema, **more: Any) -> Schema:
    """
    Describe a list.
    """
    return {"type": "array", "items": items, **more}


def ref(name: str) -> Schema:
    """
    Point at a schema of this description.
    """
    return {"$ref": f"#/components/schemas/{name}"}


def maybe(schema: Schema) -> Schema:
    """
    Describe something that may be null.
    """
    return {"anyOf": [schema, {"type": "null"}]}


# A record as it is read again, and what is said in place of one that was changed in the store.
READ: Schema = {"anyOf": [ref("DecisionRecord"), ref("UnreadableRecord")]}


def schemas_of(vocabulary: Vocabulary) -> dict[str, Schema]:
    """
    Describe every answer and every part of one.
    """
    kind: Schema = {"type": "string", "enum": list(vocabulary.responders)}
    urgency: Schema = {"type": "string", "enum": list(vocabulary.urgencies)}
    fact: Schema = {"type": "string", "enum": list(vocabulary.facts)}
    return {
        "Kind": kind,
        **_recommended(vocabulary, urgency),
        **_reasons(fact),
        **_answers(),
        **_dispatches(),
        **_state(),
        **_errors(),
    }


def _recommended(vocabulary: Vocabulary, urgency: Schema) -> dict[str, Schema]:
    return {
        "Responder": thing(
            {
                "kind": ref("Kind"),
                "how": {"type": "string", "enum": list(vocabulary.ways)},
                "needs": many(TEXT),
                "team": MAYBE_TEXT,
                "name": MAYBE_TEXT,
                "contact": MAYBE_TEXT,
                "eta_minutes": MAYBE_WHOLE,
            }
        ),
        "Fallback": thing(
            {
                "wanted": ref("Kind"),
                "got": many(ref("Kind")),
                "reason": {"type": "string", "enum": list(REASONS)},
                "passed_over": many(
                    thing({"kind": ref("Kind"), "team": MAYBE_TEXT, "reason": TEXT})
                ),
            }
        ),
        "Recommendation": thing(
            {
                "urgency": urgency,
                "responders": many(ref("Responder"), minItems=1),
                "send_now": many(ref("Kind")),
                "notify": many({"type": "string", "enum": list(vocabulary.notify)}),
                "preferred": many(ref("Kind")),
                "fallback": maybe(ref("Fallback")),
                "provisional": FLAG,
            }
        ),
    }


def _reasons(fact: Schema) -> dict[str, Schema]:
    return {
        "Because": thing(
            {
                "table": {"type": "string", "enum": ["needs", "hazards"]},
                "rule": TEXT,
                "text": TEXT,
                "facts": many(fact),
                "basis": thing({"title": TEXT, "url": TEXT}),
            }
        ),
        "LawEnforcement": thing(
            {
                "included": FLAG,
                "because": many(
                    thing({"rule": TEXT, "fallback": TEXT, "text": TEXT}, ("rule", "fallback"))
                ),
            }
        ),
        "Question": thing({"fact": fact, "question": TEXT, "could_change_to": many(ref("Kind"))}),
        "Change": thing({"fact": fact, "to": VALUE, "responders": many(ref("Kind"))}),
        "Signal": thing(
            {
                "fact": TEXT,
                "outcome": {
                    "type": "string",
                    "enum": ["present", "absent", "unknown", "historical"],
                },
                "value": VALUE,
                "source": TEXT,
                "text_span": maybe(many(WHOLE, minItems=2, maxItems=2)),
                "used": FLAG,
                "why": TEXT,
            }
        ),
        "Warning": thing({"code": TEXT, "message": TEXT, "path": MAYBE_TEXT}),
        "Ruleset": thing({"name": MAYBE_TEXT, "version": MAYBE_WHOLE, "digest": MAYBE_TEXT}),
    }


def _answers() -> dict[str, Schema]:
    answer = {
        "decision_id": MAYBE_TEXT,
        "call_id": TEXT,
        "revision": MAYBE_WHOLE,
        "decided_at": TIME,
        "recommendation": ref("Recommendation"),
        "because": many(ref("Because")),
        "law_enforcement": ref("LawEnforcement"),
        "ask_next": many(ref("Question"), maxItems=3),
        "would_change": many(ref("Change"), maxItems=10),
        "signals": many(ref("Signal")),
        "change": maybe(thing({"add": many(ref("Kind")), "release": many(ref("Kind"))})),
        "guidance": many(ANY_OBJECT),
        "note": TEXT,
        "ruleset": ref("Ruleset"),
        "mode": {"type": "string", "enum": list(MODES)},
        "warnings": many(ref("Warning")),
    }
    by = thing({"key": MAYBE_TEXT, "person": MAYBE_TEXT})
    place = {
        "state": {"type": "string", "enum": ["journaled", "stored"]},
        "host": TEXT,
        "number": WHOLE,
    }
    # Null: not sealed yet, or the store is away.
    verifies = {"type": ["boolean", "null"]}
    standing = {"place": MAYBE_WHOLE, "hash": MAYBE_TEXT, "sealed_at": maybe(TIME)}
    members = {**place, "stored_at": maybe(TIME), "by": maybe(by), "program": MAYBE_TEXT}
    record = thing(
        {**members, "chain": thing({**standing, "verifies": verifies})}, optional=("chain",)
    )
    return {
        "Answer": thing(answer),
        "Record": record,
        "DecisionRecord": thing(
            {
                **answer,
                **NOTICE,
                "request": ANY_OBJECT,
                "record": ref("Record"),
                "dispatches": many(ref("DispatchRecord")),
            }
        ),
        **_items(answer),
        "Call": thing({"call_id": TEXT, "revisions": many(READ, minItems=1)}),
    }


def _items(answer: Schema) -> dict[str, Schema]:
    shown = (
        "decision_id",
        "call_id",
        "revision",
        "decided_at",
        "recommendation",
        "ruleset",
        "mode",
    )
    item = {name: answer[name] for name in shown}
    item |= {"rules": many(TEXT), "law_enforcement": ref("LawEnforcement"), "record": ref("Record")}
    # Null: nothing was reported yet.
    item["override"] = {"type": ["boolean", "null"]}
    left = {"why": {"type": "string", "enum": list(WHY)}, "at": TIME}
    gone = {name: item[name] for name in ("decision_id", "call_id", "decided_at", "record")}
    listed = {"anyOf": [ref("DecisionItem"), ref("ErasedItem"), ref("UnreadableItem")]}
    return {
        "DecisionItem": thing(item | NOTICE),
        "ErasedItem": thing({**gone, "erased": thing(left)}),
        "UnreadableItem": thing({**gone, "unreadable": FLAG}),
        "UnreadableRecord": thing(
            {
                **gone,
                "revision": WHOLE,
                "unreadable": FLAG,
                "dispatches": many(ref("DispatchRecord")),
            }
        ),
        "DecisionList": thing({"items": many(listed), "next": MAYBE_TEXT}),
    }


def _dispatches() -> dict[str, Schema]:
    dispatch = {
        "dispatch_id": TEXT,
        "decision_id": TEXT,
        "responders": many(ref("Kind")),
        "override": FLAG,
        "released": many(ref("Kind")),
        "reason": MAYBE_TEXT,
        "call_back_at": maybe(TIME),
        "reported_at": TIME,
        "warnings": many(ref("Warning")),
    }
    return {
        "Dispatch": thing(dispatch),
        "DispatchRecord": thing({**dispatch, "comment": MAYBE_TEXT, "record": ref("Record")}),
    }


def _state() -> dict[str, Schema]:
    part = thing({"part": TEXT, "text": TEXT})
    state = {"type": "string", "enum": ["ok", "away", "unknown"]}
    stood_on = thing({"part": TEXT, "state": state})
    trouble = thing({"at": TEXT, "part": TEXT, "level": TEXT, "text": TEXT})
    restart = thing({"part": TEXT, "died": WHOLE, "hung": WHOLE})
    process = thing({"part": TEXT, "pid": WHOLE, "ruleset": maybe(ANY_OBJECT)})
    oldest_s = {"type": ["number", "null"]}
    return {
        "Health": thing({"status": {"const": "ok"}}),
        "Replay": thing(
            {
                "decision_id": TEXT,
                "result": {"type": "string", "enum": list(RESULTS)},
                "compared": many(TEXT),
                "different": many(TEXT),
                "text": TEXT,
                "program": thing({"decided": MAYBE_TEXT, "here": TEXT}),
                "ruleset": maybe(ref("Ruleset")),
            }
        ),
        "Readiness": thing(
            {
                "status": {"type": "string", "enum": ["ready", "degraded"]},
                "degraded": many(part),
                "journal": thing(
                    {
                        "not_stored": MAYBE_WHOLE,
                        "oldest_s": oldest_s,
                        "quarantined": MAYBE_WHOLE,
                    }
                ),
                "journals": ref("JournalsHere"),
                "journals_in_store": maybe(ref("JournalsInStore")),
                "quarantine": maybe(ref("Quarantine")),
                "log": maybe(ref("Log")),
                "processes": many(process),
                "parts": many(stood_on),
                "troubles": many(trouble),
                "restarts": many(restart),
            },
            optional=(
                *("journals", "journals_in_store", "quarantine", "log"),
                *("processes", "parts", "troubles", "restarts"),
            ),
        ),
    }


def _errors() -> dict[str, Schema]:
    fault = {
        "path": TEXT,
        "message": TEXT,
        "allowed": many({}),
        "code": TEXT,
        "rule": MAYBE_TEXT,
        "suggestion": MAYBE_TEXT,
    }
    return {
        "Fault": thing(fault, optional=("code", "rule", "suggestion")),
        "Problem": {
            "type": "object",
            "properties": {
                "type": TEXT,
                "title": TEXT,
                "status": WHOLE,
                "detail": TEXT,
                "errors": many(ref("Fault")),
                "recorded": {"const": False},
                "record": {"type": "object", "properties": {"host": TEXT, "number": WHOLE}},
            },
            "required": ["type", "title", "status", "detail", "errors"],
        },
    }
