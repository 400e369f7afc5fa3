"""
`/v1/decisions/export`: every decision that the filters leave, as a file for a spreadsheet (CSV) or
for a program (JSON lines).

It is streamed page by page, so that a file of any length needs the memory of one page. It holds no
remarks, no comments and no facts of a call.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson
import structlog
from flask import Blueprint, Response, request

from service.access import READ_CALLS
from service.api.asking import who_asks
from service.api.filters import export_schema
from service.api.problems import RefusedError, problem
from service.parts import Parts
from service.records import Listed
from service.spreadsheet import csv_line
from service.store.decision_fields import Filters

log = structlog.get_logger()
COLUMNS: Final = (
    *("decision_id", "call_id", "revision", "decided_at", "urgency", "responders", "fallback"),
    *("law_enforcement", "rules", "provisional", "ruleset", "version", "mode", "sent"),
    *("override", "reason"),
)
TYPES: Final = {"csv": "text/csv", "jsonl": "application/jsonl"}
BROKEN_OFF: Final = "the export broke off here: export again"
NOBODY: Final = "nobody"  # an empty cell says that nothing was reported


def export_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("export", __name__)
    asked = export_schema(parts)

    @blueprint.get("/v1/decisions/export")
    def export() -> Response:
        """
        Stream decisions, newest first, by the filters of the query: 200, 422, 503.
        """
        asker = who_asks(parts, READ_CALLS)
        query = asked.load(request.args.to_dict())
        form, page_items = query.pop("form", "csv"), parts.settings.page_items_max
        filters = Filters(**query, hidden=parts.blind.hidden(asker.actor))
        listed: Iterable[Listed] = parts.records.every(asker.agency.id, filters, page_items)
        asked_for = {name: str(value) for name, value in sorted(query.items())}
        parts.audit.note(asker.actor, "exported", ("decisions", form), **asked_for)
        lines = _csv_lines(listed) if form == "csv" else _json_lines(listed)
        lines = _whole_or_marked(lines, form)
        named = f'attachment; filename="decisions.{form}"'
        return Response(
            lines, content_type=_content_type(form), headers={"Content-Disposition": named}
        )

    return blueprint


def _content_type(form: str) -> str:
    return f"{TYPES[form]}; charset=utf-8" if form == "csv" else TYPES[form]


def _whole_or_marked(lines: Iterator[bytes], form: str) -> Iterator[bytes]:
    """
    Give the lines, and one more that says so where something fails under way.
    """
    try:
        yield from lines
    except Exception as error:  # noqa: BLE001  # the server would end the file as if it were whole
        log.error("export_broken_off", error=type(error).__name__)
        if form == "csv":
            yield csv_line([f"incomplete: {BROKEN_OFF}"])
        else:
            refused = RefusedError(503, "incomplete", BROKEN_OFF)
            yield problem(refused).get_data() + b"\n"


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
