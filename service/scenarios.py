"""
Scenarios: calls with their right answers, which belong to a ruleset and travel with it.

The same file is read by the tests, and later by every check of a draft.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import ConfigurationError
from service.routing.problems import Problem
from service.yaml_files import read_yaml


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    One call and what a right answer to it holds.

    `expect` lists sets of which one must be in the answer; `never` kinds that must not be;
    `never_exactly` sets that the answer must not be; `asks` facts of which one must be asked.
    """

    id: str
    name: str
    source: str
    request: Mapping[str, Any]
    expect: tuple[frozenset[str], ...]
    never: frozenset[str] = frozenset()
    never_exactly: tuple[frozenset[str], ...] = ()
    asks: frozenset[str] = frozenset()

    def faults(self, kinds: Collection[str], asked: Collection[str]) -> list[str]:
        """
        Say in words what is wrong with an answer; empty if it is right.
        """
        got = frozenset(kinds)
        found = []
        if not any(wanted <= got for wanted in self.expect):
            wanted = " or ".join(" + ".join(sorted(one)) for one in self.expect)
            found.append(f"{' + '.join(sorted(got))} does not hold {wanted}")
        found += [f"{kind} must not be in the answer" for kind in sorted(self.never & got)]
        if got in self.never_exactly:
            found.append(f"the answer must not be exactly {' + '.join(sorted(got))}")
        if self.asks and not self.asks & frozenset(asked):
            found.append(f"asks none of {', '.join(sorted(self.asks))}")
        return found


def read_scenarios(path: Path) -> tuple[Scenario, ...]:
    """
    Read the scenarios of a ruleset.

    Raises:
        ConfigurationError: one has no id, source, facts or expectation, or an id stands twice.
    """
    document, lines = read_yaml(path)
    problems: list[Problem] = []
    found: dict[str, Scenario] = {}
    for place, block in enumerate(document["scenarios"]):
        line = lines.get(f"scenarios[{place}]", 0)
        missing = [key for key in ("id", "name", "source", "facts", "expect") if key not in block]
        if missing or block["id"] in found:
            text = (
                f"a scenario needs {', '.join(missing)}"
                if missing
                else "another scenario has this id"
            )
            problems.append(
                Problem("bad_scenario", f"scenarios[{place}]", text, line=line, file=str(path))
            )
        else:
            found[block["id"]] = scenario_of(block)
    if problems:
        raise ConfigurationError(problems)
    return tuple(found.values())


def scenario_of(block: Mapping[str, Any]) -> Scenario:
    """
    Make a scenario of its block, which has all that it needs.
    """
    request = {"call_id": block["id"], "facts": block["facts"]}
    if "available" in block:
        request["availability"] = block["available"]
    request |= {key: block[key] for key in ("incident_type", "remarks") if key in block}
    return Scenario(
        block["id"],
        block["name"],
        block["source"],
        request,
        tuple(frozenset(one) for one in block["expect"]),
        frozenset(block.get("never", ())),
        tuple(frozenset(one) for one in block.get("never_exactly", ())),
        frozenset(block.get("asks", ())),
    )
