"""
`/v1/simulations`: try a call, under the ruleset in force or another one, and record nothing.
"""

from typing import Any

from flask import Blueprint, Response

from service.access import SIMULATE
from service.api.asking import answer, read_body, who_asks
from service.api.problems import unprocessable
from service.blindness import CLAIM_HELD
from service.errors import ClaimHeldError
from service.parts import Parts
from service.routing.problems import nearest
from service.rulesets import Published, digest_of
from service.store.agencies import Agency

# Whole rulesets sent as objects are compiled once; a tuner sends the same one with many calls.
COMPILED_MAX = 16
DRAFT_VERSION = 0


def simulations_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("simulations", __name__)
    compiled: dict[str, Published] = {}

    def ruleset(agency: Agency, asked: Any) -> Published | None:
        if asked is None:
            return parts.rules.published(agency.ruleset)
        if isinstance(asked, dict):
            digest = digest_of(asked)
            found = compiled.get(digest)
            if found is None:
                if len(compiled) >= COMPILED_MAX:
                    compiled.clear()
                found = compiled[digest] = parts.rules.config.publish(asked, DRAFT_VERSION)
            return found
        return _by_name(parts, asked)

    @blueprint.post("/v1/simulations")
    def simulate() -> Response:
        """
        Answer as a decision would be answered: 200, 403, 422.
        """
        asker = who_asks(parts, SIMULATE)
        body = read_body(parts, parts.simulation_schema)
        if parts.blind.refuses_call(asker.actor, body["call_id"]):
            raise ClaimHeldError(CLAIM_HELD)
        published = ruleset(asker.agency, body.pop("ruleset", None))
        return answer(parts.decisions.simulate(asker.agency, body, published))

    return blueprint


def _by_name(parts: Parts, asked: Any) -> Published | None:
    """
    Find a published ruleset by `name` or `name@version`.
    """
    name, _, version = asked.partition("@") if isinstance(asked, str) else ("", "", "")
    names = tuple(parts.rules.config.rulesets)
    found = parts.rules.published(name)
    if found is not None and version in ("", str(found.version)):
        return found
    near = nearest(name, names)
    hint = f": did you mean `{near}`?" if near and near != name else ""
    what = "must be a name, name@version, or a whole ruleset as an object"
    message = f"`{asked[:80]}` is not published here{hint}" if isinstance(asked, str) else what
    raise unprocessable(({"path": "ruleset", "message": message, "allowed": list(names)},))
