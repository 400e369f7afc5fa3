"""
The figures of reviews: how often the answer was right, too little or too much, with how sure that
is.

Pure arithmetic. A share is of the findings that could tell; its interval is Wilson's, which is
honest for few findings and never leaves 0 to 1.

>>> share = share_of(5, 10)
>>> round(share.low, 3), share.part, round(share.high, 3)
(0.237, 0.5, 0.763)
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

TELLING: Final = ("right", "under_triaged", "over_triaged")
CANNOT_TELL: Final = "cannot_tell"

# The 97.5th percentile of the normal distribution: an interval that holds in 95 of 100 cases.
Z_95: Final = 1.959963984540054

LIMITS: Final = (
    "Only what reviewers judged is counted: a call that nobody reviewed tells nothing here.",
    "Only the random sample speaks for all calls. Decisions that were chosen for a reason (an"
    " override, a fallback) are those where something was unusual: their share of errors is higher"
    " than that of all calls, and says nothing about them. One that was drawn and had a reason"
    " besides counts with those that were drawn.",
    "A verdict is one reviewer's judgement of what was known then. It does not say what happened"
    " to the person afterwards.",
    "A rule is counted in each decision in which it fired, whether or not it was to blame.",
    "Drawn calls that are not reviewed yet are missing; if the hard ones wait longest, the figures"
    " look better than they are.",
)


@dataclass(frozen=True, slots=True)
class Judged:
    """
    One finding: its verdict, whether its call is in the random sample, and the rules that fired.
    """

    verdict: str
    is_sample: bool
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """
    A part of some findings, 0 to 1, and the 95 % interval around it.
    """

    count: int
    part: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Figures:
    """
    What some findings say. `of` is how many could tell; the shares are parts of these.
    """

    reviewed: int
    of: int
    cannot_tell: int
    right: Share
    under_triaged: Share
    over_triaged: Share


def share_of(count: int, of: int) -> Share:
    """
    Give a share with its Wilson interval; of nothing, the part is None and the interval all of 0 to
    1.

    Source: Wilson, E. B. (1927), Probable inference, the law of succession, and statistical
    inference, JASA 22, 209-212.
    """
    if of == 0:
        return Share(count, None, 0.0, 1.0)
    part, square = count / of, Z_95 * Z_95
    middle = (part + square / (2 * of)) / (1 + square / of)
    spread = math.sqrt(part * (1 - part) / of + square / (4 * of * of)) * Z_95 / (1 + square / of)
    # At either end the formula touches it exactly; rounding must not step over.
    low = 0.0 if count == 0 else max(0.0, middle - spread)
    high = 1.0 if count == of else min(1.0, middle + spread)
    return Share(count, part, low, high)


def figures_of(judged: Iterable[Judged]) -> Figures:
    """
    Count verdicts.
    """
    verdicts = [one.verdict for one in judged]
    told = [one for one in verdicts if one != CANNOT_TELL]
    right, under, over = (share_of(told.count(name), len(told)) for name in TELLING)
    return Figures(len(verdicts), len(told), len(verdicts) - len(told), right, under, over)


def figures_by_rule(judged: Iterable[Judged]) -> dict[str, Figures]:
    """
    Count verdicts for each rule that fired, the rule with the most findings first.
    """
    by_rule: dict[str, list[Judged]] = {}
    for one in judged:
        for rule in dict.fromkeys(one.rules):
            by_rule.setdefault(rule, []).append(one)
    found = {rule: figures_of(some) for rule, some in by_rule.items()}
    return dict(sorted(found.items(), key=lambda item: (-item[1].reviewed, item[0])))
