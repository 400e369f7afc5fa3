"""
What a reader of a document noticed and could not use: a warning for each kind, with its first
place. Nothing that was sent is dropped in silence, and no word of it is repeated.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from service.routing.recommendation import Warned

MESSAGES: Final[Mapping[str, str]] = {
    "eido_version_not_known": "this version is not known: what could be read was read",
    "eido_member_not_read": "is not of the type that EIDO gives it: it was not read",
    "eido_time_not_read": "is no time with an offset from UTC: it was not read",
    "eido_no_timestamp": "without a time a repeat cannot be told from news: each is a revision",
    "eido_no_incident": "there is no incident component: nothing is known of type and priority",
    "eido_several_incidents": "a document is about one incident: the first one was read",
    "eido_no_incident_type": "no incident type could be read",
    "eido_incident_over": "the incident is over by its status; the call is answered all the same",
    "eido_older_than_known": "a later document about this incident was answered before this one",
    "eido_notes_cut": "the notes are longer than a remark may be: the oldest were not read",
    "eido_dangling_reference": "points at a component that the document does not have",
    "eido_priority_not_read": "is on no scale that is known: it was not kept",
    "eido_value_not_kept": "is not a value of its registry: it was not kept",
    "eido_answered_in_part": "what was read here could not be used",
    "location_civic_only": "has a street address and no coordinates: no coordinates were taken",
    "location_by_reference": "addresses outside the document are never fetched: send it by value",
    "location_not_read": "is no PIDF-LO document that could be read: no coordinates were taken",
    "location_shape_not_read": "no Point, Circle, Ellipse or Polygon of WGS 84 could be read",
}


@dataclass(slots=True)
class Noticed:
    """
    Collects what was noticed while one document is read.
    """

    _found: dict[str, tuple[str, int]] = field(default_factory=dict)

    def add(self, code: str, path: str) -> None:
        """
        Note one thing at a place; *code* is one of `MESSAGES`.
        """
        first, count = self._found.get(code, (path, 0))
        self._found[code] = (first, count + 1)

    def warned(self) -> tuple[Warned, ...]:
        """
        Give one warning for each kind, in the order they were noticed.
        """
        return tuple(
            Warned(code, MESSAGES[code] + (f" (and {count - 1} more)" if count > 1 else ""), path)
            for code, (path, count) in self._found.items()
        )
