"""
The rules in words: every shipped rule reads as a sentence, and a sentence says what its rule asks.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing.facts import Vocabulary
from service.routing.reading import read_rule, read_ruleset
from service.rulesets import Config, load_config
from service.tuning.rule_sentences import (
    Piece,
    condition_of,
    sentence_of_block,
    sentences_of,
    sentences_of_document,
    words_of,
)

CONFIG = load_config()
VOCABULARY = CONFIG.vocabulary


def told(table: str = "hazards", **block: Any) -> str:
    """
    Give the sentence of one rule as plain text.
    """
    return words_of(sentence_of_block(VOCABULARY, table, {"id": "tried", **block}))


def shipped(config: Config) -> list[tuple[str, dict[str, Any], str]]:
    """
    Give every shipped rule: its table, its block and its sentence.
    """
    found = []
    for published in config.rulesets.values():
        sentences = sentences_of_document(config.vocabulary, published.content)
        for table in ("needs", "hazards"):
            for block in published.content.get(table, ()):
                found.append((table, block, words_of(sentences[block["id"]])))
    return found


def test_every_shipped_rule_reads_as_one_sentence() -> None:
    """
    Each begins with When or Always, ends with one full stop, and holds no name of the program's.
    """
    rules = shipped(CONFIG)
    assert len(rules) > 50
    for _, block, words in rules:
        assert words.startswith(("When ", "Always")), block["id"]
        assert words.endswith("."), block["id"]
        assert "_" not in words, words
        assert "  " not in words, words
        assert "nothing changes" not in words, words


def test_a_sentence_names_everybody_and_everything_that_its_rule_asks_for() -> None:
    """
    Leads, those beside, urgency, whom to tell and what to ask all stand in the sentence.
    """
    for _, block, words in shipped(CONFIG):
        lead = block.get("lead") or block.get("at_least")
        for kind in [*([lead] if lead else []), *block.get("with", ())]:
            assert VOCABULARY.responders[str(kind)] in words, block["id"]
        for name in block.get("ask", ()):
            assert VOCABULARY.facts[name].label.lower() in words.lower(), block["id"]
        for name in block.get("notify", ()):
            assert VOCABULARY.notify[name].lower() in words.lower(), block["id"]
        if block.get("urgency"):
            assert f"urgency {'' if 'lead' in block else 'at least '}" in words or (
                block["urgency"] == "emergent" and "urgency emergent" in words
            )


def test_a_rule_that_fires_on_unknown_says_so_and_no_other_does() -> None:
    """
    'Not known' stands in a sentence exactly where a test of the rule meets unknown.
    """
    for published in CONFIG.rulesets.values():
        ruleset, problems = read_ruleset(VOCABULARY, published.content)
        assert ruleset is not None, problems
        sentences = sentences_of(VOCABULARY, ruleset)
        for rule in (*ruleset.needs, *ruleset.hazards):
            meets = any(test.unknown for row in rule.rows for test in row)
            assert meets == ("not known" in words_of(sentences[rule.id])), rule.id


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (
            {"weapon": "at least blade", "weapon_access": "at least nearby or unknown"},
            "the kind of weapon is at least knife or blade and the weapon's place is at least"
            " within reach or not known",
        ),
        ({"weapon": "at least firearm"}, "the kind of weapon is gun"),
        ({"weapon": "at most none"}, "the kind of weapon is none"),
        ({"child_present": True}, "a child is there"),
        ({"child_present": False}, "no child is there"),
        ({"child_present": "true or unknown"}, "a child is there or that is not known"),
        ({"dementia": "not true"}, "it is not known that the person has dementia"),
        ({"language": ["es", "unknown"]}, "the easiest language is Spanish or not known"),
        ({"channel": ["text", "tty"]}, "the call comes in by text message or TTY"),
        ({"age": "13 to 17"}, "the age in years is 13 to 17"),
        ({"age": "13 to 13"}, "the age in years is 13"),
        ({"age": "at least 65"}, "the age in years is at least 65"),
        ({"age": "known"}, "Age is known"),
        ({"age": "unknown"}, "Age is not known"),
        (
            {"driving": True, "any": [{"suicide": "at least plan"}, {"agitation": "unknown"}]},
            "the person is at the wheel now, and either suicide is at least intent and a plan,"
            " or Agitation is not known",
        ),
    ],
)
def test_each_kind_of_test_has_its_words(when: dict[str, Any], expected: str) -> None:
    """
    A condition is told in the words of the vocabulary.
    """
    rule, problems = read_rule(VOCABULARY, "hazards", {"id": "tried", "when": when})
    assert [one.code for one in problems] == ["no_why", "no_source"]
    assert f"When {expected}" == words_of(condition_of(VOCABULARY, rule))


def test_what_a_rule_asks_for_is_told_after_its_condition() -> None:
    """
    A hazard's sentence goes on with who, how urgent, whom to tell and what to ask.
    """
    block = {
        "when": {"at_height": True},
        "at_least": "co_responder",
        "with": ["ems", "988"],
        "needs": ["fire_rescue"],
        "notify": ["negotiator"],
        "urgency": "urgent",
        "ask": ["suicide"],
        "from": "2026-01-01",
        "until": "2026-12-31",
    }
    assert (
        "When the person is at a height, at least Co-responder with EMS and 988 and Fire rescue,"
        " urgency at least urgent, also: crisis negotiator, ask: suicide, from 2026-01-01, until"
        " 2026-12-31."
    ) == told(**block)
    assert "Always: Mobile crisis, urgency moderate." == told(
        "needs", lead="mobile_crisis", urgency="moderate"
    )


def test_the_pieces_mark_values_and_responders() -> None:
    """
    A page can tell a value from a responder and both from the words around them.
    """
    block = {"id": "x", "when": {"weapon": "at least blade"}, "at_least": "co_responder"}
    assert (
        Piece("plain", "When the kind of weapon is at least "),
        Piece("value", "knife or blade"),
        Piece("plain", ", at least "),
        Piece("responder", "Co-responder", "co_responder"),
        Piece("plain", "."),
    ) == sentence_of_block(VOCABULARY, "hazards", block)


def test_a_fact_without_a_clause_is_told_by_its_label() -> None:
    """
    A new fact needs no more than a label to be read in a sentence.
    """
    own = Vocabulary.of(
        {
            "facts": {
                "noise": {"kind": "ordered", "label": "Noise", "values": ["low", "high"]},
                "dark": {"kind": "flag", "label": "Dark there"},
            }
        }
    )
    block = {"when": {"noise": "at least high", "dark": True}}
    words = words_of(sentence_of_block(own, "hazards", block))
    assert words == "When noise is high and dark there is yes, nothing changes."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(("id", "when", "lead", "at_least", "with", "ask", "urgency", "from"))


@given(st.dictionaries(KEYS, JSON), JSON)
def test_any_document_at_all_gives_a_sentence(block: dict[str, Any], document: Any) -> None:
    """
    A draft that is not right yet is shown as far as it can be read, and never fails.
    """
    assert told(**{key: value for key, value in block.items() if key != "id"}).endswith(".")
    assert isinstance(sentences_of_document(VOCABULARY, document), dict)
    assert isinstance(sentences_of_document(VOCABULARY, {"needs": document}), dict)
