"""
Walk every route: with every role's key, every role signed in, nobody, and another agency's things.

What is expected is read from `service/access.py` and the table of `tests/every_route.py`.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.access import MAY, command_line, may
from service.alerts import raise_for_stored
from service.app import join, make_flask
from service.host.first_start import prepare
from service.pages.visitor import TOKEN
from service.parts import Parts
from service.settings import read_settings
from service.store import agencies, alerts, people, records, reviews, sessions
from service.store.agencies import Agency
from service.store.database import writing
from service.store.people import Person
from service.store.reviews import Review
from tests.every_route import API, FILES, FILLED, OPEN, OWNED, PAGES, SIGNED_IN
from tests.pages.browsing import Page, token_of

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


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """
    Join the service, with two agencies and all roles in each.
    """
    home: Path = tmp_path_factory.mktemp("home")
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
    house.parts.journal.confirm([record.record_id for record in unstored])
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
    }


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


def test_every_route_stands_in_the_table(house: House) -> None:
    """
    No route is missing from the table of the walk, and none of the table is gone.
    """
    there = {
        f"{method} {rule}"
        for rule in house.client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert there == {*API, *PAGES}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", API)
def test_a_key_may_what_its_role_may(house: House, route: str, role: str) -> None:
    """
    Who may is let in; who may not is told 403; nobody meets a fault of ours.
    """
    answered = house.ask(route, OURS, role, {})
    act = API[route]
    is_refused = answered.status_code == 403 and answered.json["type"].endswith(":not-allowed")
    assert is_refused == (act != OPEN and not may(role, act)), answered.text
    assert answered.status_code != 401
    assert answered.status_code < 500


@pytest.mark.parametrize("route", [one for one, act in API.items() if act != OPEN])
def test_without_a_key_the_api_answers_nobody(house: House, route: str) -> None:
    """
    Without a key, with one that is none, and with a browser's cookie only: 401.
    """
    method, path = address(route, house.things)
    body = {} if method in ("POST", "PUT", "PATCH") else None
    admin = house.browser(OURS, "admin")
    for client, headers in (
        (house.client, {}),
        (house.client, {"Authorization": "Bearer cr_nothing"}),
        (admin, {}),
    ):
        answered = client.open(path, method=method, json=body, headers=headers)
        assert answered.status_code == 401
        assert answered.mimetype == "application/problem+json"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", [one for one in API if is_owned(one)])
def test_another_agencys_things_are_not_there_for_a_key(
    house: House, route: str, role: str
) -> None:
    """
    Asked for by its real id, a thing of another agency is a 404, or a 403 by the role; a body that
    is refused before says nothing of it either.
    """
    answered = house.ask(route, "other", role, house.things)
    # What the route says of a thing that is not there at all, it says of another agency's.
    nothing = house.ask(route, "other", role, {})
    assert answered.status_code == nothing.status_code
    assert answered.status_code in (403, 404, 422)
    assert CALL_ID not in answered.text


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", [one for one in API if one.startswith("GET ")])
def test_no_list_holds_another_agencys_things(house: House, route: str, role: str) -> None:
    """
    Nothing of our agency's ids stands in what another agency reads.
    """
    text = house.ask(route, "other", role, {}).text
    assert not [name for name, thing in house.things.items() if thing in text]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", PAGES)
def test_a_page_is_opened_by_whose_role_may(house: House, route: str, role: str) -> None:
    """
    Who may is let in; who may not sees a page that says so, before any form is judged.
    """
    method, path = address(route, {})
    opened = house.browser(OURS, role).open(path, method=method)
    act = PAGES[route]
    is_refused = opened.status_code == 403 and NOT_ALLOWED in opened.text
    is_meant = not may_open(role, act)
    assert is_refused == is_meant, opened.status_code
    assert opened.status_code < 500
    if act != OPEN and opened.status_code == 303:
        assert "/sign-in" not in opened.headers["Location"]
    opened.close()  # a file that is served stays open until then


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", [one for one in PAGES if one.split(" ")[1] not in FILES])
def test_a_page_has_a_title_one_heading_and_a_strict_policy(
    house: House, route: str, role: str
) -> None:
    """
    Every page, refusals too, has a title, exactly one h1, and a policy without unsafe sources.
    """
    for things in ({}, house.things):
        method, path = address(route, things)
        opened = house.browser(OURS, role).open(path, method=method)
        policy = opened.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        if opened.status_code in (302, 303):
            continue
        shown = Page(opened.text)
        assert len(shown.named("title")) == 1
        assert re.search(r"<title>\s*[^<\s]", opened.text)
        assert len(shown.named("h1")) == 1
        assert not [one for _, one in shown.tags if "style" in one or "onclick" in one]
        assert not shown.named("style")
        assert all(one.get("src") for one in shown.named("script"))


@pytest.mark.parametrize("route", [one for one, act in PAGES.items() if act != OPEN])
def test_nobody_is_led_to_the_sign_in_and_back(house: House, route: str) -> None:
    """
    Without a session a page leads to the sign-in, and names where to go back to; a session that was
    made up opens nothing.
    """
    method, path = address(route, house.things)
    made_up = house.client.application.test_client()
    with made_up.session_transaction() as session:
        session[TOKEN] = sessions.new_token()
    for client in (house.client.application.test_client(), made_up):
        opened = client.open(path, method=method)
        assert opened.status_code == 303
        assert opened.headers["Location"].startswith("/sign-in")
        if method == "GET" and path != "/":
            assert opened.headers["Location"] == f"/sign-in?to={path}"


@pytest.mark.parametrize("route", [one for one in PAGES if one.startswith("POST ")])
def test_a_form_without_its_token_is_refused(house: House, route: str) -> None:
    """
    Without a token, and with one of another session, a form changes nothing: it is refused.
    """
    _, path = address(route, house.things)
    act = PAGES[route]
    role = next(one for one in ROLES if may_open(one, act))
    strange = token_of(house.client.application.test_client().get("/sign-in").text)
    for typed in ({}, {"csrf_token": "x"}, {"csrf_token": strange}):
        before = _made(house)
        answered = house.browser(OURS, role).post(path, data=typed)
        assert answered.status_code in (303, 400, 403)
        if answered.status_code == 303:
            assert "/sign-in" in answered.headers["Location"]
        assert _made(house) == before


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "route", [one for one, act in PAGES.items() if one.startswith("POST ") and act != OPEN]
)
def test_an_empty_form_is_a_clear_answer(house: House, route: str, role: str) -> None:
    """
    A form with its token and nothing else is answered by a page or led on, and is never our fault.
    """
    if route == "POST /sign-out":
        pytest.skip("its own tests sign out; here others go on with the session")
    _, path = address(route, {})
    browser = house.browser(OURS, role)
    token = token_of(browser.get("/account").text)
    answered = browser.post(path, data={"csrf_token": token})
    assert answered.status_code < 500
    assert answered.status_code != 401


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", [one for one in PAGES if is_owned(one)])
def test_another_agencys_things_are_not_there_on_a_page(
    house: House, route: str, role: str
) -> None:
    """
    Opened by its real id, a thing of another agency is a page that says there is nothing here.
    """
    method, path = address(route, house.things)
    browser = house.browser("other", role)
    data = {"csrf_token": token_of(browser.get("/account").text)} if method == "POST" else None
    opened = browser.open(path, method=method, data=data)
    assert opened.status_code in (403, 404)
    assert CALL_ID not in opened.text


def _made(house: House) -> int:
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
