"""
How the tests bring a decision to review, and who reviews it.
"""

import datetime as dt
from typing import Any

from service.encryption import sampling_key
from service.parts import Parts
from service.reviewing.review_selection import Selecting, select_for_review
from service.store import keys, people
from service.store.keys import Key
from service.store.people import Person
from tests.api.conftest import Api, ship
from tests.api.reporting import CALM, decided, report


def select(parts: Parts, now: dt.datetime | None = None) -> None:
    """
    Store what the journal holds, and fill the queue, as workers and beat do.
    """
    ship(parts)
    defaults = parts.rules.config.agency
    key = sampling_key(parts.settings)
    at = now or dt.datetime.now(dt.UTC)
    select_for_review(parts.store, Selecting(defaults, key, at))


def overridden(api: Api, call_id: str, facts: dict[str, Any] | None = None) -> str:
    """
    Decide a call, report that something else was sent, and give the decision's id.
    """
    decision_id = str(decided(api, call_id, facts or CALM)["decision_id"])
    told = {"responders": ["law_enforcement"], "reason": "closer_unit"}
    assert report(api, decision_id, told).status_code == 201
    return decision_id


def to_review(api: Api, call_id: str, facts: dict[str, Any] | None = None) -> tuple[str, str]:
    """
    Bring an overridden decision to review; give the review's id and the decision's.
    """
    decision_id = overridden(api, call_id, facts)
    select(api.parts)
    return review_of(api, decision_id), decision_id


def queue(api: Api, state: str = "open", role: str = "supervisor") -> list[dict[str, Any]]:
    """
    Give every review of a state.
    """
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        response = api.get(f"/v1/reviews?state={state}&limit=200{cursor}", role)
        assert response.status_code == 200
        items += response.json["items"]
        if response.json["next"] is None:
            return items
        cursor = f"&cursor={response.json['next']}"


def review_of(api: Api, decision_id: str) -> str:
    """
    Give the id of the open review of a decision.
    """
    (found,) = [one for one in queue(api) if one["decision_id"] == decision_id]
    return str(found["review_id"])


def claim(api: Api, review_id: str, role: str = "supervisor") -> Any:
    """
    Claim a review.
    """
    return api.client.post(
        f"/v1/reviews/{review_id}/claim", headers={"Authorization": f"Bearer {api.keys[role]}"}
    )


def give_answer(api: Api, review_id: str, role: str = "supervisor", *kinds: str) -> Any:
    """
    Answer a review.
    """
    body = {"would_send": list(kinds or ("mobile_crisis",))}
    return api.post(f"/v1/reviews/{review_id}/answer", body, role)


def find(api: Api, review_id: str, role: str = "supervisor", **told: Any) -> Any:
    """
    Give a finding.
    """
    return api.post(f"/v1/reviews/{review_id}/finding", {"verdict": "right", **told}, role)


def new_key(
    api: Api, name: str, role: str, agency: str = "example", person_id: str | None = None
) -> str:
    """
    Make a key under a name of its own, and give its id.
    """
    secret, now = keys.new_key(), dt.datetime.now(dt.UTC)
    made = Key(keys.new_id(), agency, keys.digest(secret), role, person_id, name, now)
    keys.create(api.parts.store, made)
    api.keys[name] = secret
    api.parts.surroundings.look()
    return made.id


def new_person(api: Api, name: str, role: str = "supervisor") -> str:
    """
    Make a person of the example agency, and give their id; nobody signs in as them.
    """
    now = dt.datetime.now(dt.UTC)
    person_id = people.new_id()
    made = Person(person_id, "example", f"{name}@example.org", name, role, "", now)
    people.create(api.parts.store, made)
    return person_id


def items(api: Api, path: str, role: str = "supervisor") -> list[dict[str, Any]]:
    """
    Give the items of a list.
    """
    response = api.get(path, role)
    assert response.status_code == 200
    return list(response.json["items"])
