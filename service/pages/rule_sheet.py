"""
What the pages of a ruleset show: its rules as sentences, its draft, the last check, and a call that
is tried under both.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from service.errors import ConfigurationError
from service.pages.local_time import offset_of
from service.pages.visitor import Visitor
from service.parts import Parts
from service.routing.facts import Vocabulary
from service.store import drafts, rulesets
from service.store.checks import Check
from service.store.drafts import Approval, Draft, Save
from service.store.rule_counts import Fired
from service.store.rulesets import Live, Version
from service.tuning.checks import without
from service.tuning.drafts import etag_of, version_etag_of
from service.tuning.rule_conflicts import NoSuchRulesError
from service.tuning.rule_differences import Differences, differences
from service.tuning.rule_lines import RuleLine, lines_of

NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class When:
    """
    A time as a page shows it: in the agency's zone with its offset, and whole for machines.
    """

    iso: str
    words: str


@dataclass(frozen=True, slots=True)
class RuleSheet:
    """
    A ruleset of the visitor's agency, as it is live and as it is drafted.
    """

    name: str
    live: Version | None
    since: Live | None
    draft: Draft | None
    saves: tuple[Save, ...]
    approval: Approval | None
    check: Check | None
    difference: Differences | None
    newest: int

    @property
    def content(self) -> Mapping[str, Any]:
        """
        Give what is shown: the draft where it can be read, else what is live.
        """
        if self.draft is not None and self.draft.content is not None:
            return self.draft.content
        return self.live.content if self.live else NOTHING

    @property
    def text(self) -> str:
        """
        Give the YAML that is edited.
        """
        if self.draft is not None:
            return self.draft.text
        return self.live.text if self.live else f"name: {self.name}\nneeds: []\nhazards: []\n"

    @property
    def tag(self) -> str:
        """
        Name what an edit is made on.
        """
        if self.draft is not None:
            return etag_of(self.draft)
        return version_etag_of(self.live) if self.live else ""

    @property
    def next_version(self) -> int:
        """
        Give the number that the draft will have if it is published next.
        """
        return self.newest + 1

    @property
    def authors(self) -> list[str]:
        """
        Name who saved the draft.
        """
        return list(dict.fromkeys(one.name for one in self.saves))

    def is_author(self, who: Visitor) -> bool:
        """
        Tell whether somebody saved this draft.
        """
        return who.actor.identity in {one.identity for one in self.saves}


def read_sheet(parts: Parts, who: Visitor, name: str) -> RuleSheet:
    """
    Read what the agency has of a ruleset.

    Raises:
        NoSuchRulesError: neither a version nor a draft.
    """
    if "\0" in name or len(name) > 200:
        raise NoSuchRulesError("no ruleset has this name")
    agency = who.agency.id
    live = rulesets.find_version(parts.store, agency, name)
    draft = drafts.find(parts.store, agency, name)
    if live is None and draft is None:
        raise NoSuchRulesError(f"there is no ruleset `{name[:60]}`")
    check = parts.checks.newest(draft) if draft else None
    found = None
    if draft is not None and draft.content is not None and live is not None:
        found = differences(parts.rules.config.vocabulary, live.content, draft.content)
    return RuleSheet(
        name=name,
        live=live,
        since=rulesets.find_live(parts.store, agency, name),
        draft=draft,
        saves=drafts.saves_of(parts.store, draft.id) if draft else (),
        approval=drafts.approval_of(parts.store, draft.id) if draft else None,
        check=without(check, parts.blind.hidden(who.actor)) if check else None,
        difference=found,
        newest=rulesets.newest_number(parts.store, agency, name),
    )


@dataclass(frozen=True, slots=True)
class RuleRow:
    """
    One rule in the list: its sentence, how often it fired, and what the draft does to it.
    """

    sentence: RuleLine
    fired: int
    share: int
    state: str


def rows_of(
    vocabulary: Vocabulary, sheet: RuleSheet, fired: Fired | None
) -> dict[str, list[RuleRow]]:
    """
    Give the rows of each table; rules that the draft removes stand at the end.
    """
    states: dict[str, str] = {}
    removed: tuple[RuleLine, ...] = ()
    if sheet.difference is not None:
        states |= {one.rule: "moved" for one in sheet.difference.moved}
        states |= {one.after.rule: "changed" for one in sheet.difference.changed}
        states |= {one.rule: "new" for one in sheet.difference.added}
        removed = sheet.difference.removed
    counts = fired.rules if fired else {}
    most = max(counts.values(), default=0)
    found: dict[str, list[RuleRow]] = {"hazards": [], "needs": []}
    every = [(one, states.get(one.rule, "")) for one in lines_of(vocabulary, sheet.content)]
    for one, state in [*every, *((one, "removed") for one in removed)]:
        count = counts.get(one.rule, 0)
        share = round(100 * count / most) if most else 0
        found[one.table].append(RuleRow(one, count, share, state))
    return found


def when(at: dt.datetime | None, zone: str) -> When | None:
    """
    Give a time as a page shows it.
    """
    if at is None:
        return None
    local = at.astimezone(ZoneInfo(zone))
    words = f"{local.day} {local:%B %Y, %H:%M} {offset_of(local)}"
    return When(local.isoformat(timespec="seconds"), words)


@dataclass(frozen=True, slots=True)
class Tried:
    """
    What a call that was tried would get: under what is live and under the draft, each a list of
    kinds with its urgency, or words why not.
    """

    told: Mapping[str, Any]
    live: Mapping[str, Any] | None
    draft: Mapping[str, Any] | None
    why_no_draft: str


def try_call(
    parts: Parts, who: Visitor, sheet: RuleSheet, query: MultiDict[str, str]
) -> Tried | None:
    """
    Try the call that a query tells (`t.weapon=blade`) under both; None where it tells none.
    """
    vocabulary = parts.rules.config.vocabulary
    told: dict[str, Any] = {}
    for name, fact in vocabulary.facts.items():
        text = query.get(f"t.{name}", "")
        value: Any = text
        if fact.kind == "flag":
            value = {"true": True, "false": False}.get(text, text)
        if fact.kind == "number" and text.isascii() and text.isdigit():
            value = int(text[:6])
        if text and not fact.protected and (value == "unknown" or fact.has(value)):
            told[name] = value
    if not told and "try" not in query:
        return None
    request = {"call_id": "tried", "facts": told}
    live = parts.rules.published(who.agency, sheet.name)
    drafted, why = None, "There is no draft."
    if sheet.draft is not None:
        try:
            made = parts.trials.whole(sheet.draft.content or {})
            drafted = parts.decisions.simulate(who.agency, request, made)
        except ConfigurationError:
            why = "The draft has problems: mend them first."
    shown = parts.decisions.simulate(who.agency, request, live) if live else None
    return Tried(told, shown, drafted, why)
