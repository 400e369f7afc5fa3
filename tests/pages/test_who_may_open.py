"""
Who may open a page: a browser on this machine, with a key that takes calls.
"""

import datetime as dt

import pytest
from flask.testing import FlaskClient

from service.store import keys
from tests.pages.browsing import Page, Service, give_key, token_of


def test_asks_for_the_key(stranger: FlaskClient) -> None:
    """
    Without a key the page asks for one and shows no form of a call.
    """
    response = stranger.get("/")
    assert response.status_code == 200
    assert "Enter the dispatch key" in response.text
    assert 'name="call_id"' not in response.text


def test_wrong_key(stranger: FlaskClient) -> None:
    """
    A key that is not known is refused with the way out, and opens nothing.
    """
    response = give_key(stranger, "cr_wrong")
    assert response.status_code == 403
    assert "not known here" in response.text
    assert "cr_wrong" not in response.text
    assert "Enter the dispatch key" in stranger.get("/").text


def test_key_of_another_role(service: Service, stranger: FlaskClient) -> None:
    """
    A supervisor's key works elsewhere and takes no calls.
    """
    response = give_key(stranger, service.credentials.supervisor_key)
    assert response.status_code == 403
    assert "role supervisor" in response.text


def test_cookie_holds_no_key(service: Service, stranger: FlaskClient) -> None:
    """
    The cookie is strict, closed to scripts, and does not hold the key.
    """
    response = give_key(stranger, service.credentials.dispatch_key)
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    with stranger.session_transaction() as session:
        assert session["key"] == keys.digest(service.credentials.dispatch_key)
        assert service.credentials.dispatch_key not in str(dict(session))


def test_forget_the_key(browser: FlaskClient) -> None:
    """
    A press on 'Forget the key' ends the session, and not without the form's token.
    """
    token = token_of(browser.get("/").text)
    browser.post("/forget", data={})
    assert 'name="call_id"' in browser.get("/").text
    browser.post("/forget", data={"csrf_token": token})
    assert "Enter the dispatch key" in browser.get("/").text


def test_revoked_key_is_asked_for_again(service: Service) -> None:
    """
    A revoked key stops working at the next press; what was typed is kept for the next key.
    """
    client = service.app.test_client()
    secret, now = keys.new_key(), dt.datetime.now(dt.UTC)
    key = keys.Key(keys.new_id(), "example", keys.digest(secret), "dispatch", None, "short", now)
    keys.create(service.parts.store, key)
    service.parts.surroundings.look()
    give_key(client, secret)
    token = token_of(client.get("/").text)
    keys.revoke(service.parts.store, "example", key.id, now)
    service.parts.surroundings.look()
    data = {"csrf_token": token, "call_id": "kept-1", "remarks": "calm", "answer": "weapon=none"}
    asked = client.post("/", data=data)
    assert asked.status_code == 403
    assert "Nothing was recorded" in asked.text
    kept = {
        one["name"]: one["value"] for one in Page(asked.text).named("input") if one.get("value")
    }
    kept["key"] = service.credentials.dispatch_key
    again = client.post("/key", data=kept)
    assert again.status_code == 200
    assert 'value="kept-1"' in again.text
    assert "calm</textarea>" in again.text
    assert '<option value="none" selected>' in again.text
    assert service.parts.records.of_call("example", "kept-1") == []


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"]
)
@pytest.mark.parametrize("path", ["/", "/key", "/forget"])
def test_foreign_host_is_refused(browser: FlaskClient, host: str, path: str) -> None:
    """
    A request under a name that is not this machine's is refused, key or not (DNS rebinding).
    """
    for response in (
        browser.get("/", headers={"Host": host}),
        browser.post(path, headers={"Host": host}),
    ):
        assert response.status_code == 403
        assert "only on the machine itself" in response.text


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_names_of_this_machine(browser: FlaskClient, host: str) -> None:
    """
    Each name of the loopback address opens the page.
    """
    assert browser.get("/", headers={"Host": host}).status_code == 200


def test_foreign_address_is_refused(browser: FlaskClient) -> None:
    """
    A request from another machine is refused, and so is one that a proxy passes on.
    """
    for environ, headers in (
        ({"REMOTE_ADDR": "10.0.0.7"}, {}),
        ({"REMOTE_ADDR": ""}, {}),
        ({}, {"X-Forwarded-For": "10.0.0.7"}),
    ):
        response = browser.get("/", environ_overrides=environ, headers=headers)
        assert response.status_code == 403
        assert "<h1>" in response.text


def test_missing_token(service: Service, browser: FlaskClient) -> None:
    """
    A form without its token records nothing, says so, and keeps what was typed.
    """
    data = {"call_id": "csrf-1", "remarks": "on the porch", "answer": "weapon=blade"}
    response = browser.post("/", data=data)
    assert response.status_code == 400
    assert "Nothing was recorded" in response.text
    assert 'value="csrf-1"' in response.text
    assert "on the porch</textarea>" in response.text
    assert '<option value="blade" selected>' in response.text
    assert service.parts.records.of_call("example", "csrf-1") == []


def test_api_needs_no_token(service: Service, stranger: FlaskClient) -> None:
    """
    Systems that ask by the API are not asked for a form's token.
    """
    bearer = {"Authorization": f"Bearer {service.credentials.dispatch_key}"}
    response = stranger.post("/v1/decisions", json={"call_id": "api-1"}, headers=bearer)
    assert response.status_code == 201
