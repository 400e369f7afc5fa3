"""
Prove that an agency's settings are changed whole, by one person at a time, and are really used.
"""

from typing import Any

import pytest

from tests.api.conftest import Api
from tests.api.reporting import decided, faults, report
from tests.api.test_people import acts_on, send

CALM = {"caller": "with_person", "suicide": "plan", "weapon": "none", "violence": "none"}


def put(api: Api, body: Any, tag: str | None, role: str = "admin") -> Any:
    """
    Set the agency's settings with the tag of those that were read.
    """
    headers = {"Authorization": f"Bearer {api.keys[role]}"}
    if tag is not None:
        headers["If-Match"] = tag
    return api.client.put("/v1/agency", json=body, headers=headers)


def settable(api: Api) -> tuple[dict[str, Any], str]:
    """
    Give what can be set as it is now, and its tag.
    """
    shown = send(api, "GET", "/v1/agency")
    assert shown.status_code == 200
    names = ("name", "time_zone", "dispatch_reasons", "review", "keep_remarks", "retention")
    return {name: shown.json[name] for name in names}, shown.headers["ETag"]


def test_settings_are_changed_by_one_person_at_a_time(api: Api) -> None:
    """
    A change needs the tag of what was read: without it 428, with an old one 412, nothing lost.
    """
    body, tag = settable(api)
    body["time_zone"] = "America/Los_Angeles"
    body["review"]["sample_percent"] = 3.5
    assert put(api, body, None).status_code == 428
    changed = put(api, body, tag)
    assert changed.status_code == 200
    assert changed.json["time_zone"] == "America/Los_Angeles"
    assert changed.json["review"]["sample_percent"] == 3.5
    refused = put(api, {**body, "name": "Mine"}, tag)
    assert refused.status_code == 412
    assert settable(api)[0]["name"] == body["name"]
    assert put(api, {**body, "name": "Alder"}, changed.headers["ETag"]).json["name"] == "Alder"
    assert acts_on(api, "example") == ["changed settings", "changed settings"]
    entry = send(api, "GET", "/v1/audit?subject_kind=agency").json["items"][-1]
    assert entry["detail"]["review"] == {"sample_percent": {"before": 2, "after": 3.5}}


def test_reasons_of_the_agency_are_used_at_once(api: Api) -> None:
    """
    A report must name a reason of its own agency, and the 422 lists those.
    """
    body, tag = settable(api)
    reasons = [{"id": "too_far_by_road", "label": "Too far."}, {"id": "other", "label": "Other."}]
    assert put(api, {**body, "dispatch_reasons": reasons}, tag).status_code == 200
    api.parts.surroundings.look()
    made = decided(api, "agency-1", CALM)["decision_id"]
    refused = faults(report(api, made, {"responders": ["ems"], "reason": "closer_unit"}))
    assert refused["reason"]["allowed"] == ["too_far_by_road", "other"]
    sent = report(api, made, {"responders": ["ems"], "reason": "too_far_by_road"})
    assert sent.status_code == 201
    body, tag = settable(api)
    standing = api.parts.rules.config.agency.dispatch_reasons
    listed = [{"id": name, "label": label} for name, label in standing.items()]
    assert put(api, {**body, "dispatch_reasons": listed}, tag).status_code == 200
    api.parts.surroundings.look()
    assert "dispatch_reasons" not in api.parts.surroundings.seen.agencies["example"].settings


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"time_zone": "Mars/Olympus"}, {"time_zone"}),
        ({"time_zone": "x" * 100_000, "name": ""}, {"time_zone", "name"}),
        ({"time_zone": None, "name": "a\0b"}, {"time_zone", "name"}),
        ({"dispatch_reasons": []}, {"dispatch_reasons"}),
        ({"dispatch_reasons": [{"id": "x", "label": "X"}]}, {"dispatch_reasons"}),
        (
            {"dispatch_reasons": [{"id": "A b", "label": ""}, {"id": "other"}]},
            {
                "dispatch_reasons[0].id",
                "dispatch_reasons[0].label",
                "dispatch_reasons[1].label",
            },
        ),
        (
            {"dispatch_reasons": [{"id": "other", "label": "a"}, {"id": "other", "label": "b"}]},
            {"dispatch_reasons"},
        ),
        ({"review": {}}, None),
        ({"review": 1}, {"review"}),
        ({"more": 1}, {"more"}),
    ],
)
def test_every_fault_of_the_settings_is_named(
    api: Api, change: dict[str, Any], paths: set[str] | None
) -> None:
    """
    What cannot be set is a 422 that names each place, and nothing is changed.
    """
    body, tag = settable(api)
    refused = put(api, {**body, **change}, tag)
    assert refused.status_code == 422
    found = {one["path"] for one in refused.json["errors"]}
    assert found == ({f"review.{name}" for name in body["review"]} if paths is None else paths)
    assert settable(api) == (body, tag)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sample_percent", 101),
        ("sample_percent", "2"),
        ("sample_per_week", 1.5),
        ("sample_per_week", True),
        ("due_days", 0),
        ("claim_minutes", 10**30),
        ("override", 1),
    ],
)
def test_a_review_rule_out_of_its_limits_is_refused(api: Api, name: str, value: Any) -> None:
    """
    Each number has its least and its most, and is no other type.
    """
    body, tag = settable(api)
    refused = put(api, {**body, "review": {**body["review"], name: value}}, tag)
    assert refused.status_code in (400, 422)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("remarks_days", 0),
        ("remarks_days", 1.5),
        ("remarks_days", True),
        ("decisions_years", 0),
        ("decisions_years", 101),
        ("decisions_years", "6"),
    ],
)
def test_a_retention_out_of_its_limits_is_refused(api: Api, name: str, value: Any) -> None:
    """
    Nothing is kept for less than a day or a year, and no slip keeps it for ever.
    """
    body, tag = settable(api)
    refused = put(api, {**body, "retention": {**body["retention"], name: value}}, tag)
    assert refused.status_code == 422
    assert [one["path"] for one in refused.json["errors"]] == [f"retention.{name}"]


def test_a_retention_is_set_and_kept_where_it_is_not_named(api: Api) -> None:
    """
    What an agency sets holds, its defaults are 90 days and six years, and who does not name it
    does not change it.
    """
    body, tag = settable(api)
    assert body["retention"] == {"remarks_days": 90, "decisions_years": 6}
    wanted = {"remarks_days": 30, "decisions_years": 7}
    assert put(api, {**body, "retention": wanted}, tag).status_code == 200
    unnamed = {name: value for name, value in body.items() if name != "retention"}
    changed = put(api, unnamed, settable(api)[1])
    assert (changed.status_code, changed.json["retention"]) == (200, wanted)
    assert put(api, body, settable(api)[1]).json["retention"] == body["retention"]
    api.parts.surroundings.look()
    assert "retention" not in api.parts.surroundings.seen.agencies["example"].settings


def test_everybody_reads_the_settings_and_another_agency_has_its_own(api: Api) -> None:
    """
    A dispatch key reads the reasons that it may give; each agency sees its own.
    """
    for role in ("dispatch", "supervisor", "auditor"):
        assert send(api, "GET", "/v1/agency", role).status_code == 200
    assert send(api, "GET", "/v1/agency", "other").json["agency_id"] == "other"
