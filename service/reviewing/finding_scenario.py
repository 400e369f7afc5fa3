"""
Turns a finding into a scenario: the call as it was asked, and whom a right answer to it sends.

The scenario has the form of `config/rulesets/*/scenarios.yaml`. It holds facts and what was
available, and nothing that anybody wrote about a person. What came from a protected record is left
out, since scenarios are read by people who may not read calls.
"""

from collections.abc import Mapping
from typing import Any, Final

from service.answers import Document
from service.routing.facts import Vocabulary
from service.store.findings import FAULTED, Finding

ID: Final = "finding-{}"
SHORT_ID_CHARACTERS: Final = 12
PROTECTED_RECORD: Final = "protected_record"
NAME_CHARACTERS_MAX: Final = 100
WORDS: Final[Mapping[str, str]] = {
    "right": "A reviewer found this right",
    "under_triaged": "A reviewer found too little was sent",
    "over_triaged": "A reviewer found too much was sent",
    "cannot_tell": "A reviewer could not tell, and would have sent this",
}


def scenario_of(
    finding: Finding,
    request: Mapping[str, Any],
    sent: list[str],
    would_send: list[str],
    vocabulary: Vocabulary,
) -> Document | None:
    """
    Make the scenario of a finding; None where it does not say whom to send, or says that it was too
    little or too much and would send the very same.

    Args:
        finding: What the reviewer found. request: The call as it was recorded. sent: Kinds that
        were recommended, in the order to act. would_send: What the reviewer answered before seeing
        them, which is right where the finding says only that it was too little or too much.
    """
    expected = list(finding.should_have_sent)
    if not expected and finding.verdict != "cannot_tell":
        expected = list(sent if finding.verdict == "right" else would_send)
    is_faulted = finding.verdict in FAULTED
    if not expected or (is_faulted and set(expected) == set(sent)):
        return None
    facts = _facts(request)
    scenario: Document = {
        "id": scenario_id(finding.id),
        "name": _name(finding.verdict, facts, vocabulary),
        "source": f"review of decision {finding.decision_id}, finding {finding.id}",
        "basis": "reported",
        "facts": facts,
        "expect": [expected],
    }
    never = [kind for kind in sent if kind not in expected]
    if finding.verdict == "over_triaged" and never:
        scenario["never"] = never
    if is_faulted and sent:
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


def _name(verdict: str, facts: Mapping[str, Any], vocabulary: Vocabulary) -> str:
    """
    Say what was found and which dangers were told, as many of them as a name has room for; where no
    danger was told, what else was.
    """
    dangers, others = [], []
    for fact_name, fact in vocabulary.facts.items():
        value = facts.get(fact_name)
        if value is None or not fact.has(value) or fact.protected:
            continue
        if value in fact.said:
            dangers.append(fact.said[value])
        elif fact.kind == "choice" and not fact.parity:
            others.append(f"{fact.label.lower()}: {fact.label_of(value).lower()}")
    name, joint = WORDS[verdict], ": "
    for words in dangers or others:
        if len(f"{name}{joint}{words}") > NAME_CHARACTERS_MAX:
            return f"{name} …"
        name, joint = f"{name}{joint}{words}", ", "
    return name


def _facts(request: Mapping[str, Any]) -> dict[str, Any]:
    sources = request.get("fact_sources") or {}
    facts = {
        name: value
        for name, value in (request.get("facts") or {}).items()
        if (sources.get(name) or {}).get("says") != PROTECTED_RECORD
    }
    channel = request.get("channel")
    return {**facts, "channel": channel} if channel and "channel" not in facts else facts
