"""
The markup of the pages: nothing of others runs, nothing is inline, and everything has a name.
"""

import re
from pathlib import Path

from flask.testing import FlaskClient

from tests.pages.browsing import Page, every_page, tell

NASTY = "<script>alert('x')</script>\"'"
KINDS = {"988", "warm_line", "mobile_crisis", "ems", "co_responder", "law_enforcement"}


def test_html_of_others_is_text(browser: FlaskClient) -> None:
    """
    HTML in the call's id, its remarks or an answer is shown as text and never becomes a tag.
    """
    for response in (
        tell(browser, NASTY, "caller=self", remarks=f"</textarea>{NASTY}"),
        tell(browser, NASTY, f"caller={NASTY}", remarks=NASTY),
        tell(browser, NASTY, f"{NASTY}={NASTY}", fact_age=NASTY),
    ):
        page = Page(response.text)
        assert [one.get("src") is not None for one in page.named("script")] == [True]
        assert "remarks" in [one["id"] for one in page.named("textarea")]
        field = next(one for one in page.named("input") if one.get("name") == "call_id")
        assert field["value"] == NASTY


def test_nothing_runs_or_is_styled_inline(browser: FlaskClient, stranger: FlaskClient) -> None:
    """
    No page holds a script or a style of its own, an `on…` attribute, or loads from elsewhere.
    """
    for text in every_page(browser, stranger):
        page = Page(text)
        for tag, attributes in page.tags:
            assert tag not in ("style", "iframe", "object", "embed", "base")
            if tag == "script":
                assert (attributes.get("src") or "").startswith("/static/")
            assert not [name for name in attributes if name == "style" or name.startswith("on")]
            assert "target" not in attributes
            if tag in ("link", "use", "img", "form"):
                address = attributes.get("href") or attributes.get("src") or attributes["action"]
                assert address is not None
                assert address.startswith("/")


def test_each_page_is_well_made(browser: FlaskClient, stranger: FlaskClient) -> None:
    """
    Each page has a title, one h1, a way to skip to it, each id once, and a label for each field.
    """
    for text in every_page(browser, stranger):
        page = Page(text)
        assert re.search(r"<title>.+ · Crisis Router</title>", text)
        assert len(page.named("h1")) == 1
        assert '<a class="skip" href="#main">' in text
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        labelled = {one.get("for") for one in page.named("label")}
        for tag in ("input", "select", "textarea"):
            for one in page.named(tag):
                if one.get("type") not in ("hidden", "checkbox"):
                    assert one.get("id") in labelled


def test_enter_answers_nothing(browser: FlaskClient) -> None:
    """
    Enter in a text field presses the first button of a form: that one gives no answer.
    """
    for text in (browser.get("/").text, tell(browser, "enter-1", "caller=self").text):
        form = text[text.index('id="call"') :]
        first = Page(form).named("button")[0]
        assert "name" not in first


def test_icons_are_in_the_sprite(browser: FlaskClient, stranger: FlaskClient) -> None:
    """
    Each icon that a page shows is in the sprite, and each responder has one.
    """
    with stranger.get("/static/icons.svg") as response:
        sprite = response.get_data(as_text=True)
    used = {
        name for text in every_page(browser, stranger) for name in re.findall(r"#i-(\w+)", text)
    }
    assert used | KINDS <= set(re.findall(r'id="i-(\w+)"', sprite))


def test_static_files_may_be_kept(stranger: FlaskClient) -> None:
    """
    The style sheet is served under the address that pages name, and browsers may keep it.
    """
    found = re.search(r'href="(/static/look\.css[^"]*)"', stranger.get("/sign-in").text)
    assert found
    with stranger.get(found[1]) as response:
        assert response.status_code == 200
        assert response.mimetype == "text/css"
        assert "max-age=86400" in response.headers["Cache-Control"]


def test_static_folder_holds_what_is_served() -> None:
    """
    Style sheets, icons and scripts are served, and nothing else.
    """
    static = Path(__file__).resolve().parents[2] / "service" / "pages" / "static"
    assert {path.suffix for path in static.iterdir()} <= {".css", ".svg", ".js"}
