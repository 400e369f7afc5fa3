"""
One key per answer: letters are unique, learnable, and never those of the page.
"""

from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from service.pages.answer_keys import NOT_KNOWN_KEY, PAGE_KEYS, letters
from service.routing.facts import Vocabulary
from tests.pages.browsing import Page, tell

TAKEN = {*PAGE_KEYS, NOT_KNOWN_KEY}


@settings(max_examples=200)
@given(st.lists(st.text(max_size=12), max_size=30))
def test_letters_are_unique_whatever_the_labels(labels: list[str]) -> None:
    """
    No two answers share a letter, none takes one of the page, and each label has its place.
    """
    found = letters(labels)
    given_out = [one for one in found if one]
    assert len(found) == len(labels)
    assert len(given_out) == len(set(given_out))
    assert not TAKEN & set(given_out)


def test_every_answer_of_the_vocabulary_has_a_letter(vocabulary: Vocabulary) -> None:
    """
    Each answer to each question of the shipped vocabulary has a letter.
    """
    for fact in vocabulary.facts.values():
        if fact.kind != "number" and not fact.protected:
            labels = [fact.label_of(value) for value in fact.values]
            assert "" not in letters(labels), fact.name


def test_the_letter_of_no_is_only_ever_the_mildest_answer(vocabulary: Vocabulary) -> None:
    """
    `n` stands for none, no or normal, and never for something worse; `y` only for a yes.
    """
    assert letters(["Alert", "Confused or hard to wake", "Not responding"])[2] != "n"
    for fact in vocabulary.facts.values():
        if fact.kind == "number" or fact.protected:
            continue
        labels = [fact.label_of(value) for value in fact.values]
        found = letters(labels)
        assert "n" not in found[1:], fact.name
        assert all(one != "y" or label == "Yes" for one, label in zip(found, labels, strict=True))


def test_the_page_shows_the_letters_it_listens_to(browser: FlaskClient) -> None:
    """
    Each answer carries its letter once for the script and once for the eye, and within a question
    no letter stands twice.
    """
    response = tell(browser, "keys-1", "weapon=firearm")
    questions = response.text.split('data-question="')[1:]
    assert len(questions) >= 3
    for question in questions:
        fieldset = question.split("</fieldset>")[0]
        keys = [one["data-key"] for one in Page(fieldset).named("button") if "data-key" in one]
        assert keys
        assert len(keys) == len(set(keys))
        assert all(f'<kbd aria-hidden="true">{key}</kbd>' in fieldset for key in keys)
