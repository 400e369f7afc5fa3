"""
Keeps the house in order: what a reader would otherwise have to look for in every change.
"""

import ast
import os
import re
import tomllib
from pathlib import Path

import pytest

from service import PROGRAM_VERSION
from service.settings import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
MIGRATIONS = "migrations"  # a migration is as long as its tables, and is never changed again
CODE = sorted(
    path
    for folder in ("service", "workers")
    for path in ROOT.glob(f"{folder}/**/*.py")
    if MIGRATIONS not in path.parts
)
PYTHON = [*CODE, *sorted(ROOT.glob("tests/**/*.py")), *sorted(ROOT.glob("benchmarks/**/*.py"))]
LINES_MAX = 400
# It is handed to people far from us, who have it and nothing else: one file, whatever its length.
ALONE = {ROOT / "service" / "verify_log.py"}
FUNCTION_LINES_MAX = 60
# Words that say what kind of thing a file is rather than what it is about.
NO_NAMES = {
    "utils",
    "helpers",
    "common",
    "constants",
    "models",
    "manager",
    "handler",
    "processor",
    "misc",
}


def own_files() -> list[Path]:
    """
    List the files of the project itself: not its environment, its state, or what tools leave.
    """
    left_out = {".git", ".venv", "var", "build", "dist", "__pycache__"}
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name for name in folders if name not in left_out and not name.endswith("_cache")
        ]
        found += [
            Path(folder, name) for name in names if name != ".git" and not name.endswith(".pyc")
        ]
    return [path for path in found if ".hypothesis" not in path.parts]


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """
    List the functions and classes of a module, inner ones too.
    """
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_small(path: Path) -> None:
    """
    No module passes 400 lines, and no function 60, its docstring not counted.
    """
    assert len(path.read_text().splitlines()) <= LINES_MAX or path in ALONE
    for node in functions(path):
        if isinstance(node, ast.ClassDef) or any(isinstance(x, ast.FunctionDef) for x in node.body):
            continue
        doc = ast.get_docstring(node, clean=False) or ""
        lines = (node.end_lineno or 0) - node.lineno + 1 - doc.count("\n")
        assert lines <= FUNCTION_LINES_MAX, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_things_say_what_they_mean(path: Path) -> None:
    """
    Every module, and every public class and function, has a docstring; no import hides inside a
    function.
    """
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "the module has no docstring"
    outer = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    for node in (one for place in outer for one in place.body):
        is_named = isinstance(node, ast.FunctionDef | ast.ClassDef)
        if is_named and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"
    for node in functions(path):
        if not isinstance(node, ast.ClassDef):
            inner = [one for one in ast.walk(node) if isinstance(one, ast.Import | ast.ImportFrom)]
            assert not inner, f"{node.name} imports inside"


def test_every_test_states_the_fact_it_proves() -> None:
    """
    Every test has a docstring.
    """
    for path in ROOT.glob("tests/**/test_*.py"):
        for node in functions(path):
            if node.name.startswith("test_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name} has no docstring"


def test_no_file_is_named_after_its_kind() -> None:
    """
    Files are named by their noun.
    """
    assert not [path for path in PYTHON if path.stem in NO_NAMES]


def test_nothing_is_left_unfinished_or_silenced_without_a_reason() -> None:
    """
    Nothing is marked as to be done later, and each ignored check says why on its line.
    """
    unfinished = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|NotImplemented" + "Error")
    silenced = re.compile(r"#\s*(type: ignore|noqa)(\[[\w,-]+\]|: ?[A-Z0-9, ]+)?\s*$")
    for path in PYTHON:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            place = f"{path.relative_to(ROOT)}:{number}"
            assert not unfinished.search(line), place
            assert not silenced.search(line), f"{place}: say why"


def test_the_project_speaks_of_itself_alone() -> None:
    """
    No file names a folder of one machine, or a host of a package registry.
    """
    foreign = re.compile(
        r"(?<![\w.])/(wor" + r"k|ro" + r"ot|far" + r"m)/|bash" + r"_jobs|\.\./sha" + r"red"
        r"|(py" + r"pi|python" + r"hosted|npm" + r"js)\.(org|com)"
    )
    for path in own_files():
        if path.suffix in {".png", ".ico", ".svg"}:
            continue
        found = foreign.search(path.read_text(errors="replace"))
        assert not found, f"{path.relative_to(ROOT)}: {found.group() if found else ''}"


def test_lock_files_have_hashes_and_name_no_index() -> None:
    """
    Every locked package has a hash, and no lock file holds an address.
    """
    for path in ROOT.glob("requirements*.lock"):
        text = path.read_text()
        assert "://" not in text
        assert "index" not in text.lower().replace("importindex", "")
        packages = [line for line in text.splitlines() if re.match(r"^[a-z0-9]", line)]
        assert packages
        assert text.count("--hash=sha256:") >= len(packages)


def test_the_version_stands_in_one_way() -> None:
    """
    The program and its package have the same version.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == PROGRAM_VERSION


def test_every_setting_says_its_unit_and_what_it_is_for() -> None:
    """
    Each row of the table of settings has a unit and a line of help.
    """
    for row in SETTINGS:
        assert row.unit, row.name
        assert row.help, row.name


def test_the_readme_names_every_make_target_that_it_uses() -> None:
    """
    Each `make …` of the README is a target of the Makefile.
    """
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = set(re.findall(r"\bmake ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert used
    assert used <= targets
