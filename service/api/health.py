"""
`/healthz`, `/readyz`, `/metrics`: does the process live, can it answer, what has it counted.
"""

from flask import Blueprint, Response, request

from service.access import READ_STATE
from service.api.asking import answer, who_asks
from service.parts import Parts
from service.state import summary, whole
from service.vital_signs import VitalSigns


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
        if not request.headers.get("Authorization"):
            return answer(summary(parts))
        return answer(whole(parts, who_asks(parts, READ_STATE).actor))

    @blueprint.get("/metrics")
    def metrics() -> Response:
        """
        Give the counters of every process, and how this host is just now: 200.
        """
        text = parts.metrics.text() + VitalSigns(parts).text()
        return Response(text, mimetype="text/plain; version=0.0.4")

    return blueprint
