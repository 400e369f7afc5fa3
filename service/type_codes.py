"""
Type codes as dispatch systems write them: one spelling for the many in which a code comes.

`25-A-1`, `25A01`, `mpds 25-a-1` and the same in full width are one code. Letters and numbers count;
case, spaces, punctuation, marks over letters, width and zeros before a number do not, nor does a
prefix such as the name of the registry. Two numbers in a row stay apart: `10-0` is not `100`.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

ANY: Final = "*"
CHARACTERS_MAX: Final = 200  # of a code, as it is sent and in its one spelling
CODES_KEPT: Final = 4096  # spellings remembered; a dispatch system has some hundred codes
_PART = re.compile(r"\d+|[^\W\d_]+")
_MARKS: Final = frozenset(("Mn", "Me", "Mc"))


def normalised(code: str, prefixes: Iterable[str] = ()) -> str:
    """
    Give the one spelling of a code, without any of the *prefixes* that stands before it as a word
    of its own. Linear in the length of the code; empty for one without letters and numbers.

    >>> normalised("MPDS 25-A-01", ["mpds"]), normalised("OBS - TRESPASS", ["obs"])
    ('25a1', 'trespass')
    >>> normalised("10-0"), normalised("100")
    ('10.0', '100')
    """
    return _spelling(code, tuple(prefixes))


@lru_cache(CODES_KEPT)
def _spelling(code: str, prefixes: tuple[str, ...]) -> str:
    return _joined(_without_prefixes(_parts(code), [_parts(one) for one in prefixes]))


def _parts(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join(one for one in plain if unicodedata.category(one) not in _MARKS)
    return [_number(part) if part.isdecimal() else part for part in _PART.findall(kept)]


def _number(digits: str) -> str:
    # Any script's digits are the same number. Not by int(), which refuses long ones.
    return "".join(str(unicodedata.decimal(one)) for one in digits).lstrip("0") or "0"


def _without_prefixes(parts: list[str], prefixes: list[list[str]]) -> list[str]:
    place = 0
    while True:
        for prefix in prefixes:
            end = place + len(prefix)
            if prefix and end < len(parts) and parts[place:end] == prefix:
                place = end
                break
        else:
            return parts[place:]


def _joined(parts: list[str]) -> str:
    text = ""
    for part in parts:
        text += f".{part}" if text and text[-1].isdecimal() and part.isdecimal() else part
    return text[:CHARACTERS_MAX]  # one character can stand for many


@dataclass(frozen=True, slots=True)
class Pattern:
    """
    A pattern of codes: pieces in one spelling, with anything between them.
    """

    pieces: tuple[str, ...]

    @classmethod
    def of(cls, text: str, prefixes: Iterable[str] = ()) -> "Pattern":
        """
        Read a pattern such as `SUICID*`; each piece is brought into the one spelling.
        """
        first, *rest = text.split(ANY)
        return cls((normalised(first, prefixes), *(normalised(piece) for piece in rest)))

    @property
    def characters(self) -> int:
        """
        Give how many characters a code must have in common with it: of two patterns that fit, the
        longer says more.
        """
        return sum(len(piece) for piece in self.pieces)

    def fits(self, code: str) -> bool:
        """
        Tell whether a code in its one spelling is of this pattern: each piece in its turn, the
        first at the beginning and the last at the end.
        """
        first, *middle, last = self.pieces
        if not (code.startswith(first) and code.endswith(last)):
            return False
        place, end = len(first), len(code) - len(last)
        for piece in middle:
            found = code.find(piece, place, end)
            if found < 0:
                return False
            place = found + len(piece)
        return place <= end
