"""
Which page of a list a query asks for.
"""

from collections.abc import Mapping
from typing import Final

from marshmallow import ValidationError, fields, validate

from service.parts import Parts
from service.request import Strict, no_nul

PAGE_ITEMS: Final = 50
PAGE_MEMBERS: Final[tuple[str, ...]] = ("cursor", "limit")
CURSOR_CHARACTERS_MAX: Final = 1000


class PageQuery(Strict):
    """
    The cursor that the page before gave, and how many items the next one shall have.
    """

    cursor = fields.String(validate=[validate.Length(1, CURSOR_CHARACTERS_MAX), no_nul])
    limit = fields.Integer(validate=validate.Range(1))


_PAGE: Final = PageQuery()


def read_page(parts: Parts, query: Mapping[str, str]) -> tuple[str | None, int]:
    """
    Read the cursor and the limit of a query that holds nothing else.

    Raises:
        ValidationError: it has faults; all are named.
    """
    largest = parts.settings.page_items_max
    told = dict(query)
    faults = _PAGE.validate(told)
    if "limit" not in faults and int(told.get("limit", PAGE_ITEMS)) > largest:
        faults["limit"] = [f"must be {largest} or less"]
    if faults:
        raise ValidationError(faults)
    read = _PAGE.load(told)
    return read.get("cursor"), read.get("limit", PAGE_ITEMS)
