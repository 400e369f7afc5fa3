"""
What is read out of a call on its page: shown beside the remark, taken back by buttons alone, and
counting again when something new is said.
"""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.pages.browsing import Page, Service, decision_id_of, tell
from tests.pages.pressing import form_of, press

KNIFE = "RP ADV SON HAS A KNIFE, RP DENIES SI"
NASTY = "<script>alert('x')</script>\"'</mark></textarea>"


def request_of(service: Service, page: TestResponse) -> dict[str, Any]:
    """
    Give the request on record of the decision that a page shows.
    """
    document = service.parts.records.find("example", decision_id_of(page))
    assert document is not None
    found: dict[str, Any] = document["request"]
    return found


def signal_of(page: TestResponse, key: str) -> str:
    """
    Give what the page says of one signal.
    """
    found = re.search(rf'<li [^>]*data-mark="signal-{key}-\w*".*?</li>', page.text, re.DOTALL)
    assert found, key
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]))


def kinds_of(page: TestResponse) -> list[str]:
    """
    Give who is recommended.
    """
    return re.findall(r'class="responder r-(\w+)" data-mark="r-', page.text)


def evidence_of(page: TestResponse) -> list[tuple[str, str]]:
    """
    Give each mark within the copy of the remark: its class and its words.
    """
    found = re.search(r'<p class="words remark-read".*?</p>', page.text, re.DOTALL)
    assert found
    return re.findall(r'<mark class="([^"]*)">([^<]*)</mark>', found[0])


def test_a_remark_is_read_with_its_evidence(service: Service, browser: FlaskClient) -> None:
    """
    Each signal stands with its words, fact, value, source, and whether and why it counts; its words
    are marked in a copy of the remark, what is denied otherwise than what is said.
    """
    page = tell(browser, "signals-1", remarks=KNIFE)
    weapon, suicide = signal_of(page, "remarks.weapon"), signal_of(page, "remarks.suicide")
    assert "“ HAS A KNIFE ” Weapon: knife or blade" in weapon
    assert "from the remarks: nobody told, so it fills the fact" in weapon
    assert "Counts" in weapon
    assert "“ DENIES SI ” Suicide: none , denied" in suicide
    assert "Does not count" in suicide
    assert evidence_of(page) == [("ev", "HAS A KNIFE"), ("ev ev-absent", "DENIES SI")]
    assert "fills what nobody told, or raises it; they never lower what was told" in page.text
    assert "The words are kept encrypted with the call." in page.text


def test_a_danger_that_was_read_is_not_said_to_be_unknown(browser: FlaskClient) -> None:
    """
    What a signal fills counts as told: it is not listed among what is not yet answered.
    """
    page = tell(browser, "signals-2", remarks="HE HAS A GUN")
    listed = re.search(r'<dl class="not-known">.*?</dl>', page.text, re.DOTALL)
    assert listed
    labels = re.findall(r"</svg>([^<]+)</span>", listed[0])
    assert "Suicide" in labels
    assert "Weapon" not in labels


def test_a_signal_is_taken_back_by_one_press_and_counts_again_by_another(
    service: Service, browser: FlaskClient
) -> None:
    """
    A short reason is one button; taken back a signal counts no more, stays in sight with the
    reason, stays taken back at the next press, and one button undoes it.
    """
    page = tell(browser, "signals-3", remarks=KNIFE)
    before = kinds_of(page)
    assert "co_responder" in before
    page = press(browser, page, "tb-remarks-weapon-2")
    assert kinds_of(page) != before
    assert 'id="undo-press" name="count_again" value="remarks.weapon"' in page.text
    page = press(browser, page, "recommend")
    told = signal_of(page, "remarks.weapon")
    assert "Why: “ It is about somebody else ” Taken back" in told
    assert ("ev ev-taken", "HAS A KNIFE") in evidence_of(page)
    assert request_of(service, page)["dismissed"] == [
        {"fact": "weapon", "source": "remarks", "reason": "It is about somebody else"}
    ]
    page = press(browser, page, "tb-remarks-weapon-again")
    assert "Counts" in signal_of(page, "remarks.weapon")
    assert kinds_of(page) == before
    assert "dismissed" not in request_of(service, page)


def test_a_reason_of_ones_own_and_undo(service: Service, browser: FlaskClient) -> None:
    """
    Another reason can be typed, as text of anybody; 'Undo' lets the signal count again.
    """
    page = tell(browser, "signals-4", remarks=KNIFE)
    page = press(
        browser, page, "tb-remarks-weapon-other", {"dismiss.remarks.weapon": f"Toy {NASTY}"}
    )
    assert request_of(service, page)["dismissed"][0]["reason"] == f"Toy {NASTY}"
    assert "<script>alert" not in page.text
    page = tell(browser, "signals-5", remarks=KNIFE)
    page = press(browser, page, "tb-remarks-weapon-1")
    page = press(browser, page, "undo-press")
    assert "dismissed" not in request_of(service, page)


def test_a_signal_of_a_code_is_taken_back_alike(service: Service, browser: FlaskClient) -> None:
    """
    What a type code says stands with its source, and is taken back alone: the remark still counts.
    """
    codes = service.parts.rules.config.incident_types.registries["seattle"].codes
    code = next(name for name, facts in codes.items() if facts.get("weapon") == "firearm")
    page = tell(browser, "signals-6", remarks=KNIFE, registry="seattle", type_code=code)
    assert "from the type code: nobody told" in signal_of(page, "incident_type.weapon")
    reason = {"dismiss.incident_type.weapon": "caller sees both hands empty"}
    page = press(browser, page, "tb-incident_type-weapon-other", reason)
    assert "Taken back" in signal_of(page, "incident_type.weapon")
    assert "Counts" in signal_of(page, "remarks.weapon")
    assert [one["source"] for one in request_of(service, page)["dismissed"]] == ["incident_type"]


def test_something_new_counts_again(service: Service, browser: FlaskClient) -> None:
    """
    Words of the same fact that come after it was taken back count, and the page says so; the same
    words, fewer of them, or a denial do not bring it back.
    """
    page = tell(browser, "signals-7", remarks="RP SAYS GUN")
    page = press(browser, page, "tb-remarks-weapon-1")
    for remark in ("RP SAYS GUN, CALM", "RP SAYS nothing", "RP SAYS GUN. DENIES WEAPONS"):
        page = press(browser, page, "recommend", {"remarks": remark})
        assert request_of(service, page)["dismissed"], remark
        assert "Weapon counts again." not in page.text
    page = press(browser, page, "recommend", {"remarks": "RP SAYS GUN. HAS A KNIFE IN HAND"})
    assert "dismissed" not in request_of(service, page)
    assert "Weapon counts again." in page.text
    page = press(browser, page, "recommend")
    assert "Weapon counts again." not in page.text


def test_a_call_taken_up_again_has_its_signals_as_they_were(
    service: Service, browser: FlaskClient
) -> None:
    """
    A call taken up shows the remark, its evidence and what was taken back, and goes on from there;
    something new counts again there too.
    """
    page = press(browser, tell(browser, "signals-8", remarks=KNIFE), "tb-remarks-weapon-3")
    page = browser.get("/", query_string={"call": "signals-8"})
    assert "Taken back" in signal_of(page, "remarks.weapon")
    page = press(browser, page, "recommend")
    assert request_of(service, page)["dismissed"]
    page = press(browser, page, "recommend", {"remarks": f"{KNIFE}. NOW HE HAS A GUN"})
    assert "dismissed" not in request_of(service, page)


def test_what_contradicts_itself_is_said(browser: FlaskClient) -> None:
    """
    Said and denied in one remark: both sides stand in one sentence with their words, and which of
    them counts.
    """
    page = tell(browser, "signals-9", remarks="HAS A KNIFE. RP DENIES WEAPONS")
    assert (
        "Weapon: “HAS A KNIFE” says knife or blade (1); “DENIES WEAPONS” says none (2)."
        " The riskier counts."
    ) in page.text
    page = tell(browser, "signals-10", "weapon=none", remarks="HAS A KNIFE")
    assert "Weapon: none was told; “HAS A KNIFE” says knife or blade (1)." in page.text
    page = press(browser, page, "tb-remarks-weapon-1")
    assert "The riskier counts." not in page.text


@pytest.mark.parametrize(
    "remark",
    [
        f"HAS A GUN {NASTY}",
        f"HAS {NASTY} A GUN",
        "HAS\na\r\nGUN \u202eNUG A SAH",
        "GUN " * 2_000,
        "🔫 HAS A GUN 🔫 ü ß",
    ],
)
def test_a_remark_is_text_whatever_it_holds(browser: FlaskClient, remark: str) -> None:
    """
    Markup, writing that turns and very long remarks are shown as text, whole and in order, and give
    back the same remark.
    """
    page = tell(browser, "signals-11", remarks=remark)
    assert page.status_code == 200
    shown = Page(page.text)
    assert [one.get("src") is not None for one in shown.named("script")] == [True]
    kept = dict(form_of(page).fields)["remarks"]
    assert kept == remark.replace("\r\n", "\n")
    copy = re.search(r'<p class="words remark-read"[^>]*>(.*?)</p>', page.text, re.DOTALL)
    assert copy
    plain = re.sub(r"<[^>]+>", "", copy[1])
    for escaped, sign in (("&lt;", "<"), ("&gt;", ">"), ("&#34;", '"'), ("&#39;", "'")):
        plain = plain.replace(escaped, sign)
    assert plain == kept


@pytest.mark.parametrize(
    "data",
    [
        {"take_back": "remarks.weapon=nonsense"},
        {"take_back": "remarks.housing=misread"},
        {"take_back": "=misread"},
        {"take_back": NASTY},
        {"count_again": "remarks.weapon"},
        {"count_again": NASTY},
        {"evidence.remarks.weapon": NASTY},
        {"dismiss.remarks.housing": "no"},
    ],
)
def test_an_odd_press_takes_nothing_back(
    service: Service, browser: FlaskClient, data: dict[str, str]
) -> None:
    """
    What names no signal or no reason changes nothing, and never fails.
    """
    page = tell(browser, "signals-12", remarks=KNIFE)
    page = press(browser, page, "recommend", data)
    assert page.status_code == 200
    assert "dismissed" not in request_of(service, page)


def test_practice_reads_and_takes_back_alike(browser: FlaskClient) -> None:
    """
    A practice call reads a remark, takes back and lets count again, and records nothing.
    """
    page = press(browser, browser.get("/practice"), "recommend", {"remarks": KNIFE})
    page = press(browser, page, "tb-remarks-weapon-1")
    assert "Taken back" in signal_of(page, "remarks.weapon")
    page = press(browser, page, "recommend", {"remarks": f"{KNIFE}. HE HAS A GUN"})
    assert "Weapon counts again." in page.text
