"""
The note: a few plain lines that a dispatcher can paste, and that may be read out on a radio and
published.

Hazards, who, how, needs. Never diagnosis, treatment, housing, history or anybody's own words;
nothing from a protected record. What is not known is never shown as safe.
"""

from service.routing.facts import UNKNOWN, CallFacts, Vocabulary
from service.routing.recommendation import Responder
from service.routing.rules import IN_PERSON


def write_note(
    vocabulary: Vocabulary,
    facts: CallFacts,
    withheld: frozenset[str],
    responders: tuple[Responder, ...],
    *,
    said_when_unknown: tuple[str, ...],
    notify: tuple[str, ...],
) -> str:
    """
    Write the note for an answer.

    Args:
        facts: What is known, signals included; guesses are marked as reported.
        withheld: Facts from a protected record, which are left out.
        responders: Who goes and how.
        said_when_unknown: Facts that a crew is told nobody knows, whoever was asked.
    """
    always = said_when_unknown if any(one.kind in IN_PERSON for one in responders) else ()
    hazards, unknown = [], []
    nothing = "none reported"
    for fact in vocabulary.spoken:
        name = fact.name
        value = facts.known.get(name, UNKNOWN)
        if value is UNKNOWN:
            if name in always or name in facts.asked:
                unknown.append(fact.label.lower())
        elif name in withheld:
            nothing = "some are not for this note: ask the call-taker"
        elif value in fact.said:
            hazards.append(fact.said[value] + (" (reported)" if name in facts.assumed else ""))
        elif name in facts.assumed:
            unknown.append(f"{fact.label.lower()} (no danger only assumed)")
    sends = [
        f"{vocabulary.responders.get(one.kind, one.kind)}: "
        + _lower(vocabulary.ways.get(one.how, one.how))
        for one in responders
    ]
    needs = [need.replace("_", " ") for one in responders for need in one.needs]
    told = [_lower(vocabulary.notify.get(name, name)) for name in notify]
    lines = [
        ("HAZARDS", "; ".join(hazards) or nothing),
        ("NOT KNOWN", ", ".join(unknown)),
        ("SEND", "; ".join(sends)),
        ("NEEDS", ", ".join(dict.fromkeys(needs))),
        ("NOTIFY", ", ".join(told)),
    ]
    return "\n".join(f"{label:<10} {text}" for label, text in lines if text)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
