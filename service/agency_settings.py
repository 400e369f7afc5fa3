"""
What an agency has set: its reasons for a dispatch, what goes to review, whether remarks are kept
and how long everything is; over the defaults of `config/agency.yaml` and `config/dispatch.yaml`.
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
class Retention:
    """
    How long an agency keeps what: words about a person in days, the rest of a record in years. Then
    `service/retention.py` erases it, unless a legal hold stands.
    """

    remarks_days: int
    decisions_years: int


# The least and the most of each. The words of a remark may go after a day. Source of the one year:
# retention of audit records by the CJIS Security Policy. The most is our own: longer is a slip.
RETENTION_LEAST: Mapping[str, int] = {"remarks_days": 1, "decisions_years": 1}
RETENTION_MOST: Mapping[str, int] = {"remarks_days": 36_500, "decisions_years": 100}


@dataclass(frozen=True, slots=True)
class AgencyDefaults:
    """
    What every agency starts with, read from `config/`.
    """

    review: ReviewRules
    dispatch_reasons: Mapping[str, str]
    retention: Retention
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
    retention: Retention


def settings_of(own: Mapping[str, Any], defaults: AgencyDefaults) -> AgencySettings:
    """
    Give what holds for an agency, from its own settings. What it set and nobody can read any more
    is the default.
    """
    review = own.get("review")
    reasons = own.get("dispatch_reasons")
    retention = own.get("retention")
    return AgencySettings(
        review_rules(defaults.review, review if isinstance(review, Mapping) else {}),
        dict(reasons) if isinstance(reasons, Mapping) and reasons else defaults.dispatch_reasons,
        keeps_remarks(own, defaults),
        retention_of(defaults.retention, retention if isinstance(retention, Mapping) else {}),
    )


def keeps_remarks(own: Mapping[str, Any], defaults: AgencyDefaults) -> bool:
    """
    Tell whether an agency keeps remarks, from its own settings.
    """
    keep = own.get("keep_remarks")
    return keep if isinstance(keep, bool) else defaults.keep_remarks


def retention_of(default: Retention, own: Mapping[str, Any]) -> Retention:
    """
    Give *default* with what *own* says of it; what is not a whole number within its limits is
    passed over.
    """
    values = {one.name: getattr(default, one.name) for one in fields(Retention)}
    for name, value in own.items():
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if name in values and is_whole and is_within(name, value):
            values[name] = value
    return Retention(**values)


def is_within(name: str, value: int) -> bool:
    """
    Tell whether a number of the retention is one that may be set.
    """
    return RETENTION_LEAST[name] <= value <= RETENTION_MOST[name]


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
