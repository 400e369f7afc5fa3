"""
Who may do what: one table of roles and acts, read by every route and page.

A key or a person belongs to an agency and has one role; nothing here lets anybody see another
agency's calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

DECIDE: Final = "decide"
SIMULATE: Final = "simulate"
REPORT_DISPATCH: Final = "report what was sent"
READ_CALLS: Final = "read calls"
READ_STATE: Final = "read the state of the service"
REVIEW: Final = "review decisions"
READ_REVIEWS: Final = "read reviews and findings"
READ_ALERTS: Final = "read alerts"
SETTLE_ALERTS: Final = "settle alerts"
READ_RULES: Final = "read rules"
ADD_SCENARIOS: Final = "turn a finding into a scenario"
TUNE_RULES: Final = "tune rules"
READ_PEOPLE: Final = "read who has access"
MANAGE_PEOPLE: Final = "manage people and keys"
MANAGE_AGENCY: Final = "manage the agency's settings"
READ_AUDIT: Final = "read the audit trail"
READ_LOG: Final = "verify and export the log"
LOOK_AFTER_QUARANTINE: Final = "look after records in quarantine"
READ_TYPES: Final = "read incident types"
MAP_TYPES: Final = "map incident types"
READ_RETENTION: Final = "read retention, holds and erasures"
HOLD_CALLS: Final = "place and lift legal holds"
ERASE_CALLS: Final = "erase calls"

# Source: the contract with dispatch systems, supervisors and administrators ('Keys and roles'). An
# administrator tunes rules and people and has no need to read calls; an auditor reads all and
# changes nothing.
MAY: Final[Mapping[str, frozenset[str]]] = {
    "dispatch": frozenset((DECIDE, REPORT_DISPATCH, SIMULATE, READ_CALLS, READ_STATE)),
    "supervisor": frozenset(
        (
            *(SIMULATE, READ_CALLS, READ_STATE, REVIEW, READ_REVIEWS, READ_ALERTS, SETTLE_ALERTS),
            *(READ_RULES, ADD_SCENARIOS, READ_LOG),
        )
    ),
    "admin": frozenset(
        (
            *(SIMULATE, READ_STATE, READ_ALERTS, SETTLE_ALERTS, READ_RULES, ADD_SCENARIOS),
            *(TUNE_RULES, READ_PEOPLE, MANAGE_PEOPLE, MANAGE_AGENCY, READ_AUDIT),
            *(READ_TYPES, MAP_TYPES, READ_RETENTION, HOLD_CALLS, ERASE_CALLS),
            LOOK_AFTER_QUARANTINE,
        )
    ),
    "auditor": frozenset(
        (
            *(READ_CALLS, READ_STATE, READ_REVIEWS, READ_ALERTS, READ_RULES, READ_PEOPLE),
            *(READ_AUDIT, READ_TYPES, READ_LOG, READ_RETENTION),
        )
    ),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """
    Who acts: a person, by a page or a key of theirs, or a system by its key.

    `name` is the person's, or the label of a system's key; `address` is where the request came
    from, None where it came from the command line or a worker.
    """

    agency: str
    role: str
    key_id: str | None
    person_id: str | None
    name: str
    address: str | None = None

    @property
    def identity(self) -> str:
        """
        Name who it is, the same for a person on a page and by a key: `person:…` or `key:…`.
        """
        return f"person:{self.person_id}" if self.person_id else f"key:{self.key_id}"

    @property
    def is_command_line(self) -> bool:
        """
        Tell whether it is somebody at the machine itself, who runs the service.
        """
        return self.key_id == COMMAND_LINE

    def may(self, act: str) -> bool:
        """
        Tell whether this actor may do an act.
        """
        return may(self.role, act)


# In place of a key's id, which is of hexadecimal digits alone.
COMMAND_LINE: Final = "command-line"


def command_line(agency: str) -> Actor:
    """
    Give the actor of a command that is typed on the machine itself.
    """
    return Actor(agency, "admin", COMMAND_LINE, None, "command line")


def may(role: str, act: str) -> bool:
    """
    Tell whether a role may do an act; a role that is not in the table may do nothing.
    """
    return act in MAY.get(role, frozenset())
