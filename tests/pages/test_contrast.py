"""
The colours of the one style sheet: both blocks of high contrast are equal, and every pair that is
read has the contrast it needs in all four themes.

    python -m tests.pages.test_contrast     prints the table of docs/look.md anew
"""

import math
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CSS = (ROOT / "service" / "pages" / "static" / "look.css").read_text(encoding="utf-8")
DOCUMENT = ROOT / "docs" / "look.md"
COLOUR = re.compile(r"--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)")
SETTING = re.compile(r"(--[\w-]+):\s*([^;]+);")
THEMES = ("light", "dark", "light, more", "dark, more")
TEXT, MARK = 4.5, 3.0  # Source: WCAG 2.2, 1.4.3 (text) and 1.4.11 (what is not text)

Pair = tuple[str, str, float]
GROUNDS = ("paper", "surface", "well")
STATES = ("ok", "warn", "stop")
RESPONDERS = ("r988", "warm", "mct", "ems", "co", "le")


def on_grounds(ink: str, least: float) -> tuple[Pair, ...]:
    """
    Pair an ink with each ground.
    """
    return tuple((ink, ground, least) for ground in GROUNDS)


def rows() -> list[tuple[str, tuple[Pair, ...]]]:
    """
    Give the rows of the table: what it is called, and its pairs of ink and ground.
    """
    found: list[tuple[str, tuple[Pair, ...]]] = [
        ("`text` on `paper` / `surface` / `well`", on_grounds("text", TEXT)),
        ("`quiet` on `paper` / `surface` / `well`", on_grounds("quiet", TEXT)),
        (
            "`on-accent` on `accent` / `surface` on `text`",
            (("on-accent", "accent", TEXT), ("surface", "text", TEXT)),
        ),
        (
            "`text` / `quiet` on `mark-tint`",
            (("text", "mark-tint", TEXT), ("quiet", "mark-tint", TEXT)),
        ),
        (
            "`mark` on `mark-tint` / `surface` (3)",
            (("mark", "mark-tint", MARK), ("mark", "surface", MARK)),
        ),
        ("`edge` on `paper` / `surface` / `well` (3)", on_grounds("edge", MARK)),
        ("`focus` on `paper` / `surface` / `well` (3)", on_grounds("focus", MARK)),
        ("`accent` on `paper` / `surface` / `well` (3)", on_grounds("accent", MARK)),
    ]
    for name in STATES:
        tint = f"{name}-tint"
        pairs = ((name, tint, TEXT), (name, "surface", TEXT), (name, "well", TEXT))
        label = f"`{name}` on its tint / `surface` / `well` / `text` on the tint"
        found.append((label, (*pairs, ("text", tint, TEXT))))
    for name in RESPONDERS:
        tint = f"{name}-tint"
        inks = ((name, tint, MARK), (name, "surface", MARK), (name, "well", MARK))
        words = (("on-solid", name, TEXT), ("text", tint, TEXT), ("quiet", tint, TEXT))
        label = f"`{name}` on its tint / `surface` / `well` (3), `on-solid` on it,"
        found.append((f"{label} `text` / `quiet` on the tint", (*inks, *words)))
    return found


def block(opening: str) -> str:
    """
    Give what stands between the braces that follow *opening*.
    """
    start = CSS.index(opening) + len(opening)
    return CSS[CSS.index("{", start) + 1 : CSS.index("}", start)]


def colours(theme: str) -> dict[str, str]:
    """
    Give every colour of a theme by its name.
    """
    found = {}
    blocks = [block(":root")]
    if theme.endswith("more"):
        blocks.append(block(':root[data-contrast="more"]'))
    for one in blocks:
        for name, light, dark in COLOUR.findall(one):
            found[name] = light if theme.startswith("light") else dark
    return found


def luminance(colour: str) -> float:
    """
    Give the relative luminance of a colour. Source: WCAG 2.2, 'relative luminance'.
    """
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """
    Give the contrast ratio of two colours, 1 to 21. Source: WCAG 2.2, 'contrast ratio'.
    """
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def table() -> list[str]:
    """
    Write the table, ratios rounded down.
    """
    lines = [f"| pair | {' | '.join(THEMES)} |", f"| --- |{' --- |' * len(THEMES)}"]
    for label, pairs in rows():
        cells = [
            " / ".join(_figure(contrast(found[ink], found[ground])) for ink, ground, _ in pairs)
            for found in map(colours, THEMES)
        ]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return lines


def _figure(ratio: float) -> str:
    return f"{math.floor(ratio * 10 + 1e-9) / 10:g}"


def test_both_blocks_of_high_contrast_are_equal() -> None:
    """
    Who asks by the page and who asks by the system are shown the same.
    """
    by_page = SETTING.findall(block(':root[data-contrast="more"]'))
    by_system = SETTING.findall(block(":root:not([data-contrast])"))
    assert len(by_page) > 30
    assert by_page == by_system


@pytest.mark.parametrize("theme", THEMES)
def test_every_pair_has_the_contrast_it_needs(theme: str) -> None:
    """
    Text has 4.5, and icons, edges and marks have 3, in each theme.
    """
    found = colours(theme)
    low = [
        (ink, ground, round(contrast(found[ink], found[ground]), 2))
        for _, pairs in rows()
        for ink, ground, least in pairs
        if contrast(found[ink], found[ground]) < least
    ]
    assert low == []


def test_each_colour_that_is_used_is_a_token() -> None:
    """
    Below the tokens no colour is written out, so that no theme can be forgotten.
    """
    below = CSS[CSS.index("/* ---------- base ---------- */") :]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[\s;,)])", below) == []
    named = set(re.findall(r"--([\w-]+):", CSS))
    assert set(re.findall(r"var\(--([\w-]+)", below)) - named == set()


def test_the_table_of_contrast_is_as_the_tokens_give_it() -> None:
    """
    The table in the documentation is the computed one.
    """
    written = [
        line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ]
    assert written == table()


if __name__ == "__main__":
    sys.stdout.write("\n".join(table()) + "\n")
