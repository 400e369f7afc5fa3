"""
`/v1/reviews`: claim a decision to judge, say whom one would have sent, then what one found.

Every review is blind: until the answer there is no recommendation, no rule, nothing that was sent,
and no reason.
"""

from typing import Any

from flask import Blueprint, Response, request
from marshmallow import fields, validate

from service.access import READ_REVIEWS, REVIEW, Actor
from service.answers import Document
from service.api.asking import answer, read_body, read_document, who_asks
from service.api.problems import RefusedError
from service.parts import Parts
from service.request import OneOf, Strict, no_nul
from service.reviewing.review_request import answer_schema
from service.store.reviews import Review

PAGE_ITEMS = 50
STATES = ("open", "done")


def reviews_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("reviews", __name__)
    listing = list_schema(parts)
    answering = answer_schema(parts.rules.config.vocabulary)

    @blueprint.get("/v1/reviews")
    def many() -> Response:
        """
        List reviews of a state, open ones as they are due: 200, 422.
        """
        asker = who_asks(parts, READ_REVIEWS)
        query: dict[str, Any] = listing.load(request.args.to_dict())
        found = parts.reviews.queue(
            asker.actor,
            is_open=query.get("state", "open") == "open",
            cursor=query.get("cursor"),
            limit=query.get("limit", PAGE_ITEMS),
        )
        return answer({"items": parts.reviews.shown(asker.actor, found.items), "next": found.next})

    @blueprint.get("/v1/reviews/<review_id>")
    def one(review_id: str) -> Response:
        """
        Give a call to judge, and once it is answered the decision too: 200, 403, 404.
        """
        asker = who_asks(parts, READ_REVIEWS)
        review = parts.reviews.find(asker.actor, review_id)
        if review is None:
            raise _no_such_review()
        parts.audit.note(asker.actor, "read", ("review", review_id))
        return answer(_whole(parts, asker.actor, review))

    @blueprint.post("/v1/reviews/<review_id>/claim")
    def claim(review_id: str) -> Response:
        """
        Take a review for some minutes: 200, 404, 409.
        """
        asker = who_asks(parts, REVIEW)
        review = parts.reviews.claim(asker.actor, review_id)
        if review is None:
            raise _no_such_review()
        return answer(_whole(parts, asker.actor, review))

    @blueprint.post("/v1/reviews/<review_id>/answer")
    def give_answer(review_id: str) -> Response:
        """
        Say whom one would have sent, and see the decision: 200, 404, 409, 422.
        """
        asker = who_asks(parts, REVIEW)
        read = read_body(parts, answering)
        answered = parts.reviews.answer(asker.actor, review_id, read["would_send"])
        if answered is None:
            raise _no_such_review()
        review, decision = answered
        (listed,) = parts.reviews.shown(asker.actor, [review])
        return answer({**decision, "review": {**listed, "would_send": read["would_send"]}})

    @blueprint.post("/v1/reviews/<review_id>/finding")
    def find(review_id: str) -> Response:
        """
        Keep what the reviewer found: 201, 404, 409, 422.
        """
        asker = who_asks(parts, REVIEW)
        document = read_document(parts)
        found = parts.findings.record(asker.actor, asker.agency, review_id, document)
        if found is None:
            raise _no_such_review()
        return answer(parts.findings.shown(found), 201)

    return blueprint


def list_schema(parts: Parts) -> Strict:
    """
    Make the schema of the list's query.
    """
    largest = parts.settings.page_items_max

    class ReviewList(Strict):
        """
        A page of the reviews of one state.
        """

        state = fields.String(validate=OneOf(STATES))
        cursor = fields.String(validate=[validate.Length(1, 1000), no_nul])
        limit = fields.Integer(validate=validate.Range(1, largest))

    return ReviewList()


def _whole(parts: Parts, actor: Actor, review: Review) -> Document:
    """
    Give a review as it stands for this actor; the decision and the finding only once it is
    answered.
    """
    (listed,) = parts.reviews.shown(actor, [review])
    decision = parts.reviews.decision(actor, review)
    found = parts.findings.of_review(actor, review.id) if decision else None
    would_send = None if review.would_send is None else list(review.would_send)
    return {
        **listed,
        "call": parts.reviews.call(actor, review),
        "would_send": would_send,
        "decision": decision,
        "finding": parts.findings.shown(found) if found else None,
    }


def _no_such_review() -> RefusedError:
    return RefusedError(404, "no-such-review", "there is no review with this id")
