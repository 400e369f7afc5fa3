"""
`POST /v1/eido` with the example documents, and what makes a repeat, a revision and a late one.
"""

import copy
import html
import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import Api, kinds
from tests.api.test_decisions import ANSWER
from tests.eido.conftest import AT, ID, codes, document, example, note


@pytest.mark.parametrize("name", ["minimal", "behavioural", "weapon_caution_draft11"])
def test_each_example_gets_the_whole_answer_and_a_note_of_ours(api: Api, name: str) -> None:
    """
    Each example is a 201 with every member of a decision's answer, no warning about its form, and
    the note, and nothing but the note, as an EIDO component that our agent signs.
    """
    told = example(name)
    response = api.post("/v1/eido", told)
    assert response.status_code == 201
    answer = response.json
    assert set(answer) == {*ANSWER, "notes_component"}
    assert answer["call_id"] == told["$id"]
    assert codes(answer) == []
    assert response.headers["Location"] == f"/v1/decisions/{answer['decision_id']}"
    ours = answer["notes_component"]
    decision_id = answer["decision_id"]
    assert ours["$id"] == f"urn:emergency:uid:eidodatacomponent:{decision_id}:example"
    assert ours["agentReference"] == {"$ref": "crisis-router@example"}
    assert html.unescape(ours["notesActionComments"]) == answer["note"]
    assert set(ours) == {
        *("$id", "lastUpdateTimeStamp", "updatedByAgencyReference", "updatedByAgentReference"),
        *("notesActionComments", "agentReference"),
    }


def test_an_example_becomes_the_request_that_it_says(api: Api) -> None:
    """
    Type, notes, place, priority and status of the behavioural example stand in the record.
    """
    told = example("behavioural") | {"$id": ID.format("record")}
    answer = api.post("/v1/eido", told).json
    kept = api.get(f"/v1/decisions/{answer['decision_id']}").json["request"]
    assert kept["incident_type"] == {"registry": "apco", "code": "MNTL"}
    assert kept["remarks"] == (
        "RP ADV ADULT SON CRYING, HAS NOT SLEPT 3 DAYS, NO WEAPONS SEEN, DENIES SI\n"
        "CALM AND COOPERATIVE, ASKING TO TALK TO SOMEONE"
    )
    assert kept["location"] == {"lat": 47.62, "lon": -122.28}
    assert kept["received_at"] == "2026-05-05T04:14:05+00:00"
    # Who only calls is not the person in crisis, and may be anywhere.
    assert "facts" not in kept
    eido = kept["eido"]
    assert (eido["priority"]["scale"], eido["priority"]["value"]) == ("eido_common_0_to_10", 5)
    assert (eido["status"], eido["version"]) == (["Active"], "1.0")


def test_a_caution_is_a_line_of_the_remarks(api: Api) -> None:
    """
    The caution of the 1.1 draft stands in the remarks before the notes, with its text whole.
    """
    told = example("weapon_caution_draft11") | {"$id": ID.format("caution")}
    answer = api.post("/v1/eido", told).json
    kept = api.get(f"/v1/decisions/{answer['decision_id']}").json["request"]
    assert kept["remarks"] == (
        "WEAPON - KNIFE (Weapon, caution 4 of 5)\nBROTHER HAS KNIFE, THREATENING FAMILY"
    )


def test_both_type_codes_speak(api: Api) -> None:
    """
    A common code that is known and silent does not hide what the agency's own code says.
    """
    both = {
        "incidentTypeCommonRegistryText": "WELFARE",
        "incidentTypeInternalCode": "X1",
        "incidentTypeInternalText": "Armed Subject",
    }
    answer = api.post("/v1/eido", document("both", incidentComponent=both)).json
    said = [(one["fact"], one["value"], one["used"]) for one in answer["signals"]]
    assert ("weapon", "firearm", True) in said
    assert codes(answer) == []


def test_an_invented_type_code_is_a_warning(api: Api) -> None:
    """
    A code that no table knows is told of, and the call is answered.
    """
    told = document("invented", incidentComponent={"incidentTypeCommonRegistryText": "NOSUCH"})
    response = api.post("/v1/eido", told)
    assert response.status_code == 201
    assert codes(response.json) == ["unknown_incident_type"]


def test_the_same_document_again_gets_the_first_answer(api: Api) -> None:
    """
    An exact repeat is a 200 with the very same answer, its keys in whatever order; with another
    note under the same time it is a 409.
    """
    told = document("again", notesComponent=[note("CALM")])
    first = api.post("/v1/eido", told)
    again = api.post("/v1/eido", dict(reversed(told.items())))
    other = api.post("/v1/eido", {**told, "notesComponent": [note("ARMED")]})
    assert [first.status_code, again.status_code, other.status_code] == [201, 200, 409]
    assert again.json == first.json


def test_a_later_time_is_the_next_revision_and_an_earlier_one_is_told_of(api: Api) -> None:
    """
    The same incident at a later time is revision 2; one from before is answered with a warning, and
    its repeat is the same answer with the same warning.
    """
    at = [f"2026-05-04T22:0{minute}:00-07:00" for minute in (1, 5, 3)]
    told = [document("later", lastUpdateTimeStamp=one) for one in at]
    answers = [api.post("/v1/eido", one) for one in told]
    assert [one.status_code for one in answers] == [201, 201, 201]
    assert [one.json["revision"] for one in answers] == [1, 2, 3]
    assert [codes(one.json) for one in answers] == [[], [], ["eido_older_than_known"]]
    for sent, first in zip(told, answers, strict=True):
        again = api.post("/v1/eido", sent)
        assert (again.status_code, again.json) == (200, first.json)


def test_without_a_time_each_document_is_a_revision(api: Api) -> None:
    """
    A document that does not say when it was written is answered each time, with a warning.
    """
    told = document("undated")
    del told["lastUpdateTimeStamp"]
    first, second = api.post("/v1/eido", told), api.post("/v1/eido", told)
    assert [first.status_code, second.status_code] == [201, 201]
    assert second.json["revision"] == 2
    assert codes(first.json) == ["eido_no_timestamp"]


def test_an_idempotency_key_stands_in_place_of_id_and_time(api: Api) -> None:
    """
    With a header of its own the same document is asked anew under another key, and a key that is
    not one is a 422.
    """
    told = document("header")
    sent = [api.post("/v1/eido", told, **{"Idempotency-Key": key}) for key in ("a", "b", "a")]
    assert [one.status_code for one in sent] == [201, 201, 200]
    assert api.post("/v1/eido", told, **{"Idempotency-Key": "x" * 201}).status_code == 422


def test_an_incident_that_is_over_is_answered_with_a_warning(api: Api) -> None:
    """
    Closed or cancelled is told of, unless another status says that it goes on.
    """
    for name, status, warned in (
        ("closed", ["Closed"], ["eido_incident_over"]),
        ("cancelled", "Cancelled", ["eido_incident_over"]),
        ("reopened", ["Closed", "ReOpened"], []),
    ):
        told = document(name)
        told["incidentComponent"]["incidentStatusCommonRegistryText"] = status
        response = api.post("/v1/eido", told)
        assert (response.status_code, codes(response.json)) == (201, warned)


def test_both_spellings_of_names_are_read(api: Api) -> None:
    """
    A component may be one object or a list, and `disposition` is `dispositionComponent`.
    """
    unit = {
        "emergencyResourceTypeCommonRegistryText": "GroundALSAmbulance",
        "primaryUnitStatusRegistryText": "NotAvailable",
        "secondaryUnitStatusRegistryText": ["OnScene"],
        "emergencyResourceIdentification": "MEDIC-1 JONES",
    }
    told = {
        "notesComponent": note("ONE NOTE"),
        "emergencyResourceComponent": unit,
        "alarmsSensorComponent": {"$id": "a"},
        "alarmsSensorsComponent": [{"$id": "b"}],
    }
    for name, spelling in (("s1", "disposition"), ("s2", "dispositionComponent")):
        settled = {spelling: [{"dispositionCommonRegistryCode": "15"}]}
        answer = api.post("/v1/eido", document(name, **told, **settled)).json
        kept = api.get(f"/v1/decisions/{answer['decision_id']}").json["request"]
        assert kept["remarks"] == "ONE NOTE"
        assert kept["eido"]["dispositions"] == ["15"]
        assert kept["eido"]["units"] == [
            {"kinds": ["GroundALSAmbulance"], "status": ["NotAvailable"], "doing": ["OnScene"]}
        ]
        assert codes(answer) == []


def test_what_we_wrote_is_no_evidence(api: Api) -> None:
    """
    Our own note comes back with the next document, and is not read as somebody's words.
    """
    first = api.post("/v1/eido", document("own", notesComponent=[note("HE HAS A GUN")])).json
    notes = [note("HE HAS A GUN"), first["notes_component"]]
    later = document("own", notesComponent=notes, lastUpdateTimeStamp="2026-05-04T23:00:00-07:00")
    second = api.post("/v1/eido", later).json
    kept = api.get(f"/v1/decisions/{second['decision_id']}").json["request"]
    assert kept["remarks"] == "HE HAS A GUN"


def test_a_recorded_document_replays_to_the_byte(api: Api) -> None:
    """
    What was decided of a document is decided again from its record, warnings and all.
    """
    told = example("weapon_caution_draft11") | {"$id": ID.format("replay"), "eidoVersion": "9"}
    told["incidentComponent"]["incidentTypeInternalText"] = "ARMED SUBJECT"
    answer = api.post("/v1/eido", told).json
    assert codes(answer) == ["eido_version_not_known"]
    replayed = api.post(f"/v1/decisions/{answer['decision_id']}/replay", None).json
    assert (replayed["result"], replayed["different"]) == ("same", [])


def test_only_who_decides_may_send_one(api: Api) -> None:
    """
    The keys of a supervisor and an administrator are refused, and so is another media type.
    """
    for role in ("supervisor", "admin"):
        assert api.post("/v1/eido", document("role"), role).status_code == 403
    headers = {"Authorization": f"Bearer {api.keys['dispatch']}"}
    sent = api.client.post("/v1/eido", data=b"<EIDO/>", content_type="text/xml", headers=headers)
    assert sent.status_code == 415


def test_priority_is_turned_round_once(read: Any) -> None:
    """
    The common number is kept as it is, the CAD's own is turned round, and the common one wins.
    """
    told: list[tuple[dict[str, Any], int | None]] = [
        ({"incidentCommonPriorityNumber": 10}, 10),
        ({"incidentPriorityInternalText": "1"}, 9),
        ({"incidentPriorityInternalText": "5", "incidentCommonPriorityNumber": 9}, 9),
        ({"incidentPriorityInternalText": "SOON"}, None),
        ({"incidentCommonPriorityNumber": 11}, None),
        ({"incidentCommonPriorityNumber": True}, None),
        ({}, None),
    ]
    for incident, value in told:
        call, _ = read(document("p", incidentComponent=copy.deepcopy(incident)))
        priority = call.kept["priority"]
        assert (priority and priority["value"]) == value, incident


def test_the_curl_of_the_page_is_an_example_that_works(api: Api) -> None:
    """
    The document that `docs/eido.md` sends is answered with what the page says it is.
    """
    page = (Path(__file__).resolve().parents[2] / "docs" / "eido.md").read_text()
    sent = page.split("-d '")[1].split("'\n")[0]
    response = api.post("/v1/eido", json.loads(sent) | {"lastUpdateTimeStamp": AT})
    assert response.status_code == 201
    assert codes(response.json) == []
    assert "notes_component" in page


def test_cautions_and_notes_are_read_as_remarks(api: Api) -> None:
    """
    The knife of the caution is signalled with its place in the joined remarks, and an officer comes
    for it; what the calm example denies is seen as denied.
    """
    told = example("weapon_caution_draft11") | {"$id": ID.format("signals")}
    answer = api.post("/v1/eido", told).json
    remarks = api.get(f"/v1/decisions/{answer['decision_id']}").json["request"]["remarks"]
    (knife,) = [
        one
        for one in answer["signals"]
        if (one["fact"], one["source"], one["used"]) == ("weapon", "remarks", True)
    ]
    assert (knife["outcome"], knife["value"]) == ("present", "blade")
    assert remarks[slice(*knife["text_span"])] == "KNIFE"
    assert answer["law_enforcement"]["included"]
    calm = api.post("/v1/eido", example("behavioural") | {"$id": ID.format("calm")}).json
    denied = {one["fact"] for one in calm["signals"] if one["outcome"] == "absent"}
    assert {"weapon", "suicide"} <= denied
    assert kinds(calm) == ["mobile_crisis"]
