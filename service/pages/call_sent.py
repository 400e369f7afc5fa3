"""
`/sent`: what was really sent for the call on the page, reported by the function that dispatch
systems report by.

The report is about the decision that stands beside the form, whatever was typed since.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Response
from marshmallow import ValidationError

from service.agency_settings import settings_of
from service.answers import Document
from service.dispatches import Report
from service.errors import StoreUnavailableError
from service.pages.call_sheet import Beside, find, in_words, kinds_of, press_of, show_call
from service.pages.form_faults import Fault, each_fault
from service.pages.sent_form import (
    SOMETHING_ELSE,
    TICK_SOMEBODY,
    SentLine,
    SentPanel,
    TypedSent,
    call_back_default,
    faults_of_sent,
    line_of,
    report_of,
)
from service.pages.typed_call import Typed
from service.pages.visitor import Visitor
from service.parts import Parts
from service.store import people

NOTHING_TO_REPORT = (
    "Nothing was recorded: no recommendation of this call is on record here, so there is nothing to"
    " report against. Press Recommend first, then say again what was sent."
)


def reported(parts: Parts, who: Visitor, typed: Typed, sent: TypedSent) -> Response:
    """
    Record what was sent, and show it as it stands on record; with faults, nothing typed is lost.
    """
    document = find(parts, who, typed)
    if document is None:
        return show_call(parts, who, typed, Beside(notice=NOTHING_TO_REPORT), status=409)
    answer = in_words(parts, who, document, document["request"], is_recorded=True)
    told = report_of(sent, kinds_of(document), who.agency.time_zone)
    faults = tuple(tick_somebody(sent))
    status = 422
    if not faults:
        press = press_of(told, typed.seen, sent.after)
        try:
            report = Report(document["decision_id"], told, press)
            answered = parts.dispatches.report(who.actor, who.agency, report)
            status = answered.status
        except ValidationError as error:
            faults = tuple(each_fault(error.messages))
        except StoreUnavailableError:
            status = 503
    is_done = status in (200, 201)
    shown = panel_of(parts, who, document, typed=TypedSent() if is_done else sent)
    places = tuple(faults_of_sent(sent.way, faults))
    beside = Beside(answer, sent=replace(shown, faults=places, is_lost=not (is_done or faults)))
    return show_call(parts, who, typed, beside, status=200 if is_done else status)


def tick_somebody(sent: TypedSent) -> list[Fault]:
    """
    Give the fault of naming nobody as something else: to send nobody has a way of its own.
    """
    is_nobody = sent.way == SOMETHING_ELSE and not sent.of(SOMETHING_ELSE).kinds
    return [Fault("responders", TICK_SOMEBODY)] if is_nobody else []


def panel_of(
    parts: Parts,
    who: Visitor,
    document: Document,
    reports: Sequence[Mapping[str, Any]] | None = None,
    *,
    typed: TypedSent | None = None,
) -> SentPanel:
    """
    Make the part about what was sent for a decision on record.

    *reports* are those about any revision of the call, the earliest first; None looks them up in
    this host's journal, which has them at once.
    """
    if reports is None:
        reports = parts.records.reports_in_journal(who.agency.id, document["call_id"])
    try:
        asked = parts.dispatches.asked(who.agency.id, document["decision_id"])
    except StoreUnavailableError:
        asked = None
    return panel(
        parts,
        who,
        typed or TypedSent(),
        lines=_lines(parts, who, reports),
        owes_reason_for=tuple(asked.released(asked.recommended)) if asked else (),
        after=reports[-1]["dispatch_id"] if reports else "",
    )


def panel(parts: Parts, who: Visitor, typed: TypedSent, *, after: str, **beside: Any) -> SentPanel:
    """
    Make the part about what was sent, with the agency's reasons.
    """
    minutes = parts.rules.config.console.call_back_minutes
    return SentPanel(
        replace(typed, after=after),
        tuple(reasons_of(parts, who).items()),
        call_back=call_back_default(parts.now(), minutes, who.agency.time_zone),
        **beside,
    )


def reasons_of(parts: Parts, who: Visitor) -> Mapping[str, str]:
    """
    Give the agency's reasons for a dispatch, by id.
    """
    return settings_of(who.agency.settings, parts.rules.config.agency).dispatch_reasons


def _lines(
    parts: Parts, who: Visitor, reports: Iterable[Mapping[str, Any]]
) -> tuple[SentLine, ...]:
    reasons = reasons_of(parts, who)
    return tuple(
        line_of(one, _name(parts, who, one["record"]["by"] or {}), reasons) for one in reports
    )


def _name(parts: Parts, who: Visitor, by: Mapping[str, Any]) -> str:
    """
    Name who told a report: you, somebody of the agency, or a system by the label of its key.
    """
    if by.get("person") and by["person"] == who.actor.person_id:
        return "you"
    if by.get("person") and parts.surroundings.seen.has_store:
        try:
            found = people.find(parts.store, who.agency.id, by["person"])
        except StoreUnavailableError:
            found = None
        if found is not None:
            return found.name
    keys = parts.surroundings.seen.keys.values()
    return next((one.label for one in keys if one.id == by.get("key")), "somebody")
