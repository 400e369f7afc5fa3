"""
Write every decision that filters leave as a file for a spreadsheet (CSV) or for a program (JSON
lines).

It is written page by page, so that a file of any length needs the memory of one page. It holds no
remarks, no comments and no facts of a call.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog

from service.records import Listed
from service.spreadsheet import csv_line

log = structlog.get_logger()
COLUMNS: Final = (
    *("decision_id", "call_id", "revision", "decided_at", "urgency", "responders", "fallback"),
    *("law_enforcement", "rules", "provisional", "ruleset", "version", "mode", "sent"),
    *("override", "reason"),
)
TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
BROKEN_OFF: Final = "the export broke off here: export again"
NOBODY: Final = "nobody"  # an empty cell says that nothing was reported


@dataclass(frozen=True, slots=True)
class Export:
    """
    A file that is being written: its lines, their media type, and the headers that name it.
    """

    lines: Iterator[bytes]
    content_type: str
    headers: Mapping[str, str]


def export_of(listed: Iterable[Listed], form: str, broken_off: bytes) -> Export:
    """
    Write decisions as `csv` or `jsonl`.

    *broken_off* is the last line of JSON lines where something fails under way: a file that merely
    ended would pass for a whole one.
    """
    lines = _csv_lines(listed) if form == "csv" else _json_lines(listed)
    named = f'attachment; filename="decisions.{form}"'
    return Export(
        _whole_or_marked(lines, form, broken_off), TYPES[form], {"Content-Disposition": named}
    )


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
