"""
The pages of administration, alerts and state, in a browser without scripts.
"""

import csv
import datetime as dt
import io
import re
import threading
from typing import Any
from urllib.parse import quote

from flask.testing import FlaskClient
from sqlalchemy import event

from service.access import MAY, command_line
from service.accounts.sign_in import account_of
from service.agency_settings import REVIEW_LEAST
from service.alerts import KINDS
from service.host.first_start import SignIn
from service.pages.agency import RULE_WORDS
from service.pages.alerts import KIND_WORDS
from service.pages.people import ROLE_WORDS
from service.store import alerts, people, sessions
from service.store.alerts import Alert
from tests.pages.browsing import Page, Service, sign_in, token_of

# Who is signed in, what the page shows, and the line of alerts.
STATEMENTS_MAX = 6
STATE_STATEMENTS_MAX = 12  # the page of the state shows journals, quarantine and the log as well
HTML = "<script>alert(1)</script>"


def send(client: FlaskClient, path: str, shown_at: str = "", **typed: Any) -> Any:
    """
    Send a form with the token of the page that shows it.
    """
    token = token_of(client.get(shown_at or path).text)
    return client.post(path, data={"csrf_token": token, **typed})


def secret_of(text: str) -> str:
    """
    Give the secret that a page shows once.
    """
    found = re.search(r'<code class="secret">([^<]+)</code>', text)
    assert found, "the page shows a secret"
    return found[1]


def id_of(service: Service, email: str) -> str:
    """
    Give a person's id.
    """
    found = people.find_by_email(service.parts.store, email)
    assert found is not None
    return found.id


def test_a_person_is_added_and_signs_in_with_what_was_shown(
    service: Service, admin: FlaskClient
) -> None:
    """
    The first password is shown once, lets the person in, and must be changed at once.
    """
    typed = {"email": "eve@example.org", "name": "Eve Example", "role": "auditor"}
    made = send(admin, "/admin/people", **typed)
    assert made.status_code == 201
    password = secret_of(made.text)
    assert password not in admin.get("/admin/people").text
    stranger = service.app.test_client()
    sign_in(stranger, SignIn("eve@example.org", password))
    assert 'action="/sign-in/password"' in stranger.get("/sign-in/next").text
    assert "Eve Example" in admin.get("/admin/people").text


def test_a_faulty_form_says_where_and_loses_nothing(admin: FlaskClient) -> None:
    """
    Each fault stands at its field and above the form, what was typed is kept, and nothing runs.
    """
    answered = send(admin, "/admin/people", email="nobody", name=HTML, role="boss")
    assert answered.status_code == 422
    assert HTML not in answered.text
    shown = Page(answered.text)
    fields = {one.get("id"): one for one in shown.named("input")}
    assert fields["email"]["aria-invalid"] == "true"
    assert fields["name"]["value"] == HTML
    assert "Nothing was changed" in answered.text
    taken = send(admin, "/admin/people", email="admin@example.org", name="A", role="admin")
    assert taken.status_code == 409
    assert "already" in taken.text


def test_a_person_is_changed_disabled_and_let_in_again(
    service: Service, admin: FlaskClient
) -> None:
    """
    Each button does what it says and leads back to the person.
    """
    send(admin, "/admin/people", email="fay@example.org", name="Fay", role="dispatch")
    person = id_of(service, "fay@example.org")
    path = f"/admin/people/{person}"
    for act, typed, said in (
        ("change", {"name": f"Fay {HTML}", "role": "supervisor"}, "supervisor, reviews decisions"),
        ("ask_totp", {}, "asked for at every sign-in"),
        ("no_totp", {}, "none is set up"),
        ("reset_totp", {}, "none is set up"),
        ("end_sessions", {}, "That is done"),
        ("disable", {}, "Disabled"),
        ("enable", {}, "May sign in"),
    ):
        led = send(admin, path, act=act, **typed)
        assert led.status_code == 303, act
        shown = admin.get(led.headers["Location"]).text
        assert said in shown
        assert HTML not in shown
    assert len(secret_of(send(admin, path, act="password").text)) >= 16
    assert send(admin, path, act="change", name="").status_code == 422
    assert send(admin, path, act="nothing").status_code == 404
    assert send(admin, f"/admin/people/{'0' * 32}", path, act="disable").status_code == 404


def test_a_new_password_lets_in_whoever_was_locked_out(
    service: Service, admin: FlaskClient
) -> None:
    """
    After too many failures even the right password is refused; a new one opens at once.
    """
    made = send(admin, "/admin/people", email="hal@example.org", name="Hal", role="auditor")
    account, now = account_of("hal@example.org"), service.parts.now()
    for _ in range(service.parts.settings.lockout_account_tries):
        sessions.note_failure(service.parts.store, account, "10.0.0.9", now)
    right = SignIn("hal@example.org", secret_of(made.text))
    assert sign_in(service.app.test_client(), right).status_code == 429
    path = f"/admin/people/{id_of(service, 'hal@example.org')}"
    fresh = SignIn("hal@example.org", secret_of(send(admin, path, act="password").text))
    client = service.app.test_client()
    sign_in(client, fresh)
    assert 'action="/sign-in/password"' in client.get("/sign-in/next").text


def test_nobody_is_offered_to_lock_themself_out(service: Service, admin: FlaskClient) -> None:
    """
    One's own page offers no role and no way out, and a form that was made up is refused in words.
    """
    me = id_of(service, "admin@example.org")
    shown = admin.get(f"/admin/people/{me}").text
    assert "Disable this person" not in shown
    assert 'name="role"' not in shown
    for act, typed in (("disable", {}), ("change", {"role": "auditor", "name": "A"})):
        refused = send(admin, f"/admin/people/{me}", act=act, **typed)
        assert refused.status_code == 409
        assert "another administrator" in refused.text


def test_a_key_is_shown_once_and_ended(admin: FlaskClient, service: Service) -> None:
    """
    A system's key and one's own are made on the page; another administrator's is refused.
    """
    made = send(admin, "/admin/keys", label="CAD <b>", whose="role:dispatch")
    assert made.status_code == 201
    assert "CAD <b>" not in made.text
    secret = secret_of(made.text)
    listed = admin.get("/admin/keys").text
    assert secret not in listed
    mine = f"person:{id_of(service, 'admin@example.org')}"
    assert send(admin, "/admin/keys", label="mine", whose=mine).status_code == 201
    second = f"person:{id_of(service, 'second-admin@example.org')}"
    assert second not in listed
    assert send(admin, "/admin/keys", label="theirs", whose=second).status_code == 409
    for typed in ({}, {"label": "x"}, {"label": "", "whose": "role:admin"}, {"whose": "x:y"}):
        assert send(admin, "/admin/keys", **typed).status_code == 422
    key, _ = service.parts.access_keys.page(command_line("example"), None, 50)
    key_id = next(one["key_id"] for one in key if one["label"] == "CAD <b>")
    path = f"/admin/keys/{key_id}/end"
    assert send(admin, path, "/admin/keys").status_code == 303
    assert send(admin, path, "/admin/keys").status_code == 404


def filled(admin: FlaskClient) -> dict[str, Any]:
    """
    Give the form of the agency as a browser would send it untouched.
    """
    shown = Page(admin.get("/admin/agency").text)
    typed: dict[str, Any] = {"reason_id": [], "reason_label": []}
    for one in shown.named("input"):
        name, value = one.get("name"), one.get("value") or ""
        if name in ("reason_id", "reason_label"):
            typed[name].append(value)
        elif name and (one.get("type") != "checkbox" or "checked" in one):
            typed[name] = value
    return typed


def test_the_agency_is_set_and_two_who_set_it_do_not_overwrite_each_other(
    admin: FlaskClient, service: Service
) -> None:
    """
    The second of two is told what the first set, keeps what they typed, and can save it then.
    """
    first, second = filled(admin), filled(admin)
    assert set(REVIEW_LEAST) <= set(first)
    first |= {"time_zone": "America/Denver", "sample_percent": "4.5"}
    first["reason_id"][-3], first["reason_label"][-3] = "far", f"Too far {HTML}"
    del first["fallback"]
    done = admin.post("/admin/agency", data=first)
    assert done.status_code == 303
    held = service.parts.agencies.find(command_line("example"))
    assert held is not None
    assert held["time_zone"] == "America/Denver"
    assert (held["review"]["sample_percent"], held["review"]["fallback"]) == (4.5, False)
    assert held["dispatch_reasons"][-1]["id"] == "far"
    refused = admin.post("/admin/agency", data={**second, "name": "Second wish"})
    assert refused.status_code == 412
    assert "America/Denver" in refused.text
    assert 'value="Second wish"' in refused.text
    assert HTML not in refused.text
    tag = re.search(r'name="tag" value="([^"]+)"', refused.text)
    assert tag
    again = admin.post("/admin/agency", data={**second, "name": "Second wish", "tag": tag[1]})
    assert again.status_code == 303
    standing = {**second, "csrf_token": second["csrf_token"], "tag": ""}
    assert admin.post("/admin/agency", data=standing).status_code == 412


def test_faults_of_the_agency_stand_at_their_fields(admin: FlaskClient) -> None:
    """
    Every fault is told at once, each at its field, and nothing typed is lost.
    """
    typed = filled(admin)
    typed |= {"name": "", "time_zone": "Mars", "due_days": "soon", "sample_percent": "nan"}
    typed["reason_id"][0] = "Not An Id"
    refused = admin.post("/admin/agency", data=typed)
    assert refused.status_code == 422
    wrong = {one.get("id") for one in Page(refused.text).named("input") if one.get("aria-invalid")}
    assert wrong == {"name", "time_zone", "due_days", "sample_percent", "reason-id-0"}
    assert 'value="soon"' in refused.text
    assert 'value="Not An Id"' in refused.text


def test_the_trail_is_searched_and_exported(admin: FlaskClient) -> None:
    """
    Filters stand in the URL, leave what meets them, and go along into the export.
    """
    send(admin, "/admin/keys", label="=formula()", whose="role:auditor")
    shown = admin.get("/admin/audit?act=made&subject_kind=key").text
    assert "=formula()" in shown
    assert ">signed in<" not in shown
    assert 'value="made"' in shown
    today = dt.datetime.now(dt.UTC).date()
    for query, is_there in (
        (f"from={today - dt.timedelta(days=1)}&to={today + dt.timedelta(days=1)}", True),
        ("to=2020-01-01", False),
        (f"who={quote('Example Admin')}", True),
        ("who=nobody", False),
    ):
        found = admin.get(f"/admin/audit?act=made&{query}").text
        assert ("=formula()" in found) == is_there, query
    for bad in ("from=soon", "to=9999-99-99", "from=9999-12-31T23:59:59%2B00:00", "cursor=x"):
        assert admin.get(f"/admin/audit?{bad}").status_code == 422
    exported = admin.get("/admin/audit/export?act=made&subject_kind=key")
    rows = list(csv.DictReader(io.StringIO(exported.text)))
    assert rows
    assert {row["act"] for row in rows} == {"made"}
    assert admin.get("/admin/audit/export?from=soon").status_code == 422


def an_alert(service: Service, number: int, call_id: str | None) -> Alert:
    """
    Raise an alert.
    """
    now = service.parts.now()
    made = Alert(
        *(alerts.new_id(), "example", KINDS[number % len(KINDS)], f"{number}" * 8, call_id),
        *("Look at this.", now, now),
    )
    assert alerts.create(service.parts.store, made)
    return made


def test_an_alert_stands_on_every_page_until_it_is_settled(
    service: Service, supervisor: FlaskClient, admin: FlaskClient
) -> None:
    """
    The line is there with the call's id, is settled with a word, and the second to try is told.
    """
    made = an_alert(service, 4, f"call-{HTML}")
    for path in ("/state", "/account"):
        shown = supervisor.get(path).text
        assert "alerts-line" in shown
        assert HTML not in shown
    assert "alerts-line" not in admin.get("/admin").text, "it is about a call"
    assert "alerts-line" not in supervisor.get("/alerts").text
    path = f"/alerts/{made.id}/settle"
    assert send(admin, path, "/account", comment="x").status_code == 404
    long = send(supervisor, path, "/alerts", comment="x" * 2001)
    assert long.status_code == 422
    assert "x" * 2001 in long.text
    settled = send(supervisor, path, "/alerts", comment=HTML)
    assert settled.status_code == 303
    again = send(supervisor, path, "/account", comment="me too")
    assert again.status_code == 409
    assert "Example Supervisor" in again.text
    assert "alerts-line" not in supervisor.get("/state").text
    kept = supervisor.get("/alerts?state=settled").text
    assert HTML not in kept
    assert "&lt;script&gt;" in kept
    about_none = an_alert(service, 5, None)
    assert "alerts-line" in admin.get("/admin").text
    assert send(admin, f"/alerts/{about_none.id}/settle", "/alerts").status_code == 303


def test_the_state_says_what_is_away_and_what_went_wrong(
    service: Service, supervisor: FlaskClient
) -> None:
    """
    What the service stands on and the last errors stand in words; a line of a log that holds
    anything else is not shown.
    """
    logs = service.parts.settings.home / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "worker.log").write_text(
        '{"level":"error","event":"record_quarantined","timestamp":"2026-11-24T12:00:00Z",'
        '"reason":"she said"}\n'
        '{"level":"info","event":"stored","timestamp":"2026-11-24T12:00:00Z"}\n'
        '{"level":"error","event":"a new thing","timestamp":"2026-11-24T12:00:00Z"}\n'
        "Traceback: she said\n{broken\n"
    )
    shown = supervisor.get("/state")
    assert shown.status_code == 200
    assert "The store could not take a record" in shown.text
    assert "she said" not in shown.text
    assert "Queue (Redis)" in shown.text
    assert "decisions wait in the journal" in shown.text


def test_every_word_has_its_thing() -> None:
    """
    Each role, kind of alert and review rule has its words on the pages.
    """
    assert set(ROLE_WORDS) == set(MAY)
    assert set(KIND_WORDS) == set(KINDS)
    assert set(RULE_WORDS) == set(REVIEW_LEAST)


def test_a_page_asks_the_store_as_often_for_many_as_for_few(
    service: Service, admin: FlaskClient
) -> None:
    """
    The number of statements of a page does not grow with what it lists.
    """
    paths = ("/admin/people", "/admin/keys", "/admin/audit", "/alerts", "/admin/agency", "/state")
    before = {path: statements(service, admin, path) for path in paths}
    for number in range(12):
        told = {"label": f"many {number}", "role": "dispatch"}
        service.parts.access_keys.make(command_line("example"), told)
        an_alert(service, number + 100, None)
    assert {path: statements(service, admin, path) for path in paths} == before
    assert before.pop("/state") <= STATE_STATEMENTS_MAX
    assert max(before.values()) <= STATEMENTS_MAX


def statements(service: Service, client: FlaskClient, path: str) -> int:
    """
    Count the statements that a page sends to the store, the begin of each transaction left out.
    """
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        # The thread that looks around asks too, for whole tables of its own.
        if threading.current_thread() is threading.main_thread():
            seen.append(statement)

    event.listen(service.parts.store, "before_cursor_execute", note)
    try:
        assert client.get(path).status_code == 200
    finally:
        event.remove(service.parts.store, "before_cursor_execute", note)
    return len([one for one in seen if not one.startswith("BEGIN")])
