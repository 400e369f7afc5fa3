"""
Reads a YAML file with the line of every place in it, so that each fault can be told by its line.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from service.errors import ConfigurationError
from service.routing.problems import Problem

# The same safe loader on libyaml, many times faster, where the wheel has it.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> tuple[Any, dict[str, int]]:
    """
    Read a YAML file: the document, and the line (from 1) of every place in it by its path
    (`needs[2].when`).

    Raises:
        ConfigurationError: the file is missing, is not YAML, or has the same key twice in one
            mapping.
    """
    return named_yaml(str(path), text_of(path))


def text_of(path: Path) -> str:
    """
    Give the text of a file.

    Raises:
        ConfigurationError: it is missing, or no UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigurationError(
            [Problem("no_file", "", "cannot be read", file=str(path))]
        ) from fault


def named_yaml(file: str, text: str) -> tuple[Any, dict[str, int]]:
    """
    Read YAML as `read_yaml` does; each fault names *file*.
    """
    try:
        return read_yaml_text(text)
    except ConfigurationError as fault:
        named = [replace(problem, file=file) for problem in fault.problems]
        raise ConfigurationError(named) from fault


def read_yaml_text(text: str) -> tuple[Any, dict[str, int]]:
    """
    Read YAML as `read_yaml` does.

    Raises:
        ConfigurationError: it is not YAML, or has the same key twice in one mapping.
    """
    loader = LOADER(text)
    try:
        node = loader.get_single_node()
        lines: dict[str, int] = {}
        problems: list[Problem] = []
        if node is not None:
            _walk_lines(node, "", lines, problems)
        if problems:
            raise ConfigurationError(problems)
        return (loader.construct_document(node) if node is not None else None), lines
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        text = f"is not YAML: {getattr(fault, 'problem', None) or 'cannot be read'}"
        line = mark.line + 1 if mark else 0
        raise ConfigurationError([Problem("not_yaml", "", text, line=line)]) from fault
    finally:
        loader.dispose()


def _walk_lines(node: yaml.Node, path: str, lines: dict[str, int], problems: list[Problem]) -> None:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            inner = f"{path}.{key.value}" if path else str(key.value)
            if inner in seen:
                text = f"the key `{key.value}` stands twice in one mapping"
                problems.append(Problem("key_twice", inner, text, line=key.start_mark.line + 1))
            seen.add(inner)
            _walk_lines(value, inner, lines, problems)
            lines[inner] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            _walk_lines(item, f"{path}[{place}]", lines, problems)


def located(
    problems: list[Problem] | tuple[Problem, ...], path: Path, lines: Mapping[str, int]
) -> list[Problem]:
    """
    Give each problem its file and line; a place that is not in the file takes the line of what it
    belongs to.
    """
    return [replace(one, file=str(path), line=line_of(one.path, lines)) for one in problems]


def line_of(path: str, lines: Mapping[str, int]) -> int:
    """
    Give the line of a place in a document, or of what it belongs to.
    """
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["))] if ("." in path or "[" in path) else ""
    return lines.get(path, 1)
