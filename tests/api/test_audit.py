"""
Prove that the trail says who read and changed what, is searched, and gives nothing away.
"""

import csv
import datetime as dt
import io
from urllib.parse import quote

import pytest

from service.store import audit
from tests.api.conftest import CALL, Api
from tests.api.reporting import decided
from tests.api.test_people import send

SECRET_WORDS = ("SON", "SUICIDE, DENIES")


def test_reads_of_calls_leave_an_entry_without_a_word_of_them(api: Api) -> None:
    """
    Who reads a decision, a call or an export is noted, and no words of the call are.
    """
    made = decided(api, "audit-1", CALL["facts"])["decision_id"]
    assert api.get(f"/v1/decisions/{made}", "supervisor").status_code == 200
    assert api.get("/v1/calls/audit-1").status_code == 200
    assert api.get("/v1/decisions/export?format=csv&call_id=audit-1", "auditor").status_code == 200
    trail = send(api, "GET", "/v1/audit").json["items"]
    told = [(one["act"], one["subject"]["kind"], one["role"]) for one in trail[:3]]
    assert told == [
        ("exported", "decisions", "auditor"),
        ("read", "call", "dispatch"),
        ("read", "decision", "supervisor"),
    ]
    assert trail[0]["detail"] == {"filters": {"call_id": "audit-1"}}
    assert trail[2]["subject"]["id"] == made
    assert trail[2]["address"] == "127.0.0.1"
    assert not any(word in str(trail) for word in SECRET_WORDS)


def test_what_is_not_there_leaves_no_entry(api: Api) -> None:
    """
    A read that finds nothing, or is refused, is not noted as a read.
    """
    before = send(api, "GET", "/v1/audit").json["items"]
    assert api.get("/v1/decisions/nothing", "supervisor").status_code == 404
    assert api.get("/v1/calls/nothing", "other").status_code == 404
    assert api.get("/v1/decisions/export", "admin").status_code == 403
    assert send(api, "GET", "/v1/audit").json["items"] == before


def test_the_trail_is_searched_by_who_what_and_when(api: Api) -> None:
    """
    Each filter leaves only what meets it, and several must all hold.
    """
    made = decided(api, "audit-2", CALL["facts"])["decision_id"]
    api.get(f"/v1/decisions/{made}", "supervisor")
    one = send(api, "GET", f"/v1/audit?subject_id={made}").json["items"][0]
    at, later = one["at"], "2999-01-01T00:00:00Z"
    for query, is_found in (
        (f"who={quote(one['identity'])}", True),
        (f"who={quote(one['name'][1:-1].upper())}", True),
        ("who=nobody%25", False),
        ("act=read&subject_kind=decision", True),
        ("act=read&subject_kind=person", False),
        (f"from={quote(at)}", True),
        (f"to={quote(at)}", False),
        (f"from={later}", False),
    ):
        found = send(api, "GET", f"/v1/audit?subject_id={made}&{query}").json["items"]
        assert [entry["audit_id"] for entry in found] == ([one["audit_id"]] if is_found else [])


@pytest.mark.parametrize(
    "query",
    ["from=yesterday", "to=2026-11-23T02:15:00", "who=", "act=a%00b", "limit=0", "cursor=x", "x=1"],
)
def test_a_search_that_cannot_be_read_is_refused(api: Api, query: str) -> None:
    """
    A faulty filter is a 422, in the list and in the export.
    """
    assert send(api, "GET", f"/v1/audit?{query}").status_code == 422
    assert send(api, "GET", f"/v1/audit/export?{query}").status_code == 422


def test_pages_follow_each_other_to_the_end(api: Api) -> None:
    """
    Every entry stands on one page.
    """
    seen: list[str] = []
    path = "/v1/audit?limit=3"
    cursor = ""
    while cursor is not None:
        page = send(api, "GET", path + (f"&cursor={cursor}" if cursor else "")).json
        seen += [one["audit_id"] for one in page["items"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) > 3


def test_the_export_has_every_entry_and_runs_nothing(api: Api) -> None:
    """
    The CSV holds the whole search; a label that a spreadsheet would run is made harmless, and the
    export itself is noted.
    """
    body = {"label": "=cmd|' /C calc'!A0", "role": "dispatch"}
    key = send(api, "POST", "/v1/keys", body=body).json
    api.parts.surroundings.look()
    api.keys["formula"] = key["key"]
    made = decided(api, "audit-3", CALL["facts"])["decision_id"]
    api.get(f"/v1/decisions/{made}", "formula")
    answered = send(api, "GET", f"/v1/audit/export?subject_id={made}&act=read")
    assert answered.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answered.text)))
    assert [(row["act"], row["name"]) for row in rows] == [("read", "'" + body["label"])]
    last = send(api, "GET", "/v1/audit?act=exported&subject_kind=audit").json["items"][0]
    assert last["detail"] == {"filters": {"act": "read", "subject_id": made}}


def test_another_agencys_trail_is_its_own(api: Api) -> None:
    """
    Nobody reads what was done in another agency.
    """
    made = decided(api, "audit-4", CALL["facts"])["decision_id"]
    api.get(f"/v1/decisions/{made}")
    search = audit.Search(subject_id=made)
    assert audit.page(api.parts.store, "other", search)[0] == ()
    entry = audit.page(api.parts.store, "example", search)[0][0]
    assert entry.at <= dt.datetime.now(dt.UTC)
