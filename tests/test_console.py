"""
The layout of the call console: each name is checked, and every fact has one place.
"""

import shutil
from pathlib import Path

import pytest
import yaml

from service.console import FURTHER, read_console
from service.errors import ConfigurationError
from service.request import SOURCES
from service.routing.facts import Vocabulary
from service.rulesets import load_config
from service.settings import shipped_config


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """
    Read the shipped vocabulary.
    """
    return load_config().vocabulary


@pytest.fixture
def document() -> dict[str, object]:
    """
    Read the shipped layout as a document.
    """
    loaded = yaml.safe_load((shipped_config() / "console.yaml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_every_fact_stands_in_exactly_one_group(vocabulary: Vocabulary) -> None:
    """
    Each fact that a call can carry is in one group of the shipped layout, and in no second.
    """
    groups = load_config().console.groups
    assert sorted(name for _, names in groups for name in names) == sorted(vocabulary.asked)


def test_every_source_has_words() -> None:
    """
    Each source that the API knows has words on the page, and those offered to a call-taker are
    among them, with what was told first.
    """
    console = load_config().console
    assert set(console.sources) == set(SOURCES)
    assert console.offered == ("told", "saw", "assumed")


def test_a_gun_asks_at_once(vocabulary: Vocabulary) -> None:
    """
    A gun asks where it is and whom it is turned on; a blade, or nothing known, asks nothing so.
    """
    console = load_config().console
    assert console.at_once({"weapon": "firearm"}) == ("weapon_access", "weapon_toward")
    assert console.at_once({"weapon": "blade"}) == ()
    assert console.at_once({}) == ()


def test_every_fault_is_named_at_once(vocabulary: Vocabulary, document: dict[str, object]) -> None:
    """
    Unknown facts, a fact in two groups, one in none, a wrong value and bad minutes are all named.
    """
    document |= {
        "ask_first": ["weapn", "suicide"],
        "ask_at_once": [{"fact": "weapon", "value": "firearms", "ask": ["weapon"]}, "gun"],
        "offered": ["guessed"],
        "call_back_minutes": "soon",
        "groups": [
            {"title": "One", "facts": ["weapon", "suicide", "housing"]},
            {"title": "Two", "facts": ["suicide"]},
            {"facts": ["age"]},
        ],
    }
    console, problems = read_console(vocabulary, document)
    assert {one.code for one in problems} == {
        *("unknown_fact", "bad_value", "not_at_once", "no_source_offered", "bad_minutes"),
        *("fact_twice", "no_title", "fact_nowhere"),
    }
    assert "weapon" in {one.suggestion for one in problems}
    assert [title for title, _ in console.groups] == ["One", "Two", FURTHER]
    listed = [name for _, names in console.groups for name in names]
    assert sorted(listed) == sorted(vocabulary.asked)


@pytest.mark.parametrize("rubbish", [None, [], "text", 7, {"groups": {"a": 1}, "sources": []}])
def test_anything_at_all_gives_a_console(vocabulary: Vocabulary, rubbish: object) -> None:
    """
    Whatever the file holds, a console can be shown with every fact on it, and problems are named.
    """
    console, problems = read_console(vocabulary, rubbish)
    assert problems
    assert sorted(name for _, names in console.groups for name in names) == sorted(vocabulary.asked)
    assert console.offered == ("told",)


def test_a_folder_without_a_layout_takes_the_shipped_one(tmp_path: Path) -> None:
    """
    A configuration made before there was a layout loads, even with a vocabulary of its own; a
    layout of its own with a fault does not.
    """
    folder = tmp_path / "config"
    shutil.copytree(shipped_config(), folder)
    (folder / "console.yaml").unlink()
    assert load_config(folder).console == load_config().console
    (folder / "console.yaml").write_text("head: [weapn]\n")
    with pytest.raises(ConfigurationError) as fault:
        load_config(folder)
    named = [str(one) for one in fault.value.problems]
    assert any("console.yaml:1" in one and "did you mean `weapon`" in one for one in named)
