"""
Every page there is, and who opens it: for axe, for the walk, and for the pictures.

    python -m tests.browser.tour FOLDER     makes a picture of every page
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import chromium
from tests.browser.house import House, seed
from tests.whole_service import running, until_ready

WIDTHS = (1440, 390)
SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Stop:
    """
    One page: its name, who opens it (None: nobody signed in), and how it is reached.
    """

    name: str
    who: str | None
    reach: Callable[[Page, House], object]


def at(path: str) -> Callable[[Page, House], object]:
    """
    Reach a page by its address.
    """
    return lambda page, house: page.goto(f"{house.url}{path}")


def of_decision(path: str, call_id: str) -> Callable[[Page, House], object]:
    """
    Reach the page of a decision.
    """
    return lambda page, house: page.goto(f"{house.url}{path.format(house.decisions[call_id])}")


def of_person(name: str) -> Callable[[Page, House], object]:
    """
    Reach the page of a person from the list of people.
    """

    def reach(page: Page, house: House) -> None:
        page.goto(f"{house.url}/admin/people")
        page.get_by_role("main").get_by_role("link", name=name).click()

    return reach


def of_form(path: str, button: str) -> Callable[[Page, House], object]:
    """
    Reach the faults of a form that is sent with nothing in it.
    """

    def reach(page: Page, house: House) -> None:
        page.goto(f"{house.url}{path}")
        page.get_by_role("button", name=button).click()

    return reach


def of_review(name: str) -> Callable[[Page, House], object]:
    """
    Reach the page of a review that `seed` claimed or answered.
    """
    return lambda page, house: page.goto(f"{house.url}/reviews/{house.reviews[name]}")


def answered(*answers: str) -> Callable[[Page, House], object]:
    """
    Reach the console with these answers given, each by its button.
    """

    def reach(page: Page, house: House) -> None:
        page.goto(f"{house.url}/")
        for value in answers:
            page.locator(f'button[name="answer"][value="{value}"]').first.click()
            page.get_by_text("On record").first.wait_for()
            page.wait_for_load_state("networkidle")

    return reach


def read_out_of(remark: str) -> Callable[[Page, House], object]:
    """
    Reach the console with what was read out of this remark, one signal taken back, one about to be.
    """

    def reach(page: Page, house: House) -> None:
        page.goto(f"{house.url}/")
        page.locator("#remarks").fill(remark)
        page.locator("#signals").wait_for()
        page.locator("#signals [data-take-back] summary").first.click()
        page.locator("#signals [data-why='1']:visible").click()
        page.locator("#signals .taken").first.wait_for()
        page.locator("#signals [data-take-back] summary").first.click()

    return reach


# Evidence of every kind, and something that contradicts itself. Made up.
REMARK = "SON HAS A KNIFE, RP DENIES WEAPONS. UNK IF OD. HX OF SI LAST YEAR. THREATENING MOTHER"
STOPS: tuple[Stop, ...] = (
    Stop("sign-in", None, at("/sign-in")),
    Stop("account", "dispatcher", at("/account")),
    Stop("call-new", "dispatcher", at("/")),
    Stop("call-answered", "dispatcher", answered("weapon=none")),
    Stop("call-gun", "dispatcher", answered("weapon=firearm")),
    Stop("call-signals", "dispatcher", read_out_of(REMARK)),
    Stop("call-practice", "dispatcher", at("/practice")),
    Stop("decisions", "dispatcher", at("/decisions")),
    Stop("decisions-none", "dispatcher", at("/decisions?call_id=none")),
    Stop("decision", "dispatcher", of_decision("/decisions/{}", "EXAMPLE-1")),
    Stop("decision-try", "dispatcher", of_decision("/decisions/{}/try", "EXAMPLE-1")),
    Stop("call-revisions", "dispatcher", at("/calls/EXAMPLE-1")),
    Stop("reviews", "supervisor", at("/reviews")),
    Stop("reviews-done", "supervisor", at("/reviews?state=done")),
    Stop("review", "supervisor", of_review("claimed")),
    Stop("review-answered", "supervisor", of_review("answered")),
    Stop("review-figures", "supervisor", at("/reviews/figures")),
    Stop("decision-reviewed", "supervisor", of_decision("/decisions/{}", "EXAMPLE-2")),
    Stop("state-log", "supervisor", at("/state")),
    Stop("alerts", "supervisor", at("/alerts")),
    Stop("alerts-settled", "supervisor", at("/alerts?state=settled")),
    Stop("rules", "admin", at("/rules")),
    Stop("ruleset", "admin", at("/rules/national-baseline")),
    Stop("rule", "admin", at("/rules/national-baseline?rule=gun-in-reach")),
    Stop("ruleset-yaml", "admin", at("/rules/national-baseline?view=yaml")),
    Stop("ruleset-history", "admin", at("/rules/national-baseline/history")),
    Stop("ruleset-publish", "admin", at("/rules/national-baseline/publish")),
    Stop("admin", "admin", at("/admin")),
    Stop("people", "admin", at("/admin/people")),
    Stop("people-faults", "admin", of_form("/admin/people", "Add this person")),
    Stop("person", "admin", of_person("Example Supervisor")),
    Stop("person-self", "admin", of_person("Example Administrator")),
    Stop("keys", "admin", at("/admin/keys")),
    Stop("agency", "admin", at("/admin/agency")),
    Stop("incident-types", "admin", at("/admin/incident-types")),
    Stop(
        "incident-types-map",
        "admin",
        at("/admin/incident-types?registry=local&code=Q7"),
    ),
    Stop("incident-types-faults", "admin", of_form("/admin/incident-types", "Map this code")),
    Stop("retention", "admin", at("/admin/retention")),
    Stop("retention-faults", "admin", of_form("/admin/retention", "Place the hold")),
    Stop("audit", "admin", at("/admin/audit")),
    Stop("audit-none", "admin", at("/admin/audit?who=nobody")),
    Stop("state", "admin", at("/state")),
    Stop("not-here", "admin", at("/no-such-page")),
    Stop("not-allowed", "admin", at("/decisions")),
)


def windows(browser: Browser, house: House, **options: object) -> Iterator[tuple[str | None, Page]]:
    """
    Open one window for each person of the tour, signed in, and one for nobody.
    """
    for who in dict.fromkeys(stop.who for stop in STOPS):
        context = browser.new_context(**options)  # type: ignore[arg-type]  # Playwright's own names
        page = context.new_page()
        if who is not None:
            house.sign_in(page, who)
        yield who, page
        context.close()


def make_pictures(browser: Browser, house: House, folder: Path) -> int:
    """
    Make a picture of every page at each width, in light and dark, and count them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for scheme in SCHEMES:
        for width in WIDTHS:
            size = {"width": width, "height": 900}
            for who, page in windows(browser, house, color_scheme=scheme, viewport=size):
                for stop in (one for one in STOPS if one.who == who):
                    stop.reach(page, house)
                    path = folder / f"{stop.name}-{width}-{scheme}.png"
                    page.screenshot(path=path, full_page=True)
                    count += 1
                    sys.stderr.write(f"\r{count:>4} pictures: {path.name:<50}")
    sys.stderr.write("\n")
    return count


def main(folder: Path) -> None:
    """
    Run the service on a home of its own, with example calls, and picture its pages.
    """
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        path = chromium()
        if path is None:
            sys.exit("no Chromium here: install one (Debian: apt install chromium)")
        home = Path(scratch) / "home"
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        with running(home) as (url, _):
            until_ready(url)
            house = seed(House(url, json.loads((home / "credentials.json").read_text())))
            count = make_pictures(browser, house, folder)
        browser.close()
    sys.stdout.write(f"{count} pictures in {folder}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
