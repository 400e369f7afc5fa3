"""
The queries of the list of decisions and of its export: the filters, and what each adds.
"""

from marshmallow import Schema, fields, validate

from service.decision_filters import FORMATS, QueryInstant, filter_schema
from service.disclosures import WORDS_CHARACTERS_MAX
from service.parts import Parts
from service.request import OneOf, no_nul, text

__all__ = ["FORMATS", "QueryInstant", "export_schema", "list_schema"]


def list_schema(parts: Parts) -> Schema:
    """
    Make the schema of a list's query: the filters, and which page.
    """
    base, largest = filter_schema(parts.rules.config.vocabulary), parts.settings.page_items_max

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
    base = filter_schema(parts.rules.config.vocabulary)

    class DecisionExport(base):  # type: ignore[misc,valid-type]  # the base is made for a vocabulary
        """
        All decisions that the filters leave, in one of the formats.
        """

        form = fields.String(data_key="format", validate=OneOf(FORMATS))
        recipient = text(WORDS_CHARACTERS_MAX)
        purpose = text(WORDS_CHARACTERS_MAX)

    return DecisionExport()
