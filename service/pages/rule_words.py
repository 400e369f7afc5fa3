"""
Says what belongs to a rule in words for a page: its members, and what is wrong with it.

The API speaks of `at_least` and `hazards[3].why`; who fills in a form sees neither.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.pages.form_faults import sentence
from service.routing.facts import Vocabulary

MEMBERS: Final[Mapping[str, str]] = {
    "when": "conditions",
    "at_least": "at least",
    "needs": "what EMS needs",
    "alone": "EMS alone",
    "beside": "with",
}
# The field of the form that holds a member, where it is one field.
_FIELDS: Final[Mapping[str, str]] = {
    "id": "rule-id",
    "why": "why",
    "source": "source",
    "lead": "lead",
    "at_least": "lead",
    "urgency": "urgency",
    "from": "from",
    "until": "until",
}
_QUOTED: Final = re.compile(r"(?:\ban? (?=`when`))?`([^`]*)`")
_SNAKE: Final = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


@dataclass(frozen=True, slots=True)
class RuleFault:
    """
    What is wrong with a rule, as a sentence, and the id of the field to mend it in, if it is one.
    """

    words: str
    field: str


def member_words(name: str) -> str:
    """
    Name a member of a rule.
    """
    return MEMBERS.get(name, name.replace("_", " "))


def faults_at(
    vocabulary: Vocabulary, problems: Iterable[Mapping[str, Any]], place: str
) -> Sequence[RuleFault]:
    """
    Give what is wrong with the rule at a place such as `hazards[3]`, each sentence once.
    """
    found: dict[str, RuleFault] = {}
    for one in problems:
        path = str(one["path"])
        if path == place or path.startswith(f"{place}."):
            member = path[len(place) + 1 :].partition(".")[0].partition("[")[0]
            words = plain(vocabulary, str(one["message"]))
            found.setdefault(words, RuleFault(words, _FIELDS.get(member, "")))
    return tuple(found.values())


def plain(vocabulary: Vocabulary, message: str) -> str:
    """
    Say a problem without the names that only the YAML has.
    """

    def word(name: str) -> str:
        if name in vocabulary.responders:
            return vocabulary.responders[name]
        if name in vocabulary.facts and name not in MEMBERS:
            return f"“{vocabulary.facts[name].label}”"
        return member_words(name)

    def quoted(found: re.Match[str]) -> str:
        return " ".join(word(name) for name in re.findall(r"[\w-]+", found[1])) or found[1]

    without = _QUOTED.sub(quoted, message)
    return sentence(_SNAKE.sub(lambda found: word(found[0]), without))
