"""
The loader of rules: what it refuses, and how it says so: by file, line and name, every fault at
once.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.errors import ConfigurationError
from service.rulesets import digest_of, load_config
from service.settings import shipped_config

BASE = """\
name: tried
needs:
  - {id: all, lead: mobile_crisis, urgency: moderate, why: All., source: {title: T}}
hazards:
  - id: odd
    when: {weapon: at least blade}
    at_least: co_responder
    why: Odd.
    source: {title: T}
"""
NEED = (
    "  - {{id: first, when: {{{when}}}, lead: '988', urgency: routine, why: W.,"
    " source: {{title: T}}}}\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    Copy the shipped configuration, with a place for one more ruleset.
    """
    shutil.copytree(shipped_config(), tmp_path / "config")
    (tmp_path / "config" / "rulesets" / "tried").mkdir()
    return tmp_path / "config"


def faults(folder: Path, text: str) -> list[Any]:
    """
    Load the configuration with *text* as one of its rulesets, and give the problems.
    """
    (folder / "rulesets" / "tried" / "rules.yaml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_config(folder)
    return list(caught.value.problems)


def with_need(when: str) -> str:
    """
    Put a need before the one that catches all.
    """
    return BASE.replace("needs:\n", "needs:\n" + NEED.format(when=when))


def with_hazard(when: str, more: str = "at_least: co_responder") -> str:
    """
    Give the hazard another condition, and another effect.
    """
    return BASE.replace("when: {weapon: at least blade}", f"when: {{{when}}}").replace(
        "at_least: co_responder", more
    )


def test_a_good_ruleset_loads(folder: Path) -> None:
    """
    The base of these tests is itself accepted.
    """
    (folder / "rulesets" / "tried" / "rules.yaml").write_text(BASE)
    assert "tried" in load_config(folder).rulesets


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ("suicide: at least ideation", "shape_1_danger"),
        ("suicide: none", "shape_1_danger"),
        ("suicide: [none, ideation]", "shape_1_danger"),
        ("suicide: at most attempt", "shape_1_danger"),
        ("suicide: at most none or unknown", "shape_1_danger"),
        ("suicide: unknown", "shape_1_danger"),
        ("suicide: known", "shape_1_danger"),
        ("driving: not true", "shape_1_danger"),
        ("driving: true", "shape_1_danger"),
        ("driving: false or unknown", "shape_1_danger"),
        ("intoxication: at least mild", "shape_1_danger"),
        ("psychosis: true", "shape_5_mark"),
        ("psychosis: false", "shape_5_mark"),
        ("psychosis: not false", "shape_5_mark"),
        ("psychosis: known", "shape_5_mark"),
        ("language: en", "shape_5_mark"),
        ("repeat_calls_30d: at most 3", "shape_5_mark"),
        ("accepts_988: true", "shape_5_calming"),
        ("accepts_988: false", "shape_5_calming"),
        ("accepts_988: false, suicide: at most none", "shape_5_calming"),
        ("accepts_988: false, suicide: at most none, violence: at most verbal", "shape_5_calming"),
        ("safety_plan: true", "shape_5_calming"),
        ("safety_plan: true, weapon: at most none, lethal_means: at most none", "shape_5_calming"),
        (
            "safety_plan: true, weapon: at most none, lethal_means: at most none,"
            " caller: [self, clinician]",
            "shape_5_calming",
        ),
        ("scene_safe: true", "shape_5_calming"),
        ("housing: unhoused", "protected_fact"),
        ("any: [{caller: self}, {suicide: none}]", "shape_1_danger"),
    ],
)
def test_a_need_that_breaks_a_shape_is_refused(folder: Path, when: str, code: str) -> None:
    """
    Shapes 1 and 5: a need says only that a danger is known to be no worse, and no mark makes less
    enough.
    """
    found = faults(folder, with_need(when))
    assert [one.code for one in found] == [code]
    assert (found[0].rule, found[0].line) == ("first", 3)
    assert str(found[0]).startswith(f"{folder / 'rulesets/tried/rules.yaml'}:3: rule `first`: ")


@pytest.mark.parametrize(
    "when",
    [
        "accepts_988: false, suicide: at most none, violence: at most none",
        "safety_plan: true, weapon: at most none, lethal_means: at most none, on_988_line: true",
        "safety_plan: true, weapon: at most none, lethal_means: at most none, caller: clinician",
        "suicide: at most plan, driving: false, psychosis: not true, accepts_988: not false",
        "language: [en, unknown], age: 18 to 64, repeat_calls_30d: at most 3 or unknown",
    ],
)
def test_a_need_that_keeps_the_shapes_is_taken(folder: Path, when: str) -> None:
    """
    The two exceptions of shape 5, and what the shapes allow, load.
    """
    (folder / "rulesets" / "tried" / "rules.yaml").write_text(with_need(when))
    assert load_config(folder).rulesets["tried"]


@pytest.mark.parametrize(
    ("when", "more", "code"),
    [
        ("weapon: at most blade", "at_least: co_responder", "shape_2_danger"),
        ("weapon: firearm", "at_least: co_responder", "shape_2_danger"),
        ("weapon: at least none", "at_least: co_responder", "shape_2_danger"),
        ("weapon: unknown", "at_least: co_responder", "shape_2_danger"),
        ("driving: false", "with: [ems]", "shape_2_danger"),
        ("driving: not true", "with: [ems]", "shape_2_danger"),
        ("psychosis: true, weapon: at least blade", "at_least: co_responder", "shape_4_mark"),
        ("psychosis: not true", "with: [ems]", "shape_4_mark"),
        ("language: es", "with: [ems]", "shape_4_mark"),
        ("caller: remote", "at_least: co_responder", "shape_4_police"),
        ("agitation: at least severe", "at_least: law_enforcement", "shape_4_police"),
        (
            "any: [{weapon: at least blade}, {caller: remote}]",
            "at_least: co_responder",
            "shape_4_police",
        ),
        ("safety_plan: false", "with: [ems]", "shape_5_calming"),
        ("race_ethnicity: black", "with: [ems]", "protected_fact"),
        ("weapon: at least blade", "alone: true", "alone"),
        ("weapon: at least blade", "needs: [fire_rescue]", "needs_without_ems"),
        ("weapon: at least blade", "with: [mobile_crisis]", "beside_police"),
        ("weapon: at least blade", "alone: false", "does_nothing"),
    ],
)
def test_a_hazard_that_breaks_a_shape_is_refused(
    folder: Path, when: str, more: str, code: str
) -> None:
    """
    Shapes 2 to 4: a hazard only raises, and police come for a danger and for nobody's mark.
    """
    found = faults(folder, with_hazard(when, more))
    assert code in [one.code for one in found]
    assert {one.rule for one in found} == {"odd"}
    assert all(5 <= one.line <= 7 for one in found)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda text: text.replace("weapon:", "weapn:"), "unknown_fact", "did you mean `weapon`"),
        (lambda text: text.replace("blade", "blades"), "bad_test", "did you mean `blade`"),
        (lambda text: text.replace("at least blade", "at leest blade"), "bad_test", "no value"),
        (lambda text: text.replace("why: Odd.", "wy: Odd."), "unknown_key", "did you mean `why`"),
        (lambda text: text.replace("    why: Odd.\n", ""), "no_why", "`why`"),
        (lambda text: text.replace("    source: {title: T}\n", ""), "no_source", "`source`"),
        (lambda text: text.replace("id: odd", "id: all"), "same_id", "another rule"),
        (lambda text: text.replace("mobile_crisis", "ems"), "bad_value", "`lead` cannot be `ems`"),
        (lambda text: text + "fallback: {ems: [police]}\n", "bad_fallback", "`fallback`"),
        (lambda text: text + "retire: [odd]\n", "not_resolved", "resolved"),
        (lambda text: text + "hazzards: []\n", "unknown_key", "did you mean `hazards`"),
        (
            lambda text: text.replace("why: Odd.", "why: Odd.\n    why: Twice."),
            "key_twice",
            "twice",
        ),
        (lambda text: text + "\t- x", "not_yaml", "is not YAML"),
        (lambda text: text.replace("name: tried", "name: [1]"), "no_name", "`name`"),
        (lambda text: "just words", "not_a_ruleset", "mapping"),
        (
            lambda text: text.replace("lead: mobile", "when: {caller: self}, lead: mobile"),
            "shape_1_catch_all",
            "catch",
        ),
        (lambda text: text.replace("why: Odd.", "why: Odd.\n    from: soon"), "bad_date", "date"),
    ],
)
def test_other_faults_are_named_with_the_nearest_right_word(
    folder: Path, change: Callable[[str], str], code: str, words: str
) -> None:
    """
    Misspelt facts, values and keys, missing reasons, and files that are none: each has a stable
    code.
    """
    found = faults(folder, change(BASE))
    one = next(one for one in found if one.code == code)
    assert words in str(one)
    assert one.line >= 1
    assert one.file.endswith("tried/rules.yaml")


def test_needs_that_fall_are_refused(folder: Path) -> None:
    """
    Shape 1: neither lead nor urgency falls down the list.
    """
    first = "  - {id: high, when: {caller: self}, lead: mobile_crisis, urgency: emergent, why: W., "
    text = BASE.replace("needs:\n", f"needs:\n{first}source: {{title: T}}}}\n")
    text = text.replace("id: all, lead: mobile_crisis", "id: all, lead: '988'")
    assert [one.code for one in faults(folder, text)] == ["shape_1_order", "shape_1_order"]


def test_all_faults_of_all_files_are_named_at_once(folder: Path) -> None:
    """
    A bad rule, a bad table of ways and a bad incident type are all in one report.
    """
    types = folder / "incident_types" / "own.yaml"
    types.write_text("registry: own\ntypes:\n  - {code: A, facts: {weapon: none, weapn: blade}}\n")
    ways = folder / "ways.yaml"
    ways.write_text(ways.read_text().replace("{way: transfer}", "{way: transport}"))
    codes = {one.code for one in faults(folder, with_need("suicide: none"))}
    assert {"shape_1_danger", "bad_type", "bad_value"} <= codes


def test_the_reasons_for_a_dispatch_are_checked_and_change_no_digest(folder: Path) -> None:
    """
    Each reason has an id of its own and a label, `other` is always one; a folder without the file
    has the shipped ones; no answer depends on them.
    """
    shipped = load_config(folder)
    assert list(shipped.agency.dispatch_reasons)[-1] == "other"
    path = folder / "dispatch.yaml"
    good = "  - {id: flood, label: A flood.}\n"
    path.write_text(f"reasons:\n{good}{good}  - {{id: 7}}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_config(folder)
    found = [(one.code, one.line) for one in caught.value.problems]
    assert found == [("reason_twice", 3), ("bad_reason", 4), ("no_other", 1)]
    path.write_text(f"reasons:\n{good}  - {{id: other, label: Other.}}\n")
    changed = load_config(folder)
    assert changed.agency.dispatch_reasons == {"flood": "A flood.", "other": "Other."}
    name = "national-baseline"
    assert changed.rulesets[name].digest == shipped.rulesets[name].digest
    path.unlink()
    assert load_config(folder).agency.dispatch_reasons == shipped.agency.dispatch_reasons


def test_the_digest_covers_all_that_decides_and_not_the_order_of_keys(folder: Path) -> None:
    """
    The same rules in another order of keys have the same digest; another table has another one.
    """
    assert digest_of({"a": 1, "b": [1, 2]}) == digest_of({"b": [1, 2], "a": 1})
    assert digest_of({"b": [1, 2]}) != digest_of({"b": [2, 1]})
    before = load_config(folder).rulesets["national-baseline"].digest
    for name in ("ways.yaml", "facts.yaml", "rulesets/national-baseline/rules.yaml"):
        path, text = folder / name, (folder / name).read_text()
        document = yaml.safe_load(text)
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        assert load_config(folder).rulesets["national-baseline"].digest == before
        other = text.replace("urgency: emergent", "urgency: urgent", 1)
        path.write_text(other.replace("firearm: Gun", "firearm: A gun", 1) + "# a comment\n")
        changed = load_config(folder).rulesets["national-baseline"].digest
        assert (changed != before) == (name != "ways.yaml")
        path.write_text(text)
