"""
Measures how well remarks are read: what was labelled against what was read, by fact and outcome.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from service.routing.lexicon import Lexicon
from service.routing.signals import Signal, read_remarks

LABELLED = Path(__file__).parent / "labelled"
# What the four groups of danger are made of; the rest is counted as one group.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "weapon": ("weapon", "weapon_access", "weapon_toward"),
    "violence": ("violence", "hostage", "barricade", "suicide_by_cop"),
    "suicide": ("suicide", "self_injury", "lethal_means"),
    "medical": ("medical", "consciousness", "breathing", "overdose", "person_down"),
}


@dataclass
class Tally:
    """
    How often a fact was read rightly, missed, and read where it was not labelled.
    """

    right: int = 0
    missed: int = 0
    invented: int = 0
    wrong_value: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def labelled(self) -> int:
        return self.right + self.missed

    @property
    def recall(self) -> float | None:
        return self.right / self.labelled if self.labelled else None

    @property
    def precision(self) -> float | None:
        read = self.right + self.invented
        return self.right / read if read else None

    def __add__(self, other: "Tally") -> "Tally":
        """
        Give the sums of both, without the examples.
        """
        return Tally(
            self.right + other.right,
            self.missed + other.missed,
            self.invented + other.invented,
            self.wrong_value + other.wrong_value,
        )


def read_labelled(name: str) -> list[dict[str, Any]]:
    """
    Read one half of the labelled remarks.
    """
    return list(yaml.safe_load((LABELLED / f"{name}.yaml").read_text(encoding="utf-8")))


def tallies(
    lexicon: Lexicon, labelled: Iterable[Mapping[str, Any]]
) -> dict[tuple[str, str], Tally]:
    """
    Compare, of each fact, whether each outcome was read where it was labelled, and nowhere else.

    A value is counted as wrong beside: the worst that was read against the worst that was labelled.
    What history fills (`suicide_history` beside `suicide`) is a consequence and not counted twice.
    """
    found: dict[tuple[str, str], Tally] = {}
    for one in labelled:
        read = read_remarks(lexicon, one["text"])
        is_there = _pairs(read)
        wanted = {_pair(lexicon, says): says.get("value") for says in one["says"]}
        for pair in is_there.keys() | wanted.keys():
            tally = found.setdefault(pair, Tally())
            if pair in wanted and pair in is_there:
                tally.right += 1
                value = wanted[pair]
                if pair[1] == "present" and value is not None and value not in is_there[pair]:
                    tally.wrong_value += 1
                    tally.examples.append(f"VALUE {value} {is_there[pair]} {one['text']}")
            elif pair in wanted:
                tally.missed += 1
                tally.examples.append(f"MISSED {wanted[pair]} {one['text']}")
            else:
                tally.invented += 1
                tally.examples.append(f"INVENTED {is_there[pair]} {one['text']}")
    return found


def _pair(lexicon: Lexicon, says: Mapping[str, Any]) -> tuple[str, str]:
    # 'Alert' is labelled as present where a reader says that nothing is wrong: the same thing.
    absent = lexicon.absent_values.get(says["fact"])
    is_mildest = says["outcome"] == "present" and absent is not None
    is_mildest = is_mildest and says.get("value") is not None and says["value"] == absent
    return says["fact"], "absent" if is_mildest else says["outcome"]


def _pairs(read: Sequence[Signal]) -> dict[tuple[str, str], list[Any]]:
    pairs: dict[tuple[str, str], list[Any]] = {}
    past = {one.fact for one in read if one.outcome == "historical"}
    for one in read:
        follows = one.fact in ("suicide_history", "history_violence", "history_weapon") and (
            one.fact.replace("_history", "").replace("history_", "") in past
        )
        if not follows:
            pairs.setdefault((one.fact, one.outcome), []).append(one.value)
    return pairs


def grouped(found: Mapping[tuple[str, str], Tally], outcome: str) -> dict[str, Tally]:
    """
    Sum the tallies of one outcome over the groups of danger, and over all other facts.
    """
    sums = {name: Tally() for name in (*GROUPS, "everything else")}
    of = {fact: name for name, facts in GROUPS.items() for fact in facts}
    for (fact, said), tally in found.items():
        if said == outcome:
            name = of.get(fact, "everything else")
            sums[name] = sums[name] + tally
    return sums


def unknown_read_as_absent(lexicon: Lexicon, labelled: Iterable[Mapping[str, Any]]) -> int:
    """
    Count the labels that say that nobody knows, where the reader says that there is none.
    """
    count = 0
    for one in labelled:
        read = _pairs(read_remarks(lexicon, one["text"]))
        for says in one["says"]:
            fact = says["fact"]
            is_denied = (fact, "absent") in read and (fact, "unknown") not in read
            count += says["outcome"] == "unknown" and is_denied
    return count
