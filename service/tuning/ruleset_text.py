"""
Reads a ruleset as somebody wrote it, YAML or JSON, into a document that can be stored, and names
every fault with its line.

What could make a reader work without end is refused before it is read: anchors, aliases, tags, deep
nesting, more rules than a ruleset may have. Nothing here raises for a text, whatever it is.
"""

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import yaml

from service.errors import ConfigurationError
from service.routing.facts import Vocabulary
from service.routing.problems import Problem
from service.routing.reading import ROWS_MAX, read_ruleset
from service.yaml_files import LOADER, line_of, read_yaml_text

NODES_MAX: Final = 200_000  # ten times what a ruleset of the most rules has
DEPTH_MAX: Final = 32
PROBLEMS_MAX: Final = 500  # of one text; more help nobody
INTEGER_MAX: Final = 2**63 - 1
_IDS = re.compile(r"""\bid["']?\s*:""")
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True, slots=True)
class Read:
    """
    What a text says: its document, or None where it cannot be read, and every fault, with lines.
    """

    content: dict[str, Any] | None
    problems: tuple[Problem, ...]


def read_text(vocabulary: Vocabulary, text: str, name: str) -> Read:
    """
    Read and check the YAML of the ruleset called *name*.
    """
    refused = _refused(text)
    if refused:
        return Read(None, (refused,))
    try:
        document, lines = read_yaml_text(text)
    except ConfigurationError as fault:
        return Read(None, tuple(fault.problems))
    except (ValueError, TypeError, OverflowError, RecursionError):
        # A date that no calendar has, a number of thousands of digits, a list for a key.
        message = "holds a date, a number or a key that cannot be: put it in quotes"
        return Read(None, (Problem("bad_value", "", message, line=1),))
    problems: list[Problem] = []
    content = _storable(document, "", problems)
    if problems or not isinstance(content, dict):
        if not isinstance(document, Mapping):
            message = "a ruleset must be a mapping with `name` and `needs`"
            problems.append(Problem("not_a_ruleset", "", message))
        return Read(None, _with_lines(problems, lines))
    return Read(content, _with_lines(problems_of(vocabulary, content, name), lines))


def problems_of(vocabulary: Vocabulary, content: Mapping[str, Any], name: str) -> list[Problem]:
    """
    Name every fault of a ruleset that is called *name*.
    """
    _, problems = read_ruleset(vocabulary, content)
    told = content.get("name")
    if isinstance(told, str) and told != name:
        text = f"the ruleset calls itself `{told[:60]}`, and its address says `{name}`"
        problems.append(Problem("other_name", "name", text, suggestion=name))
    return problems


def write_text(content: Mapping[str, Any]) -> str:
    """
    Write a ruleset as YAML, in the order in which it stands.
    """
    return str(
        yaml.dump(dict(content), Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=100)
    )


def shown(problem: Problem) -> dict[str, Any]:
    """
    Give a fault as the API shows it; the line is None where it is not known.
    """
    return {
        "code": problem.code,
        "rule": problem.rule,
        "path": problem.path,
        "line": problem.line or None,
        "message": problem.message,
        "suggestion": problem.suggestion,
    }


def _with_lines(problems: Sequence[Problem], lines: Mapping[str, int]) -> tuple[Problem, ...]:
    found = [replace(one, line=one.line or line_of(one.path, lines)) for one in problems]
    if len(found) > PROBLEMS_MAX:
        text = f"there are {len(found) - PROBLEMS_MAX} more problems: mend these first"
        found = [*found[:PROBLEMS_MAX], Problem("more_problems", "", text, line=1)]
    return tuple(found)


def _refused(text: str) -> Problem | None:
    """
    Say why a text is not to be read at all, or None.
    """
    if "\0" in text or _lone_surrogate(text):
        return Problem("not_text", "", "holds characters that are no text (NUL, half a pair)")
    if len(_IDS.findall(text)) > ROWS_MAX:
        text = f"a ruleset has at most {ROWS_MAX} rules and alternatives together"
        return Problem("too_many_rows", "", text, line=1)
    loader = LOADER(text)
    try:
        return _look_through(loader)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        message = f"is not YAML: {getattr(fault, 'problem', None) or 'cannot be read'}"
        return Problem("not_yaml", "", message, line=mark.line + 1 if mark else 1)
    finally:
        loader.dispose()


def _lone_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _look_through(loader: Any) -> Problem | None:
    depth = count = 0
    while loader.check_event():
        event = loader.get_event()
        count += 1
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            text = "anchors (`&`) and aliases (`*`) are not used in a ruleset: write it out"
            return Problem("yaml_anchor", "", text, line=line)
        if getattr(event, "tag", None) is not None and not _is_plain(event):
            return Problem("yaml_tag", "", "tags (`!`) are not used in a ruleset", line=line)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_MAX:
            text = f"is nested deeper than {DEPTH_MAX} levels"
            return Problem("too_deep", "", text, line=line)
        if count > NODES_MAX:
            text = f"holds more than {NODES_MAX} values: no ruleset is that large"
            return Problem("too_large", "", text, line=line)
    return None


def _is_plain(event: Any) -> bool:
    implicit = event.implicit
    return bool(implicit if isinstance(implicit, bool) else any(implicit))


def _storable(value: Any, path: str, problems: list[Problem]) -> Any:
    """
    Give a document with text keys, dates as text, and no value that JSON cannot hold.
    """
    if isinstance(value, Mapping):
        found = {
            _key(key): _storable(one, _inside(path, key), problems) for key, one in value.items()
        }
        if len(found) != len(value):
            problems.append(Problem("key_twice", path, "a key stands twice in one mapping"))
        return found
    if isinstance(value, list):
        return [_storable(one, f"{path}[{place}]", problems) for place, one in enumerate(value)]
    if isinstance(value, dt.date):
        return value.isoformat()
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_storable = value is None or isinstance(value, str | bool | int | float)
    if is_number:
        is_storable = math.isfinite(value) and abs(value) <= INTEGER_MAX
    elif isinstance(value, str):
        is_storable = "\0" not in value and not _lone_surrogate(value)
    if not is_storable:
        problems.append(Problem("bad_value", path, "is no text, number, date, true or false"))
        return None
    return value


def _key(key: object) -> str:
    return str(key).lower() if key is None or isinstance(key, bool) else str(key)


def _inside(path: str, key: object) -> str:
    return f"{path}.{_key(key)}" if path else _key(key)
