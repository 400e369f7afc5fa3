"""
The rules of a ruleset's document, one line each: its place, its sentence, its reason and source.

What cannot be read as a rule is still a line: a draft may hold anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.routing.facts import Vocabulary
from service.tuning.rule_sentences import Sentence, sentence_of_block, words_of

NEEDS: Final = "needs"
HAZARDS: Final = "hazards"
TABLES: Final = (HAZARDS, NEEDS)


@dataclass(frozen=True, slots=True)
class RuleLine:
    """
    One rule as a sentence, with what stands beside it. `place` counts from 0 in its table.
    """

    table: str
    place: int
    rule: str
    pieces: Sentence
    why: str
    source: str
    url: str

    @property
    def plain(self) -> str:
        """
        Give the sentence as text.
        """
        return words_of(self.pieces)


def lines_of(vocabulary: Vocabulary, content: Mapping[str, Any]) -> list[RuleLine]:
    """
    Write every rule of a ruleset, hazards first, each table in its order.
    """
    found = []
    for table in TABLES:
        rules = content.get(table)
        for place, block in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(block, Mapping):
                found.append(line_of(vocabulary, table, place, block))
    return found


def line_of(vocabulary: Vocabulary, table: str, place: int, block: Mapping[str, Any]) -> RuleLine:
    """
    Write one rule.
    """
    source = block.get("source")
    named = source if isinstance(source, Mapping) else {}
    return RuleLine(
        table=table,
        place=place,
        rule=str(block.get("id", "")),
        pieces=sentence_of_block(vocabulary, table, block),
        why=str(block.get("why") or ""),
        source=str(named.get("title") or ""),
        url=web_address(named.get("url")),
    )


def web_address(raw: object) -> str:
    """
    Give the address of a source as a link; empty for anything but the web's own schemes, since a
    link is followed by a press.
    """
    text = str(raw or "")
    return text if text.startswith(("https://", "http://")) else ""
