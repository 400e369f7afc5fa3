"""
`/rules/{name}/publish` and `/rules/{name}/history`: check, approve, publish, compare, roll back.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from service.access import READ_CALLS, READ_RULES, TUNE_RULES
from service.pages.frame import page
from service.pages.rule_refused import refused_rules
from service.pages.rule_sheet import read_sheet, when
from service.pages.visitor import Visitor, visitor
from service.parts import Parts
from service.routing.rules import LEADS
from service.store import audit, people, rulesets
from service.store.audit import Entry, Search
from service.tuning.publishing import ROLLED_BACK
from service.tuning.rule_conflicts import FaultyMemberError
from service.tuning.rule_differences import Differences, differences

HISTORY_MAX = 100
REASONS_MAX = 10
COMMENT_CHARACTERS_MAX = 2_000


def publishing_pages(blueprint: Blueprint, parts: Parts) -> None:
    """
    Add the pages to those of the rules.
    """
    _sheet(blueprint, parts)
    _judging(blueprint, parts)
    _history(blueprint, parts)


def _sheet(blueprint: Blueprint, parts: Parts) -> None:
    @blueprint.get("/rules/<name>/publish")
    def publish_sheet(name: str) -> Response:
        """
        Show everything that was checked on one sheet, with two names: 200, 404.
        """
        who = visitor(parts, READ_RULES)
        return _sheet_page(parts, who, name)

    @blueprint.post("/rules/<name>/check")
    def check(name: str) -> BaseResponse:
        """
        Ask for a check: 303, 404.
        """
        who = visitor(parts, TUNE_RULES)
        parts.checks.request(who.actor, name)
        return redirect(f"/rules/{name}/publish", 303)


def _sheet_page(
    parts: Parts, who: Visitor, name: str, told: str = "", wrong: tuple[str, ...] = ()
) -> Response:
    """
    Show the sheet; *told* is a time that somebody gave, and *wrong* what is wrong with it.
    """
    sheet = read_sheet(parts, who, name)
    everybody = people.of_agency(parts.store, who.agency.id)
    authors = {one.identity for one in sheet.saves}
    could = [
        one.name
        for one in everybody
        if one.role == "admin" and not one.disabled_at and f"person:{one.id}" not in authors
    ]
    return page(
        parts,
        who,
        "rule_publish.html",
        422 if wrong else 200,
        here="rules",
        sheet=sheet,
        at_told=told,
        at_wrong=wrong,
        could=could,
        leads=("ems", *LEADS),
        kinds=parts.rules.config.vocabulary.responders,
        may_tune=who.actor.may(TUNE_RULES),
        may_read_calls=who.actor.may(READ_CALLS),
        when=lambda at: when(at, who.agency.time_zone),
    )


def _judging(blueprint: Blueprint, parts: Parts) -> None:
    @blueprint.post("/rules/<name>/approve")
    def approve(name: str) -> BaseResponse:
        """
        Approve the draft: 303, 404, 409.
        """
        who = visitor(parts, TUNE_RULES)
        parts.publishing.approve(
            who.actor,
            name,
            request.form.get("digest", ""),
            comment=_comment("comment"),
            accepts=request.form.getlist("accepts")[:2_000],
        )
        return redirect(f"/rules/{name}/publish", 303)

    @blueprint.post("/rules/<name>/publish")
    def publish(name: str) -> BaseResponse:
        """
        Publish the approved draft, now or at a time: 303, 404, 409, 422.
        """
        who = visitor(parts, TUNE_RULES)
        told = request.form.get("at", "").strip()
        at = _time(told, who) if told else None
        if told and at is None:
            wrong = ("Give the time as the form offers it, such as 2026-12-01T06:00.",)
            return _sheet_page(parts, who, name, told, wrong)
        try:
            parts.publishing.publish(who.actor, name, request.form.get("digest", ""), at)
        except FaultyMemberError:
            wrong = ("This time is past. Give one to come, or publish now.",)
            return _sheet_page(parts, who, name, told, wrong)
        parts.live_rules.look()
        return redirect(f"/rules/{name}/publish" if at else f"/rules/{name}", 303)

    @blueprint.post("/rules/<name>/rollback")
    def rollback(name: str) -> BaseResponse:
        """
        Let an older version decide again: 303, 404, 409, 422.
        """
        who = visitor(parts, TUNE_RULES)
        number, reason = request.form.get("version", ""), _comment("reason")
        if reason is None:
            way_out = "Go back and say in a few words why the older version decides again."
            return refused_rules(parts, 422, "A reason is missing", way_out, who)
        version = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 0
        parts.publishing.rollback(who.actor, name, version, reason)
        parts.live_rules.look()
        return redirect(f"/rules/{name}/history", 303)


def _comment(name: str) -> str | None:
    text = request.form.get(name, "").replace("\0", "").strip()
    return text[:COMMENT_CHARACTERS_MAX] or None


def _time(told: str, who: Visitor) -> dt.datetime | None:
    try:
        at = dt.datetime.fromisoformat(told)
        aware = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(who.agency.time_zone))
        return aware.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _history(blueprint: Blueprint, parts: Parts) -> None:
    @blueprint.get("/rules/<name>/history")
    def history(name: str) -> Response:
        """
        Show every version, and what differs between two: 200, 404.
        """
        who = visitor(parts, READ_RULES)
        sheet = read_sheet(parts, who, name)
        agency = who.agency.id
        before, after = _number("from"), _number("to")
        return page(
            parts,
            who,
            "rule_history.html",
            here="rules",
            sheet=sheet,
            versions=rulesets.page_of_versions(parts.store, agency, name, None, HISTORY_MAX),
            before=before,
            after=after,
            found=_between(parts, agency, name, before, after),
            back_to_older=_rollbacks(parts, agency, name),
            may_tune=who.actor.may(TUNE_RULES),
            kinds=parts.rules.config.vocabulary.responders,
            when=lambda at: when(at, who.agency.time_zone),
        )


def _rollbacks(parts: Parts, agency: str, name: str) -> tuple[Entry, ...]:
    """
    Give the last returns to an older version, the newest first, with their reasons.
    """
    search = Search(act=ROLLED_BACK, subject_kind="ruleset", subject_id=name)
    return audit.page(parts.store, agency, search, limit=REASONS_MAX)[0]


def _number(name: str) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _between(parts: Parts, agency: str, name: str, before: int, after: int) -> Differences | None:
    if not before or not after:
        return None
    first = rulesets.find_version(parts.store, agency, name, before)
    second = rulesets.find_version(parts.store, agency, name, after)
    if first is None or second is None:
        return None
    return differences(parts.rules.config.vocabulary, first.content, second.content)
