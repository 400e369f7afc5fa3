"""
The reply to a call that was decided, whichever form it came in.
"""

from collections.abc import Mapping
from typing import Any

from flask import Response

from service.api.asking import answer, written
from service.api.problems import RefusedError, problem
from service.decisions import Answered
from service.parts import Parts


def decided(parts: Parts, answered: Answered, more: Mapping[str, Any] | None = None) -> Response:
    """
    Write the answer, with *more* members of its own: 201, 200 for a repeat, and 503 still with the
    recommendation where it could not be recorded.
    """
    document = {**answered.document, **more} if more else answered.document
    police = str(document["law_enforcement"]["included"]).lower()
    parts.metrics.decisions.labels(document["mode"], police).inc()
    if not answered.is_recorded:
        detail = "the decision could not be recorded; the recommendation holds all the same"
        refused = RefusedError(503, "not-recorded", detail, headers={"Retry-After": "2"})
        return problem(refused, {**document, "recorded": False})
    location = f"/v1/decisions/{document['decision_id']}"
    if answered.written is not None and not more:
        return written(answered.written, answered.status, Location=location)
    return answer(document, answered.status, Location=location)
