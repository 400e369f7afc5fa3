"""
`/admin/incident-types`: type codes that nobody knows, what the agency says of its own, and the
tables that are shipped.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from flask import Blueprint, Response, abort, redirect, request
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from service.access import MAP_TYPES, READ_TYPES
from service.errors import ConflictError
from service.incident_types import sayable
from service.pages.form_faults import faults_of, sentence, typed
from service.pages.frame import keep_in_order, page
from service.pages.local_time import moment
from service.pages.visitor import Visitor, visitor
from service.parts import Parts
from service.routing.facts import Value, Vocabulary
from service.type_codes import CHARACTERS_MAX as CODE_CHARACTERS_MAX
from service.type_mappings import COMMENT_CHARACTERS_MAX, REGISTRY_CHARACTERS_MAX

PAGE_ITEMS: Final = 25
ROWS_MIN: Final = 4  # for facts, on a page that works without scripts
ROWS_EMPTY: Final = 2  # besides those that are filled
ROWS_MAX: Final = 60  # as many as there are facts, and no more than a page can take
TIMES: Final = ("first_seen_at", "last_seen_at", "mapped_at")


class Told(NamedTuple):
    """
    The form as it was typed, or as it is laid out for a code; `facts` are choices such as
    `weapon=firearm`.
    """

    registry: str = ""
    code: str = ""
    comment: str = ""
    facts: Sequence[str] = ()


def incident_types_pages(parts: Parts) -> Blueprint:
    """
    Make the page.
    """
    blueprint = Blueprint("incident_types_pages", __name__)
    keep_in_order(blueprint, parts)

    @blueprint.get("/admin/incident-types")
    def one() -> Response:
        """
        Show all three, with the form for a code; the address may name the code.
        """
        who = visitor(parts, READ_TYPES)
        registry, code = (request.args.get(name, "") for name in ("registry", "code"))
        return _shown(parts, who, _laid_out(parts, who, registry, code))

    @blueprint.post("/admin/incident-types")
    def put() -> BaseResponse:
        """
        Map a code, and lead back to the list.
        """
        who = visitor(parts, MAP_TYPES)
        told = _told()
        facts, wrong = _facts_of(parts.rules.config.vocabulary, told.facts)
        body = {**typed("registry", "code", "comment"), "facts": facts}
        if wrong:
            refused = ValidationError(wrong | parts.type_mappings.schema.validate(body))
            return _shown(parts, who, told, faults=faults_of(refused), status=422)
        try:
            parts.type_mappings.put(who.actor, body)
        except ValidationError as error:
            return _shown(parts, who, told, faults=faults_of(error), status=422)
        except ConflictError as error:
            faults = {"code": [sentence(str(error))]}
            return _shown(parts, who, told, faults=faults, status=409)
        parts.surroundings.look()
        return redirect("/admin/incident-types?done=mapped", 303)

    @blueprint.post("/admin/incident-types/undo")
    def undo() -> BaseResponse:
        """
        Take a mapping back, and lead back to the list.
        """
        who = visitor(parts, MAP_TYPES)
        named = (request.form.get(name, "") for name in ("registry", "code"))
        if not parts.type_mappings.undo(who.actor, *named):
            abort(404)
        parts.surroundings.look()
        return redirect("/admin/incident-types?done=undone", 303)

    return blueprint


def _told() -> Told:
    form = request.form
    chosen = [one for one in form.getlist("fact")[:ROWS_MAX] if one]
    return Told(
        form.get("registry", ""),
        form.get("code", ""),
        form.get("comment", "")[:COMMENT_CHARACTERS_MAX],
        chosen,
    )


def _facts_of(
    vocabulary: Vocabulary, chosen: Sequence[str]
) -> tuple[dict[str, Value], dict[str, Any]]:
    """
    Read the choices of the form, and what is wrong with them.
    """
    known = {_choice(name, value): (name, value) for name, value, _ in _choices(vocabulary)}
    facts: dict[str, Value] = {}
    for one in chosen:
        if one not in known:
            return facts, {"facts": ["a fact was chosen that the list does not have: choose again"]}
        name, value = known[one]
        if facts.get(name, value) != value:
            label = vocabulary.facts[name].label
            return facts, {"facts": [f"{label} stands twice: choose one of the two"]}
        facts[name] = value
    return facts, {}


def _choices(vocabulary: Vocabulary) -> list[tuple[str, Value, str]]:
    """
    Give every fact and value that a code may say, and its words; numbers are left to the API.
    """
    return [
        (name, value, vocabulary.facts[name].label_of(value))
        for name in vocabulary.asked
        if vocabulary.facts[name].kind != "number"
        for value in sayable(vocabulary.facts[name])
    ]


def _choice(name: str, value: Value) -> str:
    return f"{name}={str(value).lower() if isinstance(value, bool) else value}"


def _laid_out(parts: Parts, who: Visitor, registry: str, code: str) -> Told:
    """
    Lay the form out for a code: with what the agency says of it, else what a table says.
    """
    registry, code = registry[:REGISTRY_CHARACTERS_MAX], code[:CODE_CHARACTERS_MAX]
    if not code:
        return Told(registry)
    own = parts.type_mappings.find(who.actor, registry, code)
    if own is not None:
        chosen = [_choice(name, value) for name, value in own["facts"].items()]
        return Told(registry, own["code"], own["comment"] or "", chosen)
    said = parts.rules.config.incident_types.signals(registry, code) or ()
    chosen = [_choice(one.fact, one.value) for one in said if one.value is not None]
    return Told(registry, code, "", chosen)


def _shown(
    parts: Parts,
    who: Visitor,
    told: Told,
    *,
    faults: Mapping[str, list[str]] | None = None,
    status: int = 200,
) -> Response:
    vocabulary = parts.rules.config.vocabulary
    asked = request.args if request.method == "GET" else {}
    unmapped, more_unmapped = parts.type_mappings.unmapped(
        who.actor, asked.get("cursor") or None, PAGE_ITEMS
    )
    mapped, more_mapped = parts.type_mappings.mapped(
        who.actor, asked.get("own") or None, PAGE_ITEMS
    )
    for one in (*unmapped, *mapped):
        for name in set(TIMES) & one.keys():
            one[name] = moment(one[name], who.agency.time_zone, parts.now())
    for one in mapped:
        one["words"] = [_in_words(vocabulary, *fact) for fact in one["facts"].items()]
    rows = max(ROWS_MIN, len(told.facts) + ROWS_EMPTY)
    return page(
        parts,
        who,
        "incident_types.html",
        status,
        here="admin",
        unmapped=unmapped,
        more_unmapped=more_unmapped,
        mapped=mapped,
        more_mapped=more_mapped,
        tables=[parts.rules.config.incident_types.registries[name] for name in _tables(parts)],
        groups=_groups(vocabulary),
        told=told,
        rows=[*told.facts, *[""] * (rows - len(told.facts))],
        faults={
            "facts" if path.startswith("facts") else path: messages
            for path, messages in (faults or {}).items()
        },
        may_change=who.actor.may(MAP_TYPES),
        done=asked.get("done", ""),
    )


def _tables(parts: Parts) -> list[str]:
    return sorted(parts.rules.config.incident_types.registries)


def _groups(vocabulary: Vocabulary) -> list[tuple[str, list[tuple[str, str]]]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, value, words in _choices(vocabulary):
        label = vocabulary.facts[name].label
        groups.setdefault(label, []).append((_choice(name, value), f"{label}: {words}"))
    return list(groups.items())


def _in_words(vocabulary: Vocabulary, name: str, value: Value) -> str:
    fact = vocabulary.facts.get(name)
    return f"{fact.label}: {fact.label_of(value)}" if fact else f"{name}: {value}"
