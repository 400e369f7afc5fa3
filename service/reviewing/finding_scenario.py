"""
Turns a finding into a scenario: the call as it was asked, and whom a right answer to it sends.

The scenario has the form of `config/rulesets/*/scenarios.yaml`. It holds facts and what was
available, and nothing that anybody wrote about a person. What came from a protected record is left
out, since scenarios are read by people who may not read calls.
"""

from collections.abc import Mapping
from typing import Any, Final

from service.answers import Document
from service.store.findings import Finding

ID: Final = "finding-{}"
SHORT_ID_CHARACTERS: Final = 12
PROTECTED_RECORD: Final = "protected_record"


def scenario_of(
    finding: Finding, request: Mapping[str, Any], sent: list[str], would_send: list[str]
) -> Document | None:
    """
    Make the scenario of a finding; None where it does not say whom to send.

    Args:
        finding: What the reviewer found. request: The call as it was recorded. sent: Kinds that
        were recommended, in the order to act. would_send: What the reviewer answered before seeing
        them, which is right where the finding says only that it was too little or too much.
    """
    expected = list(finding.should_have_sent)
    if not expected and finding.verdict != "cannot_tell":
        expected = list(sent if finding.verdict == "right" else would_send)
    if not expected:
        return None
    scenario: Document = {
        "id": scenario_id(finding.id),
        "name": _name(finding),
        "source": f"review of decision {finding.decision_id}, finding {finding.id}",
        "basis": "reported",
        "facts": _facts(request),
        "expect": [expected],
    }
    never = [kind for kind in sent if kind not in expected]
    if finding.verdict == "over_triaged" and never:
        scenario["never"] = never
    elif finding.verdict == "under_triaged" and sent != expected:
        scenario["never_exactly"] = [list(sent)]
    for name, of in (("available", "availability"), ("incident_type", "incident_type")):
        if request.get(of):
            scenario[name] = dict(request[of])
    return scenario


def scenario_id(finding_id: str) -> str:
    """
    Name the scenario of a finding, the same each time.
    """
    return ID.format(finding_id[:SHORT_ID_CHARACTERS])


def _name(finding: Finding) -> str:
    words = {
        "right": "A reviewer found this right",
        "under_triaged": "A reviewer found that this sent too little",
        "over_triaged": "A reviewer found that this sent too much",
        "cannot_tell": "A reviewer could not tell, and would have sent this",
    }
    return words[finding.verdict]


def _facts(request: Mapping[str, Any]) -> dict[str, Any]:
    sources = request.get("fact_sources") or {}
    facts = {
        name: value
        for name, value in (request.get("facts") or {}).items()
        if (sources.get(name) or {}).get("says") != PROTECTED_RECORD
    }
    channel = request.get("channel")
    return {**facts, "channel": channel} if channel and "channel" not in facts else facts
