"""
Reads a whole document into a request of our own.

Help can be given on next to nothing, so only a document without an id is refused; whatever else is
wrong with one is a warning. What is not taken here is gone: no later part ever sees it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.eido.document import instant, instant_in, notice_dangling
from service.eido.incident import (
    Tables,
    dispositions_of,
    incident_of,
    priority_of,
    received_at,
    status_of,
    types_of,
    units_of,
)
from service.eido.location import place_of
from service.eido.notes import remarks_of
from service.eido.noticed import Noticed
from service.eido.persons import facts_of
from service.eido.words import EidoWords

VERSIONS: Final = re.compile(r"1\.[01](\.\d)?")


@dataclass(frozen=True, slots=True)
class EidoCall:
    """
    A document, read.

    `body` is a request of `POST /v1/decisions`, not yet judged by its schema. `more_types` are
    further type codes, `kept` what stands in the record for whoever reads it, `key` what makes a
    repeat one: None where the document does not say when it was written.
    """

    body: Mapping[str, Any]
    more_types: tuple[Mapping[str, str], ...]
    kept: Mapping[str, Any]
    key: str | None


def read_eido(
    document: Mapping[str, Any],
    words: EidoWords,
    tables: Tables,
    noticed: Noticed,
    *,
    agency: str,
    remarks_characters_max: int,
) -> EidoCall:
    """
    Read a document that came for *agency*. Total: it never raises, and follows no reference.
    """
    call_id = document.get("$id")
    at = instant_in(("", document), "lastUpdateTimeStamp", noticed)
    if at is None:
        noticed.add("eido_no_timestamp", "lastUpdateTimeStamp")
    version = document.get("eidoVersion")
    is_known = isinstance(version, str) and VERSIONS.fullmatch(version) is not None
    if not is_known:
        noticed.add("eido_version_not_known", "eidoVersion")
    incident = incident_of(document, noticed)
    types, priority, status = [], None, []
    if incident is not None:
        types = types_of(incident, words, words.tables_of(agency), tables, noticed)
        priority = priority_of(incident, words, noticed)
        status = status_of(incident, words, noticed)
    agent = words.agent_of(agency)
    remarks = remarks_of(document, words, agent, remarks_characters_max, noticed)
    found = place_of(document, words, noticed)
    body = {
        "call_id": call_id,
        "received_at": received_at(document, noticed),
        "facts": facts_of(document, words, at.date() if at else None, noticed),
        "incident_type": types[0] if types else None,
        "remarks": remarks,
        "location": {"lat": found[1].lat, "lon": found[1].lon} if found else None,
    }
    kept = {
        "version": version if is_known else None,
        "updated_at": at.isoformat() if at else None,
        "priority": priority,
        "status": status,
        "location": found
        and {"kind": found[0], "shape": found[1].shape, "radius_m": found[1].radius_m},
        "units": units_of(document, words, noticed),
        "dispositions": dispositions_of(document, words, noticed),
    }
    notice_dangling(document, noticed)
    key = f"eido\0{call_id}\0{at.isoformat()}" if at else None
    told = {name: value for name, value in body.items() if value not in (None, "", {})}
    return EidoCall(told, tuple(types[1:]), kept, key)


def is_older(updated_at: str | None, before: Iterable[Mapping[str, Any]]) -> bool:
    """
    Tell whether one of the requests *before* was read out of a later document.
    """
    at = instant(updated_at)
    others = [instant((one.get("eido") or {}).get("updated_at")) for one in before]
    return at is not None and any(other is not None and other > at for other in others)
