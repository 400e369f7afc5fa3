"""
Calls on record for the pages of decisions: how tests make them, store them, and count queries.
"""

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import event

from service.parts import Parts
from service.store import records
from tests.pages.browsing import Service

NASTY = "<script>alert('x')</script>\"'&"
PLAN: dict[str, Any] = {
    "facts": {"caller": "with_person", "suicide": "plan", "weapon": "none", "violence": "none"}
}
GUN: dict[str, Any] = {
    "facts": {"caller": "with_person", "weapon": "firearm", "weapon_access": "in_hand"}
}


def decide(service: Service, call_id: str, **told: Any) -> str:
    """
    Ask for a decision with the dispatch key, and give its id.
    """
    body = {"call_id": call_id, **(told or PLAN)}
    headers = {"Authorization": f"Bearer {service.credentials.dispatch_key}"}
    made = service.app.test_client().post("/v1/decisions", json=body, headers=headers)
    assert made.status_code == 201, made.text
    return str(made.json["decision_id"])


def send(service: Service, decision_id: str, **report: Any) -> None:
    """
    Report what was sent, with the dispatch key.
    """
    headers = {"Authorization": f"Bearer {service.credentials.dispatch_key}"}
    path = f"/v1/decisions/{decision_id}/dispatch"
    made = service.app.test_client().post(path, json=report, headers=headers)
    assert made.status_code == 201, made.text


def ship(parts: Parts) -> None:
    """
    Store what the journal holds, as shipper and worker do.
    """
    unstored = parts.journal.unstored(10_000)
    sent = [{one.name: getattr(record, one.name) for one in fields(record)} for record in unstored]
    _, refused = records.insert(parts.store, sent, dt.datetime.now(dt.UTC))
    assert refused == ()
    parts.journal.confirm([record.number for record in unstored])


@contextmanager
def queries(parts: Parts) -> Iterator[list[str]]:
    """
    Collect every statement that this thread asks the store within the block; the service's own
    looks around are not counted.
    """
    asked: list[str] = []
    here = threading.get_ident()

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        is_ours = threading.get_ident() == here
        if is_ours and not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")):
            asked.append(statement)

    event.listen(parts.store, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(parts.store, "before_cursor_execute", note)


def opened(client: FlaskClient, path: str, status: int = 200) -> str:
    """
    Open a page, see that it has the status, and give its text.
    """
    response = client.get(path)
    assert response.status_code == status, response.text[:2000]
    return response.text
