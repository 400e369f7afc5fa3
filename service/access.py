"""
Who may do what: one table of roles and acts, read by every route and page.

A key belongs to an agency and has one role; nothing here lets anybody see another agency's calls.
"""

from collections.abc import Mapping
from typing import Final

DECIDE: Final = "decide"
SIMULATE: Final = "simulate"
REPORT_DISPATCH: Final = "report what was sent"
READ_CALLS: Final = "read calls"
READ_STATE: Final = "read the state of the service"

# Source: the contract with dispatch systems, supervisors and administrators ('Keys and roles'). An
# administrator tunes rules and people and has no need to read calls.
MAY: Final[Mapping[str, frozenset[str]]] = {
    "dispatch": frozenset((DECIDE, REPORT_DISPATCH, SIMULATE, READ_CALLS, READ_STATE)),
    "supervisor": frozenset((SIMULATE, READ_CALLS, READ_STATE)),
    "admin": frozenset((SIMULATE, READ_STATE)),
    "auditor": frozenset((READ_CALLS, READ_STATE)),
}


def may(role: str, act: str) -> bool:
    """
    Tell whether a role may do an act; a role that is not in the table may do nothing.
    """
    return act in MAY.get(role, frozenset())
