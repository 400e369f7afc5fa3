"""
Calls, answers and files that the tests of the demo are made of.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from service.demo import SeattleCall

CONFIG = Path(__file__).resolve().parent.parent.parent / "config"
CALLS = CONFIG / "demo" / "seattle_calls.csv"

CRISIS = "PERSON IN BEHAVIORAL/EMOTIONAL CRISIS"
CLOSED_CRISIS = "CRISIS COMPLAINT - GENERAL"
HEADER = (
    "cad_event_number,incident_date,call_source,priority,initial_call_type,final_call_type,"
    "clearance,area\n"
)


def call(
    number: str = "1",
    opened: str = "TRESPASS",
    closed: str = "PROWLER - TRESPASS",
    *,
    source: str = "911",
    priority: int = 3,
) -> SeattleCall:
    return SeattleCall(number, "2024-05-15", source, priority, opened, closed, "Madrona")


def answer(
    *kinds: str, provisional: bool = True, asks: bool = True, says: tuple[str, Any] | None = None
) -> dict[str, Any]:
    """
    Make what the service would answer, with the fields that the report reads.
    """
    signals = [{"fact": says[0], "value": says[1], "source": "incident_type"}] if says else []
    return {
        "recommendation": {
            "urgency": "moderate",
            "responders": [{"kind": kind, "how": "send"} for kind in kinds],
            "provisional": provisional,
        },
        "ask_next": [{"fact": "weapon", "question": "Is there a weapon?"}] if asks else [],
        "signals": signals,
        "warnings": [],
    }


@cache
def vocabulary() -> dict[str, dict[str, Any]]:
    document = yaml.safe_load((CONFIG / "facts.yaml").read_text(encoding="utf-8"))
    facts: dict[str, dict[str, Any]] = document["facts"]
    return facts


def faults_of(facts: dict[str, dict[str, Any]], told: dict[str, Any]) -> list[str]:
    """
    Name every fact or value of *told* that is not in the vocabulary *facts*, or is protected.
    """
    found = []
    for name, value in told.items():
        fact = facts.get(name, {"kind": "none", "protected": True})
        is_word = isinstance(value, str) and value in fact.get("values", ())
        is_flag = fact["kind"] == "flag" and isinstance(value, bool)
        if fact.get("protected") or not (is_word or is_flag):
            found.append(f"{name}: {value}")
    return found
