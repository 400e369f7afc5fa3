"""
The figures of reviews against values that are known, and for every count.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.reviewing.review_figures import Judged, figures_by_rule, figures_of, share_of

# Source: Newcombe, R. G. (1998), Interval estimation for the difference between independent
# proportions, and Two-sided confidence intervals for the single proportion, Statistics in Medicine
# 17, 857-872, table I: the score method without continuity correction.
KNOWN = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("count", "of", "low", "high"), KNOWN)
def test_intervals_are_those_that_are_published(
    count: int, of: int, low: float, high: float
) -> None:
    """
    Wilson's interval has the values of Newcombe's table.
    """
    share = share_of(count, of)
    assert (round(share.low, 4), round(share.high, 4)) == (low, high)


@given(st.integers(1, 100_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share_and_never_leaves_0_to_1(counted: tuple[int, int]) -> None:
    """
    The share lies in its interval, which lies in 0 to 1 and mirrors that of what is left.
    """
    count, of = counted
    share, rest = share_of(count, of), share_of(of - count, of)
    assert share.part is not None
    assert 0 <= share.low <= share.part <= share.high <= 1
    assert math.isclose(share.low, 1 - rest.high, abs_tol=1e-9)


def test_nothing_reviewed_says_nothing() -> None:
    """
    Without findings there is no share, and everything is possible.
    """
    figures = figures_of([])
    assert (figures.reviewed, figures.right.part) == (0, None)
    assert (figures.right.low, figures.right.high) == (0.0, 1.0)


def test_what_cannot_be_told_is_counted_and_is_in_no_share() -> None:
    """
    Shares are of the findings that could tell; a rule counts in each decision in which it fired,
    once.
    """
    judged = [
        Judged("right", is_sample=True, rules=("a", "b")),
        Judged("over_triaged", is_sample=False, rules=("a", "a")),
        Judged("cannot_tell", is_sample=False, rules=("a",)),
    ]
    figures = figures_of(judged)
    assert (figures.reviewed, figures.of, figures.cannot_tell) == (3, 2, 1)
    assert (figures.right.part, figures.over_triaged.part, figures.under_triaged.part) == (
        0.5,
        0.5,
        0.0,
    )
    by_rule = figures_by_rule(judged)
    assert {rule: one.reviewed for rule, one in by_rule.items()} == {"a": 3, "b": 1}
