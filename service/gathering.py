"""
Reads a request into the call that `decide` takes: what people told, what codes say, who is
available, which day it is.

The same reading serves the call as it comes in, a scenario, and a stored call that is decided
again.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from service.incident_types import NO_OWN_TYPES, OwnTypes, registry_name
from service.request import GUESSES
from service.routing.decide import decide
from service.routing.facts import CallFacts
from service.routing.recommendation import Call, Recommendation, Warned
from service.routing.signals import Signal
from service.rulesets import Config, Published

UNKNOWN_TYPE: Final = "unknown_incident_type"  # the warning of a type code that nobody knows


@dataclass(frozen=True, slots=True)
class Gathered:
    """
    One call, read: what `decide` needs besides the ruleset, and what to tell the caller about the
    request.
    """

    call: Call
    available: Mapping[str, bool]
    day: dt.date
    warned: tuple[Warned, ...]


def gather(
    config: Config,
    time_zone: str,
    request: Mapping[str, Any],
    now: dt.datetime,
    on_unknown_code: Callable[[str], None] = lambda _: None,
    *,
    own_types: OwnTypes = NO_OWN_TYPES,
) -> Gathered:
    """
    Read a request that the schema has read; *now* judges the day where it tells no `received_at`.

    *own_types* is what the agency says itself of its type codes.
    """
    vocabulary = config.vocabulary
    raw = dict(request.get("facts") or {})
    if request.get("channel"):
        raw["channel"] = request["channel"]
    says = {name: one["says"] for name, one in (request.get("fact_sources") or {}).items()}
    guessed = [name for name, source in says.items() if source in GUESSES]
    withheld = frozenset(name for name, source in says.items() if source == "protected_record")
    signals, warned = _signals(config, request, on_unknown_code, own_types)
    dismissed = {(one["fact"], one["source"]) for one in request.get("dismissed") or ()}
    if request.get("remarks"):
        text = "remarks are kept and not read: tell what they say as facts"
        warned.append(Warned("remarks_not_read", text, "remarks"))
    warned += _warnings_about(raw, says, dismissed, signals, protected=_protected(vocabulary.facts))
    call = Call(CallFacts.of(vocabulary, raw, guessed), signals, frozenset(dismissed), withheld)
    received_at = request.get("received_at")
    at = dt.datetime.fromisoformat(received_at) if received_at else now
    day = at.astimezone(ZoneInfo(time_zone)).date()
    return Gathered(call, request.get("availability") or {}, day, tuple(warned))


def decide_again(gathered: Gathered, published: Published) -> Recommendation:
    """
    Decide a call that was read, under any ruleset; nothing is recorded.
    """
    return decide(gathered.call, published.router, gathered.available, gathered.day)


def _signals(
    config: Config,
    request: Mapping[str, Any],
    on_unknown_code: Callable[[str], None],
    own_types: OwnTypes,
) -> tuple[tuple[Signal, ...], list[Warned]]:
    coded = request.get("incident_type")
    if not coded:
        return (), []
    signals = config.incident_types.signals(coded["registry"], coded["code"], own_types)
    if signals is not None:
        return signals, []
    registry = registry_name(coded["registry"])
    known = registry in config.incident_types.registries
    on_unknown_code(registry if known else "other")
    text = "no table knows this code, so nothing was read from it"
    return (), [Warned(UNKNOWN_TYPE, text, "incident_type.code")]


def _protected(facts: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for name, fact in facts.items() if fact.protected)


def _warnings_about(
    raw: Mapping[str, Any],
    says: Mapping[str, str],
    dismissed: set[tuple[str, str]],
    signals: tuple[Signal, ...],
    *,
    protected: frozenset[str],
) -> list[Warned]:
    """
    Say what of a request was not used, and why: nothing that was sent is dropped in silence.
    """
    warned = [
        Warned(
            "protected_fact_ignored",
            "no rule reads this fact: it comes with an outcome",
            f"facts.{name}",
        )
        for name in raw
        if name in protected
    ]
    warned += [
        Warned(
            "source_without_fact",
            "this source is of a fact that was not told",
            f"fact_sources.{name}",
        )
        for name in says
        if name not in raw
    ]
    signalled = {(signal.fact, signal.source) for signal in signals}
    warned += [
        Warned("nothing_to_dismiss", f"nothing signalled `{fact[:60]}` from {source}", "dismissed")
        for fact, source in sorted(dismissed - signalled)
    ]
    return warned
