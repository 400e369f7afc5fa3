"""
A call that came as an EIDO document, on the pages that show a call.
"""

from typing import Any

from tests.eido.conftest import example
from tests.pages.browsing import Service, sign_in
from tests.pages.log import opened


def test_a_call_that_came_as_a_document_is_shown_like_any_other(service: Service) -> None:
    """
    Its decision, its trial with other facts, its call and its page in the console are shown, with
    every type code and the words of the notes.
    """
    told: dict[str, Any] = example("weapon_caution_draft11")
    told["incidentComponent"] |= {
        "incidentTypeCommonRegistryText": "NOSUCH",
        "incidentTypeInternalText": "ARMED SUBJECT",
    }
    headers = {"Authorization": f"Bearer {service.credentials.dispatch_key}"}
    answer = service.app.test_client().post("/v1/eido", json=told, headers=headers).json
    supervisor = service.app.test_client()
    assert sign_in(supervisor, service.credentials.supervisor).status_code == 303
    page = opened(supervisor, f"/decisions/{answer['decision_id']}")
    assert "NOSUCH" in page
    assert "BROTHER HAS KNIFE" in page
    assert answer["call_id"] in opened(supervisor, f"/calls/{answer['call_id']}")
    assert "Try it" in opened(supervisor, f"/decisions/{answer['decision_id']}/try")
    dispatcher = service.app.test_client()
    assert sign_in(dispatcher, service.credentials.dispatcher).status_code == 303
    assert answer["call_id"] in opened(dispatcher, f"/?call={answer['call_id']}")
