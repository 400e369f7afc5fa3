"""
The house that the walk of all routes goes through: two agencies, every role, a thing of each kind.
"""

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from service.access import MAY, Actor, command_line, may
from service.alerts import raise_for_stored
from service.app import join, make_flask
from service.host.first_start import prepare
from service.pages.visitor import TOKEN
from service.parts import Parts
from service.settings import read_settings
from service.store import agencies, alerts, people, quarantined, records, reviews, sessions
from service.store.agencies import Agency
from service.store.database import writing
from service.store.people import Person
from service.store.quarantined import of_record
from service.store.reviews import Review
from tests.every_route import FILLED, OPEN, OWNED, SIGNED_IN

ROLES = tuple(MAY)
OURS = "example"
NOT_ALLOWED = "This is not yours to do"
CALL_ID = "our-very-own-call"


@dataclass(frozen=True)
class House:
    """
    The service, a key and a signed-in browser of each role in two agencies, and things of the
    first.
    """

    parts: Parts
    client: FlaskClient
    keys: dict[tuple[str, str], str]
    tokens: dict[tuple[str, str], str]
    things: dict[str, str]

    def ask(self, route: str, agency: str, role: str, things: dict[str, str]) -> Any:
        """
        Send a request without a body with the key of a role.
        """
        method, path = address(route, things)
        headers = {"Authorization": f"Bearer {self.keys[agency, role]}"}
        body = {} if method in ("POST", "PUT", "PATCH") else None
        return self.client.open(path, method=method, json=body, headers=headers)

    def browser(self, agency: str, role: str) -> FlaskClient:
        """
        Open a browser in which somebody of this role is signed in.
        """
        client = self.client.application.test_client()
        with client.session_transaction() as session:
            session[TOKEN] = self.tokens[agency, role]
        return client


def address(route: str, things: dict[str, str]) -> tuple[str, str]:
    """
    Give the method of a route and its path, each part filled.
    """
    method, _, rule = route.partition(" ")
    filled = {**FILLED, **things}
    return method, re.sub(r"<(?:\w+:)?(\w+)>", lambda one: filled.get(one[1], "nothing"), rule)


def may_open(role: str, acts: str | tuple[str, ...]) -> bool:
    """
    Tell whether somebody signed in with a role may open what needs these acts.
    """
    needed = (acts,) if isinstance(acts, str) else acts
    return all(act in (OPEN, SIGNED_IN) or may(role, act) for act in needed)


def is_owned(route: str) -> bool:
    """
    Tell whether the address names a thing of one agency.
    """
    return any(f"{name}>" in route for name in OWNED)


@contextmanager
def walked(home: Path) -> Iterator[House]:
    """
    Join the service on a home, with two agencies, all roles in each, and things in the first.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(home)})
    prepare(settings)
    parts, close = join(settings)
    now, keys, tokens = parts.now(), {}, {}
    agencies.create(parts.store, Agency("other", "Other", "UTC", "national-baseline", now))
    for agency in (OURS, "other"):
        for role in ROLES:
            told = {"label": f"{agency} {role}", "role": role}
            keys[agency, role] = parts.access_keys.make(command_line(agency), told).secret
            tokens[agency, role] = _signed_in(parts, agency, role, now)
    parts.surroundings.look()
    client = make_flask(parts).test_client()
    made = House(parts, client, keys, tokens, {})
    made.things.update(_things(made))
    yield made
    close()


def _signed_in(parts: Parts, agency: str, role: str, now: dt.datetime) -> str:
    person = Person(
        *(people.new_id(), agency, f"{role}@{agency}.example", f"Walking {role}", role),
        *("no password opens this", now),
    )
    token = sessions.new_token()
    session = sessions.Session(
        *(sessions.digest(token), person.id, agency, role, person.name, True, None, now, now)
    )
    with writing(parts.store) as connection:
        people.add(connection, person)
        sessions.add(connection, session)
    return token


def _things(house: House) -> dict[str, str]:
    """
    Make a thing of each kind in our agency, and give their ids by the name of the part.
    """
    headers = {"Authorization": f"Bearer {house.keys[OURS, 'dispatch']}"}
    decided = house.client.post("/v1/decisions", json={"call_id": CALL_ID}, headers=headers).json
    back = (house.parts.now() + dt.timedelta(hours=1)).isoformat()
    sent = {"responders": [], "reason": "other", "comment": "c", "call_back_at": back}
    path = f"/v1/decisions/{decided['decision_id']}/dispatch"
    assert house.client.post(path, json=sent, headers=headers).status_code == 201
    unstored = house.parts.journal.unstored(100)
    rows = [{one.name: getattr(record, one.name) for one in fields(record)} for record in unstored]
    records.insert(house.parts.store, rows, house.parts.now(), also=raise_for_stored)
    house.parts.journal.confirm([record.number for record in unstored])
    review_id, finding_id = _reviewed(house, decided["decision_id"])
    found, _ = alerts.page(house.parts.store, OURS, is_open=True, now=house.parts.now())
    listed, _ = house.parts.access_keys.page(command_line(OURS), None, 1)
    person, _ = house.parts.people.page(command_line(OURS), None, 1)
    return {
        "record_id": decided["decision_id"],
        "call_id": CALL_ID,
        "alert_id": found[0].id,
        "key_id": listed[0]["key_id"],
        "person_id": person[0]["person_id"],
        "review_id": review_id,
        "finding_id": finding_id,
        "check_id": _checked(house),
        "verification_id": house.parts.logs.request(command_line(OURS)).id,
        "host_id": _quarantined(house),
        **_held_and_asked(house),
    }


def _quarantined(house: House) -> str:
    """
    Put a record of ours that cannot be read into quarantine, as number 1 of a host, and give it.
    """
    head = {"host_id": "host-of-ours", "number": int(FILLED["number"]), "agency": OURS}
    with writing(house.parts.store) as connection:
        quarantined.add(connection, [of_record(head, "it cannot be read", house.parts.now())])
    return str(head["host_id"])


def _held_and_asked(house: House) -> dict[str, str]:
    """
    Let our administrator ask for our call to be erased and place a hold on another, and give their
    ids.
    """
    known = house.parts.surroundings.seen.keys.values()
    key = next(one for one in known if one.agency == OURS and one.role == "admin")
    found = people.find_by_email(house.parts.store, f"admin@{OURS}.example")
    assert found is not None
    actor = Actor(OURS, "admin", key.id, found.id, found.name)
    told = {"call_id": "another-call", "authority": "a", "matter": "m", "reason": "r"}
    asked = house.parts.erasures.ask(actor, {"call_id": CALL_ID, "reason": "r"})
    assert asked is not None
    held = house.parts.legal_holds.place(actor, told)
    return {"hold_id": held["hold_id"], "erasure_id": asked["erasure_id"]}


def _checked(house: House) -> str:
    """
    Let our administrator draft the rules as they are and ask for a check, and give its id.
    """
    headers = {"Authorization": f"Bearer {house.keys[OURS, 'admin']}"}
    path = "/v1/rulesets/national-baseline"
    content = house.client.get(path, headers=headers).json["content"]
    assert house.client.put(f"{path}/draft", json=content, headers=headers).status_code == 200
    asked = house.client.post(f"{path}/draft/check", json={}, headers=headers)
    assert asked.status_code == 202, asked.text
    check_id: str = asked.json["check_id"]
    return check_id


def _reviewed(house: House, decision_id: str) -> tuple[str, str]:
    """
    Let our supervisor review the decision, and give the ids of the review and its finding.
    """
    now = house.parts.now()
    review = Review(*(reviews.new_id(), OURS, decision_id, CALL_ID, ("override",), False, now, now))
    with writing(house.parts.store) as connection:
        reviews.add(connection, review)
    headers = {"Authorization": f"Bearer {house.keys[OURS, 'supervisor']}"}
    path, answered = f"/v1/reviews/{review.id}", None
    for act, told in (
        ("claim", {}),
        ("answer", {"would_send": ["988"]}),
        ("finding", {"verdict": "right", "should_have_sent": ["988"]}),
    ):
        answered = house.client.post(f"{path}/{act}", json=told, headers=headers)
        assert answered.status_code in (200, 201), answered.text
    assert answered is not None
    return review.id, answered.json["finding_id"]


def made_and_ended(house: House) -> int:
    """
    Count what forms can make or end, so that one that changed something shows.
    """
    found, _ = house.parts.people.page(command_line(OURS), None, 200)
    listed, _ = house.parts.access_keys.page(command_line(OURS), None, 200)
    open_now, count = alerts.newest_open(
        house.parts.store, OURS, house.parts.now(), about_calls=True, limit=1
    )
    ended = sum(1 for one in listed if one["ended_at"])
    return len(found) * 10_000 + len(listed) * 100 + ended * 10 + count + len(open_now)
