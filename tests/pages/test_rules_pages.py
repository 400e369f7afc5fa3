"""
The pages of rules, in browsers without scripts: two administrators, a supervisor, a dispatcher.
"""

import html
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.host.first_start import SignIn
from tests.api.conftest import kinds, ship
from tests.api.rule_writing import Desk, desk, small
from tests.pages.browsing import Page, sign_in, token_of

PAGE = "/rules/national-baseline"


@dataclass(frozen=True)
class House:
    """
    The service, and a browser for each of those who signed in.
    """

    desk: Desk
    admin: FlaskClient
    second: FlaskClient
    supervisor: FlaskClient
    dispatcher: FlaskClient

    def send(self, who: FlaskClient, path: str, **typed: Any) -> TestResponse:
        """
        Send a form with a token of the session.
        """
        token = token_of(who.get("/rules").text)
        return who.post(path, data={"csrf_token": token, **typed})

    def form(self, who: FlaskClient, address: str) -> dict[str, Any]:
        """
        Read the fields of the rule's form as a browser would send them.
        """
        return fields_of(who.get(address).text)


def fields_of(text: str) -> dict[str, Any]:
    """
    Give what the form of one rule holds.
    """
    form = re.search(r'<form class="card" id="edit".*?</form>', text, re.DOTALL)
    assert form, "the page has the form of a rule"
    found: dict[str, Any] = {}
    for tag, attributes in Page(form[0]).tags:
        name, value = attributes.get("name"), attributes.get("value") or ""
        is_off = attributes.get("type") == "checkbox" and "checked" not in attributes
        if tag == "input" and name and not is_off:
            found.setdefault(name, []).append(value)
    selects = re.findall(r'<select[^>]*name="([^"]+)">(.*?)</select>', form[0], re.DOTALL)
    for name, options in selects:
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        first = re.search(r'<option value="([^"]*)"', options)
        found[name] = [html.unescape((chosen or first)[1])]  # type: ignore[index]  # a dropdown has an option
    why = re.search(r'<textarea[^>]*name="why"[^>]*>(.*?)</textarea>', form[0], re.DOTALL)
    assert why
    return {**found, "why": [html.unescape(why[1])]}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """
    Start on an empty home, and let four people sign in.
    """
    home = tmp_path_factory.mktemp("home")
    with desk(home) as made:
        told = json.loads((home / "credentials.json").read_text())
        browsers = []
        for name in ("admin", "second_admin", "supervisor", "dispatcher"):
            browser = made.client.application.test_client()
            assert sign_in(browser, SignIn(**told[name])).status_code == 303
            browsers.append(browser)
        yield House(made, *browsers)


@pytest.fixture
def clean(house: House) -> Iterator[House]:
    """
    Give the house without a draft, and leave it so.
    """
    house.desk.ask("DELETE", "/v1/rulesets/national-baseline/draft")
    yield house
    house.desk.ask("DELETE", "/v1/rulesets/national-baseline/draft")


def test_a_rule_is_changed_refused_mended_approved_and_acts(clean: House) -> None:
    """
    By forms alone a rule is broken, said to be broken, mended, checked, approved by a second
    person, published, seen to act on the next call, and rolled back.
    """
    house, call = clean, {"caller": "with_person", "violence": "threat"}
    assert kinds(house.desk.decide("page-1", **call)) == ["co_responder"]
    ship(house.desk.parts)
    form = house.form(house.admin, f"{PAGE}?rule=violence-likely")
    broken = {**form, "lead": ["law_enforcement"], "test.0.psychosis": ["true"]}
    saved = house.send(house.admin, f"{PAGE}/rule", **broken)
    assert saved.status_code == 303
    shown = house.admin.get(saved.headers["Location"]).text
    assert "who somebody is brings no police" in shown
    assert re.search(r"Line \d+", shown)
    drop = {**house.form(house.admin, f"{PAGE}?rule=violence-likely"), "do": "drop:0.psychosis"}
    without = house.send(house.admin, f"{PAGE}/rule", **drop)
    assert without.status_code == 200
    assert "not saved yet" in without.text
    mended = {**fields_of(without.text), "do": "save"}
    assert "test.0.psychosis" not in mended
    assert house.send(house.admin, f"{PAGE}/rule", **mended).status_code == 303
    sheet = house.admin.get(f"{PAGE}/publish").text
    assert "Not checked." in sheet
    assert house.send(house.admin, f"{PAGE}/check").status_code == 303
    assert "The check is running." in house.admin.get(f"{PAGE}/publish").text
    house.desk.work()
    own, other = house.admin.get(f"{PAGE}/publish").text, house.second.get(f"{PAGE}/publish").text
    assert "1 of 1 calls move" in own
    assert "Approve exactly this content" not in own
    assert "Second Administrator can" in own
    digest = re.search(r'name="digest" value="([^"]+)"', other)
    assert digest
    accepts = re.findall(r'name="accepts" value="([^"]+)"', other)
    mine = house.send(house.admin, f"{PAGE}/approve", digest=digest[1], accepts=accepts)
    assert mine.status_code == 409
    assert "somebody else must approve it" in mine.text
    assert f'href="{PAGE}/publish">Back' in mine.text
    approved = house.send(house.second, f"{PAGE}/approve", digest=digest[1], accepts=accepts)
    assert approved.status_code == 303
    past = house.send(house.admin, f"{PAGE}/publish", digest=digest[1], at="2026-01-01T06:00")
    assert 'value="2026-01-01T06:00" aria-invalid="true"' in past.text
    assert house.send(house.admin, f"{PAGE}/publish", digest=digest[1]).status_code == 303
    after = house.desk.decide("page-2", **call)
    assert kinds(after)[0] == "law_enforcement"
    assert after["ruleset"]["version"] == 2
    history = house.admin.get(f"{PAGE}/history?from=1&to=2").text
    assert "violence-likely" in history
    assert "Changed: at least" in history
    missing = house.send(house.admin, f"{PAGE}/rollback", version="1", reason=" ")
    assert missing.status_code == 422
    back = house.send(house.admin, f"{PAGE}/rollback", version="1", reason="too much police")
    assert back.status_code == 303
    assert kinds(house.desk.decide("page-3", **call)) == ["co_responder"]


def test_the_reasons_of_rollbacks_stay(clean: House) -> None:
    """
    Every rollback's reason is in the history, and the next version is named after the highest.
    """
    house = clean
    first = house.desk.ask("GET", "/v1/rulesets/national-baseline").json["version"]
    last = house.desk.through(house.desk.text().replace("violence-likely", "violence-possible"))
    for version, reason in ((first, "too much"), (last, "it was right"), (first, "it was not")):
        back = house.send(house.admin, f"{PAGE}/rollback", version=str(version), reason=reason)
        assert back.status_code == 303
    kept = house.admin.get(f"{PAGE}/history").text
    for reason in ("too much", "it was right", "it was not"):
        assert reason in kept
    assert "<title>Nothing to publish" in house.admin.get(f"{PAGE}/publish").text
    house.send(house.admin, f"{PAGE}/draft", text=small())
    assert f"<title>Publish version {last + 1}" in house.admin.get(f"{PAGE}/publish").text


def test_the_second_to_save_sees_both_texts(clean: House) -> None:
    """
    Whoever saves over another's draft gets both texts and loses neither; saved again, theirs
    stands.
    """
    house = clean
    first = house.admin.get(f"{PAGE}?view=yaml").text
    tag = re.search(r'name="tag" value="([^"]+)"', first)
    assert tag
    one, two = small(urgency="urgent"), small(urgency="routine")
    sent = {"tag": tag[1], "text": one}
    assert house.send(house.second, f"{PAGE}/draft", **sent).status_code == 303
    late = house.send(house.admin, f"{PAGE}/draft", tag=tag[1], text=two)
    assert late.status_code == 412
    assert "Second Administrator" in late.text
    assert "urgency: urgent" in late.text
    assert "urgency: routine" in late.text
    assert "<ins>+  urgency: routine</ins>" in late.text
    newer = re.search(r'name="tag" value="([^"]+)"', late.text)
    assert newer
    again = house.send(house.admin, f"{PAGE}/draft", tag=newer[1], text=two)
    assert again.status_code == 303
    assert "urgency: routine" in house.admin.get(f"{PAGE}?view=yaml").text


def test_tests_are_added_and_comments_stay(clean: House) -> None:
    """
    A test is added by a dropdown without saving, an alternative too; the YAML's own comments and
    the other rules stay as they were.
    """
    house = clean
    form = house.form(house.admin, f"{PAGE}?rule=things-broken")
    added = house.send(
        house.admin, f"{PAGE}/rule", **{**form, "do": "add:0", "add.0": "intoxication"}
    )
    assert 'name="test.0.intoxication"' in added.text
    more = {**fields_of(added.text), "do": "add:1", "add.1": "agitation"}
    either = house.send(house.admin, f"{PAGE}/rule", **more)
    assert 'name="test.1.agitation"' in either.text
    saved = house.send(house.admin, f"{PAGE}/rule", **{**fields_of(either.text), "do": "save"})
    assert saved.status_code == 303
    draft = house.desk.parts.drafts.find("example", "national-baseline")
    assert draft.text.count("#") == house.desk.text().count("#")
    assert draft.content is not None
    [rule] = [one for one in draft.content["hazards"] if one["id"] == "things-broken"]
    assert set(rule["when"]) == {"violence", "intoxication", "any"}
    assert list(draft.problems) == []
    assert "Changed in this draft" in house.admin.get(PAGE).text


def test_a_rule_with_a_fault_says_so_above_its_form(clean: House) -> None:
    """
    Saved without a reason, a rule stays open with the fault above it in words; without an id
    nothing is saved, and what was typed stands there.
    """
    house = clean
    form = house.form(house.admin, f"{PAGE}?rule=violence-likely")
    saved = house.send(house.admin, f"{PAGE}/rule", **{**form, "why": ""})
    shown = house.admin.get(saved.headers["Location"]).text
    alert = re.search(r'role="alert">.*?</ul>', shown, re.DOTALL)
    assert alert
    assert 'href="#why">A rule needs a why: one plain sentence.' in alert[0]
    assert not re.search(r"`|hazards\[", alert[0])
    assert fields_of(shown)["id"] == ["violence-likely"]
    again = house.form(house.admin, f"{PAGE}?rule=violence-likely")
    refused = house.send(house.admin, f"{PAGE}/rule", **{**again, "id": "", "source": "Typed"})
    assert refused.status_code == 422
    assert 'href="#rule-id">A rule needs an id.' in refused.text
    assert fields_of(refused.text)["source"] == ["Typed"]


def test_a_rule_is_made_moved_and_removed(clean: House) -> None:
    """
    A new need stands before the one that catches all, moves by a press, and goes again.
    """
    house = clean
    form = house.form(house.admin, f"{PAGE}?new=needs")
    made = {
        **form,
        "id": ["ours"],
        "lead": ["mobile_crisis"],
        "urgency": ["moderate"],
        "why": ["Ours."],
        "source": ["Ours"],
        "do": "save",
    }
    made["test.0.suicide"] = ["at most none"]
    assert house.send(house.admin, f"{PAGE}/rule", **made).status_code == 303

    def order() -> list[str]:
        draft = house.desk.parts.drafts.find("example", "national-baseline")
        assert draft.content is not None
        return [one["id"] for one in draft.content["needs"]]

    assert order()[-2] == "ours"
    for what in ("up", "down"):
        form = house.form(house.admin, f"{PAGE}?rule=ours")
        house.send(house.admin, f"{PAGE}/rule", **{**form, "do": what})
    assert order()[-2] == "ours"
    form = house.form(house.admin, f"{PAGE}?rule=ours")
    house.send(house.admin, f"{PAGE}/rule", **{**form, "do": "remove"})
    assert "ours" not in order()
    draft = house.desk.parts.drafts.find("example", "national-baseline")
    assert draft.content == house.desk.ask("GET", "/v1/rulesets/national-baseline").json["content"]


def test_a_call_is_tried_under_both(clean: House) -> None:
    """
    Beside the rules a call is tried, and draft and live version answer side by side.
    """
    house = clean
    shown = house.admin.get(f"{PAGE}?t.violence=threat&t.caller=with_person&try=1").text
    assert "There is no draft." in shown
    house.desk.save(small())
    shown = house.supervisor.get(f"{PAGE}?t.violence=threat&t.caller=with_person").text
    tried = re.search(r'<dl class="versus">(.*?)</dl>', shown, re.DOTALL)
    assert tried
    assert "Co-responder" in tried[1]
    assert "Mobile crisis" in tried[1]
    strange = house.admin.get(f"{PAGE}?t.weapon=%00&t.age=9999999999&t.nothing=x&try=1")
    assert strange.status_code == 200


def test_who_may_not_change_rules_reads_them(clean: House) -> None:
    """
    A supervisor reads rules and draft and is offered no form; a dispatcher is told why not.
    """
    house = clean
    house.desk.save(small())
    for end in ("", "?view=yaml", "?rule=somebody-comes", "/publish", "/history"):
        shown = house.supervisor.get(f"{PAGE}{end}")
        assert shown.status_code == 200
        main = shown.text.split("<main", 1)[1]
        assert (
            'method="post"' not in main.replace(f'action="{PAGE}/draft"', "") or end == "?view=yaml"
        )
    assert house.dispatcher.get("/rules").status_code == 403
    for end in ("draft", "rule", "check", "approve", "publish", "rollback", "throw-away"):
        token = token_of(house.supervisor.get("/account").text)
        sent = house.supervisor.post(f"{PAGE}/{end}", data={"csrf_token": token})
        assert sent.status_code == 403
        assert house.admin.post(f"{PAGE}/{end}").status_code == 400


def test_each_rule_says_how_often_it_fired(tmp_path: Path) -> None:
    """
    Beside a rule stands in how many stored decisions it fired, which opens them for who may read
    calls.
    """
    with desk(tmp_path / "home") as new:
        for number in range(3):
            new.decide(f"fired-{number}", breathing="absent")
        ship(new.parts)
        told = json.loads((new.home / "credentials.json").read_text())
        found = {}
        for name in ("admin", "supervisor"):
            browser = new.client.application.test_client()
            sign_in(browser, SignIn(**told[name]))
            until = time.monotonic() + 10
            while "is being counted" in (text := browser.get(PAGE).text):
                assert time.monotonic() < until
            found[name] = text
        assert "of 3 decisions" in found["admin"]
        assert '<p class="fired"><b>3</b>' in found["admin"]
        assert '<a href="/decisions?rule=not-breathing">3</a>' in found["supervisor"]


def test_html_in_a_rule_is_text(clean: House) -> None:
    """
    Markup in any text of a rule is shown as text, and an address that is none of the web's is no
    link.
    """
    house, evil = clean, "<script>alert(1)</script>"
    text = small().replace("A team should see the person.", f'"{evil}"')
    text = text.replace("title: An example", f"title: '{evil}'\n    url: 'javascript:alert(1)'")
    house.desk.save(text)
    for end in ("", "?view=yaml", "?rule=somebody-comes", "/publish"):
        shown = house.admin.get(f"{PAGE}{end}").text
        assert evil not in shown
        assert 'href="javascript:' not in shown


def test_strange_forms_are_answered(clean: House) -> None:
    """
    What no page sends is refused in words, and never a fault of ours.
    """
    house = clean
    tag = house.form(house.admin, f"{PAGE}?rule=violence-likely")["tag"]
    for typed, status in (
        ({"table": "nothing"}, 404),
        ({"table": "needs", "rule": "no-such-rule"}, 412),
        ({"table": "needs", "rule": "peer-support", "do": "drop:9.x", "tag": tag}, 200),
        ({"table": "needs", "rule": "peer-support", "do": "add:99", "tag": tag}, 200),
        ({"table": "needs", "rule": "peer-support", "do": "up", "tag": tag}, 409),
        ({"table": "needs", "rule": "peer-support", "id": "x", "tag": "another"}, 412),
    ):
        assert house.send(house.admin, f"{PAGE}/rule", **typed).status_code == status, typed
    large = house.send(house.admin, f"{PAGE}/draft", text="x" * 2_200_000)
    assert large.status_code == 413
    assert house.send(house.admin, f"{PAGE}/draft", text="x" * 9_000_000).status_code == 413
    odd = "name: a\x00b\nwhy: \ud83d"
    assert house.send(house.admin, f"{PAGE}/draft", text=odd.encode("utf-8", "replace")).status_code
    assert house.admin.get(f"{PAGE}?view=yaml").status_code == 200
    assert house.send(house.admin, f"{PAGE}/publish", digest="x", at="soon").status_code == 422
    assert house.send(house.admin, f"{PAGE}/rollback", version="x", reason="y").status_code == 404
    assert house.send(house.admin, "/rules/choice", name="no-such").status_code == 404
    assert house.admin.get("/rules/%00").status_code == 404
    assert house.admin.get(f"{PAGE}/history?from=x&to=99999999999").status_code == 200


@pytest.mark.parametrize(
    "end", ["", "?view=yaml", "?rule=weapon-in-hand", "?new=needs", "/publish", "/history"]
)
def test_a_page_has_one_head_and_nothing_inline(house: House, end: str) -> None:
    """
    Each page has a title and one h1; its fields have labels, no id stands twice, nothing is inline.
    """
    text = house.admin.get(f"{PAGE}{end}").text
    page = Page(text)
    assert len(page.named("h1")) == len(page.named("title")) == 1
    ids = [one["id"] for _, one in page.tags if one.get("id")]
    assert len(ids) == len(set(ids))
    labels = {one.get("for") for one in page.named("label")}
    for tag in ("select", "textarea"):
        assert all(one.get("id") in labels for one in page.named(tag))
    assert not [one for _, one in page.tags if "style" in one or "onclick" in one]
    assert all(one.get("src") for one in page.named("script"))
