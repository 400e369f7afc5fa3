"""
What is wrong with a file of rules or facts, and the nearest word that would be right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One fault of a configuration file: a stable code, where it is, what is wrong, the nearest valid
    word.

    `path` is the place inside the document (`hazards[3].when.weapon`); `line` counts from 1, 0 if
    not known.
    """

    code: str
    path: str
    message: str
    rule: str | None = None
    line: int = 0
    suggestion: str | None = None
    file: str = ""

    def __str__(self) -> str:
        """
        Read as `file:line: rule `id`: message (did you mean `x`?)`.
        """
        place = f"{self.file}:{self.line}: " if self.file else ""
        rule = f"rule `{self.rule}`: " if self.rule else ""
        hint = f" (did you mean `{self.suggestion}`?)" if self.suggestion else ""
        return f"{place}{rule}{self.message}{hint}"


def nearest(word: object, allowed: Sequence[str]) -> str | None:
    """
    Give the allowed word that *word* most looks like, or None if none is near.
    """
    found = get_close_matches(str(word), list(allowed), n=1, cutoff=0.6)
    return found[0] if found else None
