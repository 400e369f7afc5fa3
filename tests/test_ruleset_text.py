"""
Any text at all is read into a ruleset or into problems, and never into an error.
"""

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from service.rulesets import load_config
from service.tuning.ruleset_text import Read, read_text, shown, write_text

CONFIG = load_config()
SIGNS = st.text("ab01:-[]{}&*!?|>'\"#,. \n\t<=~%@`\\\u2028\ud800\0", max_size=60)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


def read(text: str) -> Read:
    """
    Read a text, and see that what comes of it can be stored.
    """
    found = read_text(CONFIG.vocabulary, text, "x")
    orjson.dumps([shown(problem) for problem in found.problems])
    if found.content is not None:
        orjson.dumps(found.content)
    assert found.content is not None or found.problems
    return found


@given(SIGNS | st.text(max_size=60))
def test_no_text_is_an_error(text: str) -> None:
    """
    Whatever signs a text holds, reading it gives problems at most.
    """
    read(text)


@given(TREES)
def test_no_document_is_an_error(tree: object) -> None:
    """
    Whatever a document says, reading it gives problems at most.
    """
    try:
        text = yaml.safe_dump({"name": "x", "needs": tree}, allow_unicode=True)
    except (UnicodeEncodeError, yaml.YAMLError):
        return
    read(text)


@pytest.mark.parametrize(
    "value",
    [
        *("2026-13-45", "2026-02-30", "9" * 5000, "0x" + "f" * 40, "1:60:60", ".inf", "{[a]: 1}"),
        *("{? {a: 1} : b}", "=", "<<: 5", "{<<: [1, 2]}", "0001-01-01T00:00:00+23:59", "1e999"),
    ],
)
def test_a_value_that_cannot_be_is_said(value: str) -> None:
    """
    Dates that no calendar has, huge numbers and strange keys are problems with a code.
    """
    found = read(f"name: x\nneeds: {value}\n")
    assert found.problems
    assert all(problem.code and problem.message for problem in found.problems)


def test_a_ruleset_is_written_as_it_is_read() -> None:
    """
    What is written as YAML is read as the same ruleset, without a problem.
    """
    content = CONFIG.rulesets["national-baseline"].content
    found = read_text(CONFIG.vocabulary, write_text(content), "national-baseline")
    assert found.problems == ()
    assert CONFIG.publish(content, 1).digest == CONFIG.publish(found.content or {}, 1).digest
