"""
`/admin/agency`: the agency's name and time zone, its reasons for a dispatch, what goes to review,
whether remarks are kept, and how long everything is.
"""

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import available_timezones

from flask import Blueprint, Response, abort, redirect, request
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from service.access import MANAGE_AGENCY, READ_PEOPLE
from service.accounts.agencies import REASONS_MAX, REVIEW_MOST, tag_of
from service.agency_settings import RETENTION_LEAST, RETENTION_MOST, REVIEW_LEAST
from service.errors import ConflictError
from service.pages.form_faults import faults_of
from service.pages.frame import keep_in_order, page
from service.pages.visitor import Visitor, visitor
from service.parts import Parts

EMPTY_ROWS: Final = 3  # for new reasons, on a page that works without scripts
RULE_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "override": ("Every override", "Something else was sent than was recommended."),
    "police_without_hazard": (
        "Every police response without a hazard",
        "Law enforcement was in the answer though no hazard rule asked for it.",
    ),
    "fallback": ("Every fallback", "What was preferred could not come."),
    "dismissed_signal": ("Every signal taken back", "A person said that a signal is wrong."),
    "contradiction": (
        "Every contradiction",
        "A code or a remark says what another, or what was told, speaks against.",
    ),
    "sample_percent": ("Percent of decisions", "Of the agency's decisions, drawn by chance."),
    "sample_per_week": ("At least, a week", "Decisions, where that is more than the share."),
    "due_days": ("Due after, in days", "When a review is due."),
    "claim_minutes": ("A claim holds, in minutes", "After that others can take the review."),
}
KEPT_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "remarks_days": ("Words, in days", "Remarks, comments and reasons, from when they were told."),
    "decisions_years": ("The rest, in years", "Facts, answers and what was sent."),
}


def agency_pages(parts: Parts) -> Blueprint:
    """
    Make the page.
    """
    blueprint = Blueprint("agency_pages", __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get("/admin/agency")
    def one() -> Response:
        """
        Show what is set, as a form for whoever may set it.
        """
        who = visitor(parts, READ_PEOPLE)
        return _form(parts, who, is_done=request.args.get("done") == "yes")

    @blueprint.post("/admin/agency")
    def change() -> BaseResponse:
        """
        Set all of it, unless somebody else did meanwhile: then both are shown.
        """
        who = visitor(parts, MANAGE_AGENCY)
        told = _told()
        try:
            parts.agencies.change(who.actor, told, request.form.get("tag", ""))
        except ValidationError as error:
            return _form(parts, who, told=told, faults=faults_of(error), status=422)
        except ConflictError:
            return _form(parts, who, told=told, is_stale=True, status=412)
        return redirect("/admin/agency?done=yes", 303)

    return blueprint


def _place(path: str) -> str:
    """
    Name the field that a fault is about, as the form names it.
    """
    top, _, rest = path.partition(".")
    if top == "dispatch_reasons" and rest:
        number, _, part = rest.partition(".")
        named = {"id": "id", "label": "words"}.get(part, "")
        return f"{named} of reason {int(number) + 1}".strip().capitalize()
    words = {"name": "Name", "time_zone": "Time zone", "dispatch_reasons": "Reasons"}
    named_of = {**RULE_WORDS, **KEPT_WORDS}
    return named_of[rest][0] if rest in named_of else words.get(path, path)


def _told() -> dict[str, Any]:
    """
    Read the form as the service takes it; a row of reasons that is empty is left out.
    """
    form = request.form
    rows = zip(form.getlist("reason_id"), form.getlist("reason_label"), strict=False)
    reasons = [
        {"id": one.strip(), "label": label.strip()}
        for one, label in list(rows)[: 2 * REASONS_MAX]
        if one.strip() or label.strip()
    ]
    review: dict[str, Any] = {}
    for name, least in REVIEW_LEAST.items():
        review[name] = form.get(name) == "yes" if least is None else _number(form.get(name, ""))
    return {
        "name": form.get("name", ""),
        "time_zone": form.get("time_zone", ""),
        "dispatch_reasons": reasons,
        "review": review,
        "keep_remarks": form.get("keep_remarks") == "yes",
        "retention": {name: _number(form.get(name, "")) for name in RETENTION_LEAST},
    }


def _number(text: str) -> float | int | str:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _form(
    parts: Parts,
    who: Visitor,
    *,
    told: Mapping[str, Any] | None = None,
    faults: Mapping[str, list[str]] | None = None,
    is_stale: bool = False,
    is_done: bool = False,
    status: int = 200,
) -> Response:
    held = parts.agencies.find(who.actor)
    if held is None:
        abort(404)
    shown = told or held
    # What is in force now, where somebody else set it while this form stood open.
    others = {name: held[name] for name in shown if held[name] != shown[name]} if is_stale else {}
    return page(
        parts,
        who,
        "agency.html",
        status,
        here="admin",
        held=held,
        told=shown,
        tag=request.form.get("tag", "") if told and not is_stale else tag_of(held),
        faults=faults or {},
        all_faults=[(_place(path), said) for path, said in (faults or {}).items()],
        others=others,
        is_stale=is_stale,
        is_done=is_done,
        may_change=who.actor.may(MANAGE_AGENCY),
        words=RULE_WORDS,
        least=REVIEW_LEAST,
        most=REVIEW_MOST,
        kept_words=KEPT_WORDS,
        kept_least=RETENTION_LEAST,
        kept_most=RETENTION_MOST,
        zones=sorted(available_timezones()),
        empty_rows=range(EMPTY_ROWS),
    )
