"""
Writes a recommendation as the document that is answered, recorded and replayed: one form for all of
them.

The fields are those of the API description. What a later part fills (teams, contacts, guidance) is
null or empty, never invented.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from service.routing.facts import Vocabulary
from service.routing.recommendation import Recommendation, Responder, Warned
from service.routing.rules import LEADS, Rule
from service.routing.signals import Signal
from service.rulesets import Published

Document = dict[str, Any]


def recommendation_document(
    recommendation: Recommendation,
    published: Published | None,
    vocabulary: Vocabulary,
    warned: Iterable[Warned] = (),
) -> Document:
    """
    Write everything of an answer that follows from the call and the ruleset alone.

    *published* is None where no ruleset is in force (the floor). *warned* are warnings about the
    request.
    """
    warnings = (*warned, *recommendation.warnings)
    return {
        "recommendation": _recommended(recommendation),
        "because": [_because(rule) for rule in recommendation.rules],
        "law_enforcement": _law_enforcement(recommendation),
        "ask_next": _ask_next(recommendation, vocabulary),
        "would_change": [
            {"fact": change.fact, "to": change.to, "responders": in_ladder_order(change.kinds)}
            for change in recommendation.changes
        ],
        "signals": [_signal(signal) for signal in recommendation.signals],
        "change": None,
        "guidance": [],
        "note": recommendation.note,
        "ruleset": _ruleset(published),
        "mode": recommendation.mode,
        "warnings": [_warning(one) for one in warnings],
    }


def _recommended(recommendation: Recommendation) -> Document:
    fallback = recommendation.fallback
    return {
        "urgency": recommendation.urgency,
        "responders": [_responder(one) for one in recommendation.responders],
        "send_now": list(recommendation.send_now),
        "notify": list(recommendation.notify),
        "preferred": list(recommendation.preferred),
        "fallback": fallback
        and {
            "wanted": fallback.wanted,
            "got": list(fallback.got),
            "reason": fallback.reason,
            "passed_over": [
                {"kind": one.kind, "team": one.team, "reason": one.reason}
                for one in fallback.passed_over
            ],
        },
        "provisional": recommendation.is_provisional,
    }


def _responder(one: Responder) -> Document:
    return {
        "kind": one.kind,
        "how": one.how,
        "needs": list(one.needs),
        "team": None,
        "name": None,
        "contact": None,
        "eta_minutes": None,
    }


def _because(rule: Rule) -> Document:
    return {
        "table": rule.table,
        "rule": rule.id,
        "text": rule.why,
        "facts": list(rule.facts),
        "basis": {"title": rule.source.title, "url": rule.source.url},
    }


def _law_enforcement(recommendation: Recommendation) -> Document:
    reasons = [
        {"fallback": one.fallback, "text": one.text}
        if one.fallback
        else {"rule": one.rule, "text": one.text}
        for one in recommendation.police_because
    ]
    return {"included": bool(reasons), "because": reasons}


def _ask_next(recommendation: Recommendation, vocabulary: Vocabulary) -> list[Document]:
    return [
        {
            "fact": one.fact,
            "question": vocabulary.facts[one.fact].question,
            "could_change_to": in_ladder_order(one.could_change_to),
        }
        for one in recommendation.questions
    ]


def in_ladder_order(kinds: Iterable[str]) -> list[str]:
    """
    Put kinds into a fixed order: EMS first, then from the most coercive lead down.
    """
    return list(_in_ladder_order(frozenset(kinds)))


@lru_cache(maxsize=1024)  # of what is sent, too
def _in_ladder_order(kinds: frozenset[str]) -> tuple[str, ...]:
    def place(kind: str) -> tuple[bool, int]:
        return kind != "ems", -LEADS.index(kind) if kind in LEADS else 0

    return tuple(sorted(kinds, key=place))


def _signal(signal: Signal) -> Document:
    return {
        "fact": signal.fact,
        "outcome": signal.outcome,
        "value": signal.value,
        "source": signal.source,
        "text_span": list(signal.text_span) if signal.text_span else None,
        "used": signal.used,
        "why": signal.why,
    }


def read_then(record: Mapping[str, Any]) -> tuple[Signal, ...] | None:
    """
    Give what was read out of a recorded call, where it cannot be read again: its remark is not
    kept, or it has a code, which may be mapped otherwise by now. None where it can.
    """
    request = record["request"]
    if request.get("remarks_kept", True) and not request.get("incident_type"):
        return None
    return tuple(map(signal_of, record["signals"]))


def signal_of(document: Mapping[str, Any]) -> Signal:
    """
    Read a signal back from an answer, as it was before it was weighed.
    """
    span = document["text_span"]
    return Signal(
        document["fact"],
        document["outcome"],
        document["value"],
        document["source"],
        (span[0], span[1]) if span else None,
    )


def _ruleset(published: Published | None) -> Document:
    if published is None:
        return {"name": None, "version": None, "digest": None}
    return {"name": published.name, "version": published.version, "digest": published.digest}


def _warning(one: Warned) -> Document:
    return {"code": one.code, "message": one.message, "path": one.path or None}


# What lists and pages read of an answer without asking whether it is there. A list stands for as
# many of its one member as there are.
_SHAPE: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("decision_id", "call_id", "decided_at", "mode"), str),
    "recommendation": {
        "urgency": str,
        "responders": [{"kind": str}],
        "provisional": bool,
        "fallback": dict | None,
        **dict.fromkeys(("send_now", "notify", "preferred"), list),
    },
    "because": [{"rule": str}],
    "law_enforcement": {"included": bool, "because": list},
    "signals": [{"fact": str, "used": bool}],
    "ruleset": dict,
    **dict.fromkeys(("ask_next", "would_change", "warnings"), list),
}


# What reading a record raises that was changed so that it has no longer the shape of one.
MISSHAPEN: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError)


def is_whole(answer: Any) -> bool:
    """
    Tell whether a recorded answer has what an answer has, so that it can be shown. One that was
    changed in the store by hand, or by a disk, may not.
    """
    return _fits(answer, _SHAPE)


def _fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, Mapping):
        return isinstance(value, Mapping) and all(
            name in value and _fits(value[name], one) for name, one in shape.items()
        )
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(one, shape[0]) for one in value)
    return isinstance(value, shape)


def change_between(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> Document | None:
    """
    Say which kinds a later revision adds and which it no longer asks for; None where there is no
    earlier one.

    To release EMS or police is only ever advice, for a person to confirm with a reason.
    """
    if not before:
        return None
    earlier = [one["kind"] for one in before.get("responders", ())]
    later = [one["kind"] for one in now.get("responders", ())]
    return {
        "add": [kind for kind in later if kind not in earlier],
        "release": [kind for kind in earlier if kind not in later],
    }
