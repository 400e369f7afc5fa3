"""
What is wrong with a form, for each of its fields, in words for the person who filled it in.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flask import request
from marshmallow import ValidationError

_PLAIN: Final = {
    "Missing data for required field.": "Fill this in.",
    "Field may not be null.": "Fill this in.",
    "Shorter than minimum length 1.": "Fill this in.",
    "Unknown field.": "This is not a field of the form.",
}


def typed(*names: str) -> dict[str, str]:
    """
    Give the fields of the form that were filled in, by name.
    """
    return {name: request.form[name] for name in names if request.form.get(name, "") != ""}


def faults_of(error: ValidationError) -> dict[str, list[str]]:
    """
    Give the messages of each field, by its path.
    """
    found: dict[str, list[str]] = {}
    for path, message in _flat(error.messages, ""):
        found.setdefault(path, []).append(message)
    return found


def _flat(messages: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping) and isinstance(messages.get("message"), str):
        yield path, sentence(messages["message"])
    elif isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _flat(inner, path)
    else:
        yield path, sentence(str(messages))


def sentence(message: str) -> str:
    """
    Say a message of the service as a sentence of a page.
    """
    plain = _PLAIN.get(message, message).replace("`", "")
    if plain.startswith(("must ", "is ", "has ", "stands ")):
        plain = f"This {plain}"
    plain = plain[:1].upper() + plain[1:]
    return plain if plain.endswith((".", "?", "!")) else f"{plain}."
