"""
What an agency has set: its reasons for a dispatch, what goes to review, whether remarks are kept;
over the defaults of `config/agency.yaml` and `config/dispatch.yaml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """
    Which decisions go to review, and how long a review may take.

    The sample is `sample_percent` of an agency's decisions or `sample_per_week` of them, whichever
    is more. `claim_minutes` is how long a claim holds, `due_days` when a review is due.
    """

    override: bool
    police_without_hazard: bool
    fallback: bool
    dismissed_signal: bool
    contradiction: bool
    sample_percent: float
    sample_per_week: int
    due_days: int
    claim_minutes: int


# The least that each member may be; None for those that are true or false.
REVIEW_LEAST: Mapping[str, int | None] = {
    "override": None,
    "police_without_hazard": None,
    "fallback": None,
    "dismissed_signal": None,
    "contradiction": None,
    "sample_percent": 0,
    "sample_per_week": 0,
    "due_days": 1,
    "claim_minutes": 1,
}


@dataclass(frozen=True, slots=True)
class AgencyDefaults:
    """
    What every agency starts with, read from `config/`.
    """

    review: ReviewRules
    dispatch_reasons: Mapping[str, str]
    keep_remarks: bool = True


@dataclass(frozen=True, slots=True)
class AgencySettings:
    """
    What holds for one agency; `dispatch_reasons` maps the id of a reason to its label.

    Without `keep_remarks` a remark is read and then forgotten: only its signals are recorded.
    """

    review: ReviewRules
    dispatch_reasons: Mapping[str, str]
    keep_remarks: bool


def settings_of(own: Mapping[str, Any], defaults: AgencyDefaults) -> AgencySettings:
    """
    Give what holds for an agency, from its own settings. What it set and nobody can read any more
    is the default.
    """
    review = own.get("review")
    reasons = own.get("dispatch_reasons")
    keep = own.get("keep_remarks")
    return AgencySettings(
        review_rules(defaults.review, review if isinstance(review, Mapping) else {}),
        dict(reasons) if isinstance(reasons, Mapping) and reasons else defaults.dispatch_reasons,
        keep if isinstance(keep, bool) else defaults.keep_remarks,
    )


def review_rules(default: ReviewRules, own: Mapping[str, Any]) -> ReviewRules:
    """
    Give *default* with what *own* says of it; a value of another type is passed over.
    """
    values = {one.name: getattr(default, one.name) for one in fields(ReviewRules)}
    values |= {
        name: value
        for name, value in own.items()
        if name in values
        and isinstance(value, int | float)
        and isinstance(value, bool) == isinstance(values[name], bool)
    }
    return ReviewRules(**values)
