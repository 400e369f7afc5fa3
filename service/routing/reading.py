"""
Makes rules of a document, and names every fault of it at once.

It refuses any rule that breaks one of the five shapes, because the shapes together give the
invariants by construction. It reads no file: `service/rulesets.py` does, and adds file and line to
each fault.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from service.routing.conditions import read_rows
from service.routing.facts import Vocabulary
from service.routing.problems import Problem, nearest
from service.routing.rules import LEADS, Rule, Ruleset, Source
from service.routing.shapes import Placed, shape_problems

BESIDE = ("ems", "988", "mobile_crisis")
ROWS_MAX = 4_000  # some fifty times what a state programme needs; compiles in about a second
EMS_NEEDS = ("fire_rescue",)
RULESET_KEYS = ("name", "extend", "needs", "hazards", "retire", "fallback", "absent_fills")
NEED_KEYS = ("id", "when", "lead", "urgency", "ask", "why", "source", "from", "until", "before")
HAZARD_KEYS = (
    *(
        "id",
        "when",
        "at_least",
        "with",
        "needs",
        "notify",
        "urgency",
        "ask",
        "alone",
        "why",
        "source",
    ),
    *("from", "until", "before"),
)


def read_ruleset(vocabulary: Vocabulary, document: object) -> tuple[Ruleset | None, list[Problem]]:
    """
    Read and check a resolved ruleset; the ruleset is None exactly where there are problems.

    Total: any document at all gives a list of problems and never an exception.
    """
    problems: list[Problem] = []
    if not isinstance(document, Mapping):
        return None, [
            Problem("not_a_ruleset", "", "a ruleset must be a mapping with `name` and `needs`")
        ]
    for key in document:
        if key not in RULESET_KEYS:
            text = f"a ruleset has no key `{str(key)[:60]}`"
            problems.append(
                Problem("unknown_key", str(key)[:60], text, suggestion=nearest(key, RULESET_KEYS))
            )
    for key in ("extend", "retire"):
        if document.get(key):
            text = f"`{key}` must be resolved before the ruleset is read"
            problems.append(Problem("not_resolved", key, text))
    name = document.get("name")
    if not isinstance(name, str) or not name:
        problems.append(Problem("no_name", "name", "a ruleset needs a `name`"))
    if _rows_in(document) > ROWS_MAX:
        text = f"a ruleset has at most {ROWS_MAX} rules and alternatives together"
        return None, [*problems, Problem("too_many_rows", "", text)]
    needs = _read_table(vocabulary, "needs", document.get("needs"), problems)
    hazards = _read_table(vocabulary, "hazards", document.get("hazards", []), problems)
    _check_ids((*needs, *hazards), problems)
    problems += shape_problems(vocabulary, needs, hazards)
    fallback = _read_fallback(document.get("fallback", {}), problems)
    fills = _names(document, "absent_fills", tuple(vocabulary.asked), "absent_fills", problems)
    if problems:
        return None, problems
    assert isinstance(name, str)
    rules = tuple(rule for _, rule in needs), tuple(rule for _, rule in hazards)
    return Ruleset(name, *rules, fallback, frozenset(fills)), []


def _rows_in(document: Mapping[Any, Any]) -> int:
    """
    Count rules and alternatives before anything is read, so that a huge ruleset costs nothing.
    """
    count = 0
    for table in ("needs", "hazards"):
        rules = document.get(table)
        for rule in rules if isinstance(rules, list) else ():
            when = rule.get("when") if isinstance(rule, Mapping) else None
            rows = when.get("any") if isinstance(when, Mapping) else None
            count += len(rows) if isinstance(rows, list) else 1
    return count


def _read_table(
    vocabulary: Vocabulary, table: str, raw: object, problems: list[Problem]
) -> list[Placed]:
    if not isinstance(raw, list) or (table == "needs" and not raw):
        text = f"`{table}` must be a list of rules" + (
            ", and not empty" if table == "needs" else ""
        )
        problems.append(Problem("no_rules", table, text))
        return []
    placed = []
    for place, block in enumerate(raw):
        path = f"{table}[{place}]"
        if isinstance(block, Mapping):
            placed.append((path, _read_rule(vocabulary, table, path, block, problems)))
        else:
            problems.append(
                Problem("not_a_rule", path, "a rule must be a mapping with `id`, `why`, `source`")
            )
    return placed


def _read_rule(
    vocabulary: Vocabulary, table: str, path: str, block: Mapping[str, Any], problems: list[Problem]
) -> Rule:
    found: list[Problem] = []
    keys = NEED_KEYS if table == "needs" else HAZARD_KEYS
    for key in block:
        if key not in keys:
            text = f"a rule under `{table}` has no key `{str(key)[:60]}`"
            found.append(
                Problem("unknown_key", f"{path}.{key}", text, suggestion=nearest(key, keys))
            )
    rule_id = block.get("id")
    if not isinstance(rule_id, str) or not rule_id:
        found.append(Problem("no_id", f"{path}.id", "a rule needs an `id`"))
    if not isinstance(block.get("why"), str) or not block["why"].strip():
        found.append(Problem("no_why", f"{path}.why", "a rule needs a `why`: one plain sentence"))
    questions = tuple(vocabulary.asked)
    rule = Rule(
        id=str(rule_id),
        table=table,
        rows=read_rows(vocabulary, block.get("when"), f"{path}.when", found),
        why=str(block.get("why", "")).strip(),
        source=_read_source(block.get("source"), f"{path}.source", found),
        lead=_word(block, "lead", ("warm_line", "988", "mobile_crisis"), path, found),
        at_least=_word(block, "at_least", LEADS, path, found),
        beside=_names(block, "with", BESIDE, path, found),
        ems_needs=_names(block, "needs", EMS_NEEDS, path, found),
        notify=_names(block, "notify", tuple(vocabulary.notify), path, found),
        urgency=_word(block, "urgency", tuple(vocabulary.urgencies), path, found),
        ask=_names(block, "ask", questions, path, found),
        alone=_flag(block, "alone", path, found),
        begins=_date(block, "from", path, found),
        ends=_date(block, "until", path, found),
    )
    problems += [_of_rule(problem, rule.id) for problem in found]
    return rule


def read_rule(
    vocabulary: Vocabulary, table: str, block: Mapping[str, Any]
) -> tuple[Rule, list[Problem]]:
    """
    Read one rule by itself, as far as it can be read, and its problems, the shapes left aside.

    Total, as `read_ruleset` is: it is for showing a rule of a draft that is not right yet.
    """
    problems: list[Problem] = []
    return _read_rule(vocabulary, table, table, block, problems), problems


def _of_rule(problem: Problem, rule: str) -> Problem:
    return Problem(problem.code, problem.path, problem.message, rule, suggestion=problem.suggestion)


def _word(
    block: Mapping[str, Any], key: str, allowed: tuple[str, ...], path: str, problems: list[Problem]
) -> str | None:
    raw = block.get(key)
    if raw is None:
        return None
    word = str(raw) if isinstance(raw, str | int) and not isinstance(raw, bool) else raw
    if word in allowed:
        return str(word)
    text = f"`{key}` cannot be `{str(raw)[:60]}`: {', '.join(allowed)}"
    problems.append(Problem("bad_value", f"{path}.{key}", text, suggestion=nearest(raw, allowed)))
    return None


def _names(
    block: Mapping[str, Any], key: str, allowed: tuple[str, ...], path: str, problems: list[Problem]
) -> tuple[str, ...]:
    raw = block.get(key)
    if raw is None:
        return ()
    if not isinstance(raw, list):
        problems.append(Problem("bad_value", f"{path}.{key}", f"`{key}` must be a list"))
        return ()
    words = (_word({key: item}, key, allowed, path, problems) for item in raw)
    return tuple(dict.fromkeys(word for word in words if word is not None))


def _flag(block: Mapping[str, Any], key: str, path: str, problems: list[Problem]) -> bool:
    raw = block.get(key, False)
    if not isinstance(raw, bool):
        problems.append(Problem("bad_value", f"{path}.{key}", f"`{key}` must be true or false"))
    return raw is True


def _date(block: Mapping[str, Any], key: str, path: str, problems: list[Problem]) -> dt.date | None:
    raw = block.get(key)
    if isinstance(raw, str):
        try:
            return dt.date.fromisoformat(raw)
        except ValueError:
            pass
    if isinstance(raw, dt.date) and not isinstance(raw, dt.datetime):
        return raw
    if raw is not None:
        problems.append(
            Problem("bad_date", f"{path}.{key}", f"`{key}` must be a date such as 2026-12-31")
        )
    return None


def _read_source(raw: object, path: str, problems: list[Problem]) -> Source:
    if isinstance(raw, Mapping) and isinstance(raw.get("title"), str) and raw["title"].strip():
        return Source(raw["title"].strip(), str(raw.get("url") or ""))
    problems.append(Problem("no_source", path, "a rule needs a `source` with a `title`"))
    return Source("")


def _read_fallback(
    raw: object, problems: list[Problem]
) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    if not isinstance(raw, Mapping):
        problems.append(Problem("bad_fallback", "fallback", "`fallback` must map a lead to a list"))
        return {}
    kinds = (*LEADS, "ems")
    fallback = {}
    for lead, options in raw.items():
        path = f"fallback.{lead}"
        if str(lead) not in LEADS or not isinstance(options, list):
            text = f"`fallback` maps one of {', '.join(LEADS)} to a list"
            problems.append(Problem("bad_fallback", path, text, suggestion=nearest(lead, LEADS)))
            continue
        tried = []
        for option in options:
            parts = tuple(part.strip() for part in str(option).split("+"))
            for wrong in (part for part in parts if part not in kinds):
                text = f"`{wrong[:60]}` is no kind of responder: {', '.join(kinds)}"
                problems.append(
                    Problem("bad_fallback", path, text, suggestion=nearest(wrong, kinds))
                )
            tried.append(parts)
        fallback[str(lead)] = tuple(tried)
    return fallback


def _check_ids(rules: tuple[Placed, ...], problems: list[Problem]) -> None:
    seen: set[str] = set()
    for path, rule in rules:
        if rule.id in seen:
            problems.append(Problem("same_id", f"{path}.id", "another rule has this `id`", rule.id))
        seen.add(rule.id)
