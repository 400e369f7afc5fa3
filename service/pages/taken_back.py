"""
Signals that a person takes back while a call is taken: with which press, why, and for how long.

A signal is taken back by its fact and source. So that a later word of the same remark is not taken
back unseen, the form carries what stood there when it was: as soon as something new is said of the
fact, it counts again, and the page says so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from service.pages.signal_lines import REMARKS, Key, span_of
from service.request import SIGNAL_SOURCES
from service.routing.facts import Vocabulary

BETWEEN: Final = "\n"  # what parts two pieces of evidence in a field


@dataclass(frozen=True, slots=True)
class TakenBack:
    """
    What is taken back, each by fact and source.

    `reasons` says why; `known` is what stood there then, absent where nobody can tell; `pressed` is
    what was taken back by this press; `again` is what counts again, since something new is said.
    """

    reasons: Mapping[Key, str] = field(default_factory=dict)
    known: Mapping[Key, frozenset[str]] = field(default_factory=dict)
    pressed: Key | None = None
    again: tuple[Key, ...] = ()


def read_taken_back(
    form: MultiDict[str, str], vocabulary: Vocabulary, why: Mapping[str, str]
) -> TakenBack:
    """
    Read what the form carries, and the press: `take_back` with one of the reasons of *why*, or
    `count_again`. What names no fact, source or reason is passed over.
    """
    keys = [(name, source) for name in vocabulary.asked for source in SIGNAL_SOURCES]
    reasons = dict(_carried(form, keys))
    known = {
        key: frozenset(filter(None, form[_field("evidence", key)].splitlines()))
        for key in reasons
        if _field("evidence", key) in form
    }
    taken, _, name = form.get("take_back", "").partition("=")
    by_name = {f"{source}.{fact}": (fact, source) for fact, source in keys}
    pressed = by_name.get(taken) if name in why else None
    if pressed is not None:
        reasons[pressed] = why[name]
        known.pop(pressed, None)
    again = by_name.get(form.get("count_again", ""))
    if again is not None:
        reasons.pop(again, None)
    return TakenBack(reasons, known, pressed)


def _carried(form: MultiDict[str, str], keys: Iterable[Key]) -> Iterator[tuple[Key, str]]:
    for key in keys:
        reason = form.get(_field("dismiss", key), "").strip()
        if reason:
            yield key, reason


def _field(name: str, key: Key) -> str:
    fact, source = key
    return f"{name}.{source}.{fact}"


def evidence_of(
    signals: Iterable[Mapping[str, Any]], request: Mapping[str, Any]
) -> dict[Key, frozenset[str]]:
    """
    Give what is said of each fact by each source: outcome, value, and the words that say it.
    """
    remark, coded = request.get("remarks") or "", request.get("incident_type") or {}
    code = f"{coded.get('registry', '')} {coded.get('code', '')}"
    found: dict[Key, set[str]] = {}
    for one in signals:
        span = span_of(one, remark)
        words = code if one["source"] != REMARKS else remark[slice(*span)] if span else ""
        said = " ".join(f"{one['outcome']} {one['value']} {words}".lower().split())
        found.setdefault((one["fact"], one["source"]), set()).add(said)
    return {key: frozenset(said) for key, said in found.items()}


def _says_more(new: frozenset[str]) -> bool:
    # What is denied or not known raises nothing: it need not bring back what was taken back.
    return any(one.startswith(("present ", "historical ")) for one in new)


def still_taken_back(
    taken: TakenBack, signals: Sequence[Mapping[str, Any]], request: Mapping[str, Any]
) -> TakenBack:
    """
    Let what something new is said of count again; *signals* are those of the call as it stands.
    """
    now = evidence_of(signals, request)
    again = tuple(
        key
        for key in taken.reasons
        if key in taken.known and _says_more(now.get(key, frozenset()) - taken.known[key])
    )
    reasons = {key: why for key, why in taken.reasons.items() if key not in again}
    known = {
        key: taken.known.get(key, now.get(key, frozenset())) | now.get(key, frozenset())
        for key in reasons
    }
    return TakenBack(reasons, known, taken.pressed, again)
