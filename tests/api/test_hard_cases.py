"""
What bad input, bad luck and many callers at once get: a clear answer, and never a 500.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.decisions import Decisions
from service.errors import JournalUnavailableError
from service.journal import Journal
from tests.api.conftest import CALL, Api, kinds


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"call_id": "a", "call_id": "b"}', 400),
        (b'{"call_id": "a", "location": {"lat": NaN, "lon": 0}}', 400),
        (b'{"call_id": "\\ud800"}', 400),
        (b'{"call_id": "a", "facts": {"age": 99999999999999999999999}}', 400),
        (b'{"call_id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
        (b"[" * 40 + b"]" * 40, 400),
        (b"\xff\xfe", 400),
        (b"[]", 422),
        (b'"text"', 422),
        (b"null", 422),
        (b'{"call_id": "\\u0000"}', 422),
        (b'{"call_id": ""}', 422),
        (b'{"call_id": 7}', 422),
        (b'{"call_id": "a", "location": {"lat": 91, "lon": 0}}', 422),
        (b'{"call_id": "a", "location": {"lat": true, "lon": 0}}', 422),
        (b'{"call_id": "a", "received_at": "2026-11-23T02:15:00"}', 422),
        (b'{"call_id": "a", "received_at": "yesterday"}', 422),
        (b'{"call_id": "a", "received_at": "0001-01-01T00:00:00Z"}', 422),
        (b'{"call_id": "a", "received_at": "9999-12-31T23:59:59Z"}', 422),
        (
            b'{"call_id": "a", "dismissed": [{"fact": "x", "source": "remarks", "reason": "r"}]}',
            422,
        ),
        (b'{"call_id": "a", "received_at": "0001-01-01T00:00:00+23:59"}', 422),
        (b'{"call_id": "a", "facts": []}', 422),
        (b'{"call_id": "a", "facts": {"weapon": ["blade"]}}', 422),
        (b'{"call_id": "a", "facts": {"weapon": {}}}', 422),
        (b'{"call_id": "a", "facts": {"driving": 1}}', 422),
        (b'{"call_id": "a", "facts": {"age": 1.5}}', 422),
        (b'{"call_id": "a", "facts": {"age": 12, "age_group": "adult"}}', 422),
        (b'{"call_id": "a", "facts": {"housing": "castle"}}', 422),
        (b'{"call_id": "a", "channel": "text", "facts": {"channel": "voice"}}', 422),
        (b'{"call_id": "a", "availability": {"ems": 0}}', 422),
        (b'{"call_id": "a", "availability": {"police": false}}', 422),
        (b'{"call_id": "a", "surprise": 1}', 422),
        (b'{"call_id": "a", "incident_type": {"registry": "apco"}}', 422),
        (b'{"call_id": "a", "fact_sources": {"weapon": {"from": "guessed"}}}', 422),
        (b'{"call_id": "a", "dismissed": [{"fact": "weapon", "source": "remarks"}]}', 422),
        (b'{"call_id": "a", "remarks": 5}', 422),
        (b'{"call_id": "' + b"x" * 201 + b'"}', 422),
    ],
)
def test_bad_input_gets_its_status_and_never_a_500(api: Api, body: bytes, status: int) -> None:
    """
    A body that cannot be read is a 400, one with faults a 422, each in the one shape of errors;
    nothing is recorded.
    """
    count = api.parts.journal.backlog()[0]
    response = api.raw(body)
    assert response.status_code == status, response.data[:300]
    assert response.mimetype == "application/problem+json"
    document = response.json
    assert {"type", "title", "status", "detail", "errors"} <= set(document)
    assert bool(document["errors"]) == (status == 422)
    assert api.parts.journal.backlog()[0] == count


def test_every_fault_is_named_at_once_with_the_nearest_right_word(api: Api) -> None:
    """
    One answer names every fault of a body: the place, the value, and what could stand there.
    """
    body = {
        "facts": {"weapn": "blade", "weapon": "firearms", "driving": "maybe", "age": 400},
        "received_at": "noon",
        "availability": {"mobile_crises": False},
    }
    errors = {one["path"]: one for one in api.post("/v1/decisions", body).json["errors"]}
    assert set(errors) == {
        *("call_id", "received_at", "facts.weapn", "facts.weapon", "facts.driving", "facts.age"),
        "availability.mobile_crises",
    }
    assert "did you mean `weapon`" in errors["facts.weapn"]["message"]
    assert "did you mean `firearm`" in errors["facts.weapon"]["message"]
    assert "firearm" in errors["facts.weapon"]["allowed"]
    assert "did you mean `mobile_crisis`" in errors["availability.mobile_crises"]["message"]


def test_a_body_over_the_limit_is_a_413_and_another_type_a_415(api: Api) -> None:
    """
    Ten megabytes are refused by their size, and a form by its type.
    """
    assert api.raw(b"x" * 10_000_000).status_code == 413
    assert api.raw(b"call_id=a", "application/x-www-form-urlencoded").status_code == 415
    assert api.raw(b'{"call_id": "a"}', "text/plain").status_code == 415


def test_what_cannot_be_recorded_is_still_answered(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    With the journal gone the answer is a 503 problem that carries the recommendation and says it is
    not recorded.
    """

    def full(self: Journal, entry: object) -> None:
        raise JournalUnavailableError("the disk is full")

    monkeypatch.setattr(Journal, "append", full)
    monkeypatch.setattr("service.decisions.REST_S", 0.0)
    response = api.post("/v1/decisions", {"call_id": "lost", **CALL})
    assert response.status_code == 503
    assert response.mimetype == "application/problem+json"
    assert response.json["recorded"] is False
    assert kinds(response.json) == ["mobile_crisis", "988"]


def test_lists_refuse_filters_that_there_are_not(api: Api) -> None:
    """
    A misspelt filter or a foreign cursor is a 422 that names it, never a list of everything.
    """
    for query in (
        "responder=police",
        "urgency=high",
        "since=1",
        "limit=0",
        "cursor=nonsense",
        "from=x",
    ):
        response = api.get(f"/v1/decisions?{query}")
        assert response.status_code == 422, query
        assert response.json["errors"][0]["path"] in query


def test_revisions_of_one_call_told_at_once_are_numbered_without_gap_or_repeat(api: Api) -> None:
    """
    Sixteen threads telling one call get the numbers 1 to n, and every way of reading shows the
    same.
    """

    def tell(_: int) -> tuple[str, int]:
        sent = {"Authorization": f"Bearer {api.keys['dispatch']}"}
        client = api.client.application.test_client()
        told = client.post("/v1/decisions", json={"call_id": "crowd"}, headers=sent).json
        return told["decision_id"], told["revision"]

    with ThreadPoolExecutor(16) as threads:
        told = dict(threads.map(tell, range(48)))
    assert sorted(told.values()) == list(range(1, 49))
    revisions = api.get("/v1/calls/crowd").json["revisions"]
    assert [one["revision"] for one in revisions] == list(range(1, 49))
    assert {one["decision_id"]: one["revision"] for one in revisions} == told


def test_an_unclosed_text_costs_no_more_than_its_length(api: Api) -> None:
    """
    A body of 200 kB that a slow pattern would chew on for minutes is refused as quickly as any.
    """
    began = time.process_time()
    assert api.raw(b"[" * 33 + b'"' + b'\\"' * 100_000).status_code == 400
    assert time.process_time() - began < 5


def test_a_call_that_cannot_be_gathered_is_answered(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    INVARIANT (somebody-always-answers): a bug while a call is read leaves nobody alone, and is
    said.
    """

    def broken(*args: object) -> None:
        raise OverflowError

    monkeypatch.setattr(Decisions, "_gather", broken)
    told = api.post("/v1/decisions", {"call_id": "gather"})
    assert told.status_code == 201
    assert [one["code"] for one in told.json["warnings"]] == ["not_read"]
    assert kinds(told.json) == ["mobile_crisis"]


def test_a_slash_leads_to_no_other_call(api: Api) -> None:
    """
    A call id with slashes is its own, and its address sends nobody to another call.
    """
    for call_id in ("z/9", "z//9", "z/9/"):
        api.post("/v1/decisions", {"call_id": call_id})
        read = api.get(f"/v1/calls/{call_id}")
        assert (read.status_code, read.json["call_id"]) == (200, call_id)
    assert api.get("/v1/calls//z/9").status_code == 404


def test_nothing_of_the_callers_text_is_logged(
    api: Api, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Neither a good call nor a bad one, nor a bug of ours, leaves a word of it in the log.
    """
    word = "XYLOPHONE"
    api.post("/v1/decisions", {"call_id": word, "remarks": word})
    api.post("/v1/decisions", {"call_id": word, "facts": {word: word}, word: word})
    api.raw(b'{"call_id": "' + word.encode())

    def broken(*args: object) -> None:
        raise ValueError(word)

    monkeypatch.setattr("service.decisions.decide", broken)
    api.post("/v1/decisions", {"call_id": word, "remarks": word})
    monkeypatch.setattr(Decisions, "decide", broken)
    assert api.post("/v1/decisions", {"call_id": word}).status_code == 500
    assert word not in "".join(capfd.readouterr())


def test_unknown_addresses_and_methods_are_problems_too(api: Api) -> None:
    """
    A wrong address or method is problem+json, and a 405 says what is allowed.
    """
    assert api.client.get("/v1/nothing").mimetype == "application/problem+json"
    wrong = api.client.delete("/v1/decisions")
    assert wrong.status_code == 405
    assert "POST" in wrong.headers["Allow"]
