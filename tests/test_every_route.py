"""
Walk every route: with every role's key, every role signed in, nobody, and another agency's things.

What is expected is read from `service/access.py` and the table of `tests/every_route.py`.
"""

import re
from collections.abc import Iterator

import pytest

from service.access import may
from service.pages.visitor import TOKEN
from service.store import sessions
from tests.every_route import API, FILES, OPEN, PAGES
from tests.pages.browsing import Page, token_of
from tests.walked_house import (
    CALL_ID,
    NOT_ALLOWED,
    OURS,
    ROLES,
    House,
    address,
    is_owned,
    made_and_ended,
    may_open,
    walked,
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """
    Join the service, with two agencies and all roles in each.
    """
    with walked(tmp_path_factory.mktemp("home")) as made:
        yield made


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
        before = made_and_ended(house)
        answered = house.browser(OURS, role).post(path, data=typed)
        assert answered.status_code in (303, 400, 403)
        if answered.status_code == 303:
            assert "/sign-in" in answered.headers["Location"]
        assert made_and_ended(house) == before


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
