"""
`/rules` and `/rules/{name}`: the rules as sentences, the YAML, the draft, and a call to try.
"""

import difflib
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from service.access import READ_CALLS, READ_RULES, TUNE_RULES
from service.pages.form_faults import as_sentence
from service.pages.frame import keep_in_order, page
from service.pages.rule_form import RuleForm, make_rule_form, pressed, read_rule_form
from service.pages.rule_publishing import publishing_pages
from service.pages.rule_refused import refused_rules
from service.pages.rule_sheet import RuleSheet, read_sheet, rows_of, try_call, when
from service.pages.rule_words import RuleFault, faults_at, member_words
from service.pages.visitor import Visitor, signed_in, visitor
from service.parts import Parts
from service.routing.facts import Vocabulary
from service.routing.reading import read_rule
from service.store import drafts, ruleset_choices, rulesets
from service.tuning.fired_rules import DAYS, FiredRules
from service.tuning.rule_choices import Hashed, choices_for
from service.tuning.rule_conflicts import (
    DraftChangedError,
    NoSuchRulesError,
    RuleConflictError,
)
from service.tuning.rule_lines import HAZARDS, NEEDS, line_of
from service.tuning.rule_splice import insert_rule, move_rule, remove_rule, replace_rule

VIEWS = ("sentences", "yaml")
NEW_RULE: Mapping[str, Any] = {"id": "", "why": "", "source": {}}


def rule_pages(parts: Parts) -> Blueprint:
    """
    Make the pages.
    """
    blueprint = Blueprint("rules", __name__)
    keep_in_order(blueprint, parts)
    blueprint.add_app_template_filter(member_words)
    _show_conflicts(blueprint, parts)
    hashed, fired = Hashed(parts.rules.config.vocabulary), FiredRules(parts.store, parts.now)
    _reading(blueprint, parts, hashed, fired)
    _writing(blueprint, parts, hashed)
    _choosing(blueprint, parts)
    publishing_pages(blueprint, parts)
    return blueprint


def _show_conflicts(blueprint: Blueprint, parts: Parts) -> None:
    @blueprint.errorhandler(NoSuchRulesError)
    def not_there(error: NoSuchRulesError) -> Response:
        words = as_sentence(str(error))
        return refused_rules(parts, 404, "There is nothing here", words, signed_in(parts))

    @blueprint.errorhandler(RuleConflictError)
    def conflict(error: RuleConflictError) -> Response:
        words = as_sentence(str(error))
        return refused_rules(parts, 409, "This cannot be done now", words, signed_in(parts))

    @blueprint.errorhandler(DraftChangedError)
    def changed(error: DraftChangedError) -> Response:
        words = f"{error.saved_name} saved it since you opened it. Look at it again first."
        return refused_rules(parts, 412, "The draft is another now", words, signed_in(parts))


def _reading(blueprint: Blueprint, parts: Parts, hashed: Hashed, fired: FiredRules) -> None:
    @blueprint.get("/rules")
    def every() -> Response:
        """
        List the rulesets: 200.
        """
        who = visitor(parts, READ_RULES)
        agency = who.agency
        found = rulesets.of_agency(parts.store, agency.id)
        drafted = drafts.of_agency(parts.store, agency.id)
        names = {version.name for version, _ in found}
        return page(
            parts,
            who,
            "rules.html",
            here="rules",
            found=found,
            drafted={one.name: one for one in drafted},
            only_drafted=[one for one in drafted if one.name not in names],
            proposed=ruleset_choices.find_open(parts.store, agency.id),
            may_tune=who.actor.may(TUNE_RULES),
            when=lambda at: when(at, agency.time_zone),
        )

    @blueprint.get("/rules/<name>")
    def one(name: str) -> Response:
        """
        Show a ruleset: 200, 404.
        """
        who = visitor(parts, READ_RULES)
        return _sheet_page(parts, who, read_sheet(parts, who, name), hashed, fired)


def _sheet_page(
    parts: Parts, who: Visitor, sheet: RuleSheet, hashed: Hashed, fired: FiredRules
) -> Response:
    vocabulary = parts.rules.config.vocabulary
    view = request.args.get("view", "")
    may_tune = who.actor.may(TUNE_RULES)
    counted = fired.of(who.agency.id, sheet.name)
    form = _form_of(vocabulary, hashed, sheet, request.args) if may_tune else None
    return page(
        parts,
        who,
        "ruleset.html",
        here="rules",
        sheet=sheet,
        view=view if view in VIEWS else VIEWS[0],
        rows=rows_of(vocabulary, sheet, counted),
        fired=counted,
        days=DAYS,
        form=form,
        faults=_faults(vocabulary, sheet, form) if form else (),
        was=_was(vocabulary, sheet, form.block) if form else None,
        tried=try_call(parts, who, sheet, request.args),
        facts=[one for one in vocabulary.facts.values() if not one.protected],
        vocabulary=vocabulary,
        kinds=vocabulary.responders,
        may_tune=may_tune,
        may_read_calls=who.actor.may(READ_CALLS),
        when=lambda at: when(at, who.agency.time_zone),
    )


def _form_of(
    vocabulary: Vocabulary, hashed: Hashed, sheet: RuleSheet, query: Mapping[str, str]
) -> RuleForm | None:
    """
    Make the form of the rule that a query names, or of a new one; None where it names none.
    """
    new = query.get("new", "")
    if new in (NEEDS, HAZARDS):
        return make_rule_form(vocabulary, hashed, new, None, NEW_RULE)
    wanted = query.get("rule", "")
    for table in (HAZARDS, NEEDS):
        for place, block in enumerate(_blocks(sheet.content, table)):
            if wanted and str(block.get("id", "")) == wanted:
                return make_rule_form(vocabulary, hashed, table, place, block)
    return None


def _faults(vocabulary: Vocabulary, sheet: RuleSheet, form: RuleForm) -> Sequence[RuleFault]:
    problems = sheet.draft.problems if sheet.draft else ()
    return faults_at(vocabulary, problems, f"{form.table}[{form.place}]")


def _blocks(content: Mapping[str, Any], table: str) -> list[Mapping[str, Any]]:
    rules = content.get(table)
    listed = rules if isinstance(rules, list) else []
    return [block if isinstance(block, Mapping) else {} for block in listed]


def _was(vocabulary: Vocabulary, sheet: RuleSheet, block: Mapping[str, Any]) -> Any:
    """
    Give the sentence that a rule is in the live version, if the draft has another.
    """
    if sheet.draft is None or sheet.live is None:
        return None
    for table in (HAZARDS, NEEDS):
        for place, before in enumerate(_blocks(sheet.live.content, table)):
            if before.get("id") == block.get("id") and before != block:
                return line_of(vocabulary, table, place, before)
    return None


def _writing(blueprint: Blueprint, parts: Parts, hashed: Hashed) -> None:
    largest = parts.settings.ruleset_bytes_max

    def take_large_form() -> None:
        # A letter may take three bytes in a form; the text itself is measured when it is read.
        request.max_content_length = 3 * largest + 65_536
        request.max_form_memory_size = 3 * largest + 65_536

    @blueprint.post("/rules/<name>/draft")
    def save(name: str) -> BaseResponse:
        """
        Save the whole YAML: 303, 412, 413.
        """
        take_large_form()
        who = visitor(parts, TUNE_RULES)
        text = request.form.get("text", "").replace("\r\n", "\n")
        if len(text.encode(errors="replace")) > largest:
            way_out = f"A ruleset has at most {largest} bytes. Nothing was saved: go back."
            return refused_rules(parts, 413, "This is too long", way_out, who)
        return _save(parts, who, name, text, f"/rules/{name}?view=yaml#draft")

    @blueprint.post("/rules/<name>/rule")
    def save_rule(name: str) -> BaseResponse:
        """
        Save one rule, or show its form with a test more or less: 200, 303, 404, 412.
        """
        take_large_form()
        who = visitor(parts, TUNE_RULES)
        return _change_rule(parts, who, read_sheet(parts, who, name), hashed)

    @blueprint.post("/rules/<name>/throw-away")
    def throw_away(name: str) -> BaseResponse:
        """
        Throw the draft away: 303, 404, 412.
        """
        who = visitor(parts, TUNE_RULES)
        tag = request.form.get("tag", "")
        parts.drafts.throw_away(who.actor, name, lambda found: found == tag)
        is_published = rulesets.find_live(parts.store, who.agency.id, name) is not None
        return redirect(f"/rules/{name}" if is_published else "/rules", 303)


def _save(parts: Parts, who: Visitor, name: str, text: str, then: str) -> BaseResponse:
    tag = request.form.get("tag", "")
    named = (lambda found: found == tag) if tag else None
    try:
        parts.drafts.save(who.actor, name, text, named)
    except DraftChangedError as fault:
        return _both_texts(parts, who, name, text, fault)
    return redirect(then, 303)


def _both_texts(
    parts: Parts, who: Visitor, name: str, text: str, fault: DraftChangedError
) -> Response:
    """
    Show what somebody else saved beside what was sent, so that nothing is lost.
    """
    sheet = read_sheet(parts, who, name)
    return page(
        parts,
        who,
        "rule_conflict.html",
        412,
        here="rules",
        sheet=sheet,
        mine=text,
        saved_name=fault.saved_name,
        saved=when(fault.saved_at, who.agency.time_zone),
        lines=_differing(sheet.text, text),
    )


LINES_MAX = 400


def _differing(theirs: str, mine: str) -> list[tuple[str, str]]:
    found = difflib.unified_diff(theirs.splitlines(), mine.splitlines(), lineterm="", n=2)
    marked = [(line[:1], line) for line in itertools.islice(found, 2, LINES_MAX)]
    return [(sign if sign in "+-@" else "", line) for sign, line in marked]


def _change_rule(parts: Parts, who: Visitor, sheet: RuleSheet, hashed: Hashed) -> BaseResponse:
    vocabulary = parts.rules.config.vocabulary
    table = request.form.get("table", "")
    if table not in (NEEDS, HAZARDS):
        raise NoSuchRulesError("there is no such table of rules")
    blocks = _blocks(sheet.content, table)
    rule_id = request.form.get("rule", "")
    place = next(
        (number for number, one in enumerate(blocks) if rule_id and one.get("id") == rule_id), None
    )
    if rule_id and place is None:
        raise DraftChangedError("Somebody", None)
    before = blocks[place] if place is not None else {}

    def first(fact: str) -> str:
        offered = choices_for(hashed, table, fact) if fact in vocabulary.facts else ()
        return offered[0].text if offered else "known"

    block = read_rule_form(request.form, vocabulary, table, before, first)
    what, _ = pressed(request.form)
    form = make_rule_form(vocabulary, hashed, table, place, block)
    if what in ("add", "drop"):
        return _form_page(parts, who, sheet, form, ())
    if what == "save" and not block.get("id"):
        # A rule without an id cannot be opened again: say so while it stands in the form.
        problems = [
            {"path": one.path, "message": one.message}
            for one in read_rule(vocabulary, table, block)[1]
        ]
        return _form_page(parts, who, sheet, form, faults_at(vocabulary, problems, table))
    text = _changed_text(sheet.text, table, place, what, block)
    if text is None:
        way_out = "The YAML of this table is written in a way that only the YAML view can change."
        return refused_rules(parts, 409, "This rule cannot be changed here", way_out, who)
    then = f"/rules/{sheet.name}?rule={block.get('id', '')}#edit"
    return _save(parts, who, sheet.name, text, then if what != "remove" else f"/rules/{sheet.name}")


def _form_page(
    parts: Parts, who: Visitor, sheet: RuleSheet, form: RuleForm, faults: Sequence[RuleFault]
) -> Response:
    """
    Show the form of a rule that is not saved yet, with what is wrong with it.
    """
    vocabulary = parts.rules.config.vocabulary
    return page(
        parts,
        who,
        "rule_form.html",
        422 if faults else 200,
        here="rules",
        sheet=sheet,
        form=form,
        faults=faults,
        was=_was(vocabulary, sheet, form.block),
        rule_id=request.form.get("rule", ""),
        tag=request.form.get("tag", ""),
        vocabulary=vocabulary,
        kinds=vocabulary.responders,
        shown=line_of(vocabulary, form.table, form.place or 0, form.block),
    )


def _changed_text(
    text: str, table: str, place: int | None, what: str, block: Mapping[str, Any]
) -> str | None:
    if place is None:
        # A need goes in front of the last one, which catches all.
        return insert_rule(text, table, -1 if table == NEEDS else 10**9, block)
    if what == "remove":
        return remove_rule(text, table, place)
    if what in ("up", "down"):
        return move_rule(text, table, place, -1 if what == "up" else 1)
    return replace_rule(text, table, place, block)


def _choosing(blueprint: Blueprint, parts: Parts) -> None:
    @blueprint.post("/rules/choice")
    def propose() -> BaseResponse:
        """
        Propose another ruleset, or approve what somebody else proposed: 303, 409.
        """
        who = visitor(parts, TUNE_RULES)
        name = request.form.get("name", "")
        if request.form.get("do") == "approve":
            parts.publishing.approve_choice(who.actor, name)
        else:
            comment = request.form.get("comment", "").strip()[:2000].replace("\0", "")
            parts.publishing.propose(who.actor, name, comment or None)
        parts.surroundings.look()
        return redirect("/rules", 303)
