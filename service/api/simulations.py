"""
`/v1/simulations`: try a call, under the ruleset in force or another one, and record nothing.
"""

from typing import Any

from flask import Blueprint, Response

from service.access import READ_RULES, SIMULATE
from service.api.asking import Asker, answer, read_body, who_asks
from service.api.problems import RefusedError, unprocessable
from service.errors import ClaimHeldError
from service.parts import Parts
from service.reviewing.blindness import CLAIM_HELD
from service.routing.problems import nearest
from service.rulesets import Published
from service.tuning.rule_conflicts import NoSuchRulesError
from service.tuning.trials import DRAFT


def simulations_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("simulations", __name__)

    @blueprint.post("/v1/simulations")
    def simulate() -> Response:
        """
        Answer as a decision would be answered: 200, 403, 422, 503.
        """
        asker = who_asks(parts, SIMULATE)
        body = read_body(parts, parts.simulation_schema)
        if parts.blind.refuses_call(asker.actor, body["call_id"]):
            raise ClaimHeldError(CLAIM_HELD)
        published = _ruleset(parts, asker, body.pop("ruleset", None))
        return answer(parts.decisions.simulate(asker.agency, body, published))

    return blueprint


def _ruleset(parts: Parts, asker: Asker, asked: Any) -> Published | None:
    """
    Find the ruleset to try: `name`, `name@version`, `name@draft`, or a whole one as an object.
    """
    if asked is None:
        return parts.rules.published(asker.agency)
    if isinstance(asked, dict):
        return parts.trials.whole(asked)
    names = parts.trials.names(asker.agency)
    message = "must be a name, name@version, or a whole ruleset as an object"
    if isinstance(asked, str):
        name, _, which = asked.partition("@")
        if which == DRAFT and not asker.actor.may(READ_RULES):
            detail = f"a key of the role {asker.key.role} tries published rulesets only"
            raise RefusedError(403, "not-allowed", detail)
        near = nearest(name, names)
        hint = f": did you mean `{near}`?" if near and near != name else ""
        try:
            return parts.trials.named(asker.agency, asked)
        except NoSuchRulesError as fault:
            message = f"{fault}{hint}"
    raise unprocessable(({"path": "ruleset", "message": message, "allowed": list(names)},))
