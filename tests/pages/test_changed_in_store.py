"""
Prove that whatever stands in the place of a record, no page and no answer of the API fails for it,
and the log names it.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from service.access import command_line
from service.chain import verification
from service.chain.export import lines_of, piece_of, withheld_from_all
from service.store import agencies, chain
from service.store.database import reading, writing
from service.verify_log import Check, Fault
from tests.api.conftest import Api
from tests.api.reviewing import claim
from tests.pages.test_reviews import press, to_page
from tests.pages.test_unreadable import kept


def of(body: dict[str, Any], name: str) -> dict[str, Any]:
    """
    Give a part of the request.
    """
    part: dict[str, Any] = body["request"][name]
    return part


def lead(body: dict[str, Any]) -> dict[str, Any]:
    """
    Give the first responder of the answer.
    """
    first: dict[str, Any] = body["answer"]["recommendation"]["responders"][0]
    return first


def within(change: Callable[[Any], object]) -> Callable[[str], str]:
    """
    Change the body as JSON.
    """

    def changed(body: str) -> str:
        read = json.loads(body)
        change(read)
        return json.dumps(read)

    return changed


WHATEVER: dict[str, tuple[str, Any]] = {
    "null": ("body", lambda _: "null"),
    "a list": ("body", lambda _: "[1, 2]"),
    "a number": ("body", lambda _: "7"),
    "no JSON": ("body", lambda body: body[:-9]),
    "bytes": ("body", lambda _: b"\xff\x00\xfe"),
    "an empty text": ("body", lambda _: ""),
    "facts that are a list": ("body", within(lambda one: one["request"].update(facts=[1]))),
    "a fact that is a list": ("body", within(lambda one: of(one, "facts").update(weapon=[1]))),
    "sources that are none": ("body", within(lambda one: one["request"].update(fact_sources=[7]))),
    "a source that is none": (
        "body",
        within(lambda one: one["request"].update(fact_sources={"weapon": 1})),
    ),
    "a kind that nobody is": ("body", within(lambda one: lead(one).update(kind="unicorn"))),
    "a reason that is a number": (
        "body",
        within(lambda one: one["answer"]["because"][0].update(text=7)),
    ),
    "responders that are none": ("responders", lambda _: "nope"),
    "rules that are an object": ("rules", lambda _: '{"a": 1}'),
    "a time that is none": ("decided_at", lambda _: "yesterday"),
    "a time that is a number": ("decided_at", lambda _: 5),
    "an arrival that is none": ("received_at", lambda _: b"\xff"),
}


@contextmanager
def in_its_place(api: Api, decision_id: str, what: str) -> Iterator[None]:
    """
    Put something in the place of a stored record until the block ends, and let the host's journal,
    which has it as it was, forget it.
    """
    column, change = WHATEVER[what]
    query = f"SELECT {column} FROM decisions WHERE record_id = :id"
    with reading(api.parts.store) as connection:
        was = connection.execute(text(query), {"id": decision_id}).scalar_one()
    write(api, decision_id, column, change(was))
    api.parts.journal.forget(dt.datetime.now(dt.UTC) + dt.timedelta(days=60))
    try:
        yield
    finally:
        write(api, decision_id, column, was)


def write(api: Api, decision_id: str, column: str, value: Any) -> None:
    """
    Write past everything that the service knows of types.
    """
    query = f"UPDATE decisions SET {column} = :value WHERE record_id = :id"
    with writing(api.parts.store) as connection:
        connection.execute(text(query), {"value": value, "id": decision_id})


def seal(api: Api) -> None:
    """
    Give every record its place in the log.
    """
    while chain.seal(api.parts.store, api.parts.now(), 1_000):
        pass


@pytest.mark.parametrize("what", WHATEVER)
def test_nothing_fails_for_it_and_the_log_names_it(
    api: Api, supervisor: FlaskClient, browser: FlaskClient, what: str
) -> None:
    """
    Lists, pages, reviews, exports and replays answer, the others are in them, and the verification
    and an export name the place of the record that was changed.
    """
    call, whole = f"{what} 1", f"{what} 2"
    review, beside = to_page(api, call), to_page(api, whole)
    decision, other = kept(api, review).decision_id, kept(api, beside).decision_id
    seal(api)
    with in_its_place(api, decision, what):
        assert fails_at(api, supervisor, browser, (call, decision, other, review)) == []
        listed = api.get("/v1/decisions/export?format=jsonl", "supervisor").text.splitlines()
        assert {decision, other} <= {json.loads(line).get("decision_id") for line in listed}
        results = replayed(api)
        assert results[other] == "same"
        # A time that is none is in no period, or in each.
        assert decision in results or WHATEVER[what][0] == "decided_at"
        link = chain.of_subject(api.parts.store, "example", "decision", decision)
        assert link is not None
        for fault in (verification.verify(api.parts.store, "example").fault, of_export(api)):
            assert fault is not None
            assert (fault.kind, fault.place) == ("alteration", link.place)


def fails_at(
    api: Api,
    supervisor: FlaskClient,
    browser: FlaskClient,
    named: tuple[str, str, str, str],
) -> list[tuple[str, int]]:
    """
    Open all that shows the call, and give what failed.
    """
    call, decision, other, review = named
    review_id = review.rpartition("/")[2]
    pages = [
        (supervisor, f"/decisions/{decision}"),
        (supervisor, f"/decisions/{other}"),
        (supervisor, "/decisions"),
        (supervisor, f"/decisions?call_id={call}"),
        (supervisor, f"/calls/{call}"),
        (browser, f"/?call={call}"),
        (supervisor, review),
        (supervisor, "/reviews"),
        (supervisor, "/decisions/export?format=csv"),
    ]
    found = [client.get(path) for client, path in pages]
    found.append(press(supervisor, f"{review}/claim"))
    found.append(supervisor.get(review))
    found += [
        api.get(f"/v1/decisions/{decision}", "supervisor"),
        api.get(f"/v1/calls/{call}", "supervisor"),
        api.get("/v1/decisions", "supervisor"),
        api.get("/v1/reviews?state=open", "supervisor"),
        api.get(f"/v1/reviews/{review_id}", "supervisor"),
        api.post(f"/v1/decisions/{decision}/replay", {}, "supervisor"),
        claim(api, review_id),
    ]
    return [(one.request.path, one.status_code) for one in found if one.status_code >= 500]


def replayed(api: Api) -> dict[str, str]:
    """
    Decide everything again, and give how each came out.
    """
    agency = agencies.find(api.parts.store, "example")
    assert agency is not None
    since = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    every = api.parts.replay.every(command_line("example"), agency, since)
    return {one.decision_id: one.result for one in every}


def of_export(api: Api) -> Fault | None:
    """
    Check an export of the log as somebody far from here does.
    """
    check = Check()
    piece = piece_of(api.parts.store, "example", None, None)
    for line in lines_of(api.parts.store, piece, withheld_from_all, api.parts.now()):
        check.read(json.loads(line))
    return check.finish()
