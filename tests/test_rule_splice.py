"""
One rule is put into a text, taken out or moved, and every other line stays as it was.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from service.routing.reading import read_ruleset
from service.rulesets import load_config
from service.settings import shipped_config
from service.tuning.rule_choices import Hashed, choices_for, facts_for
from service.tuning.rule_splice import insert_rule, move_rule, remove_rule, replace_rule
from service.yaml_files import read_yaml_text

PATH = Path(shipped_config()) / "rulesets" / "national-baseline" / "rules.yaml"
TEXT = PATH.read_text()
NEW = {"id": "new", "why": "Because it is: new.", "source": {"title": "T"}}


def read(text: str | None) -> Mapping[str, Any]:
    """
    Read a text that was changed.
    """
    assert text is not None
    document: Mapping[str, Any] = read_yaml_text(text)[0]
    return document


@pytest.mark.parametrize("table", ["needs", "hazards"])
def test_each_rule_can_be_written_anew_and_nothing_else_changes(table: str) -> None:
    """
    Writing a rule as it is gives the same ruleset, with every comment.
    """
    before = read(TEXT)
    for place, block in enumerate(before[table]):
        text = replace_rule(TEXT, table, place, block)
        assert read(text) == before
        assert text is not None
        assert text.count("#") == TEXT.count("#")


@pytest.mark.parametrize("table", ["needs", "hazards"])
def test_rules_come_go_and_move(table: str) -> None:
    """
    A rule is inserted at any place, removed from any, and changes with its neighbour.
    """
    rules = read(TEXT)[table]
    for place in range(len(rules)):
        left = [one for number, one in enumerate(rules) if number != place]
        assert read(remove_rule(TEXT, table, place))[table] == left
        more = [*rules[:place], NEW, *rules[place:]]
        assert read(insert_rule(TEXT, table, place, NEW))[table] == more
    assert read(insert_rule(TEXT, table, 999, NEW))[table] == [*rules, NEW]
    assert read(insert_rule(TEXT, table, -1, NEW))[table] == [*rules[:-1], NEW, rules[-1]]
    moved = read(move_rule(TEXT, table, 1, -1))[table]
    assert moved == [rules[1], rules[0], *rules[2:]]
    assert move_rule(TEXT, table, 0, -1) is None
    assert remove_rule(TEXT, table, 999) is None
    assert replace_rule(TEXT, table, 999, NEW) is None


@pytest.mark.parametrize("text", ["", "[", "needs: []", "needs: {a: 1}", "- a", "needs: [{id: a}]"])
def test_a_text_that_is_not_written_so_is_left_alone(text: str) -> None:
    """
    Where the rules do not stand one below the other, nothing is changed.
    """
    assert replace_rule(text, "needs", 0, NEW) is None
    assert insert_rule(text, "needs", 0, NEW) is None
    assert remove_rule(text, "needs", 0) is None
    assert move_rule(text, "needs", 0, 1) is None


@pytest.mark.parametrize("table", ["needs", "hazards"])
def test_no_dropdown_offers_what_the_loader_refuses(table: str) -> None:
    """
    Every test that is offered for a fact can be made by a rule of its own in that table.
    """
    vocabulary = load_config().vocabulary
    hashed = Hashed(vocabulary)
    shown = {"why": "Because.", "source": {"title": "T"}, "urgency": "moderate"}
    last = {"id": "last", "lead": "mobile_crisis", **shown}
    for fact in facts_for(hashed, table):
        for choice in choices_for(hashed, table, fact):
            rule = {"id": "one", "when": {fact: choice.text}, **shown}
            if table == "needs":
                document = {"name": "x", "needs": [{**rule, "lead": "988"}, last]}
            else:
                document = {"name": "x", "needs": [last], "hazards": [{**rule, "with": ["ems"]}]}
            _, problems = read_ruleset(vocabulary, document)
            assert problems == [], (fact, choice.text)
    protected = {name for name, fact in vocabulary.facts.items() if fact.protected}
    assert not protected & set(facts_for(hashed, table))
