"""
A browser without scripts: how tests sign in, press an answer, and read what is shown.
"""

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from service.decisions import Answered, Decisions
from service.host.first_start import Credentials, SignIn
from service.parts import Parts
from service.rules_in_force import RulesInForce
from service.store import audit
from service.store.audit import Search
from service.store.database import writing
from service.store.people import people as people_table


@dataclasses.dataclass(frozen=True)
class Service:
    """
    Joined parts on an empty home, the application around them, and the keys of its first start.
    """

    parts: Parts
    app: Flask
    credentials: Credentials


class Page(HTMLParser):
    """
    Every tag of a page with its attributes, in order.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """
        Keep a tag.
        """
        self.tags.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """
        Give the attributes of every tag of this name.
        """
        return [attributes for one, attributes in self.tags if one == tag]


def token_of(text: str) -> str:
    """
    Give the token that the forms of a page carry.
    """
    found = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert found, "the page has a form with a token"
    return found[1]


def sign_in(client: FlaskClient, who: SignIn, **more: str) -> TestResponse:
    """
    Type address and password into the form that asks for them.
    """
    token = token_of(client.get("/sign-in").text)
    data = {"csrf_token": token, "email": who.email, "password": who.password, **more}
    return client.post("/sign-in", data=data)


def signed_in(service: Service, who: SignIn) -> FlaskClient:
    """
    Open a browser that somebody is signed in with.
    """
    client = service.app.test_client()
    assert sign_in(client, who).status_code == 303
    return client


def tell(client: FlaskClient, call_id: str, answer: str = "", **typed: Any) -> TestResponse:
    """
    Send the form of a call, as the press on *answer* does; facts are named with a leading `fact_`.
    """
    named = {re.sub("^fact_", "fact.", name): text for name, text in typed.items()}
    data = {"csrf_token": token_of(client.get("/").text), "call_id": call_id, **named}
    return client.post("/", data={**data, "answer": answer} if answer else data)


def decision_id_of(response: TestResponse) -> str:
    """
    Give the id of the decision that a page shows.
    """
    found = re.search(r'name="seen" value="([0-9a-f]+)"', response.text)
    assert found, "a recorded answer is carried by the form"
    return found[1]


def police_of(response: TestResponse) -> str:
    """
    Give the words of the line that police always have.
    """
    found = re.search(r'id="police">(.*?)</div>', response.text, re.DOTALL)
    assert found, "police have a line of their own"
    return re.sub(r"<[^>]+>", "", found[1])


def every_page(browser: FlaskClient, stranger: FlaskClient) -> Iterator[str]:
    """
    Open every page there is, with answers and with faults.
    """
    yield stranger.get("/sign-in").text
    yield sign_in(stranger, SignIn("nobody@example.org", "wrong")).text
    yield browser.get("/account").text
    yield browser.get("/").text
    yield tell(browser, "page-1", "weapon=firearm", fact_age="1").text
    yield tell(browser, "page-2", "weapon=nothing", fact_age="-").text


class Clock:
    """
    A clock that a test moves.
    """

    def __init__(self) -> None:
        self.at = dt.datetime.now(dt.UTC)

    def __call__(self) -> dt.datetime:
        """
        Give the time.
        """
        return self.at

    def move(self, seconds: float) -> None:
        """
        Let time pass.
        """
        self.at += dt.timedelta(seconds=seconds)


def post(client: FlaskClient, path: str, before: TestResponse, **typed: str) -> TestResponse:
    """
    Send a form with the token of the page that showed it.
    """
    return client.post(path, data={"csrf_token": token_of(before.text), **typed})


def change(house: Service, email: str, **columns: object) -> None:
    """
    Set columns of a person, as an administrator does.
    """
    with writing(house.parts.store) as connection:
        connection.execute(
            update(people_table).where(people_table.c.email == email).values(**columns)
        )


def acts(house: Service) -> list[str]:
    """
    List what the audit trail says was done, the newest first.
    """
    return [one.act for one in audit.page(house.parts.store, "example", Search())[0]]


class SilentJournal:
    """
    Decisions of a process whose journal cannot write: it answers, and nothing is on record.
    """

    def __init__(self, real: Decisions, document: Mapping[str, Any]) -> None:
        self.rules: RulesInForce = real.rules
        self._document = dict(document)

    def decide(self, *_asked: Any) -> Answered:
        """
        Answer, and record nothing.
        """
        return Answered(503, self._document, is_recorded=False)


class BrokenDecisions:
    """
    Decisions with a bug of ours in them.
    """

    def __init__(self, real: Decisions) -> None:
        self.rules: RulesInForce = real.rules

    def decide(self, *_asked: Any) -> Answered:
        """
        Fail.
        """
        raise ZeroDivisionError("secret detail")
