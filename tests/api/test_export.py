"""
`/v1/decisions/export`: every decision that the filters leave, as CSV or as JSON lines.
"""

import csv
import io
import json
from typing import Any

import pytest
from sqlalchemy import Engine

from service.decision_export import COLUMNS
from service.errors import StoreUnavailableError
from service.spreadsheet import harmless
from service.store import decisions
from service.store.decision_fields import Filters
from service.store.decisions import Page
from tests.api.conftest import Api, ship

SECRET = "OKAPI WORDS"
CALM = {"caller": "with_person", "suicide": "plan", "weapon": "none", "violence": "none"}


@pytest.fixture(scope="module")
def calls(api: Api) -> dict[str, Any]:
    """
    Decide and store a few calls, with reports, and give the answers by call.
    """
    made = {}
    for call_id in ("plain", "=HYPERLINK(1)", "sent", "refused", "changed"):
        body = {"call_id": call_id, "facts": CALM, "remarks": SECRET}
        made[call_id] = api.post("/v1/decisions", body).json
    body = {"call_id": "short", "availability": {"mobile_crisis": False}}
    made["short"] = api.post("/v1/decisions", body).json
    api.post("/v1/decisions", {"call_id": "theirs", "remarks": SECRET}, "other")
    recommended = ["mobile_crisis", "988"]
    back = {"reason": "caller_refused", "call_back_at": "2999-01-01T00:00:00Z"}
    told = {"reason": "other", "comment": SECRET}
    for call_id, report in (
        ("sent", {"responders": recommended}),
        ("refused", {"responders": [], **back}),
        ("changed", {"responders": recommended}),
        ("changed", {"responders": ["ems", "co_responder"], **told}),
    ):
        path = f"/v1/decisions/{made[call_id]['decision_id']}/dispatch"
        assert api.post(path, report).status_code == 201
    ship(api.parts)
    return made


def rows(api: Api, query: str = "") -> list[dict[str, str]]:
    """
    Give the rows of the CSV.
    """
    response = api.get(f"/v1/decisions/export?format=csv{query}", "supervisor")
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


def test_csv_has_one_row_for_each_decision_newest_first(api: Api, calls: dict[str, Any]) -> None:
    """
    The columns are the promised ones, and a row says what was recommended and what was sent.
    """
    response = api.get("/v1/decisions/export", "supervisor")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="decisions.csv"'
    assert response.text.splitlines()[0] == ",".join(COLUMNS)
    found = {row["call_id"]: row for row in rows(api)}
    assert list(found) == ["short", "changed", "refused", "sent", "'=HYPERLINK(1)", "plain"]
    plain, answer = found["plain"], calls["plain"]
    assert plain == {
        "decision_id": answer["decision_id"],
        "call_id": "plain",
        "revision": "1",
        "decided_at": answer["decided_at"],
        "urgency": answer["recommendation"]["urgency"],
        "responders": "mobile_crisis 988",
        "fallback": "",
        "law_enforcement": "false",
        "rules": " ".join(one["rule"] for one in answer["because"]),
        "provisional": "true",
        "ruleset": "national-baseline",
        "version": "1",
        "mode": answer["mode"],
        "sent": "",
        **dict.fromkeys(("override", "reason", "withheld", "redisclosure_notice", "erased"), ""),
    }
    assert found["short"]["fallback"] == "stated_unavailable"
    sent = {
        name: (found[name]["sent"], found[name]["override"], found[name]["reason"])
        for name in ("sent", "refused", "changed")
    }
    assert sent == {
        "sent": ("mobile_crisis 988", "false", ""),
        "refused": ("nobody", "true", "caller_refused"),
        "changed": ("ems co_responder", "true", "other"),
    }


def test_json_lines_are_the_items_of_the_list(api: Api, calls: dict[str, Any]) -> None:
    """
    Each line is one summary document, the same as in the list and in its order.
    """
    response = api.get("/v1/decisions/export?format=jsonl", "auditor")
    assert response.mimetype == "application/jsonl"
    assert response.headers["Content-Disposition"] == 'attachment; filename="decisions.jsonl"'
    listed = api.get("/v1/decisions").json["items"]
    assert [json.loads(line) for line in response.text.splitlines()] == listed
    assert len(listed) == len(calls)


@pytest.mark.usefixtures("calls")
def test_the_filters_are_those_of_the_list(api: Api) -> None:
    """
    Filters leave the same in the export as in the list; others, and pages, are a 422.
    """
    for query in (
        *("overridden=true", "overridden=false", "fallback=true", "call_id=plain", "rule=nothing"),
        *("responder=ems", "reviewed=true", "from=2999-01-01T00:00:00Z"),
    ):
        listed = [one["decision_id"] for one in api.get(f"/v1/decisions?{query}").json["items"]]
        assert [row["decision_id"] for row in rows(api, f"&{query}")] == listed, query
    assert {row["call_id"] for row in rows(api, "&overridden=true")} == {"refused", "changed"}
    assert [row["call_id"] for row in rows(api, "&overridden=false")] == ["sent"]
    for query in ("format=xlsx", "cursor=x", "limit=5", "urgency=high", "since=1"):
        refused = api.get(f"/v1/decisions/export?{query}")
        assert refused.status_code == 422
        assert refused.json["errors"][0]["path"] in query


@pytest.mark.usefixtures("calls")
def test_no_words_about_a_person_are_exported(api: Api) -> None:
    """
    Neither remarks nor comments, open or sealed, nor another agency's calls stand in a file.
    """
    for form in ("csv", "jsonl"):
        text = api.get(f"/v1/decisions/export?format={form}").text
        assert SECRET not in text
        assert "enc:" not in text
        assert "theirs" not in text


@pytest.mark.usefixtures("calls")
def test_pages_of_the_store_follow_each_other(api: Api) -> None:
    """
    However small the pages that are held, every decision comes once and in order.
    """
    whole = [one["decision_id"] for one in api.get("/v1/decisions").json["items"]]
    for size in (1, 2, 6, 7):
        listed = api.parts.records.every("example", Filters(), size)
        assert [one.summary["decision_id"] for one in listed] == whole


@pytest.mark.usefixtures("calls")
def test_an_export_is_streamed(api: Api) -> None:
    """
    The body has no length before its end: it goes out row by row.
    """
    response = api.get("/v1/decisions/export")
    assert response.is_streamed
    assert "Content-Length" not in response.headers


@pytest.mark.usefixtures("calls")
def test_a_file_that_broke_off_says_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where the store goes away under way the last line tells it; away at the start it is a 503.
    """
    first = decisions.page(api.parts.store, "example", Filters(), None, 2)

    def broken(
        store: Engine, agency: str, filters: Filters, cursor: str | None, limit: int
    ) -> Page:
        if cursor is None:
            return first
        raise StoreUnavailableError("away")

    monkeypatch.setattr(decisions, "page", broken)
    lines = api.get("/v1/decisions/export").text.splitlines()
    assert len(lines) == 1 + 2 + 1
    assert lines[-1].startswith("incomplete: ")
    last = json.loads(api.get("/v1/decisions/export?format=jsonl").text.splitlines()[-1])
    assert (last["status"], last["type"]) == (503, "urn:crisis-router:problem:incomplete")

    def away(*args: object) -> Page:
        raise StoreUnavailableError("away")

    monkeypatch.setattr(decisions, "page", away)
    assert api.get("/v1/decisions/export").status_code == 503


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_cells_that_a_spreadsheet_would_run_are_made_harmless(start: str) -> None:
    """
    What starts like a formula gets an apostrophe before it; anything else stays as it is.
    """
    assert harmless(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"
    assert harmless(f"a{start}") == f"a{start}"
    assert harmless("") == ""
