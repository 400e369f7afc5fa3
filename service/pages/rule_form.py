"""
The form that edits one rule by dropdowns: made from the vocabulary, read back into the rule.

Every test offers only what its table and the five shapes allow; what the rule holds already is kept
as it stands, even where it is not among them.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from service.routing.conditions import ConditionError, read_test
from service.routing.facts import Vocabulary
from service.routing.reading import BESIDE, EMS_NEEDS, HAZARD_KEYS, NEED_KEYS
from service.routing.rules import LEADS
from service.tuning.rule_choices import Choice, Hashed, choices_for, facts_for
from service.tuning.rule_lines import HAZARDS, NEEDS
from service.tuning.rule_sentences import words_of_test

NEED_LEADS: Final = LEADS[:3]
TEXT_CHARACTERS_MAX: Final = 2_000
GROUPS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class TestRow:
    """
    One test of the form: its fact, what can be chosen, and what is.
    """

    fact: str
    label: str
    choices: tuple[Choice, ...]
    chosen: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Group:
    """
    Tests that must all hold; the first group is shared, the others are alternatives. `addable` are
    facts, with their labels, that could be tested too.
    """

    number: int
    rows: tuple[TestRow, ...]
    addable: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RuleForm:
    """
    One rule in the form. `place` is None for a new one.
    """

    table: str
    place: int | None
    block: Mapping[str, Any]
    groups: tuple[Group, ...]
    leads: tuple[str, ...]
    beside: tuple[str, ...]
    ems_needs: tuple[str, ...]

    @property
    def source(self) -> Mapping[str, Any]:
        """
        Give the rule's source, however much of it there is.
        """
        found = self.block.get("source")
        return found if isinstance(found, Mapping) else {}

    def has(self, key: str, word: str) -> bool:
        """
        Tell whether a list of the rule holds a word.
        """
        listed = self.block.get(key)
        return isinstance(listed, list) and word in [str(one) for one in listed]

    def list_of(self, key: str) -> list[str]:
        """
        Give a list of the rule as words.
        """
        listed = self.block.get(key)
        return [str(one) for one in listed] if isinstance(listed, list) else []


def make_rule_form(
    vocabulary: Vocabulary, hashed: Hashed, table: str, place: int | None, block: Mapping[str, Any]
) -> RuleForm:
    """
    Make the form of a rule.
    """
    when = block.get("when")
    tests = when if isinstance(when, Mapping) else {}
    shared = {str(name): raw for name, raw in tests.items() if name != "any"}
    alternatives = tests.get("any")
    listed = alternatives if isinstance(alternatives, list) else []
    groups = [shared, *(dict(one) for one in listed if isinstance(one, Mapping))]
    return RuleForm(
        table=table,
        place=place,
        block=block,
        groups=tuple(
            _group(vocabulary, hashed, table, number, one) for number, one in enumerate(groups)
        ),
        leads=NEED_LEADS if table == NEEDS else LEADS,
        beside=BESIDE if table == HAZARDS else (),
        ems_needs=EMS_NEEDS if table == HAZARDS else (),
    )


def _group(
    vocabulary: Vocabulary, hashed: Hashed, table: str, number: int, tests: Mapping[str, Any]
) -> Group:
    rows = tuple(_row(vocabulary, hashed, table, name, raw) for name, raw in tests.items())
    addable = tuple(
        (name, vocabulary.facts[name].label)
        for name in facts_for(hashed, table)
        if name not in tests
    )
    return Group(number, rows, addable)


def _row(vocabulary: Vocabulary, hashed: Hashed, table: str, name: str, raw: Any) -> TestRow:
    fact, chosen = vocabulary.facts.get(name), text_of(raw)
    if fact is None:
        return TestRow(name, name, (Choice(chosen, chosen),), chosen, is_number=False)
    offered = choices_for(hashed, table, name)
    if chosen not in [one.text for one in offered]:
        try:
            words = words_of_test(fact, read_test(fact, raw))
        except ConditionError:
            words = chosen
        offered = (Choice(chosen, words), *offered)
    return TestRow(name, fact.label, offered, chosen, is_number=fact.kind == "number")


def text_of(raw: Any) -> str:
    """
    Write a test as the form carries it: a list as JSON, true and false as words.
    """
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return json.dumps(raw) if isinstance(raw, list) else str(raw)


def test_of(text: str) -> Any:
    """
    Read a test that the form carried.
    """
    if text in ("true", "false"):
        return text == "true"
    if text.startswith("["):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def read_rule_form(
    form: MultiDict[str, str],
    vocabulary: Vocabulary,
    table: str,
    before: Mapping[str, Any],
    first: Callable[[str], str],
) -> dict[str, Any]:
    """
    Give the rule that a form says, with the members in the order of the one before; *first* gives
    the test that a fact begins with.
    """
    told: dict[str, Any] = {
        "id": _text(form, "id"),
        "when": _when(form, first),
        "lead" if table == NEEDS else "at_least": _text(form, "lead") or None,
        "urgency": _text(form, "urgency") or None,
        "ask": _asked(form, vocabulary),
        "why": _text(form, "why"),
        "source": _source(form, before),
        "from": _text(form, "from") or None,
        "until": _text(form, "until") or None,
    }
    if table == HAZARDS:
        told |= {
            "with": form.getlist("with"),
            "needs": form.getlist("needs"),
            "notify": form.getlist("notify"),
            "alone": form.get("alone") == "true" or None,
        }
    keys = NEED_KEYS if table == NEEDS else HAZARD_KEYS
    order = [*(key for key in before if key in keys), *(key for key in keys if key not in before)]
    # What this form does not know of a rule stays as it was.
    kept = {key: value for key, value in before.items() if key not in told}
    found = {key: told[key] for key in order if key in told and told[key] not in (None, [], {})}
    return {**found, **kept}


def pressed(form: MultiDict[str, str]) -> tuple[str, str]:
    """
    Say what was pressed: save, remove, up, down, add, drop or either; and of which group or test.
    """
    what, _, of = form.get("do", "save").partition(":")
    return what, of


def _text(form: MultiDict[str, str], name: str) -> str:
    text = form.get(name, "").replace("\r\n", "\n").strip()
    return text[:TEXT_CHARACTERS_MAX]


def _when(form: MultiDict[str, str], first: Callable[[str], str]) -> dict[str, Any] | None:
    what, of = pressed(form)
    groups: dict[int, dict[str, Any]] = {}
    for name, text in form.items():
        start, _, rest = name.partition(".")
        number, _, fact = rest.partition(".")
        if start == "test" and number.isdigit() and len(number) < 3 and fact:
            groups.setdefault(int(number), {})[fact] = test_of(text.strip()[:TEXT_CHARACTERS_MAX])
    if what == "drop":
        number, _, fact = of.partition(".")
        if number.isdigit() and int(number[:3]) in groups:
            groups[int(number[:3])].pop(fact, None)
    if what == "add" and of.isdigit() and len(of) < 3:
        fact = form.get(f"add.{of}", "")
        if fact:
            groups.setdefault(int(of), {})[fact] = test_of(first(fact))
    shared = groups.pop(0, {})
    alternatives = [one for _, one in sorted(groups.items())[:GROUPS_MAX] if one]
    when = {**shared, **({"any": alternatives} if alternatives else {})}
    return when or None


def _asked(form: MultiDict[str, str], vocabulary: Vocabulary) -> list[str]:
    added = form.get("ask_also", "")
    asked = [*form.getlist("ask"), *([added] if added in vocabulary.facts else [])]
    return list(dict.fromkeys(asked))


def _source(form: MultiDict[str, str], before: Mapping[str, Any]) -> dict[str, str]:
    title, url = _text(form, "source"), _text(form, "url")
    return {"title": title, **({"url": url} if url else {})} if title or url else {}
