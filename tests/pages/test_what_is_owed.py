"""
What a person owes besides a password: a new one of their own, an authenticator, its codes.
"""

import re

import pyotp

from service.host.first_start import SignIn
from service.store import people
from tests.pages.browsing import Clock, Service, change, post, sign_in

NEW = "five tall willows by the lake"


def test_own_password(house: Service) -> None:
    """
    A person sets a new password with the old one: other sessions of theirs end, this one goes on.
    """
    client, other = house.app.test_client(), house.app.test_client()
    who = house.credentials.supervisor
    for one in (client, other):
        sign_in(one, who)
    page = client.get("/account")
    for typed, words in (
        ({"old": "wrong", "new": NEW, "again": NEW}, "old password is not right"),
        ({"old": who.password, "new": NEW, "again": "x"}, "not the same"),
        ({"old": who.password, "new": "short", "again": "short"}, "12 to 200 characters"),
        ({"old": who.password, "new": "a" * 20, "again": "a" * 20}, "same few characters"),
        (
            {"old": who.password, "new": "supervisor-2026", "again": "supervisor-2026"},
            "holds your address",
        ),
        ({"old": who.password, "new": who.password, "again": who.password}, "the old one"),
    ):
        refused = post(client, "/account", page, **typed)
        assert refused.status_code in (403, 422)
        assert words in refused.text
    done = post(client, "/account", page, old=who.password, new=NEW, again=NEW)
    assert done.status_code == 303
    assert "new password holds" in client.get(done.headers["Location"]).text
    assert other.get("/account").status_code == 303
    assert sign_in(house.app.test_client(), who).status_code == 403
    assert sign_in(house.app.test_client(), SignIn(who.email, NEW)).status_code == 303


def test_first_password_must_be_changed(house: Service) -> None:
    """
    A password that somebody else gave opens nothing but the form for one's own.
    """
    client, who = house.app.test_client(), house.credentials.supervisor
    change(house, who.email, must_change_password=True)
    form = sign_in(client, who)
    assert "Choose your own password" in form.text
    assert client.get("/account").status_code == 303
    done = post(client, "/sign-in/password", form, old=who.password, new=NEW, again=NEW)
    assert done.status_code == 303
    assert client.get("/account").status_code == 200


def test_authenticator_is_set_up_and_asked_for(house: Service, clock: Clock) -> None:
    """
    Where an administrator asks for a second factor it is set up at the next sign-in, asked for at
    each one after, and each code is taken once.
    """
    client, who = house.app.test_client(), house.credentials.admin
    change(house, who.email, totp_required=True)
    form = sign_in(client, who)
    assert "Set up an authenticator" in form.text
    assert client.get("/account").status_code == 303
    found = re.search(r'Secret: <span class="id">([A-Z2-7]+)<', form.text)
    sealed = re.search(r'name="sealed" value="([^"]+)"', form.text)
    assert found
    assert sealed
    totp = pyotp.TOTP(found[1])
    wrong = post(client, "/sign-in/authenticator", form, sealed=sealed[1], code="000000")
    assert f'id">{found[1]}<' in wrong.text, "the same picture serves the next try"
    code = totp.at(clock.at)
    done = post(client, "/sign-in/authenticator", form, sealed=sealed[1], code=code)
    assert done.status_code == 303
    assert client.get("/account").status_code == 200
    second = house.app.test_client()
    asks = sign_in(second, who)
    assert "Enter the code" in asks.text
    assert second.get("/account").status_code == 303
    assert post(second, "/sign-in/code", asks, code=code).status_code == 403, "taken before"
    clock.move(30)
    right = totp.at(clock.at)
    assert post(second, "/sign-in/code", asks, code=f" {right[:3]} {right[3:]}").status_code == 303
    assert second.get("/account").status_code == 200
    assert post(house.app.test_client(), "/sign-in/code", asks, code=right).status_code != 303


def test_codes_are_not_guessed(house: Service) -> None:
    """
    Wrong codes lock the account as wrong passwords do.
    """
    client, who = house.app.test_client(), house.credentials.admin
    person = people.find_by_email(house.parts.store, who.email)
    assert person is not None
    secret = house.parts.key_ring.seal(pyotp.random_base32(), person.id)
    change(house, who.email, totp_secret=secret)
    form = sign_in(client, who)
    tries = [post(client, "/sign-in/code", form, code="1").status_code for _ in range(4)]
    assert tries == [403, 403, 403, 429]
