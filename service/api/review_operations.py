"""
The operations of reviews and findings, and what they answer, with every status that each can give.
"""

from http import HTTPStatus
from typing import Any

from service.api.answer_schemas import (
    ANY_OBJECT,
    FLAG,
    MAYBE_TEXT,
    NOTICE,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    many,
    maybe,
    ref,
    thing,
)
from service.reviewing.review_selection import REASONS
from service.routing.facts import Vocabulary
from service.settings import Settings
from service.store.findings import VERDICTS

KEYED: dict[str, Any] = {"security": [{"key": []}]}
REFUSED = (401, 403)
BODY = (*REFUSED, 400, 404, 409, 413, 415, 422, 503)
READ = (*REFUSED, 404, 503)
LIST = (*REFUSED, 422, 503)
BLIND = """Every review is blind. Whoever holds a claim that is not answered gets a 403 for every
revision of that call by any other way, and lists and exports leave it out. A review cannot be
claimed by somebody who has opened a decision about the call, took the call, or reported what was
sent (`already_seen`)."""
REASON_WORDS = """Null until the review is answered. `override`: something else was sent than was
recommended; `police_without_hazard`: police were in the answer, or sent, though no rule of a hazard
asked for them; `fallback`: what was preferred could not come; `dismissed_signal`: a person took a
signal back; `contradiction`: signals disagree with each other or with what was told (the warning
`signals_contradict`); `random_sample`: drawn by a keyed hash."""


def review_schemas(vocabulary: Vocabulary, decision_record: Schema) -> dict[str, Schema]:
    """
    Describe what reviews and findings answer; *decision_record* is the schema of a whole decision.
    """
    reasons = many({"type": "string", "enum": list(REASONS)}, description=REASON_WORDS)
    review = {
        "review_id": TEXT,
        "decision_id": TEXT,
        "reasons": maybe(reasons),
        "due_at": TIME,
        "state": {"type": "string", "enum": ["open", "done"]},
        "claimed_by": MAYBE_TEXT,
        "claimed_until": maybe(TIME),
    }
    sent = many(ref("Kind"))
    answered = thing({**review, "would_send": sent})
    whole = {
        "call": ref("ReviewedCall"),
        "would_send": maybe(sent),
        "decision": maybe(ref("DecisionRecord")),
        "finding": maybe(ref("Finding")),
    }
    return {
        "ReviewItem": thing(review),
        "ReviewList": thing({"items": many(ref("ReviewItem")), "next": MAYBE_TEXT}),
        "ReviewedCall": _call(),
        "Review": thing({**review, **whole}),
        "ReviewAnswered": thing({**decision_record["properties"], "review": answered}),
        **_findings(vocabulary),
    }


def _call() -> Schema:
    return thing(
        {
            "call_id": TEXT,
            "decided_at": TIME,
            "received_at": maybe(TIME),
            "channel": MAYBE_TEXT,
            "facts": maybe(ANY_OBJECT),
            "fact_sources": maybe(ANY_OBJECT),
            "incident_type": maybe(ANY_OBJECT),
            "remarks": MAYBE_TEXT,
            "location": maybe(ANY_OBJECT),
            "availability": maybe(ANY_OBJECT),
            "dismissed": maybe(many(ANY_OBJECT)),
            "remarks_kept": FLAG,
            "signals": many(ref("Signal")),
            "contradictions": many(TEXT),
            **NOTICE,
            "more_incident_types": maybe(many(ANY_OBJECT)),
        }
    )


def _findings(vocabulary: Vocabulary) -> dict[str, Schema]:
    fact: Schema = {"type": "string", "enum": list(vocabulary.facts)}
    finding = {
        "finding_id": TEXT,
        "review_id": TEXT,
        "decision_id": TEXT,
        "verdict": {"type": "string", "enum": list(VERDICTS)},
        "should_have_sent": many(ref("Kind")),
        "wrong_facts": many(fact),
        "wrong_rule": MAYBE_TEXT,
        "comment": MAYBE_TEXT,
        "found_at": TIME,
        "found_by": TEXT,
    }
    part: Schema = {"type": "number", "minimum": 0, "maximum": 1}
    share = thing({"count": WHOLE, "part": maybe(part), "low": part, "high": part})
    figures = {
        "reviewed": WHOLE,
        "could_tell": WHOLE,
        "cannot_tell": WHOLE,
        **dict.fromkeys(("right", "under_triaged", "over_triaged"), ref("Share")),
    }
    return {
        "Finding": thing(finding),
        "FindingList": thing({"items": many(ref("Finding")), "next": MAYBE_TEXT}),
        "Share": share,
        "Figures": thing(
            {
                "from": maybe(TIME),
                "to": maybe(TIME),
                "sample": thing({"drawn": WHOLE, "answered": WHOLE, **figures}),
                "chosen": thing(figures),
                "by_rule": many(thing({"rule": TEXT, **figures})),
                "cannot_say": many(TEXT),
            }
        ),
        "ScenarioAdded": thing({"ruleset": TEXT, "scenario": ANY_OBJECT}),
    }


def review_operations(settings: Settings) -> dict[str, dict[str, Any]]:
    """
    Describe every path of reviews and findings.
    """
    return {
        "/v1/reviews": {"get": _list(settings)},
        "/v1/reviews/{review_id}": {"get": _read()},
        "/v1/reviews/{review_id}/claim": {"post": _claim()},
        "/v1/reviews/{review_id}/answer": {"post": _answer()},
        "/v1/reviews/{review_id}/finding": {"post": _find()},
        "/v1/findings": {"get": _findings_list(settings)},
        "/v1/findings/figures": {"get": _figures()},
        "/v1/findings/{finding_id}/scenario": {"post": _add_scenario()},
    }


def _read() -> dict[str, Any]:
    return _operation(
        "readReview",
        "Read the call of a review as the call-taker had it; the decision once answered",
        {200: ref("Review")},
        (*READ, 409),
        parameters=[REVIEW_ID],
        description="409 `unreadable` where its decision was changed in the store: `record` says"
        " where it stands.",
    )


def _claim() -> dict[str, Any]:
    return _operation(
        "claimReview",
        "Take a review for some minutes",
        {200: ref("Review")},
        (*READ, 409),
        parameters=[REVIEW_ID],
        description=BLIND,
    )


def _answer() -> dict[str, Any]:
    return _operation(
        "answerReview",
        "Say whom you would have sent, once, and see the whole decision",
        {200: ref("ReviewAnswered")},
        BODY,
        parameters=[REVIEW_ID],
        requestBody=_body("ReviewAnswer", {"would_send": ["mobile_crisis"]}),
    )


def _find() -> dict[str, Any]:
    example = {
        "verdict": "over_triaged",
        "should_have_sent": ["mobile_crisis"],
        "wrong_facts": ["weapon"],
        "wrong_rule": None,
        "comment": "the knife was in a drawer in another room",
    }
    return _operation(
        "recordFinding",
        "Keep what you found, once",
        {201: ref("Finding")},
        BODY,
        parameters=[REVIEW_ID],
        requestBody=_body("ReviewFinding", example),
    )


def _figures() -> dict[str, Any]:
    return _operation(
        "readFigures",
        "Count what was found: the random sample, what was chosen, and by rule",
        {200: ref("Figures")},
        LIST,
        parameters=_times(),
        description="Shares are of the findings that could tell, with Wilson's 95 % interval."
        " `cannot_say` says in words what they do not tell.",
    )


def _add_scenario() -> dict[str, Any]:
    return _operation(
        "addScenario",
        "Turn a finding into a scenario of the draft of the agency's ruleset",
        {201: ref("ScenarioAdded")},
        (*READ, 409, 422),
        parameters=[_id("finding_id", "The finding's id")],
    )


def _operation(
    name: str, summary: str, good: dict[int, Schema], refused: tuple[int, ...], **more: Any
) -> dict[str, Any]:
    kinds = [(status, "application/json", schema) for status, schema in good.items()]
    kinds += [(one, "application/problem+json", ref("Problem")) for one in sorted(refused)]
    responses = {
        str(status): {
            "description": HTTPStatus(status).phrase,
            "content": {media: {"schema": schema}},
        }
        for status, media, schema in kinds
    }
    return {"summary": summary, "operationId": name, "responses": responses, **KEYED, **more}


def _body(name: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": ref(name), "example": example}}
    return {"required": True, "content": content}


def _id(name: str, words: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return {"name": name, "in": "path", "required": True, "description": words, "schema": schema}


def _query(name: str, words: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": words, "schema": schema}


def _page(settings: Settings) -> list[dict[str, Any]]:
    cursor: Schema = {"type": "string", "minLength": 1, "maxLength": 1000}
    limit: Schema = {"type": "integer", "minimum": 1, "maximum": settings.page_items_max}
    return [
        _query("cursor", "The `next` of the page before", cursor),
        _query("limit", "Items in a page", limit),
    ]


def _times() -> list[dict[str, Any]]:
    return [
        _query("from", "Found at this time or later", TIME),
        _query("to", "Found before this time", TIME),
    ]


def _list(settings: Settings) -> dict[str, Any]:
    state: Schema = {"type": "string", "enum": ["open", "done"], "default": "open"}
    return _operation(
        "listReviews",
        "List reviews: open ones as they are due, or done ones, newest first",
        {200: ref("ReviewList")},
        LIST,
        parameters=[_query("state", "Open, or answered", state), *_page(settings)],
        description=BLIND,
    )


def _findings_list(settings: Settings) -> dict[str, Any]:
    verdict: Schema = {"type": "string", "enum": list(VERDICTS)}
    rule: Schema = {"type": "string", "minLength": 1, "maxLength": 200}
    me: Schema = {"type": "string", "enum": ["me"]}
    return _operation(
        "listFindings",
        "List what reviewers found, newest first",
        {200: ref("FindingList")},
        LIST,
        parameters=[
            _query("verdict", "Of this verdict", verdict),
            _query("rule", "This rule fired, or was named as the wrong one", rule),
            _query("reviewer", "`me`: only your own", me),
            *_times(),
            *_page(settings),
        ],
    )


REVIEW_ID = _id("review_id", "The review's id")
