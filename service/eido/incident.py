"""
What a document says of the incident itself: its types, its priority on one scale, its status, which
units are on it and how it ended.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.eido.document import (
    CALLS,
    DISPOSITIONS,
    INCIDENT,
    UNITS,
    Component,
    components,
    instant_in,
    text_in,
    texts_in,
)
from service.eido.noticed import Noticed
from service.eido.words import EidoWords

PRIORITY_MAX: Final = 10
ITEMS_MAX: Final = 100  # units and dispositions of one incident that are kept


@dataclass(frozen=True, slots=True)
class Tables:
    """
    The tables of type codes at hand: `names` of those there are, and whether one `knows` a code.
    """

    names: Container[str]
    knows: Callable[[str, str], bool]


def incident_of(document: Mapping[str, Any], noticed: Noticed) -> Component | None:
    """
    Give the one incident of a document; a call transfer may have none.
    """
    found = components(document, INCIDENT, noticed)
    if not found:
        noticed.add("eido_no_incident", INCIDENT[0])
        return None
    if len(found) > 1:
        noticed.add("eido_several_incidents", found[1][0])
    return found[0]


def types_of(
    incident: Component,
    words: EidoWords,
    own_tables: tuple[str, ...],
    tables: Tables,
    noticed: Noticed,
) -> list[dict[str, str]]:
    """
    Give the type codes to look up, the common one first: each may say what the other does not.

    An internal code goes to the first of *own_tables* that knows it. Where there is such a table
    and it does not, or there is no common code, it goes to the first one all the same, so that it
    is counted as not known.
    """
    common = text_in(incident, "incidentTypeCommonRegistryText", noticed)
    names = ("incidentTypeInternalCode", "incidentTypeInternalText")
    said = [one for one in (text_in(incident, name, noticed) for name in names) if one]
    there = [name for name in own_tables if name in tables.names]
    known = [
        {"registry": name, "code": code}
        for name in there
        for code in said
        if tables.knows(name, code)
    ]
    found = [{"registry": words.common_table, "code": common}] if common else []
    if known:
        return [*found, *(one for one in known if one["registry"] == known[0]["registry"])]
    if said and (there or not common):
        return [*found, {"registry": (there or own_tables[-1:] or ("local",))[0], "code": said[0]}]
    if not found:
        noticed.add("eido_no_incident_type", f"{incident[0]}.incidentTypeCommonRegistryText")
    return found


def priority_of(incident: Component, words: EidoWords, noticed: Noticed) -> dict[str, Any] | None:
    """
    Give the priority on the one scale that is kept; this is the only place where one is turned
    round.
    """
    path, thing = incident
    name = "incidentCommonPriorityNumber"
    number = thing.get(name)
    is_number = isinstance(number, int) and not isinstance(number, bool)
    if number is not None and is_number and 0 <= number <= PRIORITY_MAX:
        return {"scale": words.priority_scale, "value": number, "from": name}
    if number is not None:
        noticed.add("eido_priority_not_read", f"{path}.{name}")
    name = "incidentPriorityInternalText"
    own = text_in(incident, name, noticed).casefold()
    if own in words.priorities:
        return {"scale": words.priority_scale, "value": words.priorities[own], "from": name}
    if own:
        noticed.add("eido_priority_not_read", f"{path}.{name}")
    return None


def status_of(incident: Component, words: EidoWords, noticed: Noticed) -> list[str]:
    """
    Give the statuses that the registry has; one that is over is noticed.
    """
    name = "incidentStatusCommonRegistryText"
    found = _kept(incident, name, "status", words, noticed)
    if words.over.intersection(found) and not words.goes_on.intersection(found):
        noticed.add("eido_incident_over", f"{incident[0]}.{name}")
    return found


def units_of(
    document: Mapping[str, Any], words: EidoWords, noticed: Noticed
) -> list[dict[str, Any]]:
    """
    Give the kinds of the units on the incident and what they do, as codes; no name of any.
    """
    found = []
    for one in components(document, UNITS, noticed)[:ITEMS_MAX]:
        kinds = _kept(one, "emergencyResourceTypeCommonRegistryText", "unit", words, noticed)
        status = _kept(one, "primaryUnitStatusRegistryText", "unit_status", words, noticed)
        doing = _kept(one, "secondaryUnitStatusRegistryText", "unit_activity", words, noticed)
        if kinds or status or doing:
            found.append({"kinds": kinds, "status": status, "doing": doing})
    return found


def dispositions_of(document: Mapping[str, Any], words: EidoWords, noticed: Noticed) -> list[str]:
    """
    Give how the incident was settled, as codes.
    """
    name = "dispositionCommonRegistryCode"
    found = components(document, DISPOSITIONS, noticed)[:ITEMS_MAX]
    return [code for one in found for code in _kept(one, name, "disposition", words, noticed)]


def received_at(document: Mapping[str, Any], noticed: Noticed) -> str | None:
    """
    Give when the first call about the incident began.
    """
    found = [
        instant_in(one, "callStartTimestamp", noticed)
        for one in components(document, CALLS, noticed)
    ]
    begun = [at for at in found if at is not None]
    return min(begun).isoformat() if begun else None


def _kept(
    one: Component, name: str, registry: str, words: EidoWords, noticed: Noticed
) -> list[str]:
    said = texts_in(one, name, noticed)
    kept = [value for value in said if value in words.registries[registry]]
    if len(kept) != len(said):
        noticed.add("eido_value_not_kept", f"{one[0]}.{name}")
    return list(dict.fromkeys(kept))
