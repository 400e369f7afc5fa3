"""
A remark read as it is typed, in a real browser: signals beside it, one taken back in two keys, and
nothing taken from under whoever types.
"""

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.house import House

REMARK = "RP ADV SON HAS A KNIFE, DENIES SI"


@pytest.fixture
def call(page: Page, house: House) -> Page:
    """
    Open a new call, signed in as the dispatcher, with the cursor in the remarks.
    """
    house.sign_in(page, "dispatcher")
    page.goto("/")
    page.keyboard.press("r")
    expect(page.locator("#remarks")).to_be_focused()
    return page


def read(page: Page, words: str) -> None:
    """
    Type words and wait until what they say is shown.
    """
    page.keyboard.type(words)
    expect(page.locator(".remark-read")).to_contain_text(words.strip()[-8:])


def kinds(page: Page) -> list[str]:
    """
    Give who is recommended now.
    """
    return page.locator("#answer .responder:not(.responder-none) b").all_inner_texts()


def test_a_remark_is_read_and_a_signal_taken_back_in_two_keys(call: Page, house: House) -> None:
    """
    Typing alone shows what was read, underlined, with the cursor where it was; `x` and a digit take
    the signal back, the answer changes, and the decision's page tells all of it.
    """
    read(call, REMARK)
    weapon = call.locator('[data-mark="signal-remarks.weapon-present"]')
    expect(weapon).to_contain_text("Counts")
    expect(call.locator("#remarks")).to_be_focused()
    expect(call.locator("#remarks")).to_have_value(REMARK)
    assert call.locator(".remark-read mark.ev:not(.ev-absent)", has_text="KNIFE").count() > 0
    expect(call.locator(".remark-read mark.ev-absent")).to_have_text("DENIES SI")
    expect(call.locator("#said")).to_contain_text("Weapon: knife or blade, said, counts")
    before = kinds(call)
    assert "Co-responder" in before
    call.keyboard.type(" AT ALL")
    expect(call.locator(".remark-read")).to_contain_text("AT ALL")
    expect(call.locator("#remarks")).to_have_value(f"{REMARK} AT ALL")
    call.keyboard.press("Escape")
    call.keyboard.press("x")
    expect(weapon.locator("summary")).to_be_focused()
    call.keyboard.press("2")
    expect(weapon).to_contain_text("Taken back")
    expect(weapon).to_contain_text("It is about somebody else")
    expect(call.locator("#undo")).to_contain_text("Taken back: weapon, from the remarks.")
    assert kinds(call) != before
    call_id = call.locator("#call_id").input_value()
    newest = house.api(f"/v1/calls/{call_id}", "dispatch")["revisions"][-1]
    assert newest["request"]["dismissed"] == [
        {"fact": "weapon", "source": "remarks", "reason": "It is about somebody else"}
    ]
    call.goto(f"/decisions/{newest['decision_id']}")
    story = call.locator(".story section").first
    expect(story.locator(".remark-read")).to_have_text(re.compile(r"HAS A KNIFE"))
    expect(story).to_contain_text("Did not count")
    expect(story).to_contain_text("It is about somebody else")


def test_z_lets_a_signal_count_again(call: Page) -> None:
    """
    `z` undoes what was just taken back, as it undoes an answer.
    """
    read(call, "HE HAS A GUN")
    call.keyboard.press("Escape")
    call.keyboard.press("x")
    call.keyboard.press("1")
    weapon = call.locator('[data-mark="signal-remarks.weapon-present"]')
    expect(weapon).to_contain_text("Taken back")
    call.keyboard.press("z")
    expect(weapon).to_contain_text("Counts")
    expect(call.locator("#undo")).to_have_count(0)


def test_the_field_is_never_replaced_and_never_moves(call: Page) -> None:
    """
    The field that is typed in is the same one after each answer: at its place, with its cursor in
    the middle of the text, and with what the browser can undo.
    """
    call.keyboard.type("gun")
    expect(call.locator("#signals")).to_be_visible()
    call.evaluate("document.getElementById('remarks').dataset.same = 'yes'")
    call.keyboard.press("Home")
    top = call.locator("#remarks").bounding_box()
    call.keyboard.type("he has a ")
    expect(call.locator(".remark-read")).to_contain_text("he has a gun")
    field = call.locator("#remarks")
    expect(field).to_have_attribute("data-same", "yes")
    assert field.evaluate("one => [one.selectionStart, one.selectionEnd]") == [9, 9]
    now = field.bounding_box()
    assert top is not None
    assert now is not None
    assert abs(now["y"] - top["y"]) <= 1
    call.keyboard.press("Control+z")
    expect(field).not_to_have_value("he has a gun")


def test_what_cannot_be_read_stays_and_is_read_later(browser: Browser, house: House) -> None:
    """
    With the service away the page says that the remark is not read, loses nothing and leads nobody
    away; the next key stroke tries again.
    """
    context = browser.new_context(base_url=house.url)
    page = context.new_page()
    house.sign_in(page, "dispatcher")
    page.goto("/")

    def refuse(route: Route) -> None:
        route.abort()

    page.route("**/", refuse)
    page.locator("#remarks").click()
    page.keyboard.type("he has a gun")
    expect(page.locator("#not-read")).to_be_visible()
    expect(page.locator("#remarks")).to_have_value("he has a gun")
    page.unroute("**/")
    page.keyboard.type(" now")
    expect(page.locator(".remark-read")).to_contain_text("he has a gun now")
    expect(page.locator("#not-read")).to_be_hidden()
    context.close()


def test_a_press_while_a_remark_is_read_is_kept(call: Page) -> None:
    """
    An answer that is pressed while the remark is on its way counts too, and once.
    """
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        held.append(route)
        if len(held) > 1:
            route.continue_()

    call.route("**/", hold_the_first)
    call.keyboard.type("he has a gun")
    while not held:
        call.wait_for_timeout(50)
    call.locator("#a-suicide-none").click()
    held[0].continue_()
    expect(call.locator("#told-suicide")).to_have_count(1)
    expect(call.locator(".remark-read")).to_contain_text("he has a gun")
    expect(call.locator(".head .mark").first).to_have_text("Revision 2")


def test_html_in_a_remark_is_text(call: Page) -> None:
    """
    A remark that holds markup is shown as it was typed, within and beside the evidence.
    """
    read(call, "<img src=x onerror=alert(1)> HAS A <b>GUN</b>")
    assert call.locator(".remark-read img, .remark-read b, #signals img").count() == 0
    assert "<b>GUN</b>" in call.locator(".remark-read").inner_text()
