"""
Press a button of a form as a browser without scripts does: with every field as the page holds it.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


@dataclass
class Button:
    """
    A button of a form: its name and value, and where it sends the form if not to the form's own
    address.
    """

    name: str | None
    value: str
    address: str | None


@dataclass
class Form:
    """
    A form: where it goes, its fields as they stand, and its buttons by id.
    """

    action: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: dict[str, Button] = field(default_factory=dict)


class FormReader(HTMLParser):
    """
    Reads the form with this id out of a page.
    """

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form = Form()
        self._form_id = form_id
        self._is_inside = False
        self._text: list[str] | None = None
        self._name = ""
        self._options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """
        Take in a tag of the form.
        """
        one = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = one.get("id") == self._form_id
            if self._is_inside:
                self.form.action = one["action"]
        elif not self._is_inside:
            return
        elif tag == "input" and one.get("name"):
            is_ticked = one.get("type") not in ("checkbox", "radio") or "checked" in one
            if is_ticked:
                self.form.fields.append((one["name"], one.get("value", "")))
        elif tag == "textarea":
            self._name, self._text = one["name"], []
        elif tag == "select":
            self._name, self._options = one["name"], []
        elif tag == "option":
            self._options.append((one.get("value", ""), "selected" in one))
        elif tag == "button" and one.get("id"):
            button = Button(one.get("name"), one.get("value", ""), one.get("formaction"))
            self.form.buttons[one["id"]] = button

    def handle_data(self, data: str) -> None:
        """
        Take in text, which only a large field holds as its value.
        """
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        """
        Close what was opened.
        """
        if tag == "form":
            self._is_inside = False
        elif tag == "textarea" and self._text is not None:
            self.form.fields.append((self._name, "".join(self._text).removeprefix("\n")))
            self._text = None
        elif tag == "select" and self._is_inside and self._options:
            chosen = [value for value, is_chosen in self._options if is_chosen]
            self.form.fields.append((self._name, (chosen or [self._options[0][0]])[0]))


def form_of(page: TestResponse, form_id: str = "call") -> Form:
    """
    Read a form out of a page.
    """
    reader = FormReader(form_id)
    reader.feed(page.text)
    assert reader.form.action, f"the page has a form `{form_id}`"
    return reader.form


def press(
    client: FlaskClient,
    page: TestResponse,
    button_id: str,
    typed: dict[str, str | list[str]] | None = None,
) -> TestResponse:
    """
    Press a button of the call's form after typing into some of its fields, by their names.
    """
    form, typed = form_of(page), typed or {}
    data: dict[str, list[str]] = {}
    for name, value in form.fields:
        data.setdefault(name, []).append(value)
    for name, given in typed.items():
        data[name] = given if isinstance(given, list) else [given]
    button = form.buttons[button_id]
    if button.name:
        data.setdefault(button.name, []).append(button.value)
    return client.post(button.address or form.action, data=data)
