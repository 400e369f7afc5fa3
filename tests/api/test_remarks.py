"""
Prove where the words of a remark are kept, and that an agency can have them kept nowhere.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from service.access import command_line
from tests.api.conftest import Api, ship

SECRET = "ZEBRA CROSSING, HE HAS A SHOTGUN"
KEYED = {"Idempotency-Key": "forgotten-1"}
CODED = {"registry": "seattle", "code": "WEAPON, PERSON WITH - GUN"}


def set_agency(api: Api, **told: Any) -> None:
    """
    Set some of what the agency sets; the rest stays.
    """
    actor = command_line("example")
    held = api.parts.agencies.find(actor)
    assert held is not None
    names = ("name", "time_zone", "dispatch_reasons", "review", "keep_remarks")
    api.parts.agencies.change(actor, {name: held[name] for name in names} | told, None)
    api.parts.surroundings.look()


@pytest.fixture
def forgetful(api: Api) -> Iterator[Api]:
    """
    Let the agency keep no remarks for one test.
    """
    set_agency(api, keep_remarks=False)
    yield api
    set_agency(api, keep_remarks=True)


def on_disk(api: Api) -> bytes:
    """
    Give every byte that the service has written: journal, store, logs and whatever else.
    """
    files = (path for path in api.parts.settings.home.rglob("*") if path.is_file())
    return b"".join(path.read_bytes() for path in files)


def test_a_remark_is_kept_sealed(api: Api) -> None:
    """
    At first a remark is kept, to be read again with the record, and stands nowhere as it was
    written: not in the journal, not in the store.
    """
    body = {"call_id": "kept", "remarks": SECRET}
    made = api.post("/v1/decisions", body).json["decision_id"]
    ship(api.parts)
    request = api.get(f"/v1/decisions/{made}").json["request"]
    assert request["remarks"] == SECRET
    assert "remarks_kept" not in request
    assert SECRET.encode() not in on_disk(api)


def test_a_remark_that_is_not_kept_is_written_nowhere(forgetful: Api) -> None:
    """
    Where the agency keeps no remarks, none is in the journal, in what goes to the queue, or in the
    store, sealed or not; the record says that there was one, and holds its signals.
    """
    body = {"call_id": "forgotten", "remarks": SECRET, "incident_type": CODED}
    answer = forgetful.post("/v1/decisions", body).json
    sent = [one for one in forgetful.parts.journal.unstored(1_000) if one.call_id == "forgotten"]
    assert [json.loads(one.body)["request"]["remarks"] for one in sent] == [None]
    assert "enc:" not in str(sent)
    ship(forgetful.parts)
    assert SECRET.encode() not in on_disk(forgetful)
    record = forgetful.get(f"/v1/decisions/{answer['decision_id']}").json
    assert record["record"]["state"] == "stored"
    assert (record["request"]["remarks"], record["request"]["remarks_kept"]) == (None, False)
    assert record["signals"] == answer["signals"] != []


def test_a_setting_that_is_left_out_stays(forgetful: Api) -> None:
    """
    Who sets the rest over the API and does not name `keep_remarks` does not turn it on again.
    """
    headers = {"Authorization": f"Bearer {forgetful.keys['admin']}"}
    shown = forgetful.client.get("/v1/agency", headers=headers)
    names = ("name", "time_zone", "dispatch_reasons", "review")
    body = {name: shown.json[name] for name in names}
    headers["If-Match"] = shown.headers["ETag"]
    changed = forgetful.client.put("/v1/agency", json=body, headers=headers)
    assert (changed.status_code, changed.json["keep_remarks"]) == (200, False)


def test_a_call_without_a_remark_says_nothing_of_one(forgetful: Api) -> None:
    """
    No remark, or an empty one, leaves no trace of one that was not kept.
    """
    for told in ({}, {"remarks": ""}, {"remarks": None}):
        made = forgetful.post("/v1/decisions", {"call_id": "none", **told}).json["decision_id"]
        request = forgetful.get(f"/v1/decisions/{made}").json["request"]
        assert "remarks_kept" not in request


def test_the_answer_is_the_same_whether_the_remark_is_kept(api: Api) -> None:
    """
    What is kept changes nothing of what is recommended, or of what was signalled.
    """
    body = {"call_id": "same", "remarks": SECRET, "incident_type": CODED}
    kept = api.post("/v1/decisions", body).json
    set_agency(api, keep_remarks=False)
    forgotten = api.post("/v1/decisions", body).json
    set_agency(api, keep_remarks=True)
    for name in ("recommendation", "because", "signals", "note", "warnings"):
        assert forgotten[name] == kept[name]


def test_a_repeat_is_known_by_a_remark_that_was_not_kept(forgetful: Api) -> None:
    """
    The same key and body is the same decision; with another remark it is a 409.
    """
    body = {"call_id": "repeat", "remarks": SECRET}
    first = forgetful.post("/v1/decisions", body, **KEYED)
    again = forgetful.post("/v1/decisions", body, **KEYED)
    other = forgetful.post("/v1/decisions", {**body, "remarks": "else"}, **KEYED)
    assert [first.status_code, again.status_code, other.status_code] == [201, 200, 409]
    assert again.json == first.json
