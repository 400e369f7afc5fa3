"""
The calls of the demo: what Seattle published of each, and what a dispatcher would have sent of it.

It invents nothing: what the city did not publish is left out of the request, and so is unknown.
"""

import csv
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import CrisisRouterError

REGISTRY = "seattle"
CALLS_MAX = 100_000

# As `priority` is a number and `clearance` is not read, these are the columns that must be there.
COLUMNS = (
    "cad_event_number",
    "incident_date",
    "call_source",
    "priority",
    "initial_call_type",
    "final_call_type",
    "area",
)

# Read from the text and not from the router's answer, or the comparison would judge itself.
CRISIS_TYPE = re.compile(r"CRISIS|SUICID|\bMENTAL\b|BEHAVIORAL")
BEHAVIOURAL_HEALTH_TYPE = re.compile(rf"{CRISIS_TYPE.pattern}|OVERDOSE|DETOX|\(OD\)")


@dataclass(frozen=True, slots=True)
class SeattleCall:
    """
    One call as Seattle published it. The date is local and has no hour; priority 1 is the most
    urgent.
    """

    number: str
    incident_date: str
    call_source: str
    priority: int
    initial_call_type: str
    final_call_type: str
    area: str = ""

    @property
    def touches_behavioural_health(self) -> bool:
        """
        Tell whether it opened as a crisis, suicide, mental, overdose or detoxification type.
        """
        return bool(BEHAVIOURAL_HEALTH_TYPE.search(self.initial_call_type))

    @property
    def opened_as_crisis(self) -> bool:
        """
        Tell whether it opened as a crisis, suicide, mental or behavioural type.
        """
        return bool(CRISIS_TYPE.search(self.initial_call_type))

    @property
    def closed_as_crisis(self) -> bool:
        """
        Tell whether it was closed as a crisis, suicide, mental or behavioural type.
        """
        return bool(CRISIS_TYPE.search(self.final_call_type))


def read_calls(path: Path) -> tuple[SeattleCall, ...]:
    """
    Read the calls of a file of Seattle's open data, in the order of the file.

    Raises:
        CrisisRouterError: the file is not there, lacks a column, or has a line that cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                columns = ", ".join(f"`{name}`" for name in missing)
                raise CrisisRouterError(f"{path}:1: columns are missing: {columns}")
            rows = list(itertools.islice(reader, CALLS_MAX + 1))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CrisisRouterError(f"{path}: the calls cannot be read: {error}") from error
    if len(rows) > CALLS_MAX:
        raise CrisisRouterError(f"{path}: more than {CALLS_MAX:,} calls; split the file")
    faults = [f"{path}:{line}: {fault}" for line, fault in _faults(rows)]
    if faults:
        raise CrisisRouterError("\n".join(faults))
    return tuple(_call(row) for row in rows)


def _faults(rows: Iterable[dict[str, Any]]) -> list[tuple[int, str]]:
    """
    Find every row that is no call; lines count from 1, the header being the first.
    """
    found = []
    for line, row in enumerate(rows, start=2):
        if any(row[name] is None for name in COLUMNS):
            found.append((line, "values are missing"))
        elif not row["cad_event_number"]:
            found.append((line, "`cad_event_number` is empty"))
        elif not row["priority"].isascii() or not row["priority"].isdigit():
            found.append((line, f"`priority` must be a number, not `{row['priority']}`"))
    return found


def _call(row: dict[str, str]) -> SeattleCall:
    return SeattleCall(
        number=row["cad_event_number"],
        incident_date=row["incident_date"],
        call_source=row["call_source"],
        priority=int(row["priority"]),
        initial_call_type=row["initial_call_type"],
        final_call_type=row["final_call_type"],
        area=row["area"],
    )


def request_of(call: SeattleCall) -> dict[str, Any]:
    """
    Say what a dispatcher had when the call was opened: its type, and what the call source tells.

    Who telephoned is not known (the person, a neighbour, a shop), so `caller` is left out except
    where an officer saw it. No time is given, because only the date is known.
    """
    request: dict[str, Any] = {
        "call_id": f"SEA-{call.number}",
        "incident_type": {"registry": REGISTRY, "code": call.initial_call_type},
        "facts": {},
    }
    if call.call_source == "ONVIEW":
        request["facts"] = {"caller": "officer"}
    elif call.call_source == "TEXT MESSAGE":
        request["channel"] = "text"
    return request
