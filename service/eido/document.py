"""
Takes a document apart, whichever of the spellings in use it has.

A component is one object or a list of them; its name is that of the standard's text or of its
schema, which differ. Every function is total: what has another type than it should is noticed and
left out.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Final

from service.eido.noticed import Noticed

Component = tuple[str, Mapping[str, Any]]
INCIDENT: Final = ("incidentComponent",)
CALLS: Final = ("callComponent",)
NOTES: Final = ("notesComponent",)
CAUTIONS: Final = ("cautionComponent",)
LOCATIONS: Final = ("locationComponent",)
PERSONS: Final = ("personComponent",)
UNITS: Final = ("emergencyResourceComponent",)
DISPOSITIONS: Final = ("dispositionComponent", "disposition")
# What components of those kinds may point at within their document.
REFERENCES: Final = ("notesReference", "personReference", "locationReference", "cautionReference")
TEXT_CHARACTERS_MAX: Final = 200
UNWRAP_MAX: Final = 4


def components(
    document: Mapping[str, Any], names: tuple[str, ...], noticed: Noticed
) -> list[Component]:
    """
    Give every component under any of *names*, with its path.
    """
    found: list[Component] = []
    for name in names:
        value = document.get(name)
        if isinstance(value, Mapping):
            found.append((name, value))
        elif isinstance(value, list):
            for place, one in enumerate(value):
                if isinstance(one, Mapping):
                    found.append((f"{name}[{place}]", one))
                else:
                    noticed.add("eido_member_not_read", f"{name}[{place}]")
        elif value is not None:
            noticed.add("eido_member_not_read", name)
    return found


def text_in(component: Component, name: str, noticed: Noticed) -> str:
    """
    Give a short text of a component, or nothing; a number is taken as its digits.
    """
    path, thing = component
    value = thing.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > TEXT_CHARACTERS_MAX or "\0" in value:
        noticed.add("eido_member_not_read", f"{path}.{name}")
        return ""
    return value.strip()


def texts_in(component: Component, name: str, noticed: Noticed) -> list[str]:
    """
    Give the short texts of a list of a component; one that stands alone is a list of itself.
    """
    path, thing = component
    value = thing.get(name)
    if not isinstance(value, list):
        one = text_in(component, name, noticed)
        return [one] if one else []
    whole = [one for one in value if isinstance(one, str) and len(one) <= TEXT_CHARACTERS_MAX]
    if len(whole) != len(value):
        noticed.add("eido_member_not_read", f"{path}.{name}")
    return [one.strip() for one in whole if one.strip()]


def instant(value: object) -> dt.datetime | None:
    """
    Read a time with an offset, in UTC; None for anything else.

    >>> instant("2026-05-04T21:14:05.000-07:00").isoformat()
    '2026-05-05T04:14:05+00:00'
    """
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        at = dt.datetime.fromisoformat(value.strip())
        return at.astimezone(dt.UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def instant_in(component: Component, name: str, noticed: Noticed) -> dt.datetime | None:
    """
    Give a time of a component; one that cannot be read is noticed.
    """
    path, thing = component
    value = thing.get(name)
    at = instant(value)
    if at is None and value is not None:
        noticed.add("eido_time_not_read", f"{path}.{name}" if path else name)
    return at


def references(value: object) -> Iterator[str]:
    """
    Give what a reference points at: `{"$ref": …}`, or a list of those.
    """
    for one in value if isinstance(value, list) else [value]:
        target = one.get("$ref") if isinstance(one, Mapping) else one
        if isinstance(target, str):
            yield target


def notice_dangling(document: Mapping[str, Any], noticed: Noticed) -> None:
    """
    Notice references to components that are not there. None is followed, so that a circle of them
    costs nothing.
    """
    # What is wrong with a component is told where it is read.
    elsewhere = Noticed()
    there = {
        one["$id"]
        for name in document
        if isinstance(name, str)
        for _, one in components(document, (name,), elsewhere)
        if isinstance(one.get("$id"), str)
    }
    for names in (INCIDENT, CALLS, NOTES, PERSONS):
        for path, one in components(document, names, elsewhere):
            for name in REFERENCES:
                for target in references(one.get(name)):
                    if target not in there:
                        noticed.add("eido_dangling_reference", f"{path}.{name}")


def member(thing: object, *names: str) -> Any:
    """
    Give a member of a NIEM object by any of *names*, with or without a prefix such as `nc:`.
    """
    if not isinstance(thing, Mapping):
        return None
    wanted = {name.casefold() for name in names}
    for key, value in thing.items():
        if key.rpartition(":")[2].casefold() in wanted:
            return plain(value)
    return None


def plain(value: object) -> Any:
    """
    Give what stands within the wrappings that NIEM's JSON knows: a list of one, `rdf:value`,
    `@value`.
    """
    for _ in range(UNWRAP_MAX):
        if isinstance(value, list) and value:
            value = value[0]
        elif isinstance(value, Mapping):
            inner = next(
                (value[key] for key in ("rdf:value", "@value", "value") if key in value), None
            )
            if inner is None:
                return value
            value = inner
        else:
            return value
    return value
