"""
Signing in and out: who is let in, and what ends a session.
"""

import datetime as dt
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.host.first_start import SignIn
from service.store import people
from tests.pages.browsing import Clock, Page, Service, acts, post, sign_in, token_of


@pytest.mark.parametrize("path", ["/account", "/account?x=1&y=2"])
def test_leads_to_the_sign_in_and_back(house: Service, path: str) -> None:
    """
    A page asked for without a session leads to the sign-in, and from there back to that page.
    """
    client = house.app.test_client()
    asked = client.get(path)
    assert asked.status_code == 303
    assert asked.headers["Location"].startswith("/sign-in?to=")
    form = client.get(asked.headers["Location"])
    typed = {"email": house.credentials.dispatcher.email}
    typed |= {"password": house.credentials.dispatcher.password}
    to = str(next(one["value"] for one in Page(form.text).named("input") if one["name"] == "to"))
    done = post(client, "/sign-in", form, to=to, **typed)
    assert (done.status_code, done.headers["Location"]) == (303, path)
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/sign-in",
        "\\\\evil.example",
        "/%0d%0aSet-Cookie:x=1\r\nX: y",
        "x" * 3000,
    ],
)
def test_is_no_open_redirect(house: Service, to: str) -> None:
    """
    Whatever stands in `to`, a sign-in leads to a page of this service.
    """
    client = house.app.test_client()
    done = sign_in(client, house.credentials.supervisor, to=to)
    assert (done.status_code, done.headers["Location"]) == (303, "/reviews")
    again = client.get("/sign-in", query_string={"to": to})
    assert again.headers["Location"] == "/reviews"


def test_wrong_passwords_say_the_same(house: Service) -> None:
    """
    A wrong password and a person who is not there are refused with the same page, and neither what
    was typed nor the cause is told.
    """
    client, right = house.app.test_client(), house.credentials.admin
    wrong = sign_in(client, SignIn(right.email, "not the password"))
    nobody = sign_in(client, SignIn("nobody@example.org", "not the password"))
    assert (wrong.status_code, nobody.status_code) == (403, 403)
    told = [re.sub(r'value="[^"]*"', "", one.text) for one in (wrong, nobody)]
    assert told[0] == told[1]
    assert "not the password" not in wrong.text
    assert acts(house).count("failed to sign in") == 1


@pytest.mark.parametrize("email", ["", "\0", "\ud800@x", "x" * 5000, "<script>alert(1)</script>"])
def test_odd_addresses_are_refused(house: Service, email: str) -> None:
    """
    Whatever is typed as an address is refused like any other, and shown as text.
    """
    client = house.app.test_client()
    token = token_of(client.get("/sign-in").text)
    data = {"csrf_token": token, "password": "x" * 100}
    body = {**data, "email": email.encode(errors="surrogatepass")}
    response = client.post("/sign-in", data=body)
    assert response.status_code in (403, 413)
    assert "<script>alert" not in response.text


def test_locks_the_account_for_a_while(house: Service, clock: Clock) -> None:
    """
    After three failures even the right password is refused, from any address; when the time has
    passed it is taken.
    """
    right = house.credentials.admin
    for _ in range(3):
        sign_in(house.app.test_client(), SignIn(right.email.upper(), "wrong"))
    client = house.app.test_client()
    locked = sign_in(client, right)
    assert locked.status_code == 429
    assert "quarter of an hour" in locked.text
    assert locked.headers["Retry-After"] == "900"
    clock.move(901)
    assert sign_in(client, right).status_code == 303


def test_locks_the_address_for_a_while(house: Service) -> None:
    """
    An address that tries many accounts is locked, and others are not.
    """
    for number in range(6):
        sign_in(house.app.test_client(), SignIn(f"person-{number}@example.org", "wrong"))
    assert sign_in(house.app.test_client(), house.credentials.admin).status_code == 429
    elsewhere = house.app.test_client()
    elsewhere.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert sign_in(elsewhere, house.credentials.admin).status_code == 303


def test_cookie_is_strict_and_holds_a_new_token(house: Service) -> None:
    """
    The cookie is closed to scripts and to other sites' forms, and a token from before the sign-in
    opens nothing.
    """
    client = house.app.test_client()
    with client.session_transaction() as planted:
        planted["token"] = "planted"
    cookie = sign_in(client, house.credentials.admin).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    with client.session_transaction() as held:
        assert held["token"] != "planted"


def test_stolen_cookie_is_dead_after_sign_out(house: Service) -> None:
    """
    A cookie that was copied opens nothing once its owner has signed out.
    """
    client, thief = house.app.test_client(), house.app.test_client()
    sign_in(client, house.credentials.admin)
    stolen = client.get_cookie("crisis_router")
    assert stolen is not None
    thief.set_cookie("crisis_router", stolen.value)
    assert thief.get("/account").status_code == 200
    page = client.get("/account")
    assert client.post("/sign-out").status_code == 400  # without the form's token nothing ends
    assert post(client, "/sign-out", page).headers["Location"] == "/sign-in"
    assert thief.get("/account").status_code == 303
    assert client.get("/account").status_code == 303
    assert "signed out" in acts(house)


def test_sessions_end(house: Service, clock: Clock) -> None:
    """
    A session ends when it was idle for too long, and at its whole length however busy it is.
    """
    settings, client = house.parts.settings, house.app.test_client()
    sign_in(client, house.credentials.admin)
    clock.move(settings.session_idle_s_max + 1)
    assert client.get("/account").status_code == 303
    sign_in(client, house.credentials.admin)
    hours = int(settings.session_s_max / 3600)
    assert [client.get("/account").status_code for _ in range(hours) if clock.move(3590) is None][
        -1
    ] == 200
    clock.move(3600)
    assert client.get("/account").status_code == 303


def test_disabled_person_is_out_at_once(house: Service) -> None:
    """
    A person who is disabled has no session any more, and cannot begin one.
    """
    client, who = house.app.test_client(), house.credentials.admin
    sign_in(client, who)
    person = people.find_by_email(house.parts.store, who.email)
    assert person is not None
    people.disable(house.parts.store, "example", person.id, dt.datetime.now(dt.UTC))
    assert client.get("/account").status_code == 303
    assert sign_in(client, who).status_code == 403


def test_store_away_keeps_those_who_are_in(house: Service) -> None:
    """
    With the store away who is signed in goes on, and nobody else gets in.
    """
    client = house.app.test_client()
    sign_in(client, house.credentials.dispatcher)
    house.parts.surroundings.look()
    house.parts.store.dispose()
    path = Path(str(house.parts.store.url.database))
    path.rename(path.with_suffix(".gone"))
    path.mkdir()
    house.parts.surroundings.look()
    assert client.get("/").status_code == 200
    stranger = house.app.test_client()
    refused = sign_in(stranger, house.credentials.admin)
    assert refused.status_code == 503
    assert "the store cannot be reached" in refused.text


def test_keeps_what_was_typed_over_a_sign_in(house: Service, clock: Clock) -> None:
    """
    A form sent after the session ended is kept: after the sign-in it is offered to be sent again,
    and only then recorded.
    """
    client, who = house.app.test_client(), house.credentials.dispatcher
    sign_in(client, who)
    form = client.get("/")
    clock.move(house.parts.settings.session_idle_s_max + 1)
    typed = {"call_id": "kept-1", "remarks": "calm <b>", "answer": "weapon=none"}
    asks = post(client, "/", form, **typed)
    assert asks.status_code == 403
    assert "All you typed is kept" in asks.text
    kept = {str(one["name"]): one.get("value") or "" for one in Page(asks.text).named("input")}
    offered = client.post("/sign-in", data={**kept, "email": who.email, "password": who.password})
    assert "Send what you typed" in offered.text
    assert house.parts.records.of_call("example", "kept-1") == []
    again = {str(one["name"]): one.get("value") or "" for one in Page(offered.text).named("input")}
    assert {name: again[name] for name in typed} == typed
    assert client.post("/", data=again).status_code == 200
    assert len(house.parts.records.of_call("example", "kept-1")) == 1


def test_who_takes_no_calls_is_led_to_their_work(house: Service) -> None:
    """
    The first page of a supervisor or an administrator is where their work begins, and they cannot
    take a call.
    """
    for who, home in (
        (house.credentials.supervisor, "/reviews"),
        (house.credentials.admin, "/rules"),
    ):
        client = house.app.test_client()
        assert sign_in(client, who).headers["Location"] == home
        assert client.get("/").headers["Location"] == home
        token = token_of(client.get("/account").text)
        refused = client.post("/", data={"csrf_token": token, "call_id": "x"})
        assert refused.status_code == 403
        assert "which may not decide" in refused.text


def test_missing_token_records_nothing(service: Service, browser: FlaskClient) -> None:
    """
    A form of a call without its token records nothing, says so, and keeps what was typed.
    """
    data = {"call_id": "csrf-1", "remarks": "on the porch", "answer": "weapon=blade"}
    response = browser.post("/", data=data)
    assert response.status_code == 400
    assert "Nothing was recorded" in response.text
    assert 'value="csrf-1"' in response.text
    assert "on the porch</textarea>" in response.text
    assert service.parts.records.of_call("example", "csrf-1") == []


def test_nothing_here_is_a_page_for_a_browser(browser: FlaskClient, stranger: FlaskClient) -> None:
    """
    An address that is not there is a page for a browser, and a problem document for a system.
    """
    html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for client in (browser, stranger):
        shown = client.get("/no-such-page", headers=html)
        assert (shown.status_code, shown.mimetype) == (404, "text/html")
        assert "There is nothing here" in shown.text
    assert stranger.get("/no-such-page").mimetype == "application/problem+json"
    assert stranger.get("/v1/none", headers=html).mimetype == "application/problem+json"


def test_api_needs_no_token(service: Service, stranger: FlaskClient) -> None:
    """
    Systems that ask by the API are asked for a key and not for a form's token; a session is no key.
    """
    bearer = {"Authorization": f"Bearer {service.credentials.dispatch_key}"}
    response = stranger.post("/v1/decisions", json={"call_id": "api-1"}, headers=bearer)
    assert response.status_code == 201
    sign_in(stranger, service.credentials.dispatcher)
    assert stranger.post("/v1/decisions", json={"call_id": "api-2"}).status_code == 401
