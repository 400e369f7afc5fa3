"""
Give the tests a real Chromium before the whole service, with every part of it running.

On a machine without one they are skipped with a line that says how to get it; where `CI` is set
they fail instead.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import MISSING, chromium
from tests.browser.house import House, seed
from tests.whole_service import running, until_ready


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """
    Start a Chromium.
    """
    path = chromium()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        # As root, as in a container, its sandbox does not start; it opens nothing but our pages.
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[House]:
    """
    Run the whole service on a fresh home.
    """
    home: Path = tmp_path_factory.mktemp("browser") / "home"
    with running(home) as (url, _):
        until_ready(url)
        yield House(url, json.loads((home / "credentials.json").read_text()))


@pytest.fixture(scope="module")
def lived_in(house: House) -> House:
    """
    Run it with calls, reviews, a draft and alerts in it.
    """
    return seed(house)


@pytest.fixture
def page(browser: Browser, house: House) -> Iterator[Page]:
    """
    Open a window of its own, in which nothing may go wrong in the console of the browser.
    """
    context = browser.new_context(base_url=house.url, viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield opened
    context.close()
    # A page that is refused (403, 412, 422) is told of as an error too, and may be wanted.
    assert [one for one in faults if "status of 4" not in one] == []
