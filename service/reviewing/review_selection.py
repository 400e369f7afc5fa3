"""
Chooses which decisions go to review, soon after they or what was sent are stored.

An override is reviewed each time; the other reasons bring a call to review once, at its first
revision that has them, since nobody may review a call twice. The random sample is drawn by
`service/reviewing/sample.py`. Looking again changes nothing.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row

from service.agency_settings import AgencyDefaults, ReviewRules, settings_of
from service.dispatch_request import POLICE
from service.erased import erased_whole
from service.request import SIGNALS_CONTRADICT
from service.reviewing.sample import size_of, ticket_of, week_of
from service.store import agencies, considered, decisions, dispatches, reviews, sample
from service.store.agencies import Agency
from service.store.database import take_turns, writing
from service.store.decisions import Decision
from service.store.dispatches import Dispatch
from service.store.reviews import Review
from service.store.sample import Ticket

OVERRIDE: Final = "override"
POLICE_WITHOUT_HAZARD: Final = "police_without_hazard"
FALLBACK: Final = "fallback"
DISMISSED_SIGNAL: Final = "dismissed_signal"
CONTRADICTION: Final = "contradiction"
RANDOM_SAMPLE: Final = "random_sample"
REASONS: Final = (
    *(OVERRIDE, POLICE_WITHOUT_HAZARD, FALLBACK, DISMISSED_SIGNAL, CONTRADICTION),
    RANDOM_SAMPLE,
)

BATCH_RECORDS: Final = 200  # looked at in one transaction
# In one run, so that no worker is held for long while others wait to store; the next run goes on.
BATCHES_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Selecting:
    """
    What choosing goes by: what every agency starts with, the key of the sample, and now.
    """

    defaults: AgencyDefaults
    sampling_key: str
    now: dt.datetime


def select_for_review(store: Engine, by: Selecting) -> int:
    """
    Look at what was stored since the last time, and put into the queue what is to be reviewed.

    Returns:
        How many decisions and reports were looked at.

    Raises:
        StoreUnavailableError: the store cannot be asked; the next run goes on.
    """
    count = 0
    for _ in range(BATCHES_MAX):
        decided = considered.new_records(store, "decision", by.now, BATCH_RECORDS)
        reported = considered.new_records(store, "dispatch", by.now, BATCH_RECORDS)
        if not decided and not reported:
            break
        _look_at(store, decided, reported, by)
        count += len(decided) + len(reported)
    return count


def reasons_of(decision: Decision, sent: Dispatch | None, rules: ReviewRules) -> tuple[str, ...]:
    """
    Say why a decision goes to review, by what it holds and by the latest report of what was sent.
    """
    has = {
        OVERRIDE: rules.override and sent is not None and sent.override,
        POLICE_WITHOUT_HAZARD: rules.police_without_hazard
        and _has_police(decision, sent)
        and not _names_a_hazard(decision.body),
        FALLBACK: rules.fallback and decision.fallback,
        DISMISSED_SIGNAL: rules.dismissed_signal and _has_dismissed(decision.body),
        CONTRADICTION: rules.contradiction and _contradicts(decision.body),
    }
    return tuple(reason for reason in REASONS if has.get(reason))


def _has_police(decision: Decision, sent: Dispatch | None) -> bool:
    return decision.police or (sent is not None and bool(POLICE & set(sent.responders)))


def _names_a_hazard(body: Mapping[str, Any]) -> bool:
    # A named rule is always one of a hazard: nothing else can ask for police.
    police = _mapping(_mapping(body.get("answer")).get("law_enforcement"))
    because = police.get("because")
    return any("rule" in _mapping(one) for one in because or ())


def _has_dismissed(body: Mapping[str, Any]) -> bool:
    return bool(_mapping(body.get("request")).get("dismissed"))


def _contradicts(body: Mapping[str, Any]) -> bool:
    warnings = _mapping(body.get("answer")).get("warnings")
    return any(_mapping(one).get("code") == SIGNALS_CONTRADICT for one in warnings or ())


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _look_at(
    store: Engine, decided: Sequence[Row[Any]], reported: Sequence[Row[Any]], by: Selecting
) -> None:
    known = {one.id: one for one in agencies.all_agencies(store)}
    touched = {
        agency: _touched(store, agency, decided, reported)
        for agency in {row.agency for row in (*decided, *reported)} & set(known)
    }
    ids = {row.record_id for row in decided}
    with writing(store) as connection:
        take_turns(connection, "select for review")
        for agency, (found, sent) in touched.items():
            rules = settings_of(known[agency].settings, by.defaults).review
            _choose(connection, found, sent, (rules, by.now))
            calls = {one.call_id for one in found if one.record_id in ids}
            _draw(connection, known[agency], calls, (rules, by))
        considered.add(connection, "decision", decided)
        considered.add(connection, "dispatch", reported)


def _touched(
    store: Engine, agency: str, decided: Iterable[Row[Any]], reported: Iterable[Row[Any]]
) -> tuple[tuple[Decision, ...], dict[str, Dispatch]]:
    """
    Give the decisions that are new or have a new report, the earliest first, and the latest report
    about each.
    """
    ids = {row.record_id for row in decided if row.agency == agency}
    ids |= {row.decision_id for row in reported if row.agency == agency}
    found = [one for one in decisions.of_ids(store, agency, ids) if not erased_whole(one.body)]
    ordered = sorted(found, key=lambda one: (one.decided_at, one.record_id))
    return tuple(ordered), dispatches.latest(store, agency, ids)


def _choose(
    connection: Connection,
    found: Sequence[Decision],
    sent: Mapping[str, Dispatch],
    by: tuple[ReviewRules, dt.datetime],
) -> None:
    rules, now = by
    wanted = {one.record_id: reasons_of(one, sent.get(one.record_id), rules) for one in found}
    chosen = [one for one in found if wanted[one.record_id]]
    if not chosen:
        return
    calls = {one.call_id for one in chosen}
    agency = chosen[0].agency
    before = {one.decision_id: one for one in reviews.of_calls(connection, agency, calls)}
    for one in chosen:
        others = [
            other
            for other in before.values()
            if other.call_id == one.call_id and other.decision_id != one.record_id
        ]
        taken = {reason for other in others for reason in other.reasons} - {OVERRIDE}
        reasons = [reason for reason in wanted[one.record_id] if reason not in taken]
        if reasons:
            review = before.get(one.record_id) or _new(one, rules, now)
            before[one.record_id] = _with_reasons(
                connection, review, reasons, is_new=one.record_id not in before
            )


def _new(about: Decision | Ticket, rules: ReviewRules, now: dt.datetime) -> Review:
    return Review(
        id=reviews.new_id(),
        agency=about.agency,
        decision_id=about.record_id if isinstance(about, Decision) else about.decision_id,
        call_id=about.call_id,
        reasons=(),
        is_sample=False,
        selected_at=now,
        due_at=now + dt.timedelta(days=rules.due_days),
    )


def _with_reasons(
    connection: Connection, review: Review, reasons: Collection[str], *, is_new: bool
) -> Review:
    held = {*review.reasons, *reasons}
    changed = replace(review, reasons=tuple(one for one in REASONS if one in held))
    changed = replace(changed, is_sample=review.is_sample or RANDOM_SAMPLE in reasons)
    if is_new:
        reviews.add(connection, changed)
    elif changed != review:
        reviews.set_reasons(connection, changed)
    return changed


def _draw(
    connection: Connection, agency: Agency, calls: set[str], by: tuple[ReviewRules, Selecting]
) -> None:
    """
    Give each new call its ticket, and draw the sample of each week that has a new one again.
    """
    rules, selecting = by
    if not calls:
        return
    given = tuple(
        Ticket(
            agency=agency.id,
            call_id=first.call_id,
            week=week_of(first.decided_at, agency.time_zone),
            ticket=ticket_of(selecting.sampling_key, agency.id, first.call_id),
            decision_id=first.decision_id,
        )
        for first in sample.firsts_of(connection, agency.id, calls)
    )
    sample.add(connection, given)
    for week in sorted({one.week for one in given}):
        _draw_week(connection, (agency.id, week), rules, selecting.now)


def _draw_week(
    connection: Connection, place: tuple[str, str], rules: ReviewRules, now: dt.datetime
) -> None:
    calls = sample.count(connection, *place)
    size = size_of(calls, rules.sample_percent, rules.sample_per_week)
    drawn = {one.call_id: one for one in sample.lowest(connection, *place, size)}
    queued = set(sample.calls_reviewed(connection, *place))
    agency = place[0]
    for gone in reviews.of_calls(connection, agency, queued - set(drawn)):
        if gone.is_sample:
            _take_out(connection, gone, now)
    fresh = [one for call_id, one in drawn.items() if call_id not in queued]
    before = reviews.of_decisions(connection, agency, [one.decision_id for one in fresh])
    for one in fresh:
        review = before.get(one.decision_id)
        _with_reasons(
            connection, review or _new(one, rules, now), [RANDOM_SAMPLE], is_new=review is None
        )


def _take_out(connection: Connection, review: Review, now: dt.datetime) -> None:
    """
    Take a review out of the sample: one that has no other reason leaves the queue, unless somebody
    holds it or has answered; then its reason stays what it was.
    """
    others = tuple(one for one in review.reasons if one != RANDOM_SAMPLE)
    if not others and reviews.withdraw(connection, review, now):
        return
    is_fixed = review.answered_at is not None or review.is_held(now)
    reasons = review.reasons if is_fixed or not others else others
    reviews.set_reasons(connection, replace(review, reasons=reasons, is_sample=False))
