"""
A call as it was typed: what the form carries, read from it, and written as a request.

The form holds everything, so the page needs no memory: each press sends the whole call again.
Protected facts are never read.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from service.console import Console
from service.pages.signal_lines import REMARKS, dismissed_of
from service.pages.taken_back import TakenBack, read_taken_back
from service.routing.facts import Fact, Vocabulary

NOT_KNOWN = "unknown"
INTEGER_DIGITS_MAX = 9
LOCAL_TIME = "%Y-%m-%dT%H:%M:%S"  # as a field for a date and a time sends it


@dataclass(frozen=True, slots=True)
class Typed:
    """
    What was typed, as text: `facts` holds only those with an answer, `away` who cannot come.

    `sources` says who said a fact; `taken` are the signals that a person took back; `received` is
    local time without an offset. `place` is carried and never shown.
    `seen` is the id of the decision that stood beside the form, `seen_revision` its number;
    `pressed` is the fact that was just answered.
    """

    call_id: str = ""
    remarks: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    away: tuple[str, ...] = ()
    seen: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    taken: TakenBack = field(default_factory=TakenBack)
    registry: str = ""
    code: str = ""
    received: str = ""
    place: str = ""
    pressed: str = ""
    seen_revision: str = ""

    def named(self, call_id: str) -> "Typed":
        """
        Give the same with *call_id* where none was typed.
        """
        return self if self.call_id else replace(self, call_id=call_id)


def read_typed(form: MultiDict[str, str], vocabulary: Vocabulary, console: Console) -> Typed:
    """
    Read what was typed and pressed; an answer that was pressed goes over the same fact's field, and
    a press on 'Undo' takes a fact away.

    A fact that is told for the first time was said by whom the form names for the next answer.
    """
    facts, pressed = _facts(form, vocabulary)
    said_next = form.get("said_next", console.offered[0])
    sources = {}
    for name in facts:
        said = form.get(f"said.{name}", "")
        sources[name] = said_next if name == pressed or not said else said
    return Typed(
        form.get("call_id", "").strip(),
        form.get("remarks", "").replace("\r\n", "\n"),
        facts,
        tuple(kind for kind in vocabulary.responders if kind in form.getlist("away")),
        form.get("seen", ""),
        {name: said for name, said in sources.items() if name not in console.head},
        read_taken_back(form, vocabulary, console.take_back),
        form.get("registry", "").strip(),
        form.get("type_code", "").strip(),
        form.get("received", "").strip(),
        form.get("place", ""),
        pressed,
        form.get("seen_revision", ""),
    )


def _facts(form: MultiDict[str, str], vocabulary: Vocabulary) -> tuple[dict[str, str], str]:
    facts = {}
    for name in vocabulary.asked:
        text = form.get(f"fact.{name}", "").strip()
        if not text and f"unknown.{name}" in form:
            text = NOT_KNOWN
        if text:
            facts[name] = text
    name, is_answer, text = form.get("answer", "").partition("=")
    fact = vocabulary.facts.get(name)
    is_answer = is_answer if not (fact and fact.protected) else ""
    if is_answer:
        facts[name] = text
    facts.pop(form.get("undo", ""), None)
    return facts, name if is_answer else ""


def body_of(typed: Typed, vocabulary: Vocabulary, time_zone: str = "UTC") -> dict[str, Any]:
    """
    Write what was typed as a request for a recommendation, for the schema to judge.
    """
    body: dict[str, Any] = {
        "call_id": typed.call_id,
        "facts": {
            name: _value_of(vocabulary.facts.get(name), text) for name, text in typed.facts.items()
        },
    }
    sources = {
        name: {"from": said}
        for name, said in typed.sources.items()
        if typed.facts.get(name, NOT_KNOWN) != NOT_KNOWN and name in vocabulary.facts
    }
    lat, comma, lon = typed.place.partition(",")
    kept: dict[str, Any] = {
        "fact_sources": sources,
        "remarks": typed.remarks,
        "availability": dict.fromkeys(typed.away, False),
        "dismissed": [
            {"fact": fact, "source": source, "reason": reason}
            for (fact, source), reason in typed.taken.reasons.items()
        ],
        "incident_type": typed.code and {"registry": typed.registry, "code": typed.code},
        "received_at": typed.received and with_offset(typed.received, time_zone),
        "location": comma and {"lat": _number_of(lat), "lon": _number_of(lon)},
    }
    return body | {name: one for name, one in kept.items() if one}


def _value_of(fact: Fact | None, text: str) -> object:
    if fact is None or text == NOT_KNOWN:
        return text
    if fact.kind == "flag":
        return {"true": True, "false": False}.get(text, text)
    is_integer = text.isascii() and text.isdigit() and len(text) <= INTEGER_DIGITS_MAX
    return int(text) if fact.kind == "number" and is_integer else text


def _number_of(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


def typed_of(
    request: Mapping[str, Any], vocabulary: Vocabulary, *, call_id: str, seen: str, time_zone: str
) -> Typed:
    """
    Give a recorded request as it would have been typed, so that a call can be taken up again.
    """
    told = request.get("facts") or {}
    if request.get("channel"):
        told = {**told, "channel": request["channel"]}
    coded, place = request.get("incident_type") or {}, request.get("location")
    received = request.get("received_at")
    said = request.get("fact_sources") or {}
    return Typed(
        call_id,
        request.get("remarks") or "",
        {name: text_of(told[name]) for name in vocabulary.asked if name in told},
        tuple(kind for kind, can in (request.get("availability") or {}).items() if not can),
        seen,
        # The schema loads a source under `says`; a record that came another way may have `from`.
        {name: str(one.get("says") or one.get("from")) for name, one in said.items()},
        TakenBack(dismissed_of(request)),
        coded.get("registry", ""),
        coded.get("code", ""),
        local_time(dt.datetime.fromisoformat(received), time_zone) if received else "",
        f"{place['lat']},{place['lon']}" if place else "",
    )


def with_what_was_read(typed: Typed, signals: Iterable[Mapping[str, Any]]) -> Typed:
    """
    Give the same with what a remark that is not kept once said, as facts read out of a code: so the
    next answer is not calmer for want of the words. Such a fact can raise an answer and calms none.
    """
    counted = [
        one
        for one in signals
        if one["used"] and one["source"] == REMARKS and one["value"] is not None
    ]
    read = {one["fact"]: text_of(one["value"]) for one in counted}
    facts, sources = {**typed.facts, **read}, {**typed.sources, **dict.fromkeys(read, "code")}
    return replace(typed, facts=facts, sources=sources)


def text_of(value: object) -> str:
    """
    Give a fact's value as a form sends it.
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def local_time(at: dt.datetime, time_zone: str) -> str:
    """
    Give a time as a field for a date and a time holds it, where the agency is.
    """
    return at.astimezone(ZoneInfo(time_zone)).strftime(LOCAL_TIME)


def with_offset(text: str, time_zone: str) -> str:
    """
    Give a local time with the offset that holds where the agency is; what is no time stays as it
    is, for the schema to refuse.
    """
    try:
        at = dt.datetime.fromisoformat(text)
        return at.isoformat() if at.tzinfo else at.replace(tzinfo=ZoneInfo(time_zone)).isoformat()
    except (ValueError, OverflowError):
        return text
