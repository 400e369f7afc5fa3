"""
Write every decision that filters leave as a file for a spreadsheet (CSV) or for a program (JSON
lines).

It is written page by page, so that a file of any length needs the memory of one page. It holds no
remarks, no comments and no facts of a call. Rules that a fact from a protected record made fire are
withheld, unless the export says to whom it goes and for what; then that is kept before they leave.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

import orjson
import structlog

from service.disclosures import PROTECTED_RECORD, police_without
from service.listed import Listed
from service.spreadsheet import csv_line

log = structlog.get_logger()
COLUMNS: Final = (
    *("decision_id", "call_id", "revision", "decided_at", "urgency", "responders", "fallback"),
    *("law_enforcement", "rules", "provisional", "ruleset", "version", "mode", "sent"),
    *("override", "reason", "withheld", "redisclosure_notice", "erased"),
)
TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
BROKEN_OFF: Final = "the export broke off here: export again"
NOTED_TOGETHER: Final = 200  # lines of a disclosure that are noted in one row
UNREADABLE: Final = "unreadable"  # withheld, because the store holds no decision in its place
NOBODY: Final = "nobody"  # an empty cell says that nothing was reported


@dataclass(frozen=True, slots=True)
class Export:
    """
    A file that is being written: its lines, their media type, and the headers that name it.
    """

    lines: Iterator[bytes]
    content_type: str
    headers: Mapping[str, str]


# Keeps, before they leave, which facts of which records go to the recipient of an export.
Disclose = Callable[[Collection[str], Collection[str]], object]


def export_of(
    listed: Iterable[Listed], form: str, broken_off: bytes, disclose: Disclose | None = None
) -> Export:
    """
    Write decisions as `csv` or `jsonl`; without *disclose* what is protected is withheld.

    *broken_off* is the last line of JSON lines where something fails under way: a file that merely
    ended would pass for a whole one.
    """
    listed = _withheld(listed) if disclose is None else _disclosed(listed, disclose)
    lines = _csv_lines(listed) if form == "csv" else _json_lines(listed)
    named = f'attachment; filename="decisions.{form}"'
    return Export(
        _whole_or_marked(lines, form, broken_off), TYPES[form], {"Content-Disposition": named}
    )


def _withheld(listed: Iterable[Listed]) -> Iterator[Listed]:
    """
    Leave out of each line the rules that would reveal a protected fact, and say so.
    """
    for one in listed:
        if not one.protected:
            yield one
            continue
        rules = [rule for rule in one.summary["rules"] if rule not in one.revealing]
        police = police_without(one.summary["law_enforcement"], one.revealing)
        left = {"rules": rules, "law_enforcement": police, "withheld": [PROTECTED_RECORD]}
        yield replace(one, summary={**one.summary, **left})


def _disclosed(listed: Iterable[Listed], disclose: Disclose) -> Iterator[Listed]:
    """
    Give the lines whole, some at a time, each time after what is protected in them was noted.
    """
    rest = iter(listed)
    while some := list(islice(rest, NOTED_TOGETHER)):
        records = [one.summary["decision_id"] for one in some if one.protected]
        if records:
            disclose({fact for one in some for fact in one.protected}, records)
        yield from some


def _whole_or_marked(lines: Iterator[bytes], form: str, broken_off: bytes) -> Iterator[bytes]:
    """
    Give the lines, and one more that says so where something fails under way.
    """
    try:
        yield from lines
    except Exception as error:  # noqa: BLE001  # the server would end the file as if it were whole
        log.error("export_broken_off", error=type(error).__name__)
        yield csv_line([f"incomplete: {BROKEN_OFF}"]) if form == "csv" else broken_off + b"\n"


def _json_lines(listed: Iterable[Listed]) -> Iterator[bytes]:
    for one in listed:
        yield orjson.dumps(one.summary, option=orjson.OPT_APPEND_NEWLINE)


def _csv_lines(listed: Iterable[Listed]) -> Iterator[bytes]:
    yield csv_line(COLUMNS)
    for one in listed:
        yield csv_line([_cell(value) for value in _row(one)])


def _row(one: Listed) -> tuple[Any, ...]:
    shown, sent = one.summary, one.sent
    if not one.is_readable:
        empty = [None] * (len(COLUMNS) - 7)
        place = shown["decision_id"], shown["call_id"], None, shown["decided_at"]
        return (*place, *empty, UNREADABLE, None, None)
    if one.erased is not None:
        empty = [None] * (len(COLUMNS) - 5)
        return (shown["decision_id"], None, None, shown["decided_at"], *empty, one.erased.at)
    recommendation = shown["recommendation"]
    fallback = recommendation["fallback"]
    return (
        *(shown["decision_id"], shown["call_id"], shown["revision"], shown["decided_at"]),
        recommendation["urgency"],
        [responder["kind"] for responder in recommendation["responders"]],
        fallback and fallback["reason"],
        shown["law_enforcement"]["included"],
        shown["rules"],
        recommendation["provisional"],
        *(shown["ruleset"]["name"], shown["ruleset"]["version"], shown["mode"]),
        sent and (list(sent.responders) or NOBODY),
        sent and sent.override,
        sent and sent.reason,
        *(shown.get("withheld"), shown["redisclosure_notice"], None),
    )


def _cell(value: Any) -> str:
    """
    Write a value as a cell: nothing for null, `true` and `false`, and a list with spaces between.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(value) if isinstance(value, list) else str(value)
