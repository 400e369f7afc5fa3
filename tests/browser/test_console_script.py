"""
What the console's script adds: keys, the answer put in place, and nothing lost when the network is
slow, away, or somebody signs out beside it.
"""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.house import House

ANSWERED = re.compile(r"Revision (\d+)")


@pytest.fixture
def call(page: Page, house: House) -> Page:
    """
    Open a new call, signed in as the dispatcher.
    """
    house.sign_in(page, "dispatcher")
    page.goto("/")
    return page


@pytest.fixture
def shaky(browser: Browser, house: House) -> Iterator[Page]:
    """
    Open a new call in a window whose network a test may break.
    """
    context = browser.new_context(base_url=house.url)
    opened = context.new_page()
    house.sign_in(opened, "dispatcher")
    opened.goto("/")
    yield opened
    context.close()


def press(page: Page, key: str, fact: str) -> None:
    """
    Answer by a key, wait until the fact is told, and let the letters rest.
    """
    page.keyboard.press(key)
    page.locator(f"#told-{fact}").wait_for()
    page.wait_for_timeout(400)


def revision_of(page: Page) -> int:
    """
    Give the number of the revision that is shown.
    """
    found = ANSWERED.search(page.locator(".head").inner_text())
    assert found
    return int(found[1])


def test_a_whole_call_by_keyboard(call: Page, house: House) -> None:
    """
    From a new call to what was sent without a pointer: letters answer, a digit chooses another
    question, `z` undoes, `r` goes to the remarks, Ctrl and Enter recommend, `s` and Enter report.
    """
    press(call, "w", "caller")
    press(call, "i", "suicide")
    weapon = call.locator(".ask", has=call.locator("#a-weapon-none"))
    call.keyboard.press(weapon.get_attribute("data-question") or "")
    expect(weapon).to_have_class(re.compile("ask-chosen"))
    press(call, "n", "weapon")
    call.keyboard.press("z")
    call.locator("#told-weapon").wait_for(state="detached")
    call.keyboard.press("r")
    call.keyboard.type("no g n w here")
    call.keyboard.press("Control+Enter")
    expect(call.locator("h1")).to_be_visible()
    expect(call.locator(".head .mark").first).to_have_text("Revision 5")
    expect(call.locator("#remarks")).to_be_focused()
    expect(call.locator("#remarks")).to_have_value("no g n w here")
    call.keyboard.press("Escape")
    call.keyboard.press("s")
    expect(call.locator("#sent-as")).to_be_focused()
    call.keyboard.press("Enter")
    expect(call.locator("#sent-latest")).to_contain_text("Told by you")
    call_id = call.locator("#call_id").input_value()
    revisions = house.api(f"/v1/calls/{call_id}", "dispatch")["revisions"]
    assert len(revisions) == 5
    assert len(revisions[-1]["dispatches"]) == 1


def test_a_gun_is_asked_about_at_once(call: Page) -> None:
    """
    After a gun the next letter answers where it is, and the one after that whom it is turned on.
    """
    call.keyboard.press("3")
    press(call, "g", "weapon")
    expect(call.locator(".ask-chosen")).to_have_attribute("id", "q-weapon_access")
    press(call, "i", "weapon_access")
    expect(call.locator(".ask-chosen")).to_have_attribute("id", "q-weapon_toward")


def test_keys_can_be_seen_and_turned_off(call: Page) -> None:
    """
    `?` lists the keys; turned off, letters do nothing, also after the page was loaded again.
    """
    call.keyboard.press("?")
    expect(call.get_by_role("dialog", name="Keys")).to_be_visible()
    call.get_by_role("button", name="Turn letters and numbers off").click()
    call.keyboard.press("Escape")
    call.reload()
    call.keyboard.press("w")
    call.wait_for_timeout(500)
    expect(call.locator("#told-caller")).to_have_count(0)
    call.keyboard.press("?")
    call.get_by_role("button", name="Turn letters and numbers on").click()
    call.keyboard.press("Escape")
    press(call, "w", "caller")


def test_what_changed_is_marked_and_said(call: Page) -> None:
    """
    The new answer is put in place without a jump, marked for two seconds, and read out.
    """
    call.evaluate("scrollTo(0, 120)")
    call.keyboard.press("w")
    said = call.locator("#said")
    expect(said).to_contain_text("Revision 1: Mobile crisis.")
    expect(said).to_contain_text("Next: ")
    assert call.locator(".changed").count() > 0
    assert call.evaluate("scrollY") == 120
    call.wait_for_timeout(2300)
    assert call.locator(".changed").count() == 0
    assert "?call=" in call.url
    call.reload()
    expect(call.locator("#told-caller")).to_have_count(1)


def test_what_is_typed_meanwhile_is_kept(shaky: Page) -> None:
    """
    What is typed while an answer is on its way stays, and a double press is one revision.
    """

    def slowly(route: Route) -> None:
        time.sleep(0.6)
        route.continue_()

    shaky.locator("#more-call summary").click()
    shaky.route("**/", slowly)
    shaky.locator("#a-caller-self").dblclick()
    shaky.locator("#type-code").fill("typed meanwhile")
    shaky.locator("#more-away summary").click()
    shaky.locator("#told-caller").wait_for()
    shaky.wait_for_timeout(800)
    assert revision_of(shaky) == 1
    expect(shaky.locator("#type-code")).to_have_value("typed meanwhile")


def test_a_second_answer_waits_for_the_first(shaky: Page) -> None:
    """
    Two answers pressed one right after the other are both taken, in order.
    """

    def slowly(route: Route) -> None:
        time.sleep(0.4)
        route.continue_()

    shaky.route("**/", slowly)
    shaky.locator("#a-caller-with_person").click()
    shaky.locator("#a-weapon-none").click()
    shaky.locator("#told-weapon").wait_for()
    assert revision_of(shaky) == 2


def test_without_the_script_s_way_the_form_is_sent(shaky: Page) -> None:
    """
    Where the script cannot send, or gets no answer in time, the form is sent as it is without one,
    and the press is on record once.
    """
    shaky.route("**/", _only_plain)
    shaky.locator("#a-caller-self").click()
    shaky.locator("#told-caller").wait_for()
    assert revision_of(shaky) == 1
    shaky.unroute("**/")

    def never(route: Route) -> None:
        if route.request.resource_type == "fetch":
            route.fetch()  # it arrives and is recorded; the answer is lost
        else:
            route.continue_()

    shaky.route("**/", never)
    shaky.locator("#ask .answer").first.click()
    expect(shaky.locator(".head .mark").first).to_have_text("Revision 2", timeout=20_000)


def _only_plain(route: Route) -> None:
    if route.request.resource_type == "fetch":
        route.abort()
    else:
        route.continue_()


def test_signed_out_beside_the_call(shaky: Page, house: House) -> None:
    """
    Somebody who signed out in another tab is told so, and loses nothing of what was typed.
    """
    beside = shaky.context.new_page()
    beside.goto("/")
    house.sign_out(beside)
    shaky.locator("#remarks").fill("still here")
    shaky.keyboard.press("Control+Enter")
    expect(shaky.locator("#signed-out-now")).to_contain_text("Nothing was recorded")
    house.sign_in(beside, "dispatcher")
    shaky.keyboard.press("Control+Enter")
    expect(shaky.locator("#top [role=alert]")).to_contain_text("this page was open too long")
    shaky.keyboard.press("Control+Enter")
    expect(shaky.locator(".head .mark").first).to_have_text("Revision 1")
    expect(shaky.locator("#remarks")).to_have_value("still here")


def test_tab_and_enter_without_scripts(browser: Browser, house: House) -> None:
    """
    Without scripts the same call is taken by Tab and Enter, and no key is promised.
    """
    context = browser.new_context(base_url=house.url, java_script_enabled=False)
    page = context.new_page()
    house.sign_in(page, "dispatcher")
    page.goto("/")
    assert page.locator("kbd:visible, .needs-script:visible").count() == 0
    page.focus("#call_id")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.locator("#a-caller-with_person:focus").count():
            break
    page.keyboard.press("Enter")
    page.locator("#told-caller").wait_for()
    page.focus("#sent-else-open")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.focus("#else-reason")
    page.keyboard.press("ArrowDown")
    page.focus("#sent-else-press")
    page.keyboard.press("Enter")
    expect(page.locator("#sent-latest")).to_contain_text("Differs from what was recommended")
    context.close()
