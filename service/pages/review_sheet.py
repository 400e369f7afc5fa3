"""
What the pages of a review say: the call in words, whom each would have sent, the figures.

Nothing here judges; it puts what the service gives into words.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from service.answers import Document
from service.console import Console
from service.pages.signal_lines import Signals, signals_of_record
from service.request import SIGNALS_CONTRADICT
from service.reviewing.review_selection import (
    CONTRADICTION,
    DISMISSED_SIGNAL,
    FALLBACK,
    OVERRIDE,
    POLICE_WITHOUT_HAZARD,
    RANDOM_SAMPLE,
)
from service.routing.facts import Vocabulary

REASONS: Final[Mapping[str, str]] = {
    OVERRIDE: "Something else was sent than was recommended",
    POLICE_WITHOUT_HAZARD: "Police, though no rule of a hazard asked for them",
    FALLBACK: "What was preferred could not come",
    DISMISSED_SIGNAL: "A signal was taken back",
    CONTRADICTION: "What the call says of something contradicts itself",
    RANDOM_SAMPLE: "Drawn by chance",
}
# The four verdicts: the word, what it means, and its key.
VERDICTS: Final = (
    ("right", "Right", "I would say so again"),
    ("over_triaged", "Too much", "less would have been safe"),
    ("under_triaged", "Too little", "somebody was left at risk"),
    ("cannot_tell", "Cannot tell", "too little is known"),
)
VERDICT_WORDS: Final[Mapping[str, str]] = {name: word for name, word, _ in VERDICTS}


@dataclass(frozen=True, slots=True)
class FactLine:
    """
    One fact as it was told: its label, its value in words, who said it, and whether it is known.
    """

    label: str
    value: str
    said_by: str
    is_known: bool


@dataclass(frozen=True, slots=True)
class CallSheet:
    """
    The call as the call-taker had it. `came` and `cannot` are kinds that were said to be free, or
    not; `signals` is what was read out of its code and remarks, and what a person took back.
    """

    call_id: str
    decided_at: dt.datetime
    received_at: dt.datetime | None
    code: str
    facts: tuple[FactLine, ...]
    unasked: int
    free: tuple[str, ...]
    away: tuple[str, ...]
    signals: Signals


def call_sheet(
    call: Document, vocabulary: Vocabulary, console: Console, time_zone: str
) -> CallSheet:
    """
    Put a call into words; times are in the agency's zone.
    """
    zone = ZoneInfo(time_zone)
    received = call["received_at"]
    told = _told(call)
    sources = call["fact_sources"] or {}
    lines = tuple(
        _fact_line(vocabulary, name, told[name], _said_by(sources.get(name), console))
        for name in vocabulary.facts
        if name in told
    )
    coded = [call["incident_type"], *(call["more_incident_types"] or ())]
    available = call["availability"] or {}
    return CallSheet(
        call_id=call["call_id"],
        decided_at=dt.datetime.fromisoformat(call["decided_at"]).astimezone(zone),
        received_at=dt.datetime.fromisoformat(received).astimezone(zone) if received else None,
        code=", ".join(f"{one['code']} ({one['registry']})" for one in coded if one),
        facts=lines,
        unasked=len(vocabulary.asked) - len(lines),
        free=tuple(vocabulary.responders[kind] for kind, free in available.items() if free),
        away=tuple(vocabulary.responders[kind] for kind, free in available.items() if not free),
        signals=_signals(call, vocabulary),
    )


def _signals(call: Document, vocabulary: Vocabulary) -> Signals:
    warnings = [{"code": SIGNALS_CONTRADICT, "message": one} for one in call["contradictions"]]
    return signals_of_record(vocabulary, {**call, "request": call, "warnings": warnings})


def _told(call: Mapping[str, Any]) -> dict[str, Any]:
    told = dict(call["facts"] or {})
    return told | ({"channel": call["channel"]} if call["channel"] else {})


def _fact_line(vocabulary: Vocabulary, name: str, value: Any, said_by: str) -> FactLine:
    fact = vocabulary.facts[name]
    if value == "unknown":
        return FactLine(fact.label, "Asked, nobody knows", said_by, is_known=False)
    return FactLine(fact.label, fact.label_of(value), said_by, is_known=True)


def _said_by(source: Mapping[str, Any] | None, console: Console) -> str:
    name = source["from"] if source else "told"
    return console.sources.get(name, name.replace("_", " "))


@dataclass(frozen=True, slots=True)
class Compared:
    """
    Yours and theirs: whom the reviewer would have sent, who was recommended, and what was sent
    last; None where nothing is reported.
    """

    mine: tuple[str, ...]
    recommended: tuple[str, ...]
    urgency: str
    because: tuple[tuple[str, str], ...]
    sent: tuple[str, ...] | None
    sent_reason: str
    sent_comment: str


def compared(
    would_send: tuple[str, ...], decision: Document, reasons: Mapping[str, str]
) -> Compared:
    """
    Put a reviewer's answer beside the decision; *reasons* are the agency's, by id.
    """
    recommendation = decision["recommendation"]
    last = decision["dispatches"][-1] if decision["dispatches"] else None
    reason = (last and last["reason"]) or ""
    return Compared(
        mine=would_send,
        recommended=tuple(one["kind"] for one in recommendation["responders"]),
        urgency=recommendation["urgency"],
        because=tuple((one["rule"], one["text"]) for one in decision["because"]),
        sent=tuple(last["responders"]) if last else None,
        sent_reason=reasons.get(reason, reason.replace("_", " ")),
        sent_comment=(last and last["comment"]) or "",
    )


@dataclass(frozen=True, slots=True)
class ShareWords:
    """
    One share in words, and its place on a line of 0 to 100; `part` is None where nothing is known.
    """

    word: str
    count: int
    part: float | None
    low: float
    high: float

    @property
    def text(self) -> str:
        """
        Say the share with its interval.
        """
        if self.part is None:
            return "nothing to count yet"
        return f"{self.part:.0f} % (between {self.low:.0f} and {self.high:.0f} %)"


def shares_of(figures: Document) -> tuple[ShareWords, ...]:
    """
    Give the shares of some figures in percent, right first.
    """
    found = []
    for name, word, _ in VERDICTS[:3]:
        one = figures[name]
        part = None if one["part"] is None else one["part"] * 100
        found.append(ShareWords(word, one["count"], part, one["low"] * 100, one["high"] * 100))
    return tuple(found)


def says(figures: Document) -> str:
    """
    Say the figures of the sample in one sentence.
    """
    right, *_ = shares_of(figures)
    if right.part is None:
        return "No call of the random sample is judged yet, so nothing can be said of all calls."
    calls = "call" if figures["could_tell"] == 1 else "calls"
    return (
        f"Of {figures['could_tell']} {calls} drawn by chance, reviewers found {right.count} right:"
        f" {right.part:.0f} %, and for all calls most likely between {right.low:.0f} and"
        f" {right.high:.0f} %."
    )
