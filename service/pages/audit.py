"""
`/admin/audit`: who did what, when, to what, from where; searched by filters that stand in the URL.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from marshmallow import ValidationError

from service.access import READ_AUDIT, READ_CALLS, READ_REVIEWS
from service.audit_search import csv_lines, every, read_search
from service.pages.form_faults import faults_of
from service.pages.frame import keep_in_order, page
from service.pages.local_time import moment
from service.pages.visitor import Visitor, visitor
from service.parts import Parts
from service.store import audit, people
from service.store.audit import Entry

PAGE_ITEMS: Final = 50
FILTERS: Final = ("from", "to", "who", "act", "subject_kind", "subject_id")
DAY_CHARACTERS: Final = 10
# Where the thing that something was done to can be looked at.
ADDRESSES: Final[Mapping[str, str]] = {
    "decision": "/decisions/{}",
    "person": "/admin/people/{}",
    "ruleset": "/rules/{}",
    "review": "/reviews/{}",
}
NEEDED: Final[Mapping[str, str]] = {"decision": READ_CALLS, "review": READ_REVIEWS}
# What is not plain of itself; every other act is told as it is kept.
ACT_WORDS: Final[Mapping[tuple[str, str], str]] = {
    ("asked for verification", "log"): "asked for verification of",
    ("changed settings", "agency"): "changed settings of",
    ("found", "review"): "made a finding on",
}
# What each kind of thing is called; one that is not here is told as it is kept.
KIND_WORDS: Final[Mapping[str, str]] = {
    "agency": "the agency",
    "audit": "the audit trail as",
    "decisions": "decisions as",
    "dispatch": "report of what was sent",
    "encryption_key": "encryption key",
    "key": "access key",
    "legal_hold": "legal hold",
    "log": "the log of",
    "repeat": "repeated decision",
}
DIGEST: Final = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
DETAIL_CHARACTERS_MAX: Final = 160


def audit_pages(parts: Parts) -> Blueprint:
    """
    Make the page and its export.
    """
    blueprint = Blueprint("audit_pages", __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get("/admin/audit")
    def many() -> Response:
        """
        Show what the filters leave, the newest first.
        """
        who = visitor(parts, READ_AUDIT)
        told = _told()
        try:
            search = read_search(_query(told, who.agency.time_zone))
            cursor = request.args.get("cursor") or None
            found, following = audit.page(parts.store, who.agency.id, search, cursor, PAGE_ITEMS)
        except ValidationError as error:
            return _show(parts, who, told, faults=faults_of(error), status=422)
        return _show(parts, who, told, found=found, following=following)

    @blueprint.get("/admin/audit/export")
    def export() -> Response:
        """
        Stream all that the filters leave as CSV.
        """
        who = visitor(parts, READ_AUDIT)
        told = _told()
        try:
            search = read_search(_query(told, who.agency.time_zone))
        except ValidationError as error:
            return _show(parts, who, told, faults=faults_of(error), status=422)
        entries = every(parts.store, who.agency.id, search, parts.settings.page_items_max)
        parts.audit.note(who.actor, "exported", ("audit", "csv"), filters=told)
        named = 'attachment; filename="audit.csv"'
        return Response(
            csv_lines(entries),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": named},
        )

    return blueprint


def _told() -> dict[str, str]:
    return {name: request.args[name].strip() for name in FILTERS if request.args.get(name)}


def _query(told: Mapping[str, str], zone: str) -> dict[str, str]:
    """
    Give the filters as the service reads them: a day without a time is the agency's own, and the
    last day of a search is in it to its end.
    """
    query = {name: text for name, text in told.items() if text}
    for name, days in (("from", 0), ("to", 1)):
        if len(query.get(name, "")) == DAY_CHARACTERS:
            try:
                day = dt.date.fromisoformat(query[name]) + dt.timedelta(days=days)
            except (ValueError, OverflowError):
                continue  # read as a time, it is told of by name
            start = dt.datetime.combine(day, dt.time(), tzinfo=ZoneInfo(zone))
            query[name] = start.isoformat()
    return query


def _show(
    parts: Parts,
    who: Visitor,
    told: Mapping[str, str],
    *,
    found: tuple[Entry, ...] = (),
    following: str | None = None,
    faults: Mapping[str, list[str]] | None = None,
    status: int = 200,
) -> Response:
    zone, now = who.agency.time_zone, parts.now()
    subjects = {one.subject_id for one in found if one.subject_kind == "person"}
    names = people.names_of(parts.store, who.agency.id, subjects)
    done = audit.done_lately(parts.store, who.agency.id)
    entries = [
        {
            "entry": one,
            "at": moment(one.at, zone, now),
            "address": _address(who, one),
            "act": ACT_WORDS.get((one.act, one.subject_kind), one.act),
            "kind": KIND_WORDS.get(one.subject_kind, one.subject_kind.replace("_", " ")),
            "name": names.get(one.subject_id, "") if one.subject_kind == "person" else "",
            "detail": [
                (name, *_short(_brief(value)))
                for name, value in one.detail.items()
                if value is not None
            ],
        }
        for one in found
    ]
    return page(
        parts,
        who,
        "audit.html",
        status,
        here="admin",
        entries=entries,
        told=told,
        acts=sorted({(act, ACT_WORDS.get((act, kind), "")) for act, kind in done}),
        kinds=sorted({(kind, KIND_WORDS.get(kind, "")) for _, kind in done}),
        faults=faults or {},
        older=urlencode({**told, "cursor": following}) if following else "",
        export=urlencode(told),
    )


def _address(who: Visitor, entry: Entry) -> str:
    needed = NEEDED.get(entry.subject_kind)
    if needed is not None and not who.actor.may(needed):
        return ""
    form = ADDRESSES.get(entry.subject_kind, "")
    is_plain = entry.subject_id.isascii() and entry.subject_id.replace("-", "").isalnum()
    return form.format(entry.subject_id) if form and is_plain else ""


def _short(text: str) -> tuple[str, str]:
    """
    Cut digests and what is long; the whole goes beside it where something was cut.
    """
    cut = DIGEST.sub(r"\1…", text)
    if len(cut) > DETAIL_CHARACTERS_MAX:
        cut = f"{cut[: DETAIL_CHARACTERS_MAX - 1]}…"
    return cut, text if cut != text else ""


def _brief(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_brief(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(_brief(one) for one in value)
    return "nothing" if value is None else str(value)
