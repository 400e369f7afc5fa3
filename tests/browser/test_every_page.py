"""
Every page in a real browser: nothing that axe finds, in light and in dark, wide and narrow.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.house import House
from tests.browser.tour import STOPS, windows


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(browser: Browser, lived_in: House, scheme: str, width: int) -> None:
    """
    No page breaks a rule of axe, none is wider than the window, and each has a title and one h1.
    """
    axe, found = Axe(), {}
    size = {"width": width, "height": 900}
    for who, page in windows(browser, lived_in, color_scheme=scheme, viewport=size):
        for stop in (one for one in STOPS if one.who == who):
            stop.reach(page, lived_in)
            broken = [
                f"{one['id']}: {one['nodes'][0]['html'][:160]}"
                for one in axe.run(page).response["violations"]
            ]
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if wide > 0:
                broken.append(f"wider than the window by {wide} px")
            if page.locator("h1").count() != 1 or not page.title():
                broken.append("no title, or not one h1")
            if broken:
                found[stop.name] = broken
    assert found == {}
