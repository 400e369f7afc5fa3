"""
The words of EIDO that the service knows, read from `config/eido.yaml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.routing.problems import Problem

AGENCY = "{agency}"
LISTS = ("locations", "severities", "over", "goes_on")
ROLES = ("caller", "patient", "may_be_in_crisis", "calls_for_self")
REGISTRIES = ("status", "unit", "unit_status", "unit_activity", "disposition")


@dataclass(frozen=True, slots=True)
class EidoWords:
    """
    What is looked up while a document is read. Roles, languages and priorities are in small
    letters; `registries` holds the values that are kept as they came.
    """

    agent: str
    agency: str
    common_table: str
    internal_tables: tuple[str, ...]
    locations: tuple[str, ...]
    severities: tuple[str, ...]
    over: frozenset[str]
    goes_on: frozenset[str]
    roles: Mapping[str, frozenset[str]]
    languages: Mapping[str, str]
    priority_scale: str
    priorities: Mapping[str, int]
    registries: Mapping[str, frozenset[str]]

    def agent_of(self, agency: str) -> str:
        """
        Name the agent that signs notes for an agency.
        """
        return self.agent.replace(AGENCY, agency)

    def agency_of(self, agency: str) -> str:
        """
        Name an agency as EIDO documents name it.
        """
        return self.agency.replace(AGENCY, agency)

    def tables_of(self, agency: str) -> tuple[str, ...]:
        """
        Name the tables that may know an agency's own type codes, the first one first.
        """
        return tuple(one.replace(AGENCY, agency) for one in self.internal_tables)


def read_words(document: object) -> tuple[EidoWords, list[Problem]]:
    """
    Read the words; all faults are named at once.

    Total: what cannot be read is empty, so that a document can always be answered.
    """
    told = document if isinstance(document, Mapping) else {}
    problems: list[Problem] = []
    named = {name: _texts(told.get(name), name, problems) for name in LISTS}
    tables = _mapping(told.get("incident_types"), "incident_types", problems)
    people = _mapping(told.get("roles"), "roles", problems)
    kept = _mapping(told.get("registries"), "registries", problems)
    priority = _mapping(told.get("priority"), "priority", problems)
    words = EidoWords(
        _text(told.get("agent"), "agent", problems),
        _text(told.get("agency"), "agency", problems),
        _text(tables.get("common"), "incident_types.common", problems),
        _texts(tables.get("internal"), "incident_types.internal", problems),
        named["locations"],
        named["severities"],
        frozenset(named["over"]),
        frozenset(named["goes_on"]),
        {name: _lowered(people.get(name), f"roles.{name}", problems) for name in ROLES},
        _languages(told.get("languages"), problems),
        _text(priority.get("scale"), "priority.scale", problems),
        _priorities(priority.get("internal"), problems),
        {
            name: frozenset(_texts(kept.get(name), f"registries.{name}", problems))
            for name in REGISTRIES
        },
    )
    return words, problems


def _mapping(value: object, path: str, problems: list[Problem]) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    problems.append(Problem("bad_eido", path, "must be a mapping"))
    return {}


def _text(value: object, path: str, problems: list[Problem]) -> str:
    if isinstance(value, str) and value:
        return value
    problems.append(Problem("bad_eido", path, "must be text"))
    return ""


def _texts(value: object, path: str, problems: list[Problem]) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    problems.append(Problem("bad_eido", path, "must be a list of texts"))
    return ()


def _lowered(value: object, path: str, problems: list[Problem]) -> frozenset[str]:
    return frozenset(one.casefold() for one in _texts(value, path, problems))


def _languages(value: object, problems: list[Problem]) -> dict[str, str]:
    told = _mapping(value, "languages", problems)
    return {
        word: str(name)
        for name, listed in told.items()
        for word in _lowered(listed, f"languages.{name}", problems)
    }


def _priorities(value: object, problems: list[Problem]) -> dict[str, int]:
    path = "priority.internal"
    told = _mapping(value, path, problems)
    right = {
        str(word).casefold(): one
        for word, one in told.items()
        if isinstance(one, int) and not isinstance(one, bool) and 0 <= one <= 10
    }
    if len(right) != len(told):
        problems.append(Problem("bad_eido", path, "each value must be a whole number from 0 to 10"))
    return right
