"""
One decision as a story: what was known, which rules fired, who was wanted, who could come, what was
sent, and what stands on record.

It puts a record into words and adds no judgement of its own.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.pages.call_answer import REASONS, Answer, answer_of
from service.pages.local_time import Moment, moment
from service.pages.signal_lines import Signals, signals_of_record
from service.request import GUESSES
from service.routing.facts import Vocabulary
from service.rulesets import Config, Published
from service.tuning.rule_lines import web_address
from service.tuning.rule_sentences import Sentence, sentences_of

# What a source means for the answer. Source: the contract ('fact_sources').
COUNTS_AS: Final[Mapping[str, str]] = {
    **dict.fromkeys(GUESSES, ": it can raise the answer, never calm it"),
    "protected_record": ": used, and passed on to nobody",
}
REVISIONS_MAX: Final = 40  # beside a decision


@dataclass(frozen=True, slots=True)
class FactLine:
    """
    One fact as it was told: its name, its value in words, and whose word it is.
    """

    name: str
    label: str
    value: str
    source: str
    is_not_known: bool


@dataclass(frozen=True, slots=True)
class FiredRule:
    """
    A rule that fired: its reason and source as recorded, and its sentence where its very version is
    at hand.
    """

    rule: str
    table: str
    text: str
    title: str
    url: str
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class SentLine:
    """
    One report of what was sent. `by` names who reported; `kinds` is empty where nobody was sent.
    """

    at: Moment
    kinds: tuple[str, ...]
    is_override: bool
    reason: str
    comment: str
    released: tuple[str, ...]
    call_back: Moment | None
    by: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RevisionLine:
    """
    One revision of the call, for the timeline.
    """

    decision_id: str
    number: int
    at: Moment
    kinds: tuple[str, ...]
    added: tuple[str, ...]
    released: tuple[str, ...]
    is_provisional: bool
    is_here: bool


@dataclass(frozen=True, slots=True)
class Story:
    """
    Everything that the page of a decision tells.
    """

    document: Mapping[str, Any]
    answer: Answer
    at: Moment
    facts: tuple[FactLine, ...]
    signals: Signals
    rules: tuple[FiredRule, ...]
    rules_count: int | None
    stated: tuple[tuple[str, bool], ...]
    sent: tuple[SentLine, ...]
    revisions: tuple[RevisionLine, ...]
    stored_at: Moment | None
    by: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """
        Give who was recommended, in the order to act.
        """
        return tuple(one.kind for one in self.answer.responders)


@dataclass(frozen=True, slots=True)
class Told:
    """
    What a story is told with: words, reasons, names of who acted, the agency's zone, and now.
    """

    config: Config
    reasons: Mapping[str, str]
    names: Mapping[str, str]
    time_zone: str
    now: dt.datetime

    @property
    def vocabulary(self) -> Vocabulary:
        """
        Give the words of facts and responders.
        """
        return self.config.vocabulary

    def moment(self, at: dt.datetime | str) -> Moment:
        """
        Put a time into words.
        """
        return moment(at, self.time_zone, self.now)

    def by(self, who: Mapping[str, Any] | None) -> str:
        """
        Name who did something, from the ids that stand on record.
        """
        named = who or {}
        for name in (named.get("person"), named.get("key")):
            if name and name in self.names:
                return self.names[name]
        return "somebody who is no longer here" if who else "not on record"


def story_of(
    document: Mapping[str, Any],
    revisions: Sequence[Mapping[str, Any]],
    published: Published | None,
    told: Told,
) -> Story:
    """
    Tell one record.

    Args:
        document: The record, its texts open.
        revisions: Every revision of its call, the oldest first, this one among them.
        published: The very version that decided, or None where it is not at hand.
        told: What to tell it with.
    """
    vocabulary, request = told.vocabulary, document["request"]
    record, facts = document["record"], facts_told(request)
    ruleset = published.router.matcher.ruleset if published else None
    sentences = sentences_of(vocabulary, ruleset) if ruleset else {}
    return Story(
        document=document,
        answer=answer_of(
            *(document, facts, told.config, published),
            time_zone=told.time_zone,
            is_recorded=True,
            sources={
                name: one["says"] for name, one in (request.get("fact_sources") or {}).items()
            },
        ),
        at=told.moment(document["decided_at"]),
        facts=fact_lines(request, told.config),
        signals=signals_of_record(vocabulary, document),
        rules=tuple(_fired(one, sentences) for one in document["because"]),
        rules_count=len(ruleset.needs) + len(ruleset.hazards) if ruleset else None,
        stated=tuple((request.get("availability") or {}).items()),
        sent=tuple(_sent(one, told) for one in document["dispatches"]),
        revisions=_around(revision_lines(revisions, document["decision_id"], told)),
        stored_at=told.moment(record["stored_at"]) if record["stored_at"] else None,
        by=told.by(record["by"]),
    )


def facts_told(request: Mapping[str, Any]) -> dict[str, Any]:
    """
    Give the facts of a kept request, the channel among them.
    """
    told = dict(request.get("facts") or {})
    if request.get("channel"):
        told["channel"] = request["channel"]
    return told


def fact_lines(request: Mapping[str, Any], config: Config) -> tuple[FactLine, ...]:
    """
    Put the facts of a kept request into lines, those that are known first, in the order of asking.
    """
    vocabulary, told = config.vocabulary, facts_told(request)
    sources = request.get("fact_sources") or {}
    names = [name for name in vocabulary.facts if name in told]
    names += [name for name in told if name not in vocabulary.facts]
    lines = []
    for name in names:
        label, value = _label(vocabulary, name), value_words(vocabulary, name, told[name])
        if told[name] == "unknown":
            lines.append(FactLine(name, label, value, "counts as unknown", True))
        else:
            says = sources.get(name, {}).get("says", "told")
            by = config.console.sources.get(says, says.replace("_", " "))
            lines.append(FactLine(name, label, value, f"{by}{COUNTS_AS.get(says, '')}", False))
    return tuple(sorted(lines, key=lambda line: line.is_not_known))


def value_words(vocabulary: Vocabulary, name: str, value: Any) -> str:
    """
    Put a value of a fact into words; one that the vocabulary no longer has is shown as it stands.
    """
    if value is None:
        return "Not asked"
    if value == "unknown":
        return "Asked, nobody knows"
    fact = vocabulary.facts.get(name)
    return fact.label_of(value) if fact is not None else str(value)


def _label(vocabulary: Vocabulary, name: str) -> str:
    fact = vocabulary.facts.get(name)
    return fact.label if fact is not None else name


def _fired(one: Mapping[str, Any], sentences: Mapping[str, Sentence]) -> FiredRule:
    basis = one.get("basis") or {}
    return FiredRule(
        one["rule"],
        "hazard" if one.get("table") == "hazards" else "need",
        one.get("text", ""),
        str(basis.get("title") or ""),
        web_address(basis.get("url")),
        sentences.get(one["rule"], ()),
    )


def _sent(one: Mapping[str, Any], told: Told) -> SentLine:
    reason, call_back = one["reason"], one["call_back_at"]
    return SentLine(
        told.moment(one["reported_at"]),
        tuple(one["responders"]),
        bool(one["override"]),
        told.reasons.get(reason, reason) if reason else "",
        one["comment"] or "",
        tuple(one["released"]),
        told.moment(call_back) if call_back else None,
        told.by(one["record"]["by"]),
        tuple(warning["message"] for warning in one["warnings"]),
    )


def revision_lines(
    revisions: Sequence[Mapping[str, Any]], here: str, told: Told
) -> tuple[RevisionLine, ...]:
    """
    Put the revisions of a call into lines, each with what it added and no longer asked for.
    """
    lines = []
    before: tuple[str, ...] | None = None
    for place, one in enumerate(revisions, start=1):
        kinds = kinds_of(one)
        lines.append(
            RevisionLine(
                one["decision_id"],
                one["revision"] or place,
                told.moment(one["decided_at"]),
                kinds,
                tuple(kind for kind in kinds if before is not None and kind not in before),
                tuple(kind for kind in before or () if kind not in kinds),
                bool(one["recommendation"]["provisional"]),
                one["decision_id"] == here,
            )
        )
        before = kinds
    return tuple(lines)


def _around(lines: tuple[RevisionLine, ...]) -> tuple[RevisionLine, ...]:
    """
    Give the revisions around the one that is shown: a call of hundreds has a page of its own.
    """
    here = next((place for place, line in enumerate(lines) if line.is_here), 0)
    start = max(0, here - REVISIONS_MAX // 2)
    return lines[start : start + REVISIONS_MAX]


def kinds_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """
    Give who an answer recommends, in the order to act.
    """
    return tuple(one["kind"] for one in document["recommendation"]["responders"])


def reason_words(reason: str) -> str:
    """
    Say why somebody could not come.
    """
    return REASONS.get(reason, reason.replace("_", " "))
