"""
`/v1/log`: the head, the export and its verifier, and verifications.
"""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.access import command_line
from service.chain import logs
from service.errors import StoreUnavailableError
from service.store import audit, chain, reviews
from service.store.database import writing
from service.store.reviews import Review
from service.verify_log import Check, verify_file
from tests.api.conftest import CALL, Api, ship

SECRET = "OKAPI WORDS"


@pytest.fixture(scope="module")
def decided(api: Api) -> list[dict[str, Any]]:
    """
    Decide, store and seal a few calls, one with a report.
    """
    made = [
        api.post("/v1/decisions", {**CALL, "call_id": f"log-{n}", "remarks": SECRET}).json
        for n in range(4)
    ]
    sent = {"responders": ["ems"], "reason": "other", "comment": SECRET}
    path = f"/v1/decisions/{made[1]['decision_id']}/dispatch"
    assert api.post(path, sent).status_code == 201
    ship(api.parts)
    seal(api)
    return made


def seal(api: Api) -> None:
    """
    Give what waits its places, as the worker does.
    """
    while chain.seal(api.parts.store, api.parts.now(), 1_000):
        pass


def verified(data: bytes, anchors: dict[int, str] | None = None) -> Check:
    """
    Verify an export that must be good.
    """
    check = Check(anchors)
    assert verify_file(io.BytesIO(data), check) is None
    return check


def test_the_export_passes_the_verifier_that_is_downloaded(
    api: Api, decided: list[dict[str, Any]], tmp_path: Path
) -> None:
    """
    An auditor's export against the head of `/v1/log` is good by the downloaded file alone, and
    holds no word about a person, open or sealed.
    """
    head = api.get("/v1/log", "auditor").json
    assert head["count"] == head["place"] > len(decided)
    assert head["unsealed"] == 0
    response = api.get("/v1/log/export", "auditor")
    assert response.is_streamed
    assert response.mimetype == "application/jsonl"
    assert "log-example-1-" in response.headers["Content-Disposition"]
    data = response.get_data()
    assert SECRET.encode() not in data
    assert b"enc:" not in data
    (tmp_path / "verify_log.py").write_bytes(api.get("/v1/log/verifier", "auditor").get_data())
    (tmp_path / "log.jsonl").write_bytes(data)
    command = [sys.executable, "-I", "verify_log.py", "log.jsonl"]
    anchor = ["--anchor", f"{head['place']}:{head['hash']}"]
    done = subprocess.run(
        [*command, *anchor], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert f"anchored at place {head['place']}" in done.stdout
    assert verified(data).counts.withheld == 0


@pytest.mark.usefixtures("decided")
def test_a_supervisor_is_not_given_the_audit_trail(api: Api) -> None:
    """
    What the key may not read elsewhere is withheld, and the chain is whole all the same; keys that
    may not read the log are refused.
    """
    data = api.get("/v1/log/export", "supervisor").get_data()
    assert verified(data).counts.withheld > 0
    kinds = {
        line["kind"]
        for line in map(json.loads, data.splitlines())
        if "kind" in line and line["content"] is None
    }
    assert kinds == {"audit"}
    for role in ("dispatch", "admin"):
        assert api.get("/v1/log/export", role).status_code == 403


def test_a_review_that_is_claimed_stays_blind(api: Api, decided: list[dict[str, Any]]) -> None:
    """
    Whoever must answer the review of a call first is given neither its decision nor its report.
    """
    one, now = decided[1], api.parts.now()
    made = Review(
        *(reviews.new_id(), "example", one["decision_id"], one["call_id"], ("override",), False),
        *(now, now),
    )
    with writing(api.parts.store) as connection:
        reviews.add(connection, made)
    assert api.post(f"/v1/reviews/{made.id}/claim", {}, "supervisor").status_code == 200
    data = api.get("/v1/log/export", "supervisor").get_data()
    verified(data)
    lines = [json.loads(line) for line in data.splitlines()]
    held = [
        line
        for line in lines
        if line.get("id") == one["decision_id"] or line.get("kind") == "dispatch"
    ]
    assert len(held) == 2
    assert all(line["content"] is None and line["why"] == "withheld" for line in held)
    assert one["call_id"] not in data.decode()
    assert one["call_id"] in api.get("/v1/log/export", "auditor").text


@pytest.mark.usefixtures("decided")
def test_a_piece_is_what_was_asked_for(api: Api) -> None:
    """
    Places count in; what the log does not have is a 422 that says where it ends.
    """
    piece = api.get("/v1/log/export?from_place=2&to_place=3", "auditor").get_data()
    assert verified(piece).counts.records == 2
    for query in ("from_place=0", "to_place=999999", "from_place=x", "page=1", "from_place=999999"):
        refused = api.get(f"/v1/log/export?{query}", "auditor")
        assert refused.status_code == 422, query
        assert refused.json["errors"][0]["path"] in query


def test_a_record_says_where_it_stands(api: Api, decided: list[dict[str, Any]]) -> None:
    """
    The record of a decision names its place and hash and that it verifies; one that is in the
    journal alone has none yet.
    """
    found = api.get(f"/v1/decisions/{decided[0]['decision_id']}").json["record"]["chain"]
    link = chain.of_subject(api.parts.store, "example", "decision", decided[0]["decision_id"])
    assert link is not None
    assert (found["place"], found["hash"], found["verifies"]) == (link.place, link.hash, True)
    assert found["sealed_at"] is not None
    fresh = api.post("/v1/decisions", {**CALL, "call_id": "log-fresh"}).json
    found = api.get(f"/v1/decisions/{fresh['decision_id']}").json["record"]["chain"]
    assert found == {"place": None, "hash": None, "sealed_at": None, "verifies": None}


@pytest.mark.usefixtures("decided")
def test_a_verification_is_asked_for_and_read(api: Api) -> None:
    """
    It is accepted, done by the worker, and its result stands where it was promised, for the agency
    alone.
    """
    asked = api.post("/v1/log/verifications", {}, "auditor")
    assert asked.status_code == 202
    place = asked.headers["Location"]
    assert api.get(place, "auditor").json["state"] == "requested"
    ship(api.parts)
    seal(api)
    assert logs.work(api.parts.store, api.parts.now, lambda: 0.0) is not None
    found = api.get(place, "auditor").json
    assert (found["state"], found["good"], found["fault"]) == ("done", True, None)
    assert api.get("/v1/log", "auditor").json["last_whole_verification"] == found
    assert api.get("/v1/log/verifications/nothing", "auditor").status_code == 404
    assert api.parts.logs.find("other", found["verification_id"]) is None
    assert api.parts.logs.request(command_line("example")).whole


def test_a_log_that_cannot_be_noted_does_not_leave(
    api: Api, decided: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Where the trail takes no entry, as on a full disk, the export is a 503 without a line of it.
    """

    def full(*_: object) -> None:
        raise StoreUnavailableError("full, for a test")

    with monkeypatch.context() as patch:
        patch.setattr(audit, "create", full)
        refused = api.get("/v1/log/export", "auditor")
    assert (refused.status_code, refused.mimetype) == (503, "application/problem+json")
    assert decided[0]["decision_id"] not in refused.text
    assert api.get("/v1/log/export", "auditor").status_code == 200
