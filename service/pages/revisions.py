"""
Two answers about one call side by side: the facts that changed, who was added and no longer asked
for, the rules that came and went.

The two may be revisions of a call, or a record and a trial of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.pages.decision_story import facts_told, kinds_of, value_words
from service.routing.facts import Vocabulary


@dataclass(frozen=True, slots=True)
class Side:
    """
    One of the two: who, how urgent, and by which rules.
    """

    kinds: tuple[str, ...]
    urgency: str
    urgency_level: int
    is_provisional: bool
    has_police: bool
    ruleset: str
    note: str


@dataclass(frozen=True, slots=True)
class ChangedFact:
    """
    A fact that is not the same on both sides, in words.
    """

    name: str
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangedRule:
    """
    A rule that fired on one side only.
    """

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    Both sides, and what is not the same.
    """

    before: Side
    after: Side
    facts: tuple[ChangedFact, ...]
    added: tuple[str, ...]
    released: tuple[str, ...]
    fired: tuple[ChangedRule, ...]
    no_longer: tuple[ChangedRule, ...]

    @property
    def is_same(self) -> bool:
        """
        Tell whether both recommend the same responders, with the same urgency.
        """
        return (self.before.kinds, self.before.urgency) == (self.after.kinds, self.after.urgency)


def compare(
    before: Mapping[str, Any], after: Mapping[str, Any], vocabulary: Vocabulary
) -> Comparison:
    """
    Compare two answers, each a record with its `request`.
    """
    was, now = kinds_of(before), kinds_of(after)
    rules_before = {one["rule"]: one for one in before["because"]}
    rules_after = {one["rule"]: one for one in after["because"]}
    return Comparison(
        _side(before, vocabulary),
        _side(after, vocabulary),
        _facts(before["request"], after["request"], vocabulary),
        tuple(kind for kind in now if kind not in was),
        tuple(kind for kind in was if kind not in now),
        _only(rules_after, rules_before),
        _only(rules_before, rules_after),
    )


def _side(document: Mapping[str, Any], vocabulary: Vocabulary) -> Side:
    recommended, ruleset = document["recommendation"], document["ruleset"]
    urgency, urgencies = recommended["urgency"], vocabulary.urgencies
    named = f"{ruleset['name']}, version {ruleset['version']}" if ruleset["name"] else "no rules"
    return Side(
        kinds_of(document),
        urgencies.get(urgency, str(urgency)),
        list(urgencies).index(urgency) + 1 if urgency in urgencies else 0,
        bool(recommended["provisional"]),
        bool(document["law_enforcement"]["included"]),
        named,
        document["note"],
    )


def _facts(
    before: Mapping[str, Any], after: Mapping[str, Any], vocabulary: Vocabulary
) -> tuple[ChangedFact, ...]:
    was, now = facts_told(before), facts_told(after)
    names = [name for name in vocabulary.facts if name in was or name in now]
    names += [name for name in {**was, **now} if name not in vocabulary.facts]
    return tuple(
        ChangedFact(
            name,
            vocabulary.facts[name].label if name in vocabulary.facts else name,
            value_words(vocabulary, name, was.get(name)),
            value_words(vocabulary, name, now.get(name)),
        )
        for name in names
        if was.get(name) != now.get(name)
    )


def _only(
    rules: Mapping[str, Mapping[str, Any]], other: Mapping[str, Mapping[str, Any]]
) -> tuple[ChangedRule, ...]:
    return tuple(
        ChangedRule(name, one.get("text", "")) for name, one in rules.items() if name not in other
    )
