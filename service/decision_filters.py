"""
The filters of a list of decisions and of its export, as they stand in a query: the same for the API
and for the page.
"""

import datetime as dt
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields

from service.request import CALL_ID_CHARACTERS_MAX, Instant, OneOf, text
from service.routing.facts import Vocabulary

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


def filter_schema(vocabulary: Vocabulary) -> type[Schema]:
    """
    Make the schema of the filters, for a vocabulary. A plus in a time must be written %2B.
    """

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
        responder = fields.String(validate=OneOf(tuple(vocabulary.responders)))
        urgency = fields.String(validate=OneOf(tuple(vocabulary.urgencies)))
        rule = text(CALL_ID_CHARACTERS_MAX)
        call_id = text(CALL_ID_CHARACTERS_MAX)
        fallback = QueryFlag()
        overridden = QueryFlag()
        reviewed = QueryFlag()
        search = text(CALL_ID_CHARACTERS_MAX, data_key="q")

    return DecisionFilters
