"""
`/readyz` for a key: where records are and whether the log verifies; and another try for what is in
quarantine.
"""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from service.host.first_start import prepare
from service.store import chain
from tests.api.conftest import CALL, Api, ship
from tests.api.test_degraded import NOWHERE, served, settings_of
from tests.quarantining import REASON, bug_of_ours, quarantine_all


@pytest.fixture(scope="module")
def place(api: Api) -> str:
    """
    Store a call, put another into quarantine, and give where it may be tried again.
    """
    assert api.post("/v1/decisions", {**CALL, "call_id": "stored"}).status_code == 201
    ship(api.parts)
    made = api.post("/v1/decisions", {**CALL, "call_id": "poison", "remarks": "OKAPI"})
    assert made.status_code == 201
    ((host_id, number),) = quarantine_all(api.parts)
    while chain.seal(api.parts.store, api.parts.now(), 1_000):
        pass
    return f"/v1/quarantine/{host_id}/{number}/retry"


def test_a_key_is_told_where_records_are(api: Api, place: str) -> None:
    """
    Journals, quarantine and the log are told to any key of the agency, without a word of a call;
    without a key nothing of it is.
    """
    told = api.get("/readyz").json
    own = told["journals"]["here"]
    assert own["not_stored"] == 0
    assert own["bytes_used"] < own["bytes_max"]
    (journal,) = told["journals_in_store"]["newest"]
    assert (journal["host_id"], journal["through"], journal["highest"]) == (own["host_id"], 2, 2)
    assert journal["missing"] is None
    (kept,) = told["quarantine"]["newest"]
    assert (kept["reason"], kept["kind"]) == (REASON, "decision")
    assert f"/{kept['host_id']}/{kept['number']}/" in place
    assert told["log"] == api.get("/v1/log", "auditor").json
    assert "OKAPI" not in api.get("/readyz").text
    assert "journals" not in api.client.get("/readyz").json


def test_a_decision_in_quarantine_is_said_to_be_there(api: Api, place: str) -> None:
    """
    Whoever reads or replays it, by the id that answered the call, is told that it is in quarantine,
    and where; another agency is told that it has no such decision.
    """
    (kept,) = api.get("/readyz").json["quarantine"]["newest"]
    api.parts.journal.forget(api.parts.now() + dt.timedelta(days=60))
    path = f"/v1/decisions/{kept['record_id']}"
    for told in (api.get(path), api.post(f"{path}/replay", {}, "supervisor")):
        assert told.status_code == 404
        assert told.json["type"].endswith(":in-quarantine")
        assert told.json["record"] == {"host": kept["host_id"], "number": kept["number"]}
        command = f"crisis-router quarantine show {kept['host_id']} {kept['number']}"
        assert command in told.json["detail"]
        assert "OKAPI" not in told.text
    other = api.get(path, "other")
    assert (other.status_code, other.json["type"].endswith("no-such-decision")) == (404, True)
    assert kept["host_id"] in place


def test_another_agency_sees_nothing_of_ours(api: Api, place: str) -> None:
    """
    Neither its quarantine nor its log holds anything of ours.
    """
    told = api.get("/readyz", "other").json
    assert told["quarantine"]["newest"] == []
    assert told["quarantine"]["count"] == 0
    assert told["log"]["place"] == 0
    assert api.post(place, None, "other").status_code == 403


def test_a_record_is_stored_again(api: Api, place: str) -> None:
    """
    While the program still cannot read it it stays, with the reason; then it is stored, once.
    """
    with bug_of_ours():
        stays: dict[str, Any] = api.post(place, None, "admin").json
    assert (stays["stored"], stays["reason"]) == (False, REASON)
    done = api.post(place, None, "admin").json
    assert (done["stored"], done["reason"]) == (True, None)
    assert api.get(f"/v1/decisions/{done['record_id']}").json["record"]["state"] == "stored"
    again = api.post(place, None, "admin")
    assert (again.status_code, again.json["type"]) == (
        409,
        "urn:crisis-router:problem:already-stored",
    )
    assert api.get("/readyz").json["quarantine"]["count"] == 0
    listed = api.get("/v1/audit", "auditor").json["items"]
    (entry,) = [one for one in listed if one["act"] == "stored out of quarantine"]
    assert entry["subject"] == {"kind": "decision", "id": done["record_id"]}


def test_a_record_is_left_there_for_good(api: Api) -> None:
    """
    It counts apart, degrades nothing, can be said again, and can still be stored; the trail has it
    once.
    """
    assert api.post("/v1/decisions", {**CALL, "call_id": "for-good"}).status_code == 201
    ((host_id, number),) = quarantine_all(api.parts)
    place, there = (f"/v1/quarantine/{host_id}/{number}/{act}" for act in ("retry", "leave"))
    assert api.post(there, None, "supervisor").status_code == 403
    assert api.post(there, None, "other").status_code == 403
    for _ in range(2):
        assert api.post(there, None, "admin").json["left"] is True
    api.parts.surroundings.look()
    told = api.get("/readyz").json
    assert (told["quarantine"]["count"], told["quarantine"]["left"]) == (0, 1)
    assert told["journal"]["quarantined"] == 0
    assert not [one for one in told["degraded"] if one["part"] == "quarantine"]
    acts = [one["act"] for one in api.get("/v1/audit", "auditor").json["items"]]
    assert acts.count("left in quarantine") == 1
    assert api.post(place, None, "admin").json["stored"] is True
    refused = api.post(there, None, "admin")
    assert refused.json["type"] == "urn:crisis-router:problem:already-stored"
    assert api.post("/v1/quarantine/nowhere/1/leave", None, "admin").status_code == 404


def test_what_the_store_knows_is_null_while_it_is_away(tmp_path: Path) -> None:
    """
    A key is told what this host knows, and null for the rest; also where its journal cannot be
    read.
    """
    home = tmp_path / "home"
    prepare(settings_of(home))
    with served(settings_of(home)):
        pass  # one look at the store is kept on disk
    secret = json.loads((home / "credentials.json").read_text())["supervisor_key"]
    key = {"Authorization": f"Bearer {secret}"}
    with served(settings_of(home, database_url=NOWHERE, store_wait_s_max="0.2")) as client:
        told = client.get("/readyz", headers=key).json
        assert (told["journals_in_store"], told["quarantine"], told["log"]) == (None, None, None)
        assert told["journals"]["here"]["not_stored"] == 0
        journal = home / "journal.sqlite"
        journal.unlink()
        journal.mkdir()
        told = client.get("/readyz", headers=key).json
        assert told["journals"]["here"] is None
        assert told["journal"] == {"not_stored": None, "oldest_s": None, "quarantined": None}
        assert any("cannot be read" in one["text"] for one in told["degraded"])
