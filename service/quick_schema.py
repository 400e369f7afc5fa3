"""
A schema that reads right bodies quickly, for what comes with every call.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, validates_schema


class Quick(Schema):
    """
    A schema whose right bodies are read in one pass over the members that are there; any other is
    read again the long way, which names every fault.

    Fields without a default only, and no hooks: what is wrong with members together is what `agree`
    says.
    """

    def load(self, data: Any, **options: Any) -> Any:
        """
        Read *data*.

        Raises:
            ValidationError: it has faults, all of them named.
        """
        if isinstance(data, dict) and not any(options.values()):
            found = self._at_once(data)
            if found is not None:
                return found
        return super().load(data, **options)

    def _at_once(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """
        Give what the long way would; None where there is anything to say about it.
        """
        found = {}
        try:
            for name, field in self.load_fields.items():
                key = field.data_key or name
                if key in data:
                    found[name] = field.deserialize(data[key], key, data)
                elif field.required:
                    return None
            self.agree(found)
        except ValidationError:
            return None
        # As many as came: no key is unknown.
        return found if len(found) == len(data) else None

    @validates_schema(skip_on_field_errors=False)
    def all_agree(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """
        Refuse members that are right one by one, and wrong together.
        """
        self.agree(data)

    def agree(self, data: Mapping[str, Any]) -> None:
        """
        Take all that are right one by one.
        """
