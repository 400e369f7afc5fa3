"""
The filters of a list of decisions and of its export, as they stand in a query.
"""

import datetime as dt
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from service.parts import Parts
from service.request import CALL_ID_CHARACTERS_MAX, Instant, no_nul, text

FORMATS = ("csv", "jsonl")


class QueryFlag(fields.Field[bool]):
    """
    `true` or `false`, as they stand in a query.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value not in ("true", "false"):
            raise ValidationError("must be `true` or `false`")
        return bool(value == "true")


class QueryInstant(Instant):
    """
    A time in a query, read into an aware one.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return dt.datetime.fromisoformat(super()._deserialize(value, attr, data, **kwargs))


def filter_schema(parts: Parts) -> type[Schema]:
    """
    Make the schema of the filters. A plus in a time must be written %2B.
    """
    vocabulary = parts.rules.config.vocabulary

    class DecisionFilters(Schema):
        """
        The filters of a list of decisions; each that is given must hold.
        """

        class Meta:
            """
            Refuse filters that there are not.
            """

            unknown = RAISE

        since = QueryInstant(data_key="from")
        until = QueryInstant(data_key="to")
        responder = fields.String(validate=validate.OneOf(tuple(vocabulary.responders)))
        urgency = fields.String(validate=validate.OneOf(tuple(vocabulary.urgencies)))
        rule = text(CALL_ID_CHARACTERS_MAX)
        call_id = text(CALL_ID_CHARACTERS_MAX)
        fallback = QueryFlag()
        overridden = QueryFlag()
        reviewed = QueryFlag()

    return DecisionFilters


def list_schema(parts: Parts) -> Schema:
    """
    Make the schema of a list's query: the filters, and which page.
    """
    base, largest = filter_schema(parts), parts.settings.page_items_max

    class DecisionList(base):  # type: ignore[misc,valid-type]  # the base is made for a vocabulary
        """
        A page of the decisions that the filters leave.
        """

        cursor = fields.String(validate=[validate.Length(1, 1000), no_nul])
        limit = fields.Integer(validate=validate.Range(1, largest))

    return DecisionList()


def export_schema(parts: Parts) -> Schema:
    """
    Make the schema of an export's query: the filters, and the format.
    """
    base = filter_schema(parts)

    class DecisionExport(base):  # type: ignore[misc,valid-type]  # the base is made for a vocabulary
        """
        All decisions that the filters leave, in one of the formats.
        """

        form = fields.String(data_key="format", validate=validate.OneOf(FORMATS))

    return DecisionExport()
