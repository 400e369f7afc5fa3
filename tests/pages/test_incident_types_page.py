"""
The page of incident types: codes that nobody knows, what the agency says itself, and the tables.
"""

import datetime as dt
import re
from dataclasses import fields
from html import unescape
from typing import Any

from flask.testing import FlaskClient

from service.access import command_line
from service.store import records
from tests.pages.browsing import Page, Service
from tests.pages.test_decision_page import words_of

PATH = "/admin/incident-types"
HTML = "<script>alert(1)</script>"


def told(admin: FlaskClient, **changes: Any) -> dict[str, Any]:
    """
    Give the form as a browser would send it, with what is typed into it.
    """
    token = re.search(r'name="csrf_token" value="([^"]+)"', admin.get(PATH).text)
    assert token
    typed = {"registry": "local", "code": "Q7", "comment": "", "fact": ["", ""]}
    return {"csrf_token": token[1], **typed, **changes}


def seen(service: Service, *codes: str) -> None:
    """
    Take calls with codes that nobody knows, and store them as the workers do.
    """
    parts = service.parts
    agency = parts.surroundings.seen.agencies["example"]
    actor = command_line("example")
    for code in codes:
        request = {"call_id": code, "incident_type": {"registry": "local", "code": code}}
        parts.decisions.decide(actor, agency, request, None)
    unstored = parts.journal.unstored(1000)
    sent = [{one.name: getattr(record, one.name) for one in fields(record)} for record in unstored]
    records.insert(parts.store, sent, dt.datetime.now(dt.UTC))
    parts.journal.confirm([record.number for record in unstored])


def test_a_code_is_mapped_from_the_list_and_taken_back(
    admin: FlaskClient, service: Service
) -> None:
    """
    The most frequent code stands first and leads to the form laid out for it; mapped by several
    facts it moves to what the agency says, with who did it; undone it is back.
    """
    seen(service, f"Q8 {HTML}", "Q7", "Q-07")
    text = admin.get(PATH).text
    assert HTML not in text
    words = words_of(text)
    assert words.index("Q-07") < words.index("Q8")
    link = next(one for one in re.findall(r'href="([^"]+)"', text) if "code=Q-07" in one)
    laid_out = Page(admin.get(unescape(link).partition("#")[0]).text)
    values = {one.get("name"): one.get("value") for one in laid_out.named("input")}
    assert (values["registry"], values["code"]) == ("local", "Q-07")
    chosen = ["suicide=intent", "", "behavioral_health=true", ""]
    done = admin.post(PATH, data=told(admin, fact=chosen, comment="threatens suicide"))
    assert (done.status_code, done.headers["Location"]) == (303, f"{PATH}?done=mapped")
    shown = words_of(admin.get(done.headers["Location"]).text)
    assert "The code is mapped." in shown
    assert "Suicide: Intent, no plan told" in shown
    assert "Behavioral health: Yes" in shown
    assert "threatens suicide" in shown
    assert "Example Administrator" in shown
    assert "Q-07" not in shown
    again = admin.get(f"{PATH}?registry=local&code=q7").text
    assert again.count(" selected") == 2
    undo = {name: told(admin)[name] for name in ("csrf_token", "registry", "code")}
    assert admin.post(f"{PATH}/undo", data=undo).headers["Location"] == f"{PATH}?done=undone"
    assert "Q-07" in words_of(admin.get(PATH).text)
    assert admin.post(f"{PATH}/undo", data=undo).status_code == 404


def test_the_form_is_laid_out_with_what_a_table_says(admin: FlaskClient) -> None:
    """
    A code that a table knows begins with what it says; one that nobody knows begins empty.
    """
    assert (
        'value="violence=potential" selected' in admin.get(f"{PATH}?registry=apco&code=mtlv").text
    )
    assert " selected" not in admin.get(f"{PATH}?registry=apco&code=none").text


def test_faults_of_a_mapping_stand_at_their_fields(admin: FlaskClient) -> None:
    """
    All at once, with what was typed kept; two values of one fact are one of them, and a choice that
    the list does not have.
    """
    twice = ["weapon=blade", "weapon=firearm"]
    refused = admin.post(PATH, data=told(admin, registry="", code="--", fact=twice))
    assert refused.status_code == 422
    said = words_of(refused.text)
    assert "Nothing was changed." in said
    assert "Weapon stands twice" in said
    assert "neither letters nor numbers" in said
    page = Page(refused.text)
    wrong = {one.get("id") for one in page.named("input") if one.get("aria-invalid")}
    assert wrong == {"registry", "code"}
    assert 'value="weapon=blade" selected' in refused.text
    for one in ("weapon=none", "housing=housed", "x", "scene_safe=true"):
        assert admin.post(PATH, data=told(admin, fact=[one])).status_code == 422


def test_a_code_may_be_mapped_to_nothing(admin: FlaskClient) -> None:
    """
    A code without facts is known, and silent; the page says so.
    """
    assert admin.post(PATH, data=told(admin, code="QUIET")).status_code == 303
    assert "nothing: known, and silent" in words_of(admin.get(PATH).text)


def test_the_tables_are_shown_with_their_sources(admin: FlaskClient) -> None:
    """
    Each table says what it is, how many codes it has, and under which licence.
    """
    shown = words_of(admin.get(PATH).text)
    for name in ("apco", "dallas", "mpds", "new_orleans", "ppds", "seattle"):
        assert name in shown
    assert "MIT" in shown
    assert "The protocols are licensed" in shown
