"""
The answer in words: what the page says of a recommendation, from the document that was recorded.

It adds no judgement of its own. What is not known is listed as not known, and police have a line
whether they are in the answer or not.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from service.pages.form_faults import as_sentence
from service.pages.local_time import clock_of, day_of
from service.request import GUESSES
from service.routing.facts import UNKNOWN, CallFacts, Vocabulary
from service.routing.rules import POLICE
from service.rulesets import Config, Published

NOBODY_KNEW = "unknown"  # as a request says it
NOBODY_KNOWS = "Asked, nobody knows"
NOT_ANSWERED = "Not yet answered"
ONLY_ASSUMED = "Only assumed, so it calms nothing"

MODES: Mapping[str, tuple[str, str]] = {
    "stale_directory": (
        "The directory of teams is old.",
        "Ask by radio before you promise a time.",
    ),
    "timetable_only": (
        "Only timetables are known, not who is free.",
        "Ask by radio before you promise a time.",
    ),
    "journal_only": (
        "The answer is kept on this machine only, for now.",
        "The queue or the store is away. It is stored when they are back; nothing is lost.",
    ),
    "last_good_rules": (
        "The newest rules could not be loaded.",
        "The last good version decides. Tell an administrator.",
    ),
    "floor": (
        "No rules could be applied.",
        "Stay on the line, send EMS, ask the questions, and go by the agency's own card.",
    ),
}
REASONS: Mapping[str, str] = {
    "out_of_hours": "outside their hours",
    "out_of_area": "outside their area",
    "all_busy": "all teams are busy",
    "too_far": "too far away",
    "not_offered": "not offered here",
    "stated_unavailable": "said to be unavailable",
    "no_directory": "no directory of teams to look in",
}


@dataclass(frozen=True, slots=True)
class ResponderLine:
    """
    One responder: who, what to do with them, what they need, and whether this revision added them.
    """

    kind: str
    how: str
    way: str
    is_now: bool
    needs: tuple[str, ...]
    is_added: bool


@dataclass(frozen=True, slots=True)
class PoliceLine:
    """
    The line that police always have: why they are in the answer, or what danger is not yet known.

    `because` holds a sentence and the rule's id, empty where they stand in for somebody else.
    """

    is_included: bool
    because: tuple[tuple[str, str], ...]
    not_answered: tuple[str, ...]
    nobody_knows: tuple[str, ...]
    only_assumed: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """
        Tell whether a danger that bears on police is not known, or only assumed.
        """
        return bool(self.not_answered or self.nobody_knows or self.only_assumed)


@dataclass(frozen=True, slots=True)
class Released:
    """
    A kind that this revision no longer asks for; EMS and police are released only for a reason.
    """

    kind: str
    needs_reason: bool


@dataclass(frozen=True, slots=True)
class FallbackWords:
    """
    Who was wanted, who goes instead, why, and who else was passed over.
    """

    wanted: str
    got: tuple[str, ...]
    reason: str
    passed_over: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """
    Everything the page says of one decision; `document` is the recorded one.

    `changes` are (fact, value, kinds); `not_known` lists facts by what is the matter with them, and
    `further_count` counts the other facts that nobody asked about.
    """

    document: Mapping[str, Any]
    is_recorded: bool
    urgency: str
    urgency_level: int
    responders: tuple[ResponderLine, ...]
    police: PoliceLine
    released: tuple[Released, ...]
    fallback: FallbackWords | None
    changes: tuple[tuple[str, str, tuple[str, ...]], ...]
    not_known: tuple[tuple[str, tuple[str, ...]], ...]
    further_count: int
    notify: tuple[str, ...]
    mode: tuple[str, str] | None
    warnings: tuple[str, ...]
    decided_at: dt.datetime
    announced: str

    @property
    def has_officer_of_unit(self) -> bool:
        """
        Tell whether police come only as the officer of a co-responder unit.
        """
        kinds = {one.kind for one in self.responders}
        return "co_responder" in kinds and "law_enforcement" not in kinds

    @property
    def is_floor(self) -> bool:
        """
        Tell whether no ruleset could be applied.
        """
        return bool(self.document["mode"] == "floor")

    @property
    def clock(self) -> str:
        """
        Give the time of day of the decision, with the offset from UTC.
        """
        return clock_of(self.decided_at)

    @property
    def day(self) -> str:
        """
        Give the day of the decision.
        """
        return day_of(self.decided_at)

    @property
    def short_digest(self) -> str:
        """
        Give enough of the ruleset's digest to tell two apart.
        """
        return str(self.document["ruleset"]["digest"] or "").removeprefix("sha256:")[:12]


def answer_of(
    document: Mapping[str, Any],
    told: Mapping[str, object],
    config: Config,
    published: Published | None,
    *,
    time_zone: str,
    is_recorded: bool,
    sources: Mapping[str, str],
) -> Answer:
    """
    Put a decision into words.

    Args:
        document: The answer, as it was recorded.
        told: The facts that people told.
        config: The words of facts, responders and ways, and the dangers that are always listed.
        published: The ruleset in force, asked which dangers can bring police; None at the floor.
        time_zone: The agency's; times are shown in it.
        is_recorded: Whether it is on disk.
        sources: Who said each fact; what is only a guess calms nothing, and is listed as such.
    """
    vocabulary = config.vocabulary
    recommended = document["recommendation"]
    guessed = [name for name, source in sources.items() if source in GUESSES]
    facts = CallFacts.of(vocabulary, *_with_signals(told, guessed, document["signals"]))
    change = document["change"] or {"add": [], "release": []}
    urgency = recommended["urgency"]
    decided_at = dt.datetime.fromisoformat(document["decided_at"])
    unknown = _unknown(document, facts, config)
    return Answer(
        document=document,
        is_recorded=is_recorded,
        urgency=vocabulary.urgencies.get(urgency, urgency),
        urgency_level=list(vocabulary.urgencies).index(urgency) + 1,
        responders=_responders(recommended, change["add"], vocabulary),
        police=_police(document, facts, unknown, config, published),
        released=tuple(Released(kind, kind in POLICE | {"ems"}) for kind in change["release"]),
        fallback=_fallback(recommended["fallback"]),
        changes=_changes(document, vocabulary),
        not_known=_not_known(unknown, facts, vocabulary),
        further_count=sum(facts.is_open(name) for name in vocabulary.asked if name not in unknown),
        notify=tuple(vocabulary.notify.get(name, name) for name in recommended["notify"]),
        mode=MODES.get(document["mode"]),
        warnings=tuple(as_sentence(one["message"]) for one in document["warnings"]),
        decided_at=decided_at.astimezone(ZoneInfo(time_zone)),
        announced=_announced(document, vocabulary),
    )


def _with_signals(
    told: Mapping[str, object], guessed: list[str], signals: Iterable[Mapping[str, Any]]
) -> tuple[dict[str, object], list[str]]:
    """
    Give the facts as the answer knew them: what a signal filled or raised is known as if told.
    """
    known = dict(told)
    for one in signals:
        if one["used"]:
            known[one["fact"]] = NOBODY_KNEW if one["value"] is None else one["value"]
            guessed = [name for name in guessed if name != one["fact"]]
    return known, guessed


def _announced(document: Mapping[str, Any], vocabulary: Vocabulary) -> str:
    """
    Say the answer in a breath, for somebody who hears the page.
    """
    recommended, revision = document["recommendation"], document["revision"]
    kinds = [vocabulary.responders[one["kind"]] for one in recommended["responders"]]
    urgency = vocabulary.urgencies.get(recommended["urgency"], recommended["urgency"])
    police = "" if document["law_enforcement"]["included"] else " Police not recommended so far."
    gone = [vocabulary.responders[one] for one in (document["change"] or {}).get("release", ())]
    head = f"Revision {revision}: " if revision else ""
    provisional = ", provisional" if recommended["provisional"] else ""
    released = f" No longer asked for: {', '.join(gone)}." if gone else ""
    return f"{head}{', '.join(kinds)}. {urgency}{provisional}.{police}{released}"


def _responders(
    recommended: Mapping[str, Any], added: list[str], vocabulary: Vocabulary
) -> tuple[ResponderLine, ...]:
    return tuple(
        ResponderLine(
            one["kind"],
            one["how"],
            vocabulary.ways.get(one["how"], one["how"]),
            one["kind"] in recommended["send_now"],
            tuple(need.replace("_", " ") for need in one["needs"]),
            one["kind"] in added,
        )
        for one in recommended["responders"]
    )


def _police(
    document: Mapping[str, Any],
    facts: CallFacts,
    unknown: tuple[str, ...],
    config: Config,
    published: Published | None,
) -> PoliceLine:
    said = document["law_enforcement"]
    because = tuple((as_sentence(one["text"]), one.get("rule") or "") for one in said["because"])
    vocabulary = config.vocabulary
    bearing = set(config.console.police_dangers)
    if published is not None:
        hazards = published.router.matcher.ruleset.hazards
        bearing |= {name for rule in hazards if rule.brings_police for name in rule.facts}
    labels = {
        name: vocabulary.facts[name].label
        for name in unknown
        if name in bearing and vocabulary.facts[name].hazard
    }
    return PoliceLine(
        said["included"],
        because,
        *(
            tuple(label for name, label in labels.items() if _state(facts, name) == state)
            for state in (NOT_ANSWERED, NOBODY_KNOWS, ONLY_ASSUMED)
        ),
    )


def _unknown(document: Mapping[str, Any], facts: CallFacts, config: Config) -> tuple[str, ...]:
    """
    Name what was asked and nobody knows, what is to be asked next, dangers nobody has told of, and
    dangers of which somebody only assumes something.
    """
    asked_next = (one["fact"] for one in document["ask_next"])
    named = {*facts.asked, *asked_next, *config.console.dangers}
    return tuple(
        name
        for name in config.vocabulary.asked
        if (name in named and facts.value(name) is UNKNOWN)
        or (name in facts.assumed and config.vocabulary.facts[name].is_danger)
    )


def _state(facts: CallFacts, name: str) -> str:
    if name in facts.assumed:
        return ONLY_ASSUMED
    return NOBODY_KNOWS if name in facts.asked else NOT_ANSWERED


def _not_known(
    unknown: tuple[str, ...], facts: CallFacts, vocabulary: Vocabulary
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    states: dict[str, list[str]] = {NOBODY_KNOWS: [], NOT_ANSWERED: [], ONLY_ASSUMED: []}
    for name in unknown:
        fact, value = vocabulary.facts[name], facts.value(name)
        shown = "" if value is UNKNOWN else f": {fact.label_of(value).lower()}"
        states[_state(facts, name)].append(fact.label + shown)
    return tuple((state, tuple(labels)) for state, labels in states.items() if labels)


def _fallback(fallback: Mapping[str, Any] | None) -> FallbackWords | None:
    if fallback is None:
        return None
    wanted = fallback["wanted"]
    passed = (one for one in fallback["passed_over"] if one["kind"] != wanted)
    return FallbackWords(
        wanted,
        tuple(fallback["got"]),
        _reason(fallback["reason"]),
        tuple((one["kind"], _reason(one["reason"])) for one in passed),
    )


def _reason(reason: str) -> str:
    return REASONS.get(reason, reason.replace("_", " "))


def _changes(
    document: Mapping[str, Any], vocabulary: Vocabulary
) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    shown = []
    for one in document["would_change"]:
        fact = vocabulary.facts.get(one["fact"])
        if fact is not None:
            shown.append((fact.label, fact.label_of(one["to"]), tuple(one["responders"])))
    return tuple(shown)
