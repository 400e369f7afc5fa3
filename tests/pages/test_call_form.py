"""
The form of a call: what is read from it, and which facts stand where.
"""

import pytest
from werkzeug.datastructures import MultiDict

from service.console import Console
from service.pages.call_form import make_form
from service.pages.typed_call import Typed, body_of, read_typed
from service.routing.facts import Vocabulary
from service.rulesets import load_config


@pytest.fixture(scope="module")
def console() -> Console:
    """
    Read the shipped layout of the console.
    """
    return load_config().console


def test_each_fact_stands_once(vocabulary: Vocabulary, console: Console) -> None:
    """
    Each fact that a call can carry stands in the form once, and protected facts never do.
    """
    facts = {"weapon": "firearm", "age": "unknown", "channel": "text"}
    document = {"ask_next": [{"fact": "suicide", "could_change_to": ["ems"]}], "signals": []}
    for form in (
        make_form(vocabulary, console, Typed(), None),
        make_form(vocabulary, console, Typed("a", facts=facts), document),
        make_form(vocabulary, console, Typed("a", facts=facts), {**document, "ask_next": []}),
    ):
        listed = [one for _, group in form.groups for one in group]
        fields = [*form.head, *form.questions, *form.known, *listed]
        assert sorted(one.name for one in fields) == sorted(vocabulary.asked)


def test_values_keep_their_type(vocabulary: Vocabulary) -> None:
    """
    Text becomes the value that the schema expects; what does not fit is left for it to refuse.
    """
    facts = {"at_height": "true", "age": "24", "weapon": "unknown", "repeat_calls_30d": "many"}
    body = body_of(Typed("a", facts=facts), vocabulary)
    told = {"at_height": True, "age": 24, "weapon": "unknown", "repeat_calls_30d": "many"}
    assert body == {"call_id": "a", "facts": told}


def test_pressed_answer_goes_over_the_field(vocabulary: Vocabulary, console: Console) -> None:
    """
    An answer that is pressed wins over the same fact's field; a protected fact is not read at all.
    """
    form = MultiDict(
        [("fact.weapon", "none"), ("answer", "weapon=blade"), ("fact.housing", "housed")]
    )
    assert read_typed(form, vocabulary, console).facts == {"weapon": "blade"}
    form = MultiDict([("answer", "housing=housed"), ("unknown.age", "yes")])
    assert read_typed(form, vocabulary, console).facts == {"age": "unknown"}
