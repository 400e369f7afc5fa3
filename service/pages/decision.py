"""
`/decisions/{id}`: one decision as a story, and `/calls/{call_id}`: the revisions of a call side by
side.

Nothing here changes a record. Who must answer a review first is shown neither, and what is opened
is noted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, abort, request

from service.access import READ_CALLS, READ_REVIEWS, SIMULATE
from service.agency_settings import settings_of
from service.answers import Document
from service.errors import ClaimHeldError, StoreUnavailableError
from service.pages.decision_story import Told, reason_words, revision_lines, story_of
from service.pages.frame import keep_in_order, page, readable_or_not, unreadable_page
from service.pages.local_time import moment
from service.pages.revisions import compare
from service.pages.rules_of_record import rules_of
from service.pages.visitor import Visitor, signed_in, visitor
from service.parts import Parts
from service.replay import Replayed
from service.store import people

# What a finding says, in words. Source: the contract ('Reviewing').
VERDICTS: Mapping[str, str] = {
    "right": "The recommendation was right",
    "under_triaged": "Too little was recommended",
    "over_triaged": "Too much was recommended",
    "cannot_tell": "It cannot be told",
}


def decision_pages(parts: Parts) -> Blueprint:
    """
    Make the page of a decision and that of a call.
    """
    blueprint = Blueprint("decision_pages", __name__)
    keep_in_order(blueprint, parts)
    hold_back(blueprint, parts)

    @blueprint.get("/decisions/<record_id>")
    def one(record_id: str) -> Response:
        """
        Tell one decision, from what was known to what reviewers said.
        """
        who = visitor(parts, READ_CALLS)
        return _told(parts, who, opened(parts, who, record_id))

    @blueprint.post("/decisions/<record_id>/replay")
    def replay(record_id: str) -> Response:
        """
        Decide it again from its record, and say on its page how the answers compare.
        """
        who = visitor(parts, READ_CALLS)
        document = opened(parts, who, record_id)
        return _told(parts, who, document, parts.replay.one(who.actor, who.agency, record_id))

    # A call's id is the CAD's own and may hold a slash.
    @blueprint.get("/calls/<path:call_id>")
    def call(call_id: str) -> Response:
        """
        Show the revisions of a call, and any two of them side by side.
        """
        who = visitor(parts, READ_CALLS)
        revisions = _revisions(parts, who, call_id)
        readable = [one for one in revisions if "unreadable" not in one]
        if not readable:
            return unreadable_page(parts, who, revisions[0]["record"])
        return readable_or_not(
            parts, who, readable, lambda: _call_page(parts, who, call_id, readable)
        )

    return blueprint


def hold_back(blueprint: Blueprint, parts: Parts) -> None:
    """
    Let a page say what to do first to somebody who claimed the review of a call.
    """

    @blueprint.errorhandler(ClaimHeldError)
    def answer_first(_error: ClaimHeldError) -> Response:
        return page(parts, signed_in(parts), "decision_held.html", 403, here="decisions")


def opened(parts: Parts, who: Visitor, record_id: str) -> Document:
    """
    Give the record that somebody opens, and note that they did.

    Raises:
        ClaimHeldError: they must answer their review of this call first.
        InQuarantineError: the store could not take it as it is.
        NotFound: this agency has no such decision.
    """
    if "\0" in record_id:
        abort(404)
    if parts.blind.refuses(who.actor, record_id):
        raise ClaimHeldError("the review of this call is not yet answered")
    document = parts.records.find(who.agency.id, record_id)
    if document is None:
        parts.quarantine.refuse_if_here(who.agency.id, record_id)
        abort(404)
    parts.blind.note_opened(who.actor, [record_id])
    parts.audit.note(who.actor, "read", ("decision", record_id))
    return document


def told_with(parts: Parts, who: Visitor, documents: Sequence[Mapping[str, Any]]) -> Told:
    """
    Give what a story is told with; names are looked up for those who stand on these records.
    """
    by = [one["record"]["by"] or {} for one in documents]
    by += [sent["record"]["by"] or {} for one in documents for sent in one["dispatches"]]
    names = {key.id: key.label for key in parts.surroundings.seen.keys.values()}
    for person_id in sorted({one["person"] for one in by if one.get("person")}):
        names |= _name_of(parts, who, person_id)
    reasons = settings_of(who.agency.settings, parts.rules.config.agency).dispatch_reasons
    return Told(parts.rules.config, reasons, names, who.agency.time_zone, parts.now())


def _name_of(parts: Parts, who: Visitor, person_id: str) -> dict[str, str]:
    try:
        person = people.find(parts.store, who.agency.id, person_id)
    except StoreUnavailableError:
        # The journal still has the call: a name is no reason not to show it.
        return {}
    return {person_id: person.name} if person else {}


def _findings(parts: Parts, who: Visitor, record_id: str) -> Sequence[Mapping[str, Any]] | None:
    """
    Give what reviewers found of a decision; None for somebody who does not see reviews.
    """
    if not who.actor.may(READ_REVIEWS):
        return None
    zone, now = who.agency.time_zone, parts.now()
    return [
        {**one, "at": moment(one["found_at"], zone, now)}
        for one in parts.findings.of_decision(who.actor, record_id)
    ]


def _told(
    parts: Parts, who: Visitor, document: Document, replayed: Replayed | None = None
) -> Response:
    # One that was changed in the store must not be told as if it were what was answered.
    if "unreadable" in document:
        return unreadable_page(parts, who, document["record"])
    known = parts.records.of_call(who.agency.id, document["call_id"])
    revisions = [one for one in known if "unreadable" not in one] or [document]
    shown = [document, *revisions]
    return readable_or_not(
        parts, who, shown, lambda: _whole_page(parts, who, document, revisions, replayed)
    )


def _whole_page(
    parts: Parts,
    who: Visitor,
    document: Document,
    revisions: Sequence[Document],
    replayed: Replayed | None,
) -> Response:
    published = rules_of(parts, who.agency, document["ruleset"])
    story = story_of(document, revisions, published, told_with(parts, who, [document]))
    findings = _findings(parts, who, document["decision_id"])
    return _decision_page(parts, who, story=story, findings=findings, replayed=replayed)


def _decision_page(parts: Parts, who: Visitor, **shown: Any) -> Response:
    vocabulary = parts.rules.config.vocabulary
    return page(
        parts,
        who,
        "decision.html",
        here="decisions",
        kinds=vocabulary.responders,
        notify=vocabulary.notify,
        labels={name: fact.label for name, fact in vocabulary.facts.items()},
        reason_words=reason_words,
        verdicts=VERDICTS,
        may_try=who.actor.may(SIMULATE),
        **shown,
    )


def _revisions(parts: Parts, who: Visitor, call_id: str) -> list[Document]:
    if "\0" in call_id:
        abort(404)
    if parts.blind.refuses_call(who.actor, call_id):
        raise ClaimHeldError("the review of this call is not yet answered")
    revisions = parts.records.of_call(who.agency.id, call_id)
    if not revisions:
        abort(404)
    parts.blind.note_opened(who.actor, [one["decision_id"] for one in revisions])
    parts.audit.note(who.actor, "read", ("call", call_id))
    return revisions


def _call_page(
    parts: Parts, who: Visitor, call_id: str, revisions: Sequence[Mapping[str, Any]]
) -> Response:
    vocabulary = parts.rules.config.vocabulary
    lines = revision_lines(revisions, "", told_with(parts, who, ()))
    last = len(revisions)
    a = _place(request.args.get("a"), last, default=max(1, last - 1))
    b = _place(request.args.get("b"), last, default=last)
    return page(
        parts,
        who,
        "call_revisions.html",
        here="decisions",
        call_id=call_id,
        lines=lines,
        chosen=(a, b),
        redisclosure=next(filter(None, (one["redisclosure_notice"] for one in revisions)), None),
        pair=compare(revisions[a - 1], revisions[b - 1], vocabulary) if last > 1 else None,
        kinds=vocabulary.responders,
    )


def _place(text: str | None, last: int, *, default: int) -> int:
    """
    Read the place of a revision, from 1; what is none is the default.
    """
    is_number = text is not None and text.isascii() and text.isdigit() and len(text) < 7
    place = int(text or 0) if is_number else 0
    return place if 1 <= place <= last else default
