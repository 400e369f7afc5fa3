"""
Scenarios that travel with a draft: each is checked when it is given, and run when the draft is.

A scenario is a block as in a `scenarios.yaml`: `id`, `name`, `source`, `facts`, `expect`, and
optional `official`, `basis`, `available`, `incident_type`, `remarks`, `never`, `never_exactly`,
`asks`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from marshmallow import ValidationError

from service.gathering import decide_again, gather
from service.incident_types import NO_OWN_TYPES, OwnTypes
from service.request import Facts
from service.routing.facts import Vocabulary
from service.routing.problems import Problem, nearest
from service.rulesets import Config, Published
from service.scenarios import scenario_of

SCENARIOS_MAX: Final = 2_000  # some ten times what the national baseline has
TEXT_CHARACTERS_MAX: Final = 2_000
ID_CHARACTERS_MAX: Final = 200
NEEDED: Final = ("id", "name", "source", "facts", "expect")
ALLOWED: Final = (
    *NEEDED,
    *("official", "basis", "available", "incident_type", "remarks"),
    *("never", "never_exactly", "asks"),
)


def scenario_problems(vocabulary: Vocabulary, scenarios: Sequence[Any]) -> list[Problem]:
    """
    Name every fault of scenarios as they are given.
    """
    if len(scenarios) > SCENARIOS_MAX:
        text = f"a ruleset has at most {SCENARIOS_MAX} scenarios"
        return [Problem("too_many_scenarios", "scenarios", text)]
    problems: list[Problem] = []
    seen: set[str] = set()
    for place, block in enumerate(scenarios):
        path = f"scenarios[{place}]"
        if not isinstance(block, Mapping):
            problems.append(Problem("bad_scenario", path, "must be an object"))
            continue
        problems += _of_block(vocabulary, block, path)
        name = block.get("id")
        if isinstance(name, str):
            if name in seen:
                text = f"another scenario has the id `{name[:60]}`"
                problems.append(Problem("same_id", f"{path}.id", text))
            seen.add(name)
    return problems


def _of_block(vocabulary: Vocabulary, block: Mapping[str, Any], path: str) -> list[Problem]:
    found = [
        Problem("missing", f"{path}.{key}", f"a scenario needs `{key}`")
        for key in NEEDED
        if key not in block
    ]
    for key, value in block.items():
        if key not in ALLOWED:
            text = f"a scenario has no key `{str(key)[:60]}`"
            near = nearest(key, ALLOWED)
            found.append(Problem("unknown_key", f"{path}.{key}", text, suggestion=near))
        elif key in ("id", "name", "source", "official", "basis", "remarks"):
            longest = ID_CHARACTERS_MAX if key == "id" else TEXT_CHARACTERS_MAX
            if not isinstance(value, str) or not 0 < len(value) <= longest or "\0" in value:
                text = f"must be text of 1 to {longest} characters"
                found.append(Problem("bad_text", f"{path}.{key}", text))
    if "facts" in block:
        found += _of_facts(vocabulary, block["facts"], f"{path}.facts")
    kinds = tuple(vocabulary.responders)
    found += _of_sets(block.get("expect", [[kinds[0]]]), kinds, f"{path}.expect", is_needed=True)
    found += _of_sets(block.get("never_exactly", []), kinds, f"{path}.never_exactly")
    found += _of_names(block.get("never", []), kinds, f"{path}.never")
    found += _of_names(block.get("asks", []), tuple(vocabulary.facts), f"{path}.asks")
    return found + _of_the_rest(block, kinds, path)


def _of_the_rest(block: Mapping[str, Any], kinds: tuple[str, ...], path: str) -> list[Problem]:
    found: list[Problem] = []
    available = block.get("available", {})
    if not isinstance(available, Mapping) or not all(
        kind in kinds and isinstance(one, bool) for kind, one in available.items()
    ):
        text = f"maps a kind to true or false: {', '.join(kinds)}"
        found.append(Problem("bad_value", f"{path}.available", text))
    coded = block.get("incident_type", {"registry": "", "code": ""})
    if not isinstance(coded, Mapping) or not all(
        isinstance(coded.get(key), str) for key in ("registry", "code")
    ):
        text = "must have a `registry` and a `code`"
        found.append(Problem("bad_value", f"{path}.incident_type", text))
    return found


def _of_facts(vocabulary: Vocabulary, facts: Any, path: str) -> list[Problem]:
    try:
        Facts(vocabulary).deserialize(facts)
    except ValidationError as error:
        told = error.messages if isinstance(error.messages, Mapping) else {"": error.messages}
        return [
            Problem("bad_fact", f"{path}.{name}" if name else path, _words(messages))
            for name, messages in told.items()
        ]
    return []


def _words(messages: Any) -> str:
    said = messages if isinstance(messages, list) else [messages]
    return "; ".join(str(one["message"] if isinstance(one, Mapping) else one) for one in said)


def _of_sets(
    raw: Any, kinds: tuple[str, ...], path: str, *, is_needed: bool = False
) -> list[Problem]:
    if not isinstance(raw, list) or (is_needed and not raw):
        return [Problem("bad_value", path, "must be a list of lists of kinds")]
    found = []
    for place, one in enumerate(raw):
        found += _of_names(one, kinds, f"{path}[{place}]")
    return found


def _of_names(raw: Any, allowed: tuple[str, ...], path: str) -> list[Problem]:
    if not isinstance(raw, list):
        return [Problem("bad_value", path, "must be a list")]
    return [
        Problem(
            "bad_value",
            path,
            f"`{str(one)[:60]}` cannot stand here",
            suggestion=nearest(one, allowed),
        )
        for one in raw
        if not isinstance(one, str) or one not in allowed
    ]


def run_scenarios(
    config: Config,
    time_zone: str,
    published: Published,
    scenarios: Sequence[Mapping[str, Any]],
    now: dt.datetime,
    *,
    own_types: OwnTypes = NO_OWN_TYPES,
) -> dict[str, Any]:
    """
    Run every scenario under a ruleset: how many ran, the ids of those that failed, and why.
    """
    faults = {}
    for block in scenarios:
        one = scenario_of(block)
        decided = decide_again(
            gather(config, time_zone, one.request, now, own_types=own_types), published
        )
        wrong = one.faults(decided.kinds, [question.fact for question in decided.questions])
        if wrong:
            faults[one.id] = {"name": one.name, "faults": wrong}
    return {"run": len(scenarios), "failed": list(faults), "faults": faults}
