"""
What people's roles and particulars say as facts, and what of them is never taken.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import Api, ship
from tests.eido.conftest import Read, codes, document, note
from tests.eido.test_location import CIVIC, located, pidf

MEASURED = {"nc:PersonAgeMeasure": {"nc:MeasureIntegerValue": 34, "nc:TimeUnitCode": "ANN"}}
# Words of a document that must never be found again anywhere.
PRIVATE = (
    *("ZEPHANIAH", "QUACKENBUSH", "+12065550147", "2065550148", "Maplewood", "4711", "Feminine"),
    *("zeph@example.org", "JOHNSONBADGE", "1989-07-13", "ISOLDE"),
)


def person(roles: Any, told: Any = None) -> dict[str, Any]:
    """
    Make one person.
    """
    return {"personIncidentRoleRegistryText": roles, "ncPersonComponent": told}


@pytest.mark.parametrize(
    ("people", "facts"),
    [
        ([person(["Caller", "Patient"])], {"caller": "self"}),
        ([person(["Caller", "Victim"])], {"caller": "self"}),
        ([person(["Caller", "Victim"]), person(["Suspect"])], {}),
        ([person(["Caller"]), person(["Patient"])], {}),
        ([person(["Caller", "PatientRelative"])], {}),
        ([person(["Caller", "ReportingParty", "Witness"])], {}),
        ([person("Caller")], {}),
        ([person(["Patient"], MEASURED)], {"age": 34}),
        ([person(["Caller"], MEASURED), person(["Patient"])], {}),
        ([person(["Suspect"], MEASURED), person(["Victim"])], {}),
        ([person(["Patient"], MEASURED), person(["Patient"])], {}),
        ([person(["NoSuchRole"], MEASURED)], {}),
        ([person([{"a": 1}], MEASURED), 7, "x"], {}),
    ],
)
def test_roles_say_who_calls_and_nothing_is_guessed(
    read: Read, people: list[Any], facts: dict[str, Any]
) -> None:
    """
    Only who is caller and patient at once calls for themselves; where two may be the one in crisis,
    nothing is taken of either.
    """
    call, _ = read(document("roles", personComponent=people))
    assert call.body.get("facts", {}) == facts


@pytest.mark.parametrize(
    ("told", "facts"),
    [
        (MEASURED, {"age": 34}),
        ({"PersonAgeMeasure": {"MeasureValueText": "34", "MeasureUnitText": "years"}}, {"age": 34}),
        ({"nc:PersonAgeMeasure": [{"nc:MeasureDecimalValue": {"rdf:value": 15.5}}]}, {"age": 15}),
        (
            {"nc:PersonAgeMeasure": {"nc:MeasureIntegerValue": 18, "nc:TimeUnitCode": "MON"}},
            {"age": 1},
        ),
        ({"nc:PersonAgeMeasure": {"nc:MeasureIntegerValue": 9, "nc:MeasureUnitText": "?"}}, {}),
        ({"nc:PersonAgeMeasure": 8}, {"age": 8}),
        ({"nc:PersonAgeMeasure": {"nc:MeasureIntegerValue": 340}}, {}),
        ({"nc:PersonAgeMeasure": {"nc:MeasureIntegerValue": -1}}, {}),
        ({"nc:PersonAgeMeasure": True}, {}),
        ({"nc:PersonBirthDate": {"nc:Date": "2010-05-06"}}, {"age": 15}),
        ({"nc:PersonBirthDate": {"nc:Date": "2010-05-05"}}, {"age": 16}),
        ({"nc:PersonBirthDate": {"nc:Date": "2199-01-01"}}, {}),
        ({"nc:PersonPrimaryLanguage": {"nc:LanguageCode": "spa"}}, {"language": "es"}),
        ({"PersonPrimaryLanguage": {"LanguageName": "English"}}, {"language": "en"}),
        ({"nc:PersonPrimaryLanguage": {"nc:LanguageCode": "es-MX"}}, {"language": "es"}),
        ({"nc:PersonPrimaryLanguage": {"nc:LanguageCode": "ase"}}, {"language": "other"}),
        ({"nc:PersonPrimaryLanguage": {"nc:LanguageCode": "und"}}, {}),
        ({"nc:PersonPrimaryLanguage": {"nc:LanguageCode": 7}}, {}),
        ("John Doe", {}),
        ([], {}),
    ],
)
def test_age_and_language_are_read_in_the_forms_that_niem_has(
    read: Read, told: Any, facts: dict[str, Any]
) -> None:
    """
    Prefixed or not, wrapped or not, in years or months, by date of birth; what is out of bounds or
    in an unknown unit is left open.
    """
    call, _ = read(document("niem", personComponent=[person(["Patient"], told)]))
    assert call.body.get("facts", {}) == facts


def test_nothing_of_anybody_is_kept_but_age_language_and_role(
    api: Api, capfd: pytest.CaptureFixture[str]
) -> None:
    """
    Names, sex, numbers, addresses and badges stand in no file of the service, no log and no answer.
    """
    zephaniah = {
        "nc:PersonName": {"nc:PersonGivenName": "ZEPHANIAH", "nc:PersonSurName": "QUACKENBUSH"},
        "nc:PersonSexText": "Feminine",
        "nc:PersonBirthDate": {"nc:Date": "1989-07-13"},
        "nc:PersonPrimaryLanguage": {"nc:LanguageName": "ISOLDE"},
        "nc:ContactEmailID": "zeph@example.org",
    }
    address = CIVIC.replace("Maple", "Maplewood")
    told = document(
        "private",
        personComponent=[person(["Caller", "Patient", "ZEPHANIAH"], zephaniah)],
        locationComponent=[
            located("CurrentIncident", pidf(address), locationNotes="4711 Maplewood")
        ],
        callbackComponent=[
            {"callBackInformationUri": ["tel:+12065550147"], "deviceContactHeader": "2065550148"}
        ],
        agentComponent=[{"$id": "JOHNSONBADGE", "agentName": "QUACKENBUSH"}],
        notesComponent=[note("CALM", by="JOHNSONBADGE")],
        emergencyResourceComponent=[
            {
                "emergencyResourceTypeCommonRegistryText": "QUACKENBUSH",
                "emergencyResourceIdentification": "JOHNSONBADGE",
            }
        ],
        dispositionComponent=[{"dispositionCommonRegistryCode": "ZEPHANIAH"}],
        issuingElementIdentification="zeph@example.org",
    )
    told["incidentComponent"] |= {
        "incidentStatusCommonRegistryText": ["ZEPHANIAH"],
        "incidentPriorityInternalText": "QUACKENBUSH",
    }
    response = api.post("/v1/eido", told)
    assert response.status_code == 201
    assert codes(response.json) == [
        *("eido_priority_not_read", "eido_value_not_kept", "location_civic_only"),
    ]
    ship(api.parts)
    record = api.get(f"/v1/decisions/{response.json['decision_id']}")
    assert record.json["request"]["facts"] == {"caller": "self", "age": 36, "language": "other"}
    shown = [response.get_data(as_text=True), record.get_data(as_text=True), *capfd.readouterr()]
    files = [path for path in Path(api.parts.settings.home).rglob("*") if path.is_file()]
    kept = [path.read_bytes() for path in files if "config" not in path.parts]
    assert any(b"bcf.example.gov" in one for one in kept)
    for word in PRIVATE:
        assert not [one for one in shown if word in one], word
        assert not [one for one in kept if word.encode() in one], word


def test_notes_are_sealed_on_disk(api: Api) -> None:
    """
    No word of a note or a caution stands in a file of the service.
    """
    cautions = [{"cautionTypeInternalText": "ZEBRA CAUTION"}]
    told = document("sealed", notesComponent=[note("ZEBRA NOTE")], cautionComponent=cautions)
    assert api.post("/v1/eido", told).status_code == 201
    ship(api.parts)
    for path in Path(api.parts.settings.home).rglob("*"):
        assert not path.is_file() or b"ZEBRA" not in path.read_bytes()
