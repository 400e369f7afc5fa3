"""
What a document says of people, as facts: whether the caller is the person in crisis, that person's
age and language. Everything else about anybody is not even looked at.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final

from service.eido.document import PERSONS, Component, components, member, plain, texts_in
from service.eido.noticed import Noticed
from service.eido.words import EidoWords

AGE_YEARS_MAX: Final = 120
NOT_SAID: Final = "not_said"
# How many of a unit make a year, by the beginning of its name or its UN/CEFACT code.
UNITS_A_YEAR: Final = (
    (re.compile(r"ann|y", re.IGNORECASE), 1),
    (re.compile(r"mo", re.IGNORECASE), 12),
    (re.compile(r"we|wk", re.IGNORECASE), 52),
    (re.compile(r"da?y?s?$", re.IGNORECASE), 365),
)


def facts_of(
    document: Mapping[str, Any], words: EidoWords, on: dt.date | None, noticed: Noticed
) -> dict[str, Any]:
    """
    Give the facts that people's roles and particulars say; *on* is the day an age is counted to.

    Nothing is guessed: a caller who is no patient may be with the person or far away, so it stays
    open; where two people may be the one in crisis, nothing is taken of either.
    """
    people = [
        (
            one,
            {role.casefold() for role in texts_in(one, "personIncidentRoleRegistryText", noticed)},
        )
        for one in components(document, PERSONS, noticed)
    ]
    found = _in_crisis(people, words)
    if found is None:
        return {}
    (path, person), roles = found
    facts: dict[str, Any] = {}
    if roles & words.roles["caller"] and roles & words.roles["calls_for_self"]:
        facts["caller"] = "self"
    told = plain(person.get("ncPersonComponent"))
    if told is not None and not isinstance(told, Mapping):
        noticed.add("eido_member_not_read", f"{path}.ncPersonComponent")
    age = _age(told, on)
    if age is not None:
        facts["age"] = age
    language = _language(told, words)
    if language is not None:
        facts["language"] = language
    return facts


def _in_crisis(
    people: list[tuple[Component, set[str]]], words: EidoWords
) -> tuple[Component, set[str]] | None:
    for wanted in ("patient", "may_be_in_crisis"):
        found = [one for one in people if one[1] & words.roles[wanted]]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _age(told: object, on: dt.date | None) -> int | None:
    measure = member(told, "PersonAgeMeasure")
    number = _number(measure)
    unit: object = None
    if isinstance(measure, Mapping):
        names = ("MeasureIntegerValue", "MeasureDecimalValue", "MeasureValue", "MeasureValueText")
        number = next(
            (n for n in (_number(member(measure, one)) for one in names) if n is not None), None
        )
        unit = member(measure, "MeasureUnitText", "TimeUnitCode", "MeasureUnitCode", "TimeUnitText")
    if number is not None:
        return _years(number, unit)
    born = member(told, "PersonBirthDate")
    text = member(born, "Date", "DateTime") if isinstance(born, Mapping) else born
    return _years_since(text, on)


def _years(number: float, unit: object) -> int | None:
    a_year: int | None = 1
    if unit is not None:
        name = str(unit).strip()[:20]
        a_year = next((count for pattern, count in UNITS_A_YEAR if pattern.match(name)), None)
    if a_year is None:
        return None
    years = int(number // a_year)
    return years if 0 <= years <= AGE_YEARS_MAX else None


def _years_since(text: object, on: dt.date | None) -> int | None:
    if not isinstance(text, str) or on is None:
        return None
    try:
        born = dt.date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return years if 0 <= years <= AGE_YEARS_MAX else None


def _number(value: object) -> float | None:
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,5}(\.[0-9]{1,4})?\s*", value):
        return float(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # No measure of an age is as large; a JSON number may be.
    return float(value) if is_number and abs(value) < 1e6 else None  # type: ignore[arg-type]  # is_number says so


def _language(told: object, words: EidoWords) -> str | None:
    value = member(told, "PersonPrimaryLanguage", "PersonLanguage")
    if isinstance(value, Mapping):
        value = member(
            *(value, "LanguageCode", "LanguageISO6392bCode", "LanguageISO6393Code"),
            *("LanguageName", "LanguageText", "LanguageCodeText"),
        )
    if not isinstance(value, str):
        return None
    name = value.strip().casefold()
    found = words.languages.get(name) or words.languages.get(name.partition("-")[0], "other")
    return None if found == NOT_SAID else found
