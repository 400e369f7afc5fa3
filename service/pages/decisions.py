"""
`/decisions`: the log of decisions, searched and filtered in the address, and the same as a file.

The page of one decision is in `service/pages/decision.py`.
"""

from dataclasses import replace
from functools import partial

import orjson
from flask import Blueprint, Response, request
from marshmallow import ValidationError, fields, validate

from service.access import READ_CALLS, READ_LOG, READ_REVIEWS
from service.agency_settings import settings_of
from service.decision_export import BROKEN_OFF, export_of
from service.decision_filters import FORMATS, filter_schema
from service.disclosures import WORDS_CHARACTERS_MAX, read_to
from service.pages.decision_list import LABELS, Asked, Words, read_asked, row_of
from service.pages.frame import keep_in_order, page
from service.pages.visitor import Visitor, visitor
from service.parts import Parts
from service.request import Strict, no_nul
from service.store import decisions
from service.store.decision_fields import Filters

PAGE_ITEMS = 50
CURSOR_CHARACTERS_MAX = 1_000
# What supervisors look for most: the words, the filter and its value.
OFTEN = (
    ("Sent something else", "overridden", "true"),
    ("Wanted could not come", "fallback", "true"),
    ("Law enforcement", "responder", "law_enforcement"),
    ("Co-responder", "responder", "co_responder"),
)
NOT_REVIEWED = ("Not reviewed yet", "reviewed", "false")


class ToWhom(Strict):
    """
    Who receives an export with facts from protected records, and what for; empty for neither.
    """

    recipient = fields.String(validate=[validate.Length(0, WORDS_CHARACTERS_MAX), no_nul])
    purpose = fields.String(validate=[validate.Length(0, WORDS_CHARACTERS_MAX), no_nul])


_TO = ToWhom()


def decisions_pages(parts: Parts) -> Blueprint:
    """
    Make the list and its export.
    """
    blueprint = Blueprint("decisions_pages", __name__)
    keep_in_order(blueprint, parts)
    schema = filter_schema(parts.rules.config.vocabulary)()

    @blueprint.get("/decisions")
    def many() -> Response:
        """
        Show a page of the decisions that the filters of the address leave, newest first.
        """
        who = visitor(parts, READ_CALLS)
        asked = read_asked(schema, request.args, who.agency.time_zone)
        if asked.faults:
            return _shown(parts, who, asked, status=422)
        return _shown(parts, who, asked, request.args.get("cursor") or None)

    @blueprint.get("/decisions/export")
    def export() -> Response:
        """
        Stream all decisions that the filters leave as a file; faults are shown on the list.
        """
        who = visitor(parts, READ_CALLS)
        asked = read_asked(schema, request.args, who.agency.time_zone)
        form = request.args.get("format", FORMATS[0])
        if asked.faults or form not in FORMATS:
            return _shown(parts, who, asked, status=422)
        try:
            named = _TO.load({name: request.args.get(name, "").strip() for name in _TO.fields})
            to = read_to(named["recipient"], named["purpose"])
        except ValidationError as error:
            faults = {name: tuple(said) for name, said in error.messages_dict.items()}
            return _shown(parts, who, replace(asked, faults=faults), status=422)
        disclose = partial(parts.disclosures.note, who.actor, to) if to else None
        filters = Filters(**asked.filters, hidden=parts.blind.hidden(who.actor))
        listed = parts.records.every(who.agency.id, filters, parts.settings.page_items_max)
        parts.audit.note(who.actor, "exported", ("decisions", form), filters=dict(asked.typed))
        file = export_of(
            listed, form, orjson.dumps({"status": 503, "detail": BROKEN_OFF}), disclose
        )
        return Response(file.lines, content_type=file.content_type, headers=file.headers)

    return blueprint


def _shown(
    parts: Parts, who: Visitor, asked: Asked, cursor: str | None = None, status: int = 200
) -> Response:
    vocabulary, sees_reviews = parts.rules.config.vocabulary, who.actor.may(READ_REVIEWS)
    rows, older = [], None
    if not asked.faults:
        filters = Filters(**asked.filters, hidden=parts.blind.hidden(who.actor))
        at = cursor[:CURSOR_CHARACTERS_MAX] if cursor else None
        listed, older = parts.records.listed(who.agency.id, filters, at, PAGE_ITEMS)
        ids = [one.summary["decision_id"] for one in listed]
        reviewed = frozenset[str]()
        if sees_reviews:
            reviewed = decisions.reviewed_among(parts.store, who.agency.id, ids)
        reasons = settings_of(who.agency.settings, parts.rules.config.agency).dispatch_reasons
        words = Words(vocabulary, reasons, who.agency.time_zone, parts.now())
        rows = [
            row_of(one, words, is_reviewed=one.summary["decision_id"] in reviewed) for one in listed
        ]
    return page(
        parts,
        who,
        "decisions.html",
        status,
        here="decisions",
        asked=asked,
        rows=rows,
        older=asked.address("/decisions", cursor=older) if older else None,
        is_later=cursor is not None,
        summary=_summary(len(rows), asked, has_older=older is not None),
        sees_reviews=sees_reviews,
        may_read_log=who.actor.may(READ_LOG),
        often=(*OFTEN, NOT_REVIEWED) if sees_reviews else OFTEN,
        labels=LABELS,
        kinds=vocabulary.responders,
        urgencies=vocabulary.urgencies,
        time_zone=who.agency.time_zone,
    )


def _summary(count: int, asked: Asked, *, has_older: bool) -> str:
    """
    Say in words what the list holds.
    """
    if asked.faults:
        return "not looked for yet"
    if not count:
        return "none that fits" if asked.is_filtered else "none yet"
    noun = "decision" if count == 1 else "decisions"
    rest = ", and there are older ones" if has_older else ""
    return f"{count} {noun} shown, newest first{rest}"
