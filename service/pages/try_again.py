"""
`/decisions/{id}/try`: the same call with other facts, others free or other rules, and both answers
side by side. It records nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import ValidationError

from service.access import READ_CALLS, SIMULATE
from service.answers import Document, read_then
from service.pages.call_form import make_form
from service.pages.decision import hold_back, opened
from service.pages.decision_story import facts_told
from service.pages.form_faults import Fault, each_fault
from service.pages.frame import keep_in_order, page
from service.pages.revisions import Comparison, compare
from service.pages.rules_of_record import CannotTryError, choices, rules_named
from service.pages.typed_call import Typed, body_of, read_typed, typed_of
from service.pages.visitor import Visitor, visitor
from service.parts import Parts
from service.request import GUESSES
from service.routing.facts import Vocabulary


@dataclass(frozen=True, slots=True)
class Trial:
    """
    A trial: what was typed and the ruleset's name, and both answers compared, or the faults of it.
    """

    typed: Typed
    named: str = ""
    pair: Comparison | None = None
    faults: tuple[Fault, ...] = ()


def try_pages(parts: Parts) -> Blueprint:
    """
    Make the page.
    """
    blueprint = Blueprint("try_pages", __name__)
    keep_in_order(blueprint, parts)
    hold_back(blueprint, parts)

    @blueprint.get("/decisions/<record_id>/try")
    def form(record_id: str) -> Response:
        """
        Show the call as it was told, to be changed.
        """
        who = _may_try(parts)
        document = opened(parts, who, record_id)
        return _try_page(parts, who, document, Trial(_seeded(parts, who, document)))

    @blueprint.post("/decisions/<record_id>/try")
    def tried(record_id: str) -> Response:
        """
        Decide the changed call, record nothing, and show both answers.
        """
        who = _may_try(parts)
        document = opened(parts, who, record_id)
        config = parts.rules.config
        typed = read_typed(request.form, config.vocabulary, config.console)
        named = request.form.get("ruleset", "")
        trial = _tried(parts, who, document, Trial(typed, named))
        return _try_page(parts, who, document, trial)

    return blueprint


def _may_try(parts: Parts) -> Visitor:
    # It shows the call: who may not read calls is told so before any form is judged.
    visitor(parts, READ_CALLS, check_form=False)
    return visitor(parts, SIMULATE)


def _seeded(parts: Parts, who: Visitor, document: Document) -> Typed:
    return typed_of(
        document["request"],
        parts.rules.config.vocabulary,
        call_id=document["call_id"],
        seen="",
        time_zone=who.agency.time_zone,
    )


def _tried(parts: Parts, who: Visitor, document: Document, trial: Trial) -> Trial:
    listed = choices(parts, who.actor, who.agency, document["ruleset"])
    if trial.named not in [one.name for one in listed]:
        wrong = Fault("ruleset", "choose one of the rulesets that are listed")
        return replace(trial, faults=(wrong,))
    vocabulary = parts.rules.config.vocabulary
    told = _body(document["request"], document["call_id"], trial.typed, vocabulary)
    try:
        published = rules_named(parts, who.agency, trial.named)
        body = parts.decision_schema.load(told)
        # Further codes of the same call say what they said; no form holds them.
        body["more_incident_types"] = document["request"].get("more_incident_types") or []
    except CannotTryError as error:
        return replace(trial, faults=(Fault("ruleset", str(error)),))
    except ValidationError as error:
        return replace(trial, faults=tuple(each_fault(error.messages)))
    read_before = read_then(document)
    answer = parts.decisions.simulate(who.agency, body, published, read_before=read_before)
    return replace(trial, pair=compare(document, {**answer, "request": body}, vocabulary))


def _body(
    kept: Mapping[str, Any], call_id: str, typed: Typed, vocabulary: Vocabulary
) -> dict[str, Any]:
    """
    Write the changed call as a request: what the form does not hold stays as it was told.
    """
    body = {**body_of(typed, vocabulary), "call_id": call_id}
    body["availability"] = {
        **{kind: True for kind, free in (kept.get("availability") or {}).items() if free},
        **dict.fromkeys(typed.away, False),
    }
    for name in ("received_at", "incident_type", "remarks", "dismissed", "location"):
        if kept.get(name):
            body[name] = kept[name]
    # A guess stays a guess for as long as its value does; what is changed here is told.
    told, sources = facts_told(kept), kept.get("fact_sources") or {}
    body["fact_sources"] = {
        name: {"from": source["says"]}
        for name, source in sources.items()
        if name in body["facts"] and told.get(name) == body["facts"][name]
    }
    return body


def _try_page(parts: Parts, who: Visitor, document: Document, trial: Trial) -> Response:
    config = parts.rules.config
    listed = choices(parts, who.actor, who.agency, document["ruleset"])
    # Nothing is asked next here: the form holds every fact, and what it does not is told below.
    asked: Mapping[str, Any] = {"ask_next": (), "signals": ()}
    return page(
        parts,
        who,
        "try_again.html",
        422 if trial.faults else 200,
        here="decisions",
        document=document,
        form=make_form(config.vocabulary, config.console, trial.typed, asked, trial.faults),
        pair=trial.pair,
        choices=listed,
        chosen=trial.named or (listed[0].name if listed else ""),
        guesses=_guesses(document["request"]),
        kinds=config.vocabulary.responders,
    )


def _guesses(kept: Mapping[str, Any]) -> frozenset[str]:
    sources = kept.get("fact_sources") or {}
    return frozenset(name for name, one in sources.items() if one["says"] in GUESSES)
