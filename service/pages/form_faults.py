"""
What is wrong with a form, for each of its fields, in words for the person who filled it in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from flask import request
from marshmallow import ValidationError

_PLAIN: Final = {
    "Missing data for required field.": "Fill this in.",
    "Field may not be null.": "Fill this in.",
    "Shorter than minimum length 1.": "Fill this in.",
    "Unknown field.": "This is not a field of the form.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One thing that the schema refuses: the path in the request, and what is wrong there.
    """

    path: str
    message: str


def typed(*names: str) -> dict[str, str]:
    """
    Give the fields of the form that were filled in, by name.
    """
    return {name: request.form[name] for name in names if request.form.get(name, "") != ""}


def faults_of(error: ValidationError) -> dict[str, list[str]]:
    """
    Give the messages of each field, by its path, as sentences.
    """
    found: dict[str, list[str]] = {}
    for one in each_fault(error.messages):
        found.setdefault(one.path, []).append(sentence(one.message))
    return found


def each_fault(messages: object, path: str = "") -> Iterator[Fault]:
    """
    Flatten what marshmallow says into one fault for each place, without the code marks of the API.
    """
    if isinstance(messages, Mapping) and isinstance(messages.get("message"), str):
        yield Fault(path, messages["message"].replace("`", ""))
    elif isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from each_fault(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(messages, list):
        for inner in messages:
            yield from each_fault(inner, path)
    else:
        yield Fault(path, str(messages).replace("`", ""))


def sentence(message: str) -> str:
    """
    Say a message of the service as a sentence of a page.
    """
    plain = _PLAIN.get(message, message).replace("`", "")
    if plain.startswith(("must ", "is ", "has ", "stands ")):
        plain = f"This {plain}"
    return as_sentence(plain)


def as_sentence(text: str) -> str:
    """
    Write a message as a sentence: a capital first, a full stop last.
    """
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"
