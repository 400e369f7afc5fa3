"""
`POST /v1/eido` against what a careless or hostile sender makes of it: never a 500, and help
wherever help can be given.
"""

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.decisions import Decisions
from service.eido.words import read_words
from service.errors import JournalUnavailableError
from service.journal import Journal
from service.rulesets import load_config
from tests.api.conftest import Api
from tests.eido.conftest import AT, EXAMPLES, ID, codes, document, example, note
from tests.eido.test_location import located, pidf

NO_TYPE = [None, 7, -0.5, True, "x", "", [], {}, [[]], [None], {"$ref": {"$ref": "x"}}, "\0", "🌊"]


@pytest.mark.parametrize(
    "body",
    [{}, {"$id": None}, {"$id": ""}, {"$id": 7}, {"$id": "x" * 201}, {"$id": "a\0b"}, {"$id": []}],
)
def test_a_document_without_a_usable_id_is_a_422_that_names_it(api: Api, body: Any) -> None:
    """
    The only fault of a document is its id; the answer is problem+json with its path.
    """
    response = api.post("/v1/eido", {**document("x"), "$id": None} | body)
    assert response.status_code == 422
    assert response.mimetype == "application/problem+json"
    assert [one["path"] for one in response.json["errors"]] == ["$id"]


@pytest.mark.parametrize("body", [[], "text", 7, None, [{"$id": "x"}]])
def test_what_is_no_object_is_a_422(api: Api, body: Any) -> None:
    """
    A JSON value that is no object is told so.
    """
    headers = {"Authorization": f"Bearer {api.keys['dispatch']}"}
    sent = {"data": json.dumps(body), "content_type": "application/json", "headers": headers}
    assert api.client.post("/v1/eido", **sent).status_code == 422


def test_an_id_alone_is_answered(api: Api) -> None:
    """
    Help is given on nothing but an id, with warnings of what is missing.
    """
    response = api.post("/v1/eido", {"$id": ID.format("alone")})
    assert response.status_code == 201
    assert response.json["recommendation"]["responders"]
    assert codes(response.json) == [
        *("eido_no_timestamp", "eido_version_not_known", "eido_no_incident"),
    ]


@pytest.mark.parametrize("wrong", NO_TYPE, ids=repr)
def test_a_member_of_another_type_is_a_warning_and_no_refusal(api: Api, wrong: Any) -> None:
    """
    Whatever stands in place of any member, the call is answered.
    """
    for name in (*example("weapon_caution_draft11"), "disposition"):
        if name != "$id":
            told = document("wrong") | {name: wrong, "eidoVersion": "1.0"}
            told["lastUpdateTimeStamp"] = None
            assert api.post("/v1/eido", told).status_code == 201, name


def test_references_that_lead_nowhere_or_in_a_circle_are_not_followed(api: Api) -> None:
    """
    A reference to what is not there is a warning with its place; a circle is none and costs
    nothing.
    """
    dangling = document("dangling")
    dangling["incidentComponent"]["notesReference"] = [{"$ref": "urn:none"}, {"$ref": "urn:no"}]
    response = api.post("/v1/eido", dangling)
    assert response.status_code == 201
    (warned,) = [one for one in response.json["warnings"] if one["code"].startswith("eido")]
    assert warned["code"] == "eido_dangling_reference"
    assert warned["path"] == "incidentComponent.notesReference"
    assert warned["message"].endswith("(and 1 more)")
    circle = [
        {"$id": "a", **note("A"), "notesReference": {"$ref": "b"}},
        {"$id": "b", **note("B"), "notesReference": {"$ref": "a"}},
    ]
    response = api.post("/v1/eido", document("circle", notesComponent=circle))
    assert (response.status_code, codes(response.json)) == (201, [])


def test_a_script_in_a_note_is_no_markup_anywhere(api: Api) -> None:
    """
    Script goes, and our own note has nothing that a reader would take for markup.
    """
    told = document("script", notesComponent=[note("<script>alert(1)</script><b>CALM</b>")])
    answer = api.post("/v1/eido", told).json
    assert answer["notes_component"]["notesActionComments"].count("<") == 0
    kept = api.get(f"/v1/decisions/{answer['decision_id']}").json["request"]
    assert kept["remarks"] == "CALM"


def test_a_body_that_is_too_large_or_too_deep_is_refused(api: Api) -> None:
    """
    Above 256 KiB is a 413; nesting beyond what is read, a key that stands twice and bad JSON are
    400.
    """
    headers = {"Authorization": f"Bearer {api.keys['dispatch']}"}

    def send(body: bytes) -> int:
        sent = api.client.post(
            "/v1/eido", data=body, content_type="application/json", headers=headers
        )
        assert sent.mimetype == "application/problem+json"
        return int(sent.status_code)

    assert send(json.dumps(document("big", notesComponent=note("X" * 262_144))).encode()) == 413
    deep = b'{"$id": "x", "a": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001
    assert send(deep) == 400
    assert send(b'{"$id": "x", "$id": "y"}') == 400
    assert send(b'{"$id": ') == 400
    assert send(b'{"$id": "\\ud800"}') == 400


def test_a_body_full_of_notes_is_answered_soon(api: Api) -> None:
    """
    As many notes as a body holds, each with markup, are one call.
    """
    notes = [{"notesActionComments": "<b>A"} for _ in range(7_000)]
    began = time.process_time()
    response = api.post("/v1/eido", document("full", notesComponent=notes))
    assert response.status_code == 201
    assert time.process_time() - began < 20  # a guard against hanging, not a measure


def test_entities_in_a_location_are_a_warning(api: Api) -> None:
    """
    A location that would read a file or swell is not read; the call is answered, without the file.
    """
    head = '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    told = document("entity", locationComponent=[located("CurrentIncident", pidf("&x;", head))])
    response = api.post("/v1/eido", told)
    assert (response.status_code, codes(response.json)) == (201, ["location_not_read"])


def test_a_time_that_no_call_can_have_is_left_out(api: Api) -> None:
    """
    What was read and cannot stand in a request is left out and told of, and the rest is used.
    """
    calls = [{"callStartTimestamp": "0001-01-01T00:00:00Z"}]
    told = document("old", callComponent=calls, notesComponent=note("ARMED"))
    response = api.post("/v1/eido", told)
    assert (response.status_code, codes(response.json)) == (201, ["eido_answered_in_part"])
    kept = api.get(f"/v1/decisions/{response.json['decision_id']}").json["request"]
    assert (kept["remarks"], kept.get("received_at")) == ("ARMED", None)


def test_nothing_recorded_is_a_503_with_the_recommendation_and_the_note(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Without the journal the recommendation and the note's component come all the same.
    """

    def away(*args: object) -> None:
        raise JournalUnavailableError("away")

    for name in ("append", "find", "revisions", "last_of_call"):
        monkeypatch.setattr(Journal, name, away)
    try:
        response = api.post("/v1/eido", document("away"))
    finally:
        api.parts.decisions._rests_until = 0.0
    assert response.status_code == 503
    assert response.json["recorded"] is False
    assert response.json["recommendation"]["responders"]
    assert response.json["notes_component"]["$id"].startswith("urn:emergency:uid:eidodata")


def test_nothing_of_a_document_is_logged(
    api: Api, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Neither a good document nor a bad one, nor a bug of ours, leaves a word of it in the log.
    """
    word = "XYLOPHONE"
    told = document(word, notesComponent=[note(word)], **{word: word})
    api.post("/v1/eido", told)
    api.post("/v1/eido", {**told, "$id": word * 30})

    def broken(*args: object) -> None:
        raise ValueError(word)

    monkeypatch.setattr(Decisions, "decide", broken)
    assert api.post("/v1/eido", told).status_code == 500
    assert word not in "".join(capfd.readouterr())


def _places(thing: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(thing, dict | list):
        for name, one in thing.items() if isinstance(thing, dict) else enumerate(thing):
            found += _places(one, (*path, name))
    return found


WHOLE = [json.loads(path.read_text()) for path in sorted(EXAMPLES.glob("*.json"))]
VALUES = st.recursive(
    st.sampled_from([*NO_TYPE, AT, "Caller", "Patient", "Closed", "0001-01-01T00:00:00+14:00"])
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """
    Draw an example with a few of its places taken away, doubled or replaced by something else.
    """
    told = copy.deepcopy(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(1, 4))):
        places = _places(told)
        if not places:
            break
        *way, last = draw(st.sampled_from(places))
        holder = told
        for step in way:
            holder = holder[step]
        act = draw(st.sampled_from(["take away", "double", "replace"]))
        if act == "take away":
            del holder[last]
        elif act == "double":
            holder[last] = [holder[last], copy.deepcopy(holder[last])]
        else:
            holder[last] = copy.deepcopy(draw(VALUES))
    return told


@given(mutated())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_mutated_document_is_answered_or_refused_for_its_id(
    api: Api, told: dict[str, Any]
) -> None:
    """
    Whatever becomes of an example, the answer is a recommendation, or a refusal that names the id.
    """
    response = api.post("/v1/eido", told)
    if response.status_code in (200, 201):
        assert response.json["recommendation"]["responders"]
        assert len(response.json["warnings"]) < 40
    else:
        assert response.status_code in (400, 409, 422)
        if response.status_code == 422:
            assert [one["path"] for one in response.json["errors"]] == ["$id"]


def test_words_that_cannot_be_read_are_faults_with_a_place() -> None:
    """
    Every fault of `config/eido.yaml` is named, and what is left can still be read with.
    """
    words, problems = read_words({"priority": {"internal": {"1": 11}}, "locations": "x"})
    assert {"locations", "priority.scale", "priority.internal", "agent"} <= {
        one.path for one in problems
    }
    assert words.locations == ()
    assert load_config().eido.locations[0] == "CurrentIncident"
