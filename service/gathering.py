"""
Reads a request into the call that `decide` takes: what people told, what codes and remarks say, who
is available, which day it is.

The same reading serves the call as it comes in, a scenario, and a stored call that is decided
again.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from service.incident_types import NO_OWN_TYPES, OwnTypes
from service.request import GUESSES, SIGNALS_CONTRADICT
from service.routing.decide import decide
from service.routing.facts import CallFacts
from service.routing.recommendation import Call, Recommendation, Warned
from service.routing.signals import Signal, read_remarks
from service.routing.weighing import contradicted
from service.rulesets import Config, Published

NOT_READ: Final = "not_read"  # the code of the warning that nothing of a request was used
UNKNOWN_TYPE: Final = "no table knows this code, so nothing was read from it"


class UnknownType(NamedTuple):
    """
    A type code that nobody knows, in the spelling in which it was looked up and as it was sent.
    """

    registry: str
    code: str
    text: str

    def counted_as(self, config: Config) -> str:
        """
        Name the registry for a counter, which must not grow with what somebody sends.
        """
        return self.registry if self.registry in config.incident_types.registries else "other"


@dataclass(frozen=True, slots=True)
class Gathered:
    """
    One call, read: what `decide` needs besides the ruleset, and what to tell the caller about the
    request. `own_said` is what the agency said itself of its codes.
    """

    call: Call
    available: Mapping[str, bool]
    day: dt.date
    warned: tuple[Warned, ...]
    unknown_types: tuple[UnknownType, ...] = ()
    own_said: OwnTypes = field(default_factory=dict)


def gather(
    config: Config,
    time_zone: str,
    request: Mapping[str, Any],
    now: dt.datetime,
    on_unknown_code: Callable[[str], None] = lambda _: None,
    *,
    own_types: OwnTypes = NO_OWN_TYPES,
    read_before: Iterable[Signal] | None = None,
    read_in_remark: Iterable[Signal] | None = None,
) -> Gathered:
    """
    Read a request that the schema has read; *now* judges the day where it tells no `received_at`.

    *own_types* is what the agency says itself of its type codes.

    *read_before* are the signals that were read when the call came in: with them neither code nor
    remark is read again, so that a stored call can be decided again when its remark is sealed or
    gone. *read_in_remark* are those of the remark alone: the codes are read again.
    """
    vocabulary = config.vocabulary
    raw = dict(request.get("facts") or {})
    if request.get("channel"):
        raw["channel"] = request["channel"]
    says = {name: one["says"] for name, one in (request.get("fact_sources") or {}).items()}
    guessed = [name for name, source in says.items() if source in GUESSES]
    withheld = frozenset(name for name, source in says.items() if source == "protected_record")
    warned: list[Warned] = []
    unknown: list[UnknownType] = []
    if read_before is None:
        coded, unknown = _signals(config, request, own_types)
        for one in unknown:
            on_unknown_code(one.counted_as(config))
            warned.append(unknown_type())
        if read_in_remark is None:
            read_in_remark = read_remarks(config.lexicon, request.get("remarks") or "")
        signals = (*coded, *read_in_remark)
    else:
        signals = tuple(read_before)
    # What was noticed while another form of document was read into this request.
    warned = [Warned(**one) for one in request.get("warned") or ()] + warned
    dismissed = frozenset((one["fact"], one["source"]) for one in request.get("dismissed") or ())
    warned += _warnings_about(raw, says, dismissed, signals, protected=vocabulary.protected)
    facts = CallFacts.of(vocabulary, raw, guessed)
    warned += [
        Warned(SIGNALS_CONTRADICT, _against(vocabulary.facts[name].label), "signals")
        for name in contradicted(vocabulary, facts, signals, dismissed)
    ]
    call = Call(facts, signals, dismissed, withheld)
    received_at = request.get("received_at")
    at = dt.datetime.fromisoformat(received_at) if received_at else now
    day = at.astimezone(ZoneInfo(time_zone)).date()
    available = request.get("availability") or {}
    own_said = _own_said(config, request, own_types) if own_types else {}
    return Gathered(call, available, day, tuple(warned), tuple(unknown), own_said)


def nothing_gathered(day: dt.date) -> Gathered:
    """
    Give a call of which nothing is known, since what was sent could not be read; it says so.
    """
    warned = Warned(NOT_READ, "what was sent could not be read: nothing of it was used")
    return Gathered(Call(CallFacts()), {}, day, (warned,))


def unknown_type() -> Warned:
    """
    Give the warning of a code that nobody knows.
    """
    return Warned("unknown_incident_type", UNKNOWN_TYPE, "incident_type.code")


def decide_again(gathered: Gathered, published: Published) -> Recommendation:
    """
    Decide a call that was read, under any ruleset; nothing is recorded.
    """
    return decide(gathered.call, published.router, gathered.available, gathered.day)


def _signals(
    config: Config, request: Mapping[str, Any], own_types: OwnTypes
) -> tuple[tuple[Signal, ...], list[UnknownType]]:
    signals: list[Signal] = []
    unknown: list[UnknownType] = []
    types = config.incident_types
    for one in _codes(request):
        said = types.signals(one["registry"], one["code"], own_types)
        if said is None:
            unknown.append(
                UnknownType(*types.normalised(one["registry"], one["code"]), one["code"])
            )
        else:
            signals += [signal for signal in said if signal not in signals]
    return tuple(signals), unknown


def _codes(request: Mapping[str, Any]) -> list[Mapping[str, str]]:
    # One form of document has several codes for one call: each may say what the others do not.
    coded = request.get("incident_type")
    return ([coded] if coded else []) + list(request.get("more_incident_types") or ())


def _own_said(config: Config, request: Mapping[str, Any], own: OwnTypes) -> OwnTypes:
    types = config.incident_types
    found: dict[tuple[str, str], Any] = {}
    for one in _codes(request):
        found.update(types.own_said(one["registry"], one["code"], own))
    return found


def _against(label: str) -> str:
    return f"{label}: one source says that it is there, another that it is not; the riskier counts"


def _warnings_about(
    raw: Mapping[str, Any],
    says: Mapping[str, str],
    dismissed: frozenset[tuple[str, str]],
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
