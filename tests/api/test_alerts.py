"""
Prove that what must be looked at stands until somebody settles it, and who sees it.
"""

import datetime as dt
from dataclasses import fields
from typing import Any

from service.access import Actor
from service.alerts import raise_for_stored
from service.pages.alerts_line import open_alerts
from service.store import alerts, records, reviews
from service.store.alerts import Alert
from service.store.database import writing
from service.store.reviews import Review
from tests.api.conftest import CALL, Api
from tests.api.reporting import decided, report
from tests.api.test_people import acts_on, send

SAID = "the caller's sister says she is asleep"


def ship(api: Api) -> None:
    """
    Store what the journal holds, as shipper and worker do.
    """
    unstored = api.parts.journal.unstored(10_000)
    sent = [{one.name: getattr(record, one.name) for one in fields(record)} for record in unstored]
    records.insert(api.parts.store, sent, dt.datetime.now(dt.UTC), also=raise_for_stored)
    api.parts.journal.confirm([record.number for record in unstored])


def nobody_sent(api: Api, call_id: str) -> str:
    """
    Report that nobody is sent to a call, and give the decision's id.
    """
    made: str = decided(api, call_id, CALL["facts"])["decision_id"]
    back = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat()
    body = {"responders": [], "reason": "other", "comment": SAID, "call_back_at": back}
    assert report(api, made, body).status_code == 201
    ship(api)
    return made


def listed(api: Api, role: str = "supervisor", state: str = "open") -> list[dict[str, Any]]:
    """
    Give the alerts that a role sees.
    """
    answered = send(api, "GET", f"/v1/alerts?state={state}", role)
    assert answered.status_code == 200
    found: list[dict[str, Any]] = answered.json["items"]
    return found


def test_nobody_sent_stands_until_it_is_settled_once(api: Api) -> None:
    """
    A supervisor sees it at once, settles it with a word, and the second to try is told who did.
    """
    made = nobody_sent(api, "alert-1")
    found = [one for one in listed(api) if one["decision_id"] == made]
    assert [one["kind"] for one in found] == ["nobody_sent"]
    assert found[0]["call_id"] == "alert-1"
    assert SAID not in str(found)
    path = f"/v1/alerts/{found[0]['alert_id']}/settle"
    settled = send(api, "POST", path, "supervisor", {"comment": SAID})
    assert settled.status_code == 200
    assert (settled.json["state"], settled.json["comment"]) == ("settled", SAID)
    again = send(api, "POST", path, "supervisor", {})
    assert (again.status_code, again.json["code"]) == (409, "already_settled")
    assert settled.json["settled_by"] in again.json["detail"]
    assert settled.json["settled_at"] in again.json["detail"]
    assert made not in [one["decision_id"] for one in listed(api)]
    assert made in [one["decision_id"] for one in listed(api, state="settled")]
    kept = alerts.find(api.parts.store, "example", found[0]["alert_id"])
    assert kept is not None
    assert SAID not in str(kept.comment), "what people write about a call is sealed"
    assert acts_on(api, found[0]["alert_id"]) == ["settled"]


def test_who_sees_and_settles(api: Api) -> None:
    """
    An auditor reads and settles nothing; an administrator sees nothing about calls; another agency
    and a dispatch key nothing at all.
    """
    made = nobody_sent(api, "alert-2")
    alert_id = next(one["alert_id"] for one in listed(api) if one["decision_id"] == made)
    assert made in [one["decision_id"] for one in listed(api, "auditor")]
    assert made not in [one["decision_id"] for one in listed(api, "admin")]
    path = f"/v1/alerts/{alert_id}/settle"
    for role, status in (("auditor", 403), ("dispatch", 403), ("admin", 404)):
        assert send(api, "POST", path, role, {"comment": "x"}).status_code == status
    for bad in ("nothing", "a b", "%00", "x" * 500):
        refused = send(api, "POST", f"/v1/alerts/{bad}/settle", "supervisor", {})
        assert refused.status_code == 404
    for body, status in (({"comment": 1}, 422), ({"comment": "x" * 2001}, 422), ({"x": 1}, 422)):
        assert send(api, "POST", path, "supervisor", body).status_code == status
    assert send(api, "GET", "/v1/alerts?state=all", "supervisor").status_code == 422
    assert send(api, "POST", path, "supervisor").status_code == 200, "no body is no comment"


def test_whoever_holds_the_review_is_not_told_what_was_sent(api: Api) -> None:
    """
    While a supervisor holds the review of a call, no alert about it is in their list or line, and
    none is theirs to settle, but both say that one waits; once they have answered it is.
    """
    made = nobody_sent(api, "alert-blind")
    alert_id = next(one["alert_id"] for one in listed(api) if one["decision_id"] == made)
    now = dt.datetime.now(dt.UTC)
    review = Review(
        *(reviews.new_id(), "example", made, "alert-blind", ("override",), False, now, now)
    )
    with writing(api.parts.store) as connection:
        reviews.add(connection, review)
    claimed = send(api, "POST", f"/v1/reviews/{review.id}/claim", "supervisor", {})
    assert claimed.status_code == 200
    assert made not in [one["decision_id"] for one in listed(api)]
    assert made in [one["decision_id"] for one in listed(api, "auditor")]
    line = open_alerts(api.parts, actor(api, "supervisor"))
    assert line is not None
    assert "alert-blind" not in [one.call_id for one in line.items]
    assert (line.waiting.count, line.waiting.review_id) == (1, review.id)
    assert [count_waiting(api, role) for role in ("supervisor", "auditor", "admin")] == [1, 0, 0]
    path = f"/v1/alerts/{alert_id}/settle"
    assert send(api, "POST", path, "supervisor", {}).status_code == 404
    answered = {"would_send": ["ems"]}
    send(api, "POST", f"/v1/reviews/{review.id}/answer", "supervisor", answered)
    assert count_waiting(api, "supervisor") == 0
    assert send(api, "POST", path, "supervisor", {}).status_code == 200


def count_waiting(api: Api, role: str) -> int:
    """
    Give how many alerts wait for the answer of a role's key.
    """
    return int(send(api, "GET", "/v1/alerts", role).json["waiting"])


def test_the_line_on_a_page_is_short_and_never_fails(api: Api) -> None:
    """
    At most three alerts and the count of all stand on a page; with the store away it says so.
    """
    for number in range(4):
        nobody_sent(api, f"alert-line-{number}")
    now = dt.datetime.now(dt.UTC)
    about_none = Alert("f" * 32, "example", "rules_not_loaded", "r", None, "T", now, now)
    alerts.create(api.parts.store, about_none)
    supervisor, admin = actor(api, "supervisor"), actor(api, "admin")
    line = open_alerts(api.parts, supervisor)
    assert line is not None
    assert len(line.items) == 3
    assert line.count >= 5
    line = open_alerts(api.parts, admin)
    assert line is not None
    assert [one.kind for one in line.items] == ["rules_not_loaded"]
    assert open_alerts(api.parts, actor(api, "dispatch")) is None
    unknown = api.parts.alerts.not_known(supervisor)
    assert unknown is not None
    assert not unknown.is_known


def actor(api: Api, role: str) -> Any:
    """
    Give who a key of a role acts as.
    """
    key = api.parts.surroundings.seen.key(api.keys[role])
    assert key is not None
    return Actor(key.agency, key.role, key.id, key.person_id, key.label)
