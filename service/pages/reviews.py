"""
`/reviews`: the queue of decisions to judge, one call at a time, and the figures of what was found.

The question comes first; the recommendation is shown once the answer is kept. All of it works
without scripts; `review.js` adds keys.
"""

import datetime as dt
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, request
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from service.access import ADD_SCENARIOS, READ_REVIEWS, REVIEW
from service.agency_settings import settings_of
from service.errors import ConflictError, DecisionUnreadableError
from service.pages.form_faults import Fault, as_sentence, each_fault
from service.pages.frame import keep_in_order, page, readable_or_not, refused
from service.pages.review_sheet import (
    REASONS,
    VERDICT_WORDS,
    VERDICTS,
    call_sheet,
    compared,
    says,
    shares_of,
)
from service.pages.visitor import NotAllowedError, Visitor, visitor
from service.parts import Parts
from service.reviewing.review_request import COMMENT_CHARACTERS_MAX, answer_schema
from service.reviewing.reviews import Progress, shown
from service.store.reviews import Review

PAGE_ITEMS: Final = 50
TRIED_MAX: Final = 200  # reviews that are tried for the next one before giving up
SEEN: Final = "already_seen"
EXPIRED: Final = "claim_expired"


def review_pages(parts: Parts) -> Blueprint:
    """
    Make the pages.
    """
    blueprint = Blueprint("review_pages", __name__)
    keep_in_order(blueprint, parts)
    _queue_routes(blueprint, parts)
    _review_routes(blueprint, parts)
    return blueprint


def _queue_routes(blueprint: Blueprint, parts: Parts) -> None:
    @blueprint.get("/reviews")
    def queue() -> Response:
        """
        Show what waits for a reviewer, or what is done.
        """
        return _queue_page(parts, visitor(parts, READ_REVIEWS))

    @blueprint.post("/reviews/next")
    def take_next() -> BaseResponse:
        """
        Claim the next review that this person may judge.
        """
        return _to_next(parts, visitor(parts, REVIEW))

    @blueprint.get("/reviews/figures")
    def figures() -> Response:
        """
        Show how often the answer was right, and what that does not tell.
        """
        who = visitor(parts, READ_REVIEWS)
        found = parts.findings.figures(who.actor, None, None)
        return page(
            parts,
            who,
            "review_figures.html",
            here="reviews",
            figures=found,
            says=says(found["sample"]),
            shares_of=shares_of,
        )


def _review_routes(blueprint: Blueprint, parts: Parts) -> None:
    answering = answer_schema(parts.rules.config.vocabulary)

    @blueprint.get("/reviews/<review_id>")
    def one(review_id: str) -> Response:
        """
        Show a call to judge, or what was answered.
        """
        who = visitor(parts, READ_REVIEWS)
        review = parts.reviews.find(who.actor, review_id)
        if review is None:
            return _no_such_review(parts, who)
        parts.audit.note(who.actor, "read", ("review", review_id))
        return _readable_page(parts, who, review)

    @blueprint.post("/reviews/<review_id>/claim")
    def claim(review_id: str) -> BaseResponse:
        """
        Take this review.
        """
        who = visitor(parts, REVIEW)
        try:
            review = parts.reviews.claim(who.actor, review_id)
        except ConflictError as error:
            return _conflict(parts, who, review_id, error)
        return _back(review_id) if review else _no_such_review(parts, who)

    @blueprint.post("/reviews/<review_id>/answer")
    def give_answer(review_id: str) -> BaseResponse:
        """
        Keep whom the reviewer would have sent, and show the decision.
        """
        who = visitor(parts, REVIEW)
        typed = request.form.getlist("would_send")
        try:
            read = answering.load({"would_send": typed})
            answered = _answered(parts, who, review_id, read["would_send"])
        except ValidationError as error:
            faults = tuple(each_fault(error.messages))
            return _again(parts, who, review_id, faults=faults, typed={"would_send": typed})
        except ConflictError as error:
            return _conflict(parts, who, review_id, error)
        return _back(review_id) if answered else _no_such_review(parts, who)

    @blueprint.post("/reviews/<review_id>/finding")
    def find(review_id: str) -> BaseResponse:
        """
        Keep what the reviewer found, and go on to the next call if that was pressed.
        """
        who = visitor(parts, REVIEW)
        told = _finding_of()
        try:
            found = parts.findings.record(who.actor, who.agency, review_id, told)
        except ValidationError as error:
            faults = tuple(each_fault(error.messages))
            return _again(parts, who, review_id, faults=faults, typed=told)
        except ConflictError as error:
            return _conflict(parts, who, review_id, error)
        if found is None:
            return _no_such_review(parts, who)
        return _to_next(parts, who) if "next" in request.form else _back(review_id)

    @blueprint.post("/reviews/<review_id>/scenario")
    def add_scenario(review_id: str) -> BaseResponse:
        """
        Turn the finding into a scenario of the draft.
        """
        # An administrator may add scenarios by the API, and has no need to see a review.
        who = visitor(parts, REVIEW)
        if not who.actor.may(ADD_SCENARIOS):
            raise NotAllowedError(who, ADD_SCENARIOS)
        found = parts.findings.of_review(who.actor, review_id)
        if found is None:
            return _no_such_review(parts, who)
        try:
            parts.findings.scenario(who.actor, who.agency.ruleset, found.id)
        except ConflictError as error:
            return _conflict(parts, who, review_id, error)
        return redirect(f"/reviews/{review_id}?added=1", 303)


def _answered(parts: Parts, who: Visitor, review_id: str, would_send: list[str]) -> Any:
    """
    Keep an answer; where the claim ran out while the page stood open, and nobody took the review
    meanwhile, it is claimed again first.
    """
    try:
        return parts.reviews.answer(who.actor, review_id, would_send)
    except ConflictError as error:
        if error.code != EXPIRED:
            raise
    parts.reviews.claim(who.actor, review_id)
    return parts.reviews.answer(who.actor, review_id, would_send)


def _finding_of() -> dict[str, Any]:
    form = request.form
    told: dict[str, Any] = {
        "should_have_sent": form.getlist("should_have_sent"),
        "wrong_facts": form.getlist("wrong_facts"),
        "wrong_rule": form.get("wrong_rule") or None,
        "comment": form.get("comment", "").replace("\r\n", "\n"),
    }
    return told | ({"verdict": form["verdict"]} if form.get("verdict") else {})


def _to_next(parts: Parts, who: Visitor) -> BaseResponse:
    """
    Claim the open review that is due first and that this person may judge, and go to it.
    """
    at, tried, cursor = parts.now(), 0, None
    while tried < TRIED_MAX:
        found = parts.reviews.queue(who.actor, is_open=True, cursor=cursor, limit=PAGE_ITEMS)
        for one in found.items:
            tried += 1
            if one.is_held(at) and one.claimed_by != who.actor.identity:
                continue
            try:
                if parts.reviews.claim(who.actor, one.id):
                    return _back(one.id)
            except (ConflictError, DecisionUnreadableError):
                continue  # seen, somebody else was quicker, or changed in the store: the next one
        cursor = found.next
        if cursor is None:
            break
    return redirect("/reviews?none=1", 303)


def _back(review_id: str) -> BaseResponse:
    return redirect(f"/reviews/{review_id}", 303)


def _no_such_review(parts: Parts, who: Visitor) -> Response:
    way_out = "It may have left the queue: look there for another one."
    return refused(parts, 404, "There is no such review", way_out, who)


def _conflict(parts: Parts, who: Visitor, review_id: str, error: ConflictError) -> Response:
    """
    Say why it cannot be done, on the page of the review as it stands now.
    """
    notice = as_sentence(str(error))
    return _again(parts, who, review_id, status=409, notice=notice, code=error.code)


def _again(
    parts: Parts, who: Visitor, review_id: str, status: int = 422, **beside: Any
) -> Response:
    review = parts.reviews.find(who.actor, review_id)
    if review is None:
        return _no_such_review(parts, who)
    return _readable_page(parts, who, review, status, **beside)


def _readable_page(
    parts: Parts, who: Visitor, review: Review, status: int = 200, **beside: Any
) -> Response:
    record = {"decision_id": review.decision_id, "record": None}
    return readable_or_not(
        parts, who, [record], lambda: _review_page(parts, who, review, status, **beside)
    )


def _queue_page(parts: Parts, who: Visitor) -> Response:
    is_open = request.args.get("state") != "done"
    cursor = request.args.get("cursor") or None
    found = parts.reviews.queue(who.actor, is_open=is_open, cursor=cursor, limit=PAGE_ITEMS)
    at = parts.now()
    documents = parts.reviews.shown(who.actor, found.items)
    given = parts.findings.of_reviews(who.actor, [one.id for one in found.items])
    return page(
        parts,
        who,
        "reviews.html",
        here="reviews",
        rows=list(zip(found.items, documents, strict=True)),
        verdicts={one: VERDICT_WORDS[finding.verdict] for one, finding in given.items()},
        following=found.next,
        is_open=is_open,
        is_first=cursor is None,
        now=at,
        zone=ZoneInfo(who.agency.time_zone),
        reasons=REASONS,
        none_left="none" in request.args,
        progress=progress_of(parts, who),
        may_review=who.actor.may(REVIEW),
    )


def _review_page(
    parts: Parts, who: Visitor, review: Review, status: int = 200, **beside: Any
) -> Response:
    """
    Show a review as it stands for this person: to be claimed, to be answered, or answered.
    """
    vocabulary = parts.rules.config.vocabulary
    at = parts.now()
    faults: tuple[Fault, ...] = beside.pop("faults", ())
    common = {
        "here": "reviews",
        "review": review,
        "listed": shown(review, at),
        "kinds": vocabulary.responders,
        "zone": ZoneInfo(who.agency.time_zone),
        "progress": progress_of(parts, who),
        "faults": faults,
        "typed": beside.pop("typed", {}),
        "notice_text": beside.pop("notice", ""),
        "may_review": who.actor.may(REVIEW),
    }
    is_mine = review.claimed_by == who.actor.identity
    if review.answered_at is not None:
        more = _answered_parts(parts, who, review)
        return page(parts, who, "review_answered.html", status, is_mine=is_mine, **common, **more)
    if is_mine and review.is_held(at):
        call = parts.reviews.call(who.actor, review)
        sheet = call_sheet(call, vocabulary, parts.rules.config.console, who.agency.time_zone)
        redisclosure = call["redisclosure_notice"]
        return page(
            parts, who, "review.html", status, call=sheet, redisclosure=redisclosure, **common
        )
    is_seen = beside.pop("code", "") == SEEN
    return page(parts, who, "review_closed.html", status, is_seen=is_seen, **common)


def _answered_parts(parts: Parts, who: Visitor, review: Review) -> dict[str, Any]:
    config = parts.rules.config
    decision = parts.reviews.decision(who.actor, review)
    assert decision is not None, "the review is answered"
    reasons = settings_of(who.agency.settings, config.agency).dispatch_reasons
    call = parts.reviews.call(who.actor, review)
    found = parts.findings.of_review(who.actor, review.id)
    told = [name for name in config.vocabulary.facts if name in (call["facts"] or {})]
    return {
        "compared": compared(review.would_send or (), decision, reasons),
        "decision": decision,
        "call": call_sheet(call, config.vocabulary, config.console, who.agency.time_zone),
        "finding": parts.findings.shown(found) if found else None,
        "verdicts": VERDICTS,
        "verdict_words": VERDICT_WORDS,
        "told_facts": {name: config.vocabulary.facts[name].label for name in told},
        "fact_labels": {name: fact.label for name, fact in config.vocabulary.facts.items()},
        "urgencies": config.vocabulary.urgencies,
        "levels": {name: place for place, name in enumerate(config.vocabulary.urgencies, 1)},
        "why_reviewed": [REASONS.get(one, one) for one in review.reasons],
        "is_added": "added" in request.args,
        "may_add": who.actor.may(ADD_SCENARIOS) and who.actor.may(REVIEW),
        "ruleset": who.agency.ruleset,
        "comment_max": COMMENT_CHARACTERS_MAX,
    }


def progress_of(parts: Parts, who: Visitor) -> Progress:
    """
    Say how far this person is today, where the agency is.
    """
    local = parts.now().astimezone(ZoneInfo(who.agency.time_zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return parts.reviews.progress(who.actor, midnight, midnight + dt.timedelta(days=1))
