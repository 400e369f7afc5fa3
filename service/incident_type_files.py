"""
Reads `config/incident_types/*.yaml`, one registry a file, with every fault of all of them.

    registry: local
    prefixes: [OBS]
    types:
      - {code: "MENTAL PERSON", facts: {behavioral_health: true}}
      - {pattern: "SUICID*", facts: {behavioral_health: true, suicide: intent}}
    suffixes:
      W: {weapon: firearm}
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from service.incident_types import (
    SHOWN_MAX,
    Facts,
    IncidentTypes,
    Registry,
    faults_of,
    registry_name,
)
from service.routing.facts import Vocabulary
from service.routing.problems import Problem
from service.type_codes import ANY, Pattern, normalised

Key = TypeVar("Key")


@dataclass(slots=True)
class _Reading:
    """
    One file while it is read.
    """

    vocabulary: Vocabulary
    file: str
    lines: Mapping[str, int]
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, code: str, path: str, text: str, near: str | None = None) -> None:
        """
        Note a fault of a place.
        """
        line = self.lines.get(path, 0)
        self.problems.append(Problem(code, path, text, line=line, suggestion=near, file=self.file))

    def facts(self, raw: object, path: str, named: str) -> Facts:
        """
        Read what a code says; what is wrong in it is noted.
        """
        if not isinstance(raw, Mapping):
            self.wrong(
                "bad_type", path, f"{named}: `facts` must be a mapping, {{}} for a silent one"
            )
            return {}
        for one in faults_of(self.vocabulary, raw):
            self.wrong("bad_type", path, f"{named}: {one.text}", one.near)
        return {str(name): value for name, value in raw.items()}


def read_incident_types(
    vocabulary: Vocabulary, documents: Mapping[str, tuple[Any, Mapping[str, int]]]
) -> tuple[IncidentTypes, list[Problem]]:
    """
    Read registries; *documents* maps a file to its document and lines. All faults are named at
    once.
    """
    problems: list[Problem] = []
    registries: dict[str, Registry] = {}
    for file, (document, lines) in documents.items():
        reading = _Reading(vocabulary, file, lines)
        registry = _read_registry(reading, document)
        if registry.name in registries:
            text = f"the registry `{registry.name[:SHOWN_MAX]}` stands in two files"
            reading.wrong("registry_twice", "registry", text)
        registries[registry.name] = registry
        problems += reading.problems
    return IncidentTypes(registries), problems


def _read_registry(reading: _Reading, document: object) -> Registry:
    table = document if isinstance(document, Mapping) else {}
    name = registry_name(str(table.get("registry") or Path(reading.file).stem))
    prefixes = _texts(reading, table, "prefixes")
    of_code = (name, *prefixes)
    codes: dict[str, Facts] = {}
    patterns: dict[Pattern, Facts] = {}
    for path, block in _blocks(reading, table):
        said = _code_or_pattern(reading, block, path)
        if said is None:
            continue
        kind, text = said
        named = f"type `{text[:SHOWN_MAX]}`"
        facts = reading.facts(block.get("facts", {}), path, named)
        if kind == "code":
            _keep(reading, codes, normalised(text, of_code), facts, (path, named))
        elif ANY not in text or not Pattern.of(text, of_code).characters:
            reading.wrong("bad_pattern", path, f"{named}: a pattern needs letters and a `{ANY}`")
        else:
            _keep(reading, patterns, Pattern.of(text, of_code), facts, (path, named))
    longest_first = sorted(patterns.items(), key=lambda one: (-one[0].characters, one[0].pieces))
    source = table.get("source")
    return Registry(
        name,
        codes,
        tuple(longest_first),
        _suffixes(reading, table),
        prefixes,
        title=str(table.get("title") or ""),
        source=dict(source) if isinstance(source, Mapping) else {},
        note=str(table.get("note") or ""),
    )


def _blocks(reading: _Reading, table: Mapping[Any, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    listed = table.get("types") or ()
    if not isinstance(listed, list | tuple):
        reading.wrong("bad_type", "types", "`types` must be a list")
        return
    for place, block in enumerate(listed):
        path = f"types[{place}]"
        if isinstance(block, Mapping):
            yield path, block
        else:
            reading.wrong("no_code", path, "a type needs a `code` or a `pattern`")


def _code_or_pattern(
    reading: _Reading, block: Mapping[str, Any], path: str
) -> tuple[str, str] | None:
    told = [(kind, block[kind]) for kind in ("code", "pattern") if kind in block]
    if len(told) != 1 or not isinstance(told[0][1], str):
        reading.wrong("no_code", path, "a type needs a `code` or a `pattern`, as text")
        return None
    if not normalised(told[0][1]):
        text = f"type `{told[0][1][:SHOWN_MAX]}`: has neither letters nor numbers"
        reading.wrong("no_code", path, text)
        return None
    return told[0]


def _keep(
    reading: _Reading, kept: dict[Key, Facts], key: Key, facts: Facts, at: tuple[str, str]
) -> None:
    path, named = at
    # The same twice does no harm; which of two different ones holds, nobody could tell.
    if key in kept and kept[key] != facts:
        reading.wrong("type_twice", path, f"{named}: stands twice, and says two different things")
    kept[key] = facts


def _suffixes(reading: _Reading, table: Mapping[Any, Any]) -> dict[str, Facts]:
    listed = table.get("suffixes") or {}
    if not isinstance(listed, Mapping):
        reading.wrong("bad_suffix", "suffixes", "`suffixes` must be a mapping of suffix to facts")
        return {}
    found: dict[str, Facts] = {}
    for name, facts in listed.items():
        path = f"suffixes.{name}"
        suffix = normalised(str(name))
        if not suffix.isalpha():
            text = f"suffix `{str(name)[:SHOWN_MAX]}`: must be letters"
            reading.wrong("bad_suffix", path, text)
        found[suffix] = reading.facts(facts, path, f"suffix `{str(name)[:SHOWN_MAX]}`")
    return dict(sorted(found.items(), key=lambda one: -len(one[0])))


def _texts(reading: _Reading, table: Mapping[Any, Any], name: str) -> tuple[str, ...]:
    listed = table.get(name) or []
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        reading.wrong("bad_list", name, f"`{name}` must be a list of texts")
        return ()
    return tuple(listed)
