"""
Prove who may look after people and keys, and that nobody can lock an agency out.
"""

from typing import Any

import pytest

from service.access import command_line
from service.errors import ConflictError
from service.store import audit, people, sessions
from service.store.audit import Search
from service.store.database import writing
from tests.api.conftest import Api

ADA = {"email": "Ada@example.org", "name": "Ada Example", "role": "supervisor"}


def send(api: Api, method: str, path: str, role: str = "admin", body: Any = None) -> Any:
    """
    Send a request with the key of a role.
    """
    headers = {"Authorization": f"Bearer {api.keys[role]}"}
    return api.client.open(path, method=method, json=body, headers=headers)


def add(api: Api, email: str, role: str = "supervisor", by: str = "admin") -> Any:
    """
    Add a person, and give the answer.
    """
    made = send(api, "POST", "/v1/people", by, {"email": email, "name": "P", "role": role})
    assert made.status_code == 201, made.json
    return made.json


def own_id(api: Api, email: str) -> str:
    """
    Give the id of one of the people of the first start.
    """
    found = people.find_by_email(api.parts.store, email)
    assert found is not None
    return found.id


def acts_on(api: Api, subject_id: str) -> list[str]:
    """
    Give what the trail says was done to something, the earliest first.
    """
    found, _ = audit.page(api.parts.store, "example", Search(subject_id=subject_id))
    return [one.act for one in reversed(found)]


def start_session(api: Api, person_id: str, token: str) -> str:
    """
    Sign somebody in, and give the digest of the session.
    """
    now, digest = api.parts.now(), sessions.digest(token)
    made = sessions.Session(digest, person_id, "example", "", "P", True, None, now, now)
    with writing(api.parts.store) as connection:
        sessions.add(connection, made)
    return digest


def test_a_person_is_added_with_a_password_that_is_shown_once(api: Api) -> None:
    """
    The password works, must be changed, and is in no list, no later answer and no trail.
    """
    made = send(api, "POST", "/v1/people", body=ADA)
    assert made.status_code == 201
    person = people.find_by_email(api.parts.store, "ada@example.org")
    assert person is not None
    assert person.must_change_password
    assert people.is_password(person, made.json["password"])
    assert made.json["email"] == "ada@example.org"
    shown = send(api, "GET", f"/v1/people/{person.id}")
    listed = send(api, "GET", "/v1/people")
    trail = send(api, "GET", f"/v1/audit?subject_id={person.id}")
    for one in (shown, listed, trail):
        assert one.status_code == 200
        assert made.json["password"] not in one.text
        assert "argon2" not in one.text
    assert acts_on(api, person.id) == ["added"]
    again = send(api, "POST", "/v1/people", "other", ADA)
    assert again.status_code == 403
    again = send(api, "POST", "/v1/people", body={**ADA, "email": "ADA@EXAMPLE.ORG"})
    assert (again.status_code, again.json["code"]) == (409, "email_taken")


@pytest.mark.parametrize("role", ["dispatch", "supervisor", "auditor"])
def test_only_an_administrator_changes_who_has_access(api: Api, role: str) -> None:
    """
    Other roles are refused every change; an auditor may read.
    """
    person = own_id(api, "supervisor@example.org")
    for method, path, body in (
        ("POST", "/v1/people", ADA),
        ("PATCH", f"/v1/people/{person}", {"role": "admin"}),
        ("POST", f"/v1/people/{person}/password", None),
        ("DELETE", f"/v1/people/{person}/totp", None),
        ("DELETE", f"/v1/people/{person}/sessions", None),
        ("POST", "/v1/keys", {"label": "x", "role": "admin"}),
        ("DELETE", "/v1/keys/abc", None),
        ("PUT", "/v1/agency", {}),
    ):
        assert send(api, method, path, role, body).status_code == 403
    reads = {send(api, "GET", path, role).status_code for path in ("/v1/people", "/v1/keys")}
    assert reads == ({200} if role == "auditor" else {403})


def test_another_agencys_people_are_not_there(api: Api) -> None:
    """
    An administrator of another agency neither sees nor changes anybody here.
    """
    made = send(api, "POST", "/v1/keys", body={"label": "x", "role": "admin"})
    person = own_id(api, "supervisor@example.org")
    _make_other_admin(api)
    for method, path, body in (
        ("GET", f"/v1/people/{person}", None),
        ("PATCH", f"/v1/people/{person}", {"name": "Mine"}),
        ("POST", f"/v1/people/{person}/password", None),
        ("DELETE", f"/v1/people/{person}/totp", None),
        ("DELETE", f"/v1/people/{person}/sessions", None),
        ("DELETE", f"/v1/keys/{made.json['key_id']}", None),
    ):
        assert send(api, method, path, "other_admin", body).status_code == 404
    listed = send(api, "GET", "/v1/people", "other_admin").json
    assert listed["items"] == []
    assert listed["warnings"][0]["code"] == "too_few_administrators"
    refused = send(api, "POST", "/v1/keys", "other_admin", {"label": "x", "person_id": person})
    assert refused.status_code == 422


def _make_other_admin(api: Api) -> None:
    if "other_admin" in api.keys:
        return
    made = api.parts.access_keys.make(
        command_line("other"), {"label": "other's administrator", "role": "admin"}
    )
    api.keys["other_admin"] = made.secret
    api.parts.surroundings.look()


def test_nobody_locks_the_agency_or_themself_out(api: Api) -> None:
    """
    Nobody changes their own role or access, and the last administrator stays one.
    """
    me, second = own_id(api, "admin@example.org"), own_id(api, "second-admin@example.org")
    for path, body, code in (
        (f"/v1/people/{me}", {"role": "auditor"}, "own_role"),
        (f"/v1/people/{me}", {"disabled": True}, "own_access"),
    ):
        refused = send(api, "PATCH", path, body=body)
        assert (refused.status_code, refused.json["code"]) == (409, code)
    refused = send(api, "POST", f"/v1/people/{me}/password")
    assert (refused.status_code, refused.json["code"]) == (409, "own_password")
    refused = send(api, "DELETE", f"/v1/people/{me}/totp")
    assert (refused.status_code, refused.json["code"]) == (409, "own_totp")
    assert send(api, "PATCH", f"/v1/people/{second}", body={"disabled": True}).status_code == 200
    warned = send(api, "GET", "/v1/people").json["warnings"]
    assert [one["code"] for one in warned] == ["too_few_administrators"]
    # By a key of no person, so that it is not about oneself.
    with pytest.raises(ConflictError) as raised:
        api.parts.people.change(command_line("example"), me, {"role": "auditor"})
    assert raised.value.code == "last_admin"
    with pytest.raises(ConflictError):
        api.parts.people.change(command_line("example"), me, {"disabled": True})
    assert send(api, "PATCH", f"/v1/people/{second}", body={"disabled": False}).status_code == 200
    assert send(api, "GET", "/v1/people").json["warnings"] == []
    assert acts_on(api, second)[-2:] == ["disabled", "enabled"]


def test_a_new_role_ends_sessions_and_keys_of_the_old_one(api: Api) -> None:
    """
    Nobody goes on with what their old role could do.
    """
    made = add(api, "bea@example.org")
    person = made["person_id"]
    key = send(api, "POST", "/v1/keys", body={"label": "bea", "person_id": person})
    assert (key.status_code, key.json["role"]) == (201, "supervisor")
    digest = start_session(api, person, "t1")
    changed = send(api, "PATCH", f"/v1/people/{person}", body={"role": "auditor", "name": "Bea"})
    assert (changed.json["role"], changed.json["name"]) == ("auditor", "Bea")
    assert sessions.find(api.parts.store, digest) is None
    listed = send(api, "GET", "/v1/keys?limit=200").json["items"]
    assert [one["ended_at"] is not None for one in listed if one["person_id"] == person] == [True]
    entry = send(api, "GET", f"/v1/audit?subject_id={person}&act=changed").json["items"][0]
    assert entry["detail"]["role_before"] == "supervisor"


def test_resets_end_every_session(api: Api) -> None:
    """
    A new password or a forgotten authenticator signs the person out everywhere.
    """
    person = add(api, "cy@example.org")["person_id"]
    digest = start_session(api, person, "t2")
    made = send(api, "POST", f"/v1/people/{person}/password")
    assert made.status_code == 200
    found = people.find(api.parts.store, "example", person)
    assert found is not None
    assert people.is_password(found, made.json["password"])
    assert sessions.find(api.parts.store, digest) is None
    asked = send(api, "PATCH", f"/v1/people/{person}", body={"totp_required": True})
    assert asked.json["totp_required"] is True
    digest = start_session(api, person, "t3")
    with writing(api.parts.store) as connection:
        people.change(connection, "example", person, totp_secret="sealed", totp_last_step=3)
    assert send(api, "GET", f"/v1/people/{person}").json["totp_set_up"] is True
    assert send(api, "DELETE", f"/v1/people/{person}/totp").json["totp_set_up"] is False
    assert sessions.find(api.parts.store, digest) is None
    start_session(api, person, "t4")
    start_session(api, person, "t5")
    assert send(api, "DELETE", f"/v1/people/{person}/sessions").json == {"ended": 2}
    assert acts_on(api, person) == [
        *("added", "reset password", "asked for a second factor", "reset second factor"),
        "ended sessions",
    ]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, {"email", "name", "role"}),
        ({"email": "a", "name": " ", "role": "boss"}, {"email", "name", "role"}),
        ({"email": "a@b.c\n", "name": "a\nb", "role": None}, {"email", "name", "role"}),
        ({"email": "a" * 300 + "@b.c", "name": "x" * 201, "role": []}, {"email", "name", "role"}),
        ({"email": 1, "name": {}, "role": 1, "more": 1}, {"email", "name", "role", "more"}),
        ({"email": "a\0@b.cd", "name": "a\0", "role": "admin"}, {"email", "name"}),
        ([], {""}),
    ],
)
def test_every_fault_of_a_person_is_named_at_once(api: Api, body: Any, paths: set[str]) -> None:
    """
    Bad input is a 422 that names each place; nothing is stored.
    """
    refused = send(api, "POST", "/v1/people", body=body)
    assert refused.status_code == 422
    assert {one["path"] for one in refused.json["errors"]} == paths


def test_people_are_listed_page_by_page(api: Api) -> None:
    """
    Pages follow each other by e-mail address, and each person stands in one of them.
    """
    for name in ("za", "zb", "zc"):
        add(api, f"{name}@example.org", "dispatch")
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = send(api, "GET", "/v1/people?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        seen += [one["email"] for one in page.json["items"]]
        cursor = page.json["next"]
    assert seen == sorted(seen)
    assert len(seen) == len(set(seen)) >= 7
    for bad in ("limit=0", "limit=201", "limit=x", "cursor=x", "more=1"):
        assert send(api, "GET", f"/v1/people?{bad}").status_code == 422


def test_a_key_is_shown_once_and_ends(api: Api) -> None:
    """
    A key works until it is ended; its secret is in no list and no trail.
    """
    made = send(api, "POST", "/v1/keys", body={"label": "CAD", "role": "dispatch"}).json
    api.parts.surroundings.look()
    api.keys["made"] = made["key"]
    assert send(api, "GET", "/v1/decisions", "made").status_code == 200
    listed = send(api, "GET", "/v1/keys")
    trail = send(api, "GET", f"/v1/audit?subject_id={made['key_id']}")
    assert made["key"] not in listed.text + trail.text
    assert send(api, "DELETE", f"/v1/keys/{made['key_id']}").status_code == 204
    assert send(api, "DELETE", f"/v1/keys/{made['key_id']}").status_code == 404
    api.parts.surroundings.look()
    assert send(api, "GET", "/v1/decisions", "made").status_code == 401
    assert acts_on(api, made["key_id"]) == ["made", "ended"]


def test_a_key_has_the_role_of_its_person_and_no_administrator_makes_anothers(api: Api) -> None:
    """
    A key acts as its person: another role is refused, and so is a key of another administrator.
    """
    supervisor = own_id(api, "supervisor@example.org")
    wrong = {"label": "x", "role": "admin", "person_id": supervisor}
    refused = send(api, "POST", "/v1/keys", body=wrong)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["allowed"] == ["supervisor"]
    second = own_id(api, "second-admin@example.org")
    refused = send(api, "POST", "/v1/keys", body={"label": "x", "person_id": second})
    assert (refused.status_code, refused.json["code"]) == (409, "not_your_key")
    mine = own_id(api, "admin@example.org")
    made = send(api, "POST", "/v1/keys", body={"label": "x", "person_id": mine})
    assert made.status_code == 201
    for body in ({"label": "x"}, {"label": "x", "person_id": "nobody"}, {"role": "admin"}):
        assert send(api, "POST", "/v1/keys", body=body).status_code == 422
