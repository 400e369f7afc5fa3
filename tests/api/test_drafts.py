"""
Drafts over the API: two administrators at once, and everything that is no ruleset.
"""

import itertools
import time

import pytest
import yaml

from tests.api.rule_writing import BASELINE, Desk, rules, shared, small

__all__ = ["rules", "shared"]


def codes(answered: object) -> list[str]:
    """
    Give the codes of the problems that a save told.
    """
    return [one["code"] for one in answered.json["problems"]]  # type: ignore[attr-defined]  # of the test client


def test_two_administrators_edit_one_draft(rules: Desk) -> None:
    """
    The second to save learns who saved and when, and loses nothing; without a tag nobody saves over
    a draft.
    """
    first = rules.save(small(), who="admin")
    assert first.status_code == 200
    tag = first.headers["ETag"]
    assert rules.ask("GET", f"{BASELINE}/draft").headers["ETag"] == tag
    second = rules.save(small(urgency="urgent"), who="second_admin", tag=tag)
    assert second.status_code == 200
    late = rules.save(small(urgency="routine"), who="admin", tag=tag)
    assert late.status_code == 412
    assert late.json["code"] == "draft_changed"
    assert late.json["saved_by"] == "Second Administrator"
    assert late.json["saved_at"].endswith("Z")
    unnamed = rules.save(small(), who="admin")
    assert (unnamed.status_code, unnamed.json["code"]) == (428, "if_match_missing")
    held = rules.ask("GET", f"{BASELINE}/draft").json
    assert held["content"]["needs"][0]["urgency"] == "urgent"
    assert [one["name"] for one in held["authors"]] == [
        "Example Administrator",
        "Second Administrator",
    ]
    assert rules.ask("DELETE", f"{BASELINE}/draft", headers={"If-Match": tag}).status_code == 412


def test_a_draft_may_name_the_version_it_begins_with(rules: Desk) -> None:
    """
    Without a draft `If-Match` is the tag of the live version, or none.
    """
    tag = rules.ask("GET", BASELINE).headers["ETag"]
    assert rules.save(small(), tag='"something-else"').status_code == 412
    assert rules.save(small(), tag=tag).status_code == 200


def test_json_and_yaml_are_the_same(rules: Desk) -> None:
    """
    A ruleset saved as JSON is given as YAML, and the other way round, with one digest.
    """
    content = yaml.safe_load(small())
    as_json = rules.ask("PUT", f"{BASELINE}/draft", json=content)
    assert as_json.status_code == 200
    given = rules.ask("GET", f"{BASELINE}/draft", headers={"Accept": "application/yaml"})
    assert given.mimetype == "application/yaml"
    assert yaml.safe_load(given.text) == content
    as_yaml = rules.save(given.text, tag=as_json.headers["ETag"])
    assert as_yaml.json == as_json.json == {"digest": as_json.json["digest"], "problems": []}


def test_problems_name_rule_line_and_the_nearest_word(rules: Desk) -> None:
    """
    A draft with problems is kept, and each problem says where it is and what would be right.
    """
    text = small().replace("lead: mobile_crisis", "lead: mobile_crisi").replace("why:", "wy:")
    saved = rules.save(text)
    assert saved.status_code == 200
    found = {one["code"]: one for one in saved.json["problems"]}
    assert found["bad_value"]["rule"] == "somebody-comes"
    assert found["bad_value"]["line"] == 4
    assert found["bad_value"]["suggestion"] == "mobile_crisis"
    assert found["unknown_key"]["suggestion"] == "why"
    checked = rules.check()
    assert checked["state"] == "done"
    assert len(checked["result"]["problems"]) == len(saved.json["problems"])
    refused = rules.approve(digest=saved.json["digest"])
    assert (refused.status_code, refused.json["code"]) == (409, "check_failed")


def test_the_five_shapes_are_said_in_words(rules: Desk) -> None:
    """
    A rule that answers a mark with police is refused for its shape, in words.
    """
    text = rules.text().replace(
        "- id: told-to-harm-others\n    when: {",
        "- id: told-to-harm-others\n    when: {psychosis: true, ",
        1,
    )
    saved = rules.save(text)
    assert [one["code"] for one in saved.json["problems"]] == ["shape_4_mark"]
    assert "who somebody is brings no police" in saved.json["problems"][0]["message"]
    assert saved.json["problems"][0]["line"] > 1


def bomb() -> str:
    """
    Write YAML that would be nine thousand million words if it were read.
    """
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    names = "abcdefghij"
    for before, name in itertools.pairwise(names):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (bomb(), "yaml_anchor"),
        ("name: x\nneeds: &n []\nhazards: *n\n", "yaml_anchor"),
        ("name: !!python/object/apply:os.system ['true']\n", "yaml_tag"),
        ("name: !!binary aGk=\n", "yaml_tag"),
        ("[" * 40 + "]" * 40, "too_deep"),
        ("name: a\nname: b\n", "key_twice"),
        ("name: [unclosed\n", "not_yaml"),
        ("one: 1\n--- \ntwo: 2\n", "not_yaml"),
        ("\t- a", "not_yaml"),
        ("", "not_a_ruleset"),
        ("just words", "not_a_ruleset"),
        ("[]", "not_a_ruleset"),
        ("name: .nan\n", "bad_value"),
        ("name: 99999999999999999999\n", "bad_value"),
        ('name: "\\0"\n', "bad_value"),
        ('name: "\\ud800"\n', "not_yaml"),
        ("name: somebody-else\nneeds: []\n", "other_name"),
        ("name: national-baseline\nextend: other@1\nneeds: []\n", "not_resolved"),
    ],
)
def test_what_is_no_ruleset_is_kept_and_said(rules: Desk, text: str, code: str) -> None:
    """
    Whatever stands in a text, it is kept as it was written and its problem has a code; nothing of
    it is carried out.
    """
    started = time.perf_counter()
    saved = rules.save(text)
    assert saved.status_code == 200, saved.text
    assert code in codes(saved)
    assert time.perf_counter() - started < 2
    held = rules.ask("GET", f"{BASELINE}/draft").json
    assert held["content"] is not None or held["text"] == text
    assert rules.check()["result"]["problems"]


def test_a_ruleset_of_20000_rules_is_refused_at_once(rules: Desk) -> None:
    """
    More rules than a ruleset may have are a problem, found without reading them.
    """
    many = "name: national-baseline\nneeds:\n" + "".join(f"  - id: r-{n}\n" for n in range(20_000))
    started = time.perf_counter()
    saved = rules.save(many)
    assert (saved.status_code, codes(saved)) == (200, ["too_many_rows"])
    assert time.perf_counter() - started < 2
    rows = [{"id": f"r-{n}"} for n in range(20_000)]
    as_json = rules.ask(
        "PUT",
        f"{BASELINE}/draft",
        json={"name": "national-baseline", "needs": rows},
        headers={"If-Match": saved.headers["ETag"]},
    )
    assert codes(as_json) == ["too_many_rows"]


def test_a_ruleset_of_five_megabytes_is_too_large(rules: Desk) -> None:
    """
    A body above the limit is a 413, as YAML, as JSON and as scenarios.
    """
    large = "# " + "x" * 5_000_000
    assert rules.save(large).status_code == 413
    as_json = rules.ask("PUT", f"{BASELINE}/draft", json={"name": large})
    assert as_json.status_code == 413
    given = rules.ask("PUT", f"{BASELINE}/draft/scenarios", json={"scenarios": [large]})
    assert given.status_code == 413
    assert rules.save(small() + "# " + "x" * 1_000_000).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"name: a", "text/plain", 415),
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"a": 1, "a": 2}', "application/json", 400),
        (b"[]", "application/json", 422),
        (b'"\\ud800"', "application/json", 400),
        (b"\xff\xfe", "application/yaml", 400),
    ],
)
def test_a_body_that_cannot_be_read(rules: Desk, body: bytes, kind: str, status: int) -> None:
    """
    What is neither YAML nor JSON is refused with the status of its fault, and nothing is saved.
    """
    answered = rules.ask("PUT", f"{BASELINE}/draft", data=body, content_type=kind)
    assert answered.status_code == status
    assert rules.ask("GET", f"{BASELINE}/draft").status_code == 404


def test_scenarios_travel_with_the_draft(rules: Desk) -> None:
    """
    A draft begins with the scenarios of the live version; one that fails must be accepted by name.
    """
    rules.save(rules.text())
    held = rules.ask("GET", f"{BASELINE}/draft/scenarios")
    scenarios = held.json["scenarios"]
    wrong = {
        "id": "review-1",
        "name": "A finding",
        "source": "review",
        "facts": {"caller": "self", "suicide": "ideation"},
        "expect": [["law_enforcement"]],
    }
    tag = held.headers["ETag"]
    path = f"{BASELINE}/draft/scenarios"
    saved = rules.ask(
        "PUT", path, json={"scenarios": [*scenarios, wrong]}, headers={"If-Match": tag}
    )
    assert (saved.status_code, saved.json["count"]) == (200, len(scenarios) + 1)
    stale = rules.ask("PUT", path, json=scenarios, headers={"If-Match": tag})
    assert stale.status_code == 412
    checked = rules.check()
    assert checked["result"]["scenarios"]["failed"] == ["review-1"]
    digest = checked["digest"]
    refused = rules.approve(digest=digest)
    assert (refused.status_code, refused.json["code"]) == (409, "check_failed")
    assert "review-1" in refused.json["detail"]
    assert rules.approve(digest=digest, accepts=["review-1"]).status_code == 200
    again = rules.ask("PUT", path, json={"scenarios": scenarios})
    assert again.status_code == 200
    assert rules.ask("GET", f"{BASELINE}/draft").json["approval"] is None
    assert rules.approve(digest=digest).json["code"] == "not_checked"


@pytest.mark.parametrize(
    ("scenario", "path"),
    [
        ({}, "scenarios[0].id"),
        ({"facts": {"weapn": "none"}}, "scenarios[0].facts.weapn"),
        ({"facts": 5}, "scenarios[0].facts"),
        ({"expect": []}, "scenarios[0].expect"),
        ({"expect": [["swat"]]}, "scenarios[0].expect[0]"),
        ({"never": "ems"}, "scenarios[0].never"),
        ({"available": {"ems": "no"}}, "scenarios[0].available"),
        ({"incident_type": 5}, "scenarios[0].incident_type"),
        ({"asks": ["weapn"]}, "scenarios[0].asks"),
        ({"id": "\0"}, "scenarios[0].id"),
        ({"extra": 1}, "scenarios[0].extra"),
        ([], "scenarios[0]"),
    ],
)
def test_a_scenario_with_faults_is_not_saved(rules: Desk, scenario: object, path: str) -> None:
    """
    Every fault of a scenario is named by its path, and nothing is saved.
    """
    answered = rules.ask("PUT", f"{BASELINE}/draft/scenarios", json={"scenarios": [scenario]})
    assert answered.status_code == 422
    assert path in [one["path"] for one in answered.json["errors"]]
    assert rules.ask("GET", f"{BASELINE}/draft").status_code == 404


def test_a_name_that_no_ruleset_can_have_is_a_fault(rules: Desk) -> None:
    """
    A draft of a ruleset whose name has capitals and a space is refused, and the fault is its name.
    """
    refused = rules.save(small(), name="New%20Name")
    assert refused.status_code == 422
    assert [one["path"] for one in refused.json["errors"]] == ["name"]
