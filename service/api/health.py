"""
`/healthz`, `/readyz`, `/metrics`: does the process live, can it answer, what has it counted.
"""

from typing import Any

from flask import Blueprint, Response, request

from service.access import READ_STATE
from service.api.asking import answer, who_asks
from service.host.process_list import listed
from service.parts import Parts

LOOK_AGE_S_MAX = 15.0  # a look is taken every second; a slow network may take a few


def health_blueprint(parts: Parts) -> Blueprint:
    """
    Make the resource.
    """
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        """
        Say that the process lives: 200.
        """
        return answer({"status": "ok"})

    @blueprint.get("/readyz")
    def readyz() -> Response:
        """
        Say whether calls can be answered, and what is degraded: 200, since the floor answers even
        with no rules.
        """
        count, oldest_s = parts.journal.backlog()
        degraded = _degraded(parts, oldest_s)
        document: dict[str, Any] = {
            "status": "degraded" if degraded else "ready",
            "degraded": degraded,
            "journal": {"not_stored": count, "oldest_s": round(oldest_s, 1)},
        }
        if request.headers.get("Authorization"):
            asker = who_asks(parts, READ_STATE)
            document["processes"] = listed(parts.settings.home, asker.agency.id)
        return answer(document)

    @blueprint.get("/metrics")
    def metrics() -> Response:
        """
        Give the counters of every process: 200.
        """
        return Response(parts.metrics.text(), mimetype="text/plain; version=0.0.4")

    return blueprint


def _degraded(parts: Parts, oldest_s: float) -> list[dict[str, str]]:
    seen = parts.surroundings.seen
    said = []
    if parts.rules.mode == "floor":
        said.append(("rules", "no rules could be read: 911 stays on the line, with EMS"))
    elif parts.rules.mode == "last_good_rules":
        said.append(("rules", "the rules could not be read: the last good ones decide"))
    for agency in seen.agencies.values():
        said += [("rules", f"agency {agency.id}: {text}") for text in parts.rules.faults_of(agency)]
        if parts.rules.mode != "floor" and parts.rules.published(agency) is None:
            said.append(
                ("rules", f"agency {agency.id} has no rules: 911 stays on the line, with EMS")
            )
    if parts.decisions.is_journal_resting:
        said.append(("journal", "the journal does not answer: calls are answered and not recorded"))
    if oldest_s > parts.settings.backlog_s_max:
        said.append(("shipper", "records wait long for the store: see the journal's oldest"))
    if parts.surroundings.look_age_s > LOOK_AGE_S_MAX:
        said.append(("keys", "keys and agencies are old: new keys do not work, ended ones do"))
    if not seen.has_store:
        said.append(("store", "the store cannot be reached: decisions wait in the journal"))
    if not seen.has_queue:
        said.append(("queue", "the queue cannot be reached: decisions wait in the journal"))
    for name in ("worker", "beat"):
        if seen.has_queue and parts.surroundings.alive(name) is False:
            said.append((name, f"no sign of life from the {name}: decisions wait in the journal"))
    return [{"part": part, "text": text} for part, text in said]
