"""
Search the audit trail, and export what a search finds.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import structlog
from marshmallow import ValidationError, fields, validate
from sqlalchemy import Engine

from service.errors import StoreUnavailableError
from service.instants import iso
from service.request import Instant, Strict, no_nul
from service.spreadsheet import csv_line
from service.store import audit
from service.store.audit import Entry, Search

log = structlog.get_logger()
WORD_CHARACTERS_MAX: Final = 200
COLUMNS: Final = (
    *("at", "name", "role", "identity", "address", "act", "subject_kind", "subject_id", "detail"),
)
BROKEN_OFF: Final = "incomplete: the export broke off here: export again"


def _word() -> fields.String:
    return fields.String(validate=[validate.Length(1, WORD_CHARACTERS_MAX), no_nul, _is_whole])


def _is_whole(text: str) -> None:
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValidationError("must not hold half a character")


class AuditFilters(Strict):
    """
    What an entry must meet to be shown; each that is given must hold.
    """

    since = Instant(data_key="from")
    until = Instant(data_key="to")
    who = _word()
    act = _word()
    subject_kind = _word()
    subject_id = _word()


_FILTERS: Final = AuditFilters()


def read_search(query: Mapping[str, str]) -> Search:
    """
    Read the filters of a query; times have their offset.

    Raises:
        ValidationError: it has faults; all are named.
    """
    read = _FILTERS.load(query)
    since, until = read.pop("since", None), read.pop("until", None)
    return Search(
        since=dt.datetime.fromisoformat(since) if since else None,
        until=dt.datetime.fromisoformat(until) if until else None,
        **read,
    )


def every(store: Engine, agency: str, search: Search, page_items: int) -> Iterator[Entry]:
    """
    Give every entry that a search finds, the newest first; never more than a page is held.

    Raises:
        StoreUnavailableError: the store cannot be asked; for the first page at once.
    """
    first = audit.page(store, agency, search, None, page_items)
    return _following(store, agency, search, page_items, first)


def csv_lines(entries: Iterator[Entry]) -> Iterator[bytes]:
    """
    Write entries as CSV; where the store goes away under way the last row says so.
    """
    yield csv_line(COLUMNS)
    try:
        for entry in entries:
            yield csv_line(_row(entry))
    except StoreUnavailableError:
        log.error("audit_export_broken_off")
        yield csv_line([BROKEN_OFF])


def _following(
    store: Engine,
    agency: str,
    search: Search,
    page_items: int,
    first: tuple[tuple[Entry, ...], str | None],
) -> Iterator[Entry]:
    found, cursor = first
    yield from found
    while cursor is not None:
        found, cursor = audit.page(store, agency, search, cursor, page_items)
        yield from found


def _row(entry: Entry) -> tuple[str, ...]:
    detail: dict[str, Any] = dict(entry.detail)
    return (
        *(iso(entry.at), entry.name, entry.role, entry.identity, entry.address or "", entry.act),
        *(entry.subject_kind, entry.subject_id),
        json.dumps(detail, ensure_ascii=False) if detail else "",
    )
