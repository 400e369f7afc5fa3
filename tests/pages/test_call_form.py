"""
The form of a call: what is read from it, and which facts stand where.
"""

from werkzeug.datastructures import MultiDict

from service.pages.call_answer import DANGERS
from service.pages.call_form import GROUPS, KEY_QUESTIONS, Typed, body_of, make_form, read_typed
from service.routing.facts import Vocabulary


def test_each_fact_stands_once(vocabulary: Vocabulary) -> None:
    """
    Each fact that a call can carry stands in the form once, and protected facts never do.
    """
    typed = Typed("a", facts={"weapon": "none", "age": "unknown"})
    ask_next = [{"fact": "suicide", "could_change_to": ["ems"]}]
    for form in (make_form(vocabulary, Typed(), None), make_form(vocabulary, typed, ask_next)):
        fields = [*form.questions, *form.known, *(one for _, group in form.groups for one in group)]
        assert sorted(one.name for one in fields) == sorted(vocabulary.asked)


def test_named_facts_are_in_the_vocabulary(vocabulary: Vocabulary) -> None:
    """
    The page names few facts itself, and the shipped vocabulary has each of them.
    """
    assert {*KEY_QUESTIONS, *GROUPS, *DANGERS} <= set(vocabulary.asked)


def test_values_keep_their_type(vocabulary: Vocabulary) -> None:
    """
    Text becomes the value that the schema expects; what does not fit is left for it to refuse.
    """
    facts = {"at_height": "true", "age": "24", "weapon": "unknown", "repeat_calls_30d": "many"}
    body = body_of(Typed("a", facts=facts), vocabulary)
    told = {"at_height": True, "age": 24, "weapon": "unknown", "repeat_calls_30d": "many"}
    assert body == {"call_id": "a", "facts": told}


def test_pressed_answer_goes_over_the_field(vocabulary: Vocabulary) -> None:
    """
    An answer that is pressed wins over the same fact's field; a protected fact is not read at all.
    """
    form = MultiDict(
        [("fact.weapon", "none"), ("answer", "weapon=blade"), ("fact.housing", "housed")]
    )
    assert read_typed(form, vocabulary).facts == {"weapon": "blade"}
    form = MultiDict([("answer", "housing=housed"), ("unknown.age", "yes")])
    assert read_typed(form, vocabulary).facts == {"age": "unknown"}


def test_what_was_typed_survives_another_form(vocabulary: Vocabulary) -> None:
    """
    Carried through another form as names and values, a call reads back the same.
    """
    typed = Typed("a", "said\nmore", {"weapon": "none", "age": "unknown"}, ("ems",), "f00")
    assert read_typed(MultiDict(typed.pairs()), vocabulary) == typed
