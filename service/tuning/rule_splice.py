"""
Puts one rule into the YAML of a ruleset, takes one out, or moves it, and leaves every other line
with its comments as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from service.yaml_files import LOADER

_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where a rule stands in a text: from its dash to the end of its last value, in characters, and in
    which column its keys begin.
    """

    begin: int
    end: int
    column: int


def replace_rule(text: str, table: str, place: int, block: Mapping[str, Any]) -> str | None:
    """
    Give the text with the rule at a place (from 0) of a table written anew; None if there is none.
    """
    found = _places(text, table)
    if not 0 <= place < len(found):
        return None
    at = found[place]
    return f"{text[: at.begin]}{_written(block, at.column)}{text[at.end :]}"


def remove_rule(text: str, table: str, place: int) -> str | None:
    """
    Give the text without the rule at a place of a table; None if there is none, or it is the last.
    """
    found = _places(text, table)
    if not 0 <= place < len(found) or len(found) == 1:
        return None
    at = found[place]
    return f"{text[: _line_start(text, at.begin)]}{text[_next_line(text, at.end) :]}"


def insert_rule(text: str, table: str, before: int, block: Mapping[str, Any]) -> str | None:
    """
    Give the text with a new rule in front of the one at a place (-1: the last), or behind the last
    one; None if the table has no rule yet.
    """
    found = _places(text, table)
    if not found:
        return None
    indent = " " * (found[0].column - 2)
    before = len(found) - 1 if before < 0 else before
    if before < len(found):
        begin = _line_start(text, found[before].begin)
        rule = f"{indent}{_written(block, found[0].column)}\n\n"
        return f"{text[:begin]}{rule}{text[begin:]}"
    end = _next_line(text, found[-1].end)
    rule = f"\n{indent}{_written(block, found[0].column)}\n"
    before_it = text[:end] if text[:end].endswith("\n") else f"{text[:end]}\n"
    return f"{before_it}{rule}{text[end:]}"


def move_rule(text: str, table: str, place: int, by: int) -> str | None:
    """
    Give the text with the rule at a place changed with its neighbour, -1 above or 1 below.
    """
    found = _places(text, table)
    other = place + by
    if not (0 <= place < len(found) and 0 <= other < len(found)):
        return None
    first, second = found[min(place, other)], found[max(place, other)]
    upper, lower = text[first.begin : first.end], text[second.begin : second.end]
    between = text[first.end : second.begin]
    return f"{text[: first.begin]}{lower}{between}{upper}{text[second.end :]}"


def _places(text: str, table: str) -> list[Place]:
    """
    Find the rules of a table; none where the table is not written as a block.
    """
    loader = LOADER(text)
    try:
        node = loader.get_single_node()
    except yaml.YAMLError:
        return []
    finally:
        loader.dispose()
    if not isinstance(node, yaml.MappingNode):
        return []
    for key, value in node.value:
        is_block = isinstance(value, yaml.SequenceNode) and not value.flow_style
        if key.value == table and is_block:
            return [_place(text, one) for one in value.value]
    return []


def _place(text: str, node: yaml.Node) -> Place:
    begin = node.start_mark.index
    # From the dash on, so that a rule moves with it.
    return Place(text.rindex("-", 0, begin), _end(node), node.start_mark.column)


def _end(node: yaml.Node) -> int:
    # The mark at the end of a block lies behind the comments that follow it.
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _end(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _end(node.value[-1])
    return int(node.end_mark.index)


def _written(block: Mapping[str, Any], column: int) -> str:
    text = yaml.dump(
        dict(block),
        Dumper=_DUMPER,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=110,
    )
    lines = str(text).rstrip("\n").split("\n")
    indent = " " * column
    rest = [f"{indent}{line}" if line else line for line in lines[1:]]
    return "\n".join([f"- {lines[0]}", *rest])


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _next_line(text: str, index: int) -> int:
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1
