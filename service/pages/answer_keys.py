"""
One key per answer: which letter stands for which answer of a question.

A letter depends on the question's own words alone, so that a call-taker's fingers can learn it.

>>> letters(["None", "Knife or blade", "Gun"])
('n', 'k', 'g')
"""

from collections.abc import Iterator, Sequence
from string import ascii_lowercase

# What the page does at any time: copy the note, go to facts, remarks or what was sent, take back a
# signal, undo.
PAGE_KEYS = {
    "c": "Copy the note",
    "f": "Go to the facts that were told",
    "r": "Go to the remarks",
    "s": "Go to what was sent",
    "x": "Take back the signal that counts, again for the next one; then a number says why",
    "z": "Undo the last answer, or taking a signal back",
}
NOT_KNOWN_KEY = "u"
# Fingers take these for 'no' and 'yes': they stand for the mildest answer, and for a yes.
NO, YES = "n", "y"


def letters(labels: Sequence[str]) -> tuple[str, ...]:
    """
    Give each answer a letter of its own, the first of its label where that is free.

    None of them is a key of the page or of 'Not known', and only the first answer, the mildest, can
    have the letter that says no. An answer for which no letter is left has an empty one.
    """
    taken = {*PAGE_KEYS, NOT_KNOWN_KEY}
    found: dict[int, str] = {}
    for choose in (_first, _initials, _any):
        for place, label in enumerate(labels):
            mine = (one for one in choose(label) if one not in taken)
            free = (one for one in mine if _may_have(one, label, place))
            letter = next(free, "") if place not in found else ""
            if letter:
                found[place] = letter
                taken.add(letter)
    return tuple(found.get(place, "") for place in range(len(labels)))


def _may_have(letter: str, label: str, place: int) -> bool:
    return (letter != NO or place == 0) and (letter != YES or label.lower().startswith(YES))


def _first(label: str) -> Iterator[str]:
    yield from _initials(label[:1])


def _initials(label: str) -> Iterator[str]:
    yield from (word[0] for word in label.lower().split() if word[0] in ascii_lowercase)


def _any(label: str) -> Iterator[str]:
    yield from (one for one in label.lower() if one in ascii_lowercase)
    yield from ascii_lowercase
