"""
Incident types: what a CAD's type code already says of a call, read from
`config/incident_types/*.yaml`.

A code says no more than it says. One file is one registry; an agency adds its own. A code that no
file knows is a warning and a counted event, never an error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.routing.facts import Value, Vocabulary
from service.routing.problems import Problem, nearest
from service.routing.signals import Signal

SOURCE = "incident_type"
NOT_OF_A_CODE = re.compile(r"[^0-9a-z]+")


@dataclass(frozen=True, slots=True)
class IncidentTypes:
    """
    Every registry: normalised code -> facts that it says.
    """

    registries: Mapping[str, Mapping[str, Mapping[str, Value]]]

    def signals(self, registry: str, code: str) -> tuple[Signal, ...] | None:
        """
        Give what a code says, or None if the registry or the code is not known.
        """
        facts = self.registries.get(registry, {}).get(normalised(code))
        if facts is None:
            return None
        return tuple(Signal(fact, "present", value, SOURCE) for fact, value in facts.items())


def normalised(code: str) -> str:
    """
    Give a code without case, spaces and punctuation, which CADs vary.
    """
    return NOT_OF_A_CODE.sub("", code.casefold())


def read_incident_types(
    vocabulary: Vocabulary, documents: Mapping[str, tuple[Any, Mapping[str, int]]]
) -> tuple[IncidentTypes, list[Problem]]:
    """
    Read registries; *documents* maps a file to its document and lines. All faults are named at
    once.
    """
    problems: list[Problem] = []
    registries: dict[str, dict[str, Mapping[str, Value]]] = {}
    for file, (document, lines) in documents.items():
        table = document if isinstance(document, Mapping) else {}
        name = str(table.get("registry") or Path(file).stem)
        codes = registries.setdefault(name, {})
        for place, block in enumerate(table.get("types") or ()):
            path = f"types[{place}]"
            line = lines.get(path, 0)
            if not isinstance(block, Mapping) or not isinstance(block.get("code"), str):
                problems.append(
                    Problem("no_code", path, "a type needs a `code`", line=line, file=file)
                )
                continue
            facts = block.get("facts") or {}
            for fault in _faults(vocabulary, facts):
                text = f"type `{block['code'][:60]}`: {fault[0]}"
                problems.append(
                    Problem("bad_type", path, text, line=line, suggestion=fault[1], file=file)
                )
            codes[normalised(block["code"])] = dict(facts)
    return IncidentTypes(registries), problems


def _faults(vocabulary: Vocabulary, facts: Mapping[str, object]) -> list[tuple[str, str | None]]:
    faults: list[tuple[str, str | None]] = []
    for name, value in facts.items():
        fact = vocabulary.facts.get(name)
        if fact is None or fact.protected:
            near = nearest(name, vocabulary.asked)
            faults.append((f"fact `{str(name)[:60]}` is not in the vocabulary", near))
        elif not fact.has(value):
            near = nearest(value, [str(v) for v in fact.values[:20]])
            faults.append((f"`{name}` has no value `{str(value)[:60]}`", near))
        elif fact.is_danger and value in (fact.values[0], False):
            faults.append((f"a code cannot say that there is no `{name}`", None))
    return faults
