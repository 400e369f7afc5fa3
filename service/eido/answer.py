"""
Writes the note of an answer as a component of an EIDO document, signed by an agent of our own.
"""

import html
import uuid
from collections.abc import Mapping
from typing import Any

from service.eido.words import EidoWords


def notes_component(answer: Mapping[str, Any], words: EidoWords, agency: str) -> dict[str, Any]:
    """
    Give the entry for `notesComponent`: the note of the answer, and nothing else.

    It follows from the answer alone, so that a repeat gets the same one; only an answer that could
    not be recorded, which has no id, gets a new one each time.
    """
    name = words.agency_of(agency)
    by = {"$ref": words.agent_of(agency)}
    unique = answer["decision_id"] or uuid.uuid4().hex
    return {
        "$id": f"urn:emergency:uid:eidodatacomponent:{unique}:{name}",
        "lastUpdateTimeStamp": answer["decided_at"],
        "updatedByAgencyReference": {"$ref": name},
        "updatedByAgentReference": by,
        # A fragment of HTML by the standard, so that what is no markup must not look like it.
        "notesActionComments": html.escape(answer["note"], quote=False),
        "agentReference": by,
    }
