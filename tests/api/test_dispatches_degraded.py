"""
Reports of what was sent where time has passed, the store is away, or several hosts take them.
"""

import datetime as dt
from pathlib import Path

import pytest

from tests.api.conftest import ship
from tests.api.reporting import ARMED, CALM, decided, faults, kinds, report, served


def test_a_repeat_is_known_after_its_call_back_has_passed(tmp_path: Path) -> None:
    """
    The same key and body is answered as before, though the time in it lies in the past by then.
    """
    clock = [dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)]
    with served(tmp_path, lambda: clock[0]) as api:
        decision_id = decided(api, "c", CALM)["decision_id"]
        back = "2026-11-24T12:30:00Z"
        body = {"responders": [], "reason": "caller_refused", "call_back_at": back}
        key = {"Idempotency-Key": "k"}
        assert report(api, decision_id, body, **key).status_code == 201
        clock[0] += dt.timedelta(hours=1)
        assert report(api, decision_id, body, **key).status_code == 200
        assert report(api, decision_id, body).status_code == 422


def test_a_report_is_taken_with_the_store_away(tmp_path: Path) -> None:
    """
    With the store down the journal alone judges and records a report; where other hosts take calls
    too, it says what could not be looked up.
    """
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    with served(tmp_path):
        pass
    away = {"database_url": nowhere, "store_wait_s_max": "0.2"}
    for hosts, codes in (("1", []), ("2", ["revisions_not_known"])):
        with served(tmp_path, hosts=hosts, **away) as api:
            decided(api, f"down-{hosts}", ARMED)
            call = decided(api, f"down-{hosts}", CALM)
            body = {"responders": kinds(call)}
            assert "reason" in faults(report(api, call["decision_id"], body))
            body["reason"] = "scene_changed"
            taken = report(api, call["decision_id"], body)
            assert taken.status_code == 201
            assert [one["code"] for one in taken.json["warnings"]] == codes
            found = api.get(f"/v1/decisions/{call['decision_id']}").json["dispatches"]
            assert [one["dispatch_id"] for one in found] == [taken.json["dispatch_id"]]
            assert report(api, "0" * 32, body).status_code == 503


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_hosts_know_of_each_others_revisions_and_reports(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    """
    A report told to another host than the decision is judged by what the store knows, and both
    hosts show it once it is stored.
    """
    address = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    if kind == "postgresql":
        address = str(request.getfixturevalue("postgres_url"))
    shared = {"database_url": address, "hosts": "2"}
    homes = tmp_path / "a", tmp_path / "b"
    with served(homes[0], **shared) as first:
        homes[1].mkdir()
        for name in ("credentials.json", "encryption_keys"):
            (homes[1] / name).write_bytes((homes[0] / name).read_bytes())
        with served(homes[1], **shared) as second:
            decided(first, "both", ARMED)
            ship(first.parts)
            call = decided(second, "both", CALM)
            ship(second.parts)
            body = {"responders": kinds(call)}
            for host in (first, second):
                owed = faults(report(host, call["decision_id"], body))
                assert "`ems`, `co_responder`" in owed["reason"]["message"]
            body |= {"reason": "other", "comment": "all calm"}
            assert report(first, call["decision_id"], body).status_code == 201
            ship(first.parts)
            for host in (first, second):
                found = host.get(f"/v1/decisions/{call['decision_id']}").json["dispatches"]
                assert [one["comment"] for one in found] == ["all calm"]
                items = host.get("/v1/decisions?overridden=false").json["items"]
                assert [one["decision_id"] for one in items] == [call["decision_id"]]
                exported = host.get("/v1/decisions/export?overridden=false&format=csv").text
                assert ",mobile_crisis 988,false,other," in exported.splitlines()[1]
