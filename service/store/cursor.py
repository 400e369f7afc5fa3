"""
Write and read the cursor of a list: text that says where the page before ended.

A list with the newest first is read page by page by `page_of`.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Engine, Select, String, literal, tuple_

from service.errors import CursorError
from service.store.database import Instant, reading


@dataclass(frozen=True, slots=True)
class Cursor:
    """
    The last row of the page before, in a list with the newest first.
    """

    at: datetime
    id: str


def write_cursor(cursor: Cursor) -> str:
    """
    Give *cursor* as text that means nothing to a caller.
    """
    text = f"{cursor.at.astimezone(UTC).isoformat()}|{cursor.id}"
    return encoded(text.encode())


def read_cursor(text: str) -> Cursor:
    """
    Read what `write_cursor` gave.

    Raises:
        CursorError: it is something else.
    """
    try:
        at, bar, row_id = decoded(text).decode().partition("|")
        decided_at = datetime.fromisoformat(at)
        decided_at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise no_cursor() from error
    if not bar or decided_at.tzinfo is None or "\0" in row_id:
        raise no_cursor()
    return Cursor(decided_at, row_id)


def encoded(content: bytes) -> str:
    """
    Give the content of a cursor as text that can stand in an address.
    """
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """
    Give back what `encoded` was given.

    Raises:
        CursorError: it is something else.
    """
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise no_cursor() from error


def no_cursor() -> CursorError:
    """
    Give the refusal of what is no cursor.
    """
    return CursorError("`cursor` is not one that a list gave: leave it out to begin anew")


def newest_first(
    query: Select[Any], at: ColumnElement[Any], row_id: ColumnElement[Any], last: Cursor | None
) -> Select[Any]:
    """
    Order a query by time and id, the newest first, and let it begin after *last*.
    """
    if last is not None:
        before = tuple_(literal(last.at, Instant), literal(last.id, String))
        query = query.where(tuple_(at, row_id) < before)
    return query.order_by(at.desc(), row_id.desc())


def page_of(
    engine: Engine,
    query: Select[Any],
    order: tuple[Column[Any], Column[Any]],
    cursor: str | None,
    limit: int,
) -> tuple[tuple[Any, ...], str | None]:
    """
    Give up to *limit* rows of a query, the newest first, and the cursor of the next page.

    Args:
        query: Selects whole rows, in no order.
        order: The columns of the time and of the id.
        cursor: What the page before gave; None for the first.

    Raises:
        CursorError: the cursor is not one that a page gave.
        StoreUnavailableError: the store cannot be reached.
    """
    last = read_cursor(cursor) if cursor is not None else None
    query = newest_first(query, *order, last)
    with reading(engine) as connection:
        found = connection.execute(query.limit(limit + 1)).all()
    shown = tuple(found[:limit])
    if len(found) <= limit:
        return shown, None
    at, row_id = (shown[-1]._mapping[column] for column in order)
    return shown, write_cursor(Cursor(at, row_id))
