"""
The list of decisions in words: the filters as they were typed, and one row for each decision.

It reads the query into filters, and what is wrong with it into faults, each at its field.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from marshmallow import Schema, ValidationError
from werkzeug.datastructures import MultiDict

from service.answers import MISSHAPEN
from service.listed import Listed
from service.pages.local_time import Moment, moment
from service.routing.facts import Vocabulary

NAMES: Final = (
    *("q", "from", "to", "responder", "urgency", "rule", "call_id"),
    *("overridden", "fallback", "reviewed"),
)
LABELS: Final[Mapping[str, str]] = {
    "q": "Search",
    "from": "From",
    "to": "Until",
    "responder": "Recommended",
    "urgency": "Urgency",
    "rule": "Rule that fired",
    "call_id": "Call id",
    "overridden": "Sent",
    "fallback": "Who was wanted",
    "reviewed": "Review",
    "recipient": "Who receives it",
    "purpose": "What it is for",
}
TIMES: Final = ("from", "to")
UNREADABLE: Final = "This record cannot be read: it is not as it was told"
KNOWN_MAX: Final = 4  # facts in a row; the page of the decision has them all
TYPED_CHARACTERS_MAX: Final = (
    1_000  # of one filter; what is longer cannot be right, and is not kept
)


@dataclass(frozen=True, slots=True)
class Asked:
    """
    The filters as they stand in the address, read: `filters` is empty where there are `faults`.
    """

    typed: Mapping[str, str]
    filters: Mapping[str, Any]
    faults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    times: Mapping[str, str] = field(default_factory=dict)

    def address(self, path: str, **more: str) -> str:
        """
        Give an address that carries the same filters.
        """
        query = urlencode({**self.typed, **more})
        return f"{path}?{query}" if query else path

    @property
    def is_filtered(self) -> bool:
        """
        Tell whether anything is asked for besides everything.
        """
        return bool(self.typed)

    @property
    def more_count(self) -> int:
        """
        Count the filters in use that stand folded away.
        """
        return sum(name in self.typed for name in ("rule", "call_id", "from", "to"))


def read_asked(schema: Schema, query: MultiDict[str, str], time_zone: str) -> Asked:
    """
    Read the filters of a query; an empty one is none, and a time without an offset is the agency's.
    """
    typed = {
        name: query[name].strip()[:TYPED_CHARACTERS_MAX]
        for name in NAMES
        if query.get(name, "").strip()
    }
    told = {
        name: _with_zone(text, time_zone) if name in TIMES else text for name, text in typed.items()
    }
    try:
        return Asked(typed, schema.load(told), times=_times(told, time_zone))
    except ValidationError as error:
        faults = {
            str(name): tuple(_words(one) for one in messages)
            for name, messages in error.messages_dict.items()
        }
        return Asked(typed, {}, faults, _times(told, time_zone))


def _with_zone(text: str, time_zone: str) -> str:
    try:
        at = dt.datetime.fromisoformat(text)
        return text if at.tzinfo else at.replace(tzinfo=ZoneInfo(time_zone)).isoformat()
    except (ValueError, OverflowError):
        return text


def _times(told: Mapping[str, str], time_zone: str) -> dict[str, str]:
    """
    Give the times that can be read as a browser's own field for them takes them.
    """
    found = {}
    for name in TIMES:
        try:
            at = dt.datetime.fromisoformat(told[name]).astimezone(ZoneInfo(time_zone))
            found[name] = at.replace(tzinfo=None).isoformat(timespec="minutes")
        except (KeyError, ValueError, OverflowError):
            continue
    return found


def _words(message: object) -> str:
    text = str(message.get("message", "")) if isinstance(message, Mapping) else str(message)
    if text.startswith("Must be one of"):
        return "choose one of those that are listed"
    if text.startswith("must be a time such as"):
        return "must be a time such as 2026-11-23 02:15"
    return f"{text[:1].lower()}{text[1:]}".replace("`", "").rstrip(".")


@dataclass(frozen=True, slots=True)
class Row:
    """
    One decision in the list. `sent` is None where nothing was reported, and empty where nobody was
    sent.
    """

    decision_id: str
    call_id: str
    revision: int | None
    at: Moment
    known: str
    kinds: tuple[str, ...]
    urgency: str
    urgency_level: int
    is_provisional: bool
    is_fallback: bool
    sent: tuple[str, ...] | None
    is_override: bool
    reason: str
    is_reviewed: bool
    is_gone: bool = False  # nothing of it can be shown


@dataclass(frozen=True, slots=True)
class Words:
    """
    What rows are told with: the vocabulary, the agency's reasons and zone, and what time it is.
    """

    vocabulary: Vocabulary
    reasons: Mapping[str, str]
    time_zone: str
    now: dt.datetime


def row_of(one: Listed, words: Words, *, is_reviewed: bool) -> Row:
    """
    Put one decision into a row.
    """
    if one.erased is not None:
        at = moment(one.erased.at, words.time_zone, words.now)
        known = f"Erased on {at.short}: {one.erased.words}"
        return _row_of_what_is_gone(one, words, "erased", known)
    if not one.is_readable:
        return _row_of_what_is_gone(one, words, one.summary["call_id"], UNREADABLE)
    try:
        return _row_of_what_is_told(one, words, is_reviewed=is_reviewed)
    except MISSHAPEN:  # it was changed in the store, in a way that its list does not see
        return _row_of_what_is_gone(one, words, one.summary["call_id"], UNREADABLE)


def _row_of_what_is_told(one: Listed, words: Words, *, is_reviewed: bool) -> Row:
    shown, sent = one.summary, one.sent
    recommended = shown["recommendation"]
    urgency, urgencies = recommended["urgency"], words.vocabulary.urgencies
    reason = sent.reason if sent else None
    return Row(
        shown["decision_id"],
        shown["call_id"],
        shown["revision"],
        moment(shown["decided_at"], words.time_zone, words.now),
        # A line of a list has no room for the notice that must go with such a fact.
        known_words(
            {name: value for name, value in one.facts.items() if name not in one.protected},
            words.vocabulary,
        ),
        tuple(responder["kind"] for responder in recommended["responders"]),
        urgencies.get(urgency, str(urgency)),
        list(urgencies).index(urgency) + 1 if urgency in urgencies else 0,
        bool(recommended["provisional"]),
        recommended["fallback"] is not None,
        sent.responders if sent else None,
        bool(sent and sent.override),
        words.reasons.get(reason, reason) if reason else "",
        is_reviewed,
    )


def _row_of_what_is_gone(one: Listed, words: Words, call: str, known: str) -> Row:
    return Row(
        decision_id=one.summary["decision_id"],
        call_id=call,
        revision=None,
        at=moment(one.summary["decided_at"], words.time_zone, words.now),
        known=known,
        kinds=(),
        urgency="",
        urgency_level=0,
        is_provisional=False,
        is_fallback=False,
        sent=None,
        is_override=False,
        reason="",
        is_reviewed=False,
        is_gone=True,
    )


def known_words(facts: Mapping[str, Any], vocabulary: Vocabulary) -> str:
    """
    Say shortly what was known: the dangers first, as they are read out on the radio, then the rest.

    What nobody told is left out, and never told as safe.
    """
    dangers, others = [], []
    for name, fact in vocabulary.facts.items():
        value = facts.get(name)
        if value is None or value == "unknown" or not fact.has(value):
            continue
        if value in fact.said:
            dangers.append(fact.said[value])
        else:
            others.append(f"{fact.label.lower()}: {fact.label_of(value).lower()}")
    unknown = [
        fact.label.lower()
        for name, fact in vocabulary.facts.items()
        if facts.get(name) == "unknown"
    ]
    shown = [*dangers, *others][:KNOWN_MAX]
    left = len(dangers) + len(others) - len(shown)
    words = "; ".join(shown) + (f"; {left} more" if left else "")
    if unknown:
        words += f"{'; ' if words else ''}nobody knows: {', '.join(unknown[:KNOWN_MAX])}"
    return f"{words[:1].upper()}{words[1:]}" if words else "Nothing was told yet"
