"""
The random sample of an agency's calls: what is drawn each week, so that anybody with the key can
draw it again.

Each call has a ticket, HMAC-SHA256 by the sampling key over the agency's id, a NUL and the call's
id. A call belongs to the ISO week, in the agency's time zone, of its first decision. The sample of
a week is its calls with the lowest tickets: `sample_percent` of them, rounded up, or
`sample_per_week`, whichever is more. The keyed hash makes each set of that size as likely as any
other, whatever the order in which calls come.

While a week runs its sample is that of the calls so far: the first calls of a week are all in it,
and one that later calls push out leaves the queue unless a reviewer holds it or has answered it;
then the review stays and is no longer counted as sampled. What is reviewed is the call's first
decision.

>>> size_of(40, 2, 10), size_of(1001, 2, 10)
(10, 21)

Source: 4 Pa. Code 120d.104: 2 % of calls, at least 10 a week. The way of drawing is our own.
"""

import datetime as dt
import hashlib
import hmac
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from service.agency_settings import ReviewRules
from service.erased import erased_call
from service.errors import SettingsError
from service.store import sample
from service.store.agencies import Agency
from service.store.database import reading
from service.store.sample import Ticket

WEEK = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Compared:
    """
    How the sample of a week that was drawn again compares with the queue: ids of calls.

    `forged` have a ticket that the key does not give; `uncounted` were decided in this week and
    have no ticket of it; `missing` should be in the sample and are not; `extra` are in it and
    should not be.
    """

    calls: int
    drawn: tuple[str, ...]
    forged: tuple[str, ...]
    uncounted: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """
        Tell whether the queue holds what the key draws, and nothing else.
        """
        return not (self.forged or self.uncounted or self.missing or self.extra)


def ticket_of(key: str, agency: str, call_id: str) -> str:
    """
    Give a call's ticket: 64 hexadecimal digits, which sort as the number they write.
    """
    text = f"{agency}\0{call_id}".encode()
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


def week_of(at: dt.datetime, time_zone: str) -> str:
    """
    Name the ISO week of a time in a time zone.

    >>> week_of(dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC), "America/Los_Angeles")
    '2026-W47'
    """
    year, week, _ = at.astimezone(ZoneInfo(time_zone)).isocalendar()
    return f"{year}-W{week:02}"


def bounds_of(week: str, time_zone: str) -> tuple[dt.datetime, dt.datetime]:
    """
    Give when a week begins and when the next one does.

    Raises:
        SettingsError: it is not a week such as 2026-W47.
    """
    found = WEEK.fullmatch(week)
    year, number = (found[1], found[2]) if found else ("0", "0")  # which is no week
    try:
        monday = dt.date.fromisocalendar(int(year), int(number), 1)
        following = monday + dt.timedelta(days=7)
    except (ValueError, OverflowError) as error:
        raise SettingsError(f"`{week}` is not a week: write one such as 2026-W47") from error
    zone = ZoneInfo(time_zone)
    since, until = (dt.datetime.combine(day, dt.time(), zone) for day in (monday, following))
    return since, until


def size_of(calls: int, percent: float, least: int) -> int:
    """
    Give how many of *calls* are drawn, if there are as many: a part of them, rounded up, or *least*
    of them, whichever is more.
    """
    return max(least, math.ceil(calls * Fraction(str(percent)) / 100))


def _ticket(key: str, agency: str, call_id: str, given: Mapping[str, Ticket]) -> str:
    # Which call an erased one was nobody knows: its ticket is taken as it was given.
    if call_id.startswith(erased_call("")) and call_id in given:
        return given[call_id].ticket
    return ticket_of(key, agency, call_id)


def compare(store: Engine, agency: Agency, week: str, key: str, rules: ReviewRules) -> Compared:
    """
    Draw the sample of a week again, from the decisions themselves, and compare it with the queue.

    Raises:
        SettingsError: it is not a week.
        StoreUnavailableError: the store cannot be asked.
    """
    since, until = bounds_of(week, agency.time_zone)
    decided = set(sample.calls_between(store, agency.id, since, until))
    given = {one.call_id: one for one in sample.of_week(store, agency.id, week)}
    with reading(store) as connection:
        queued = set(sample.calls_reviewed(connection, agency.id, week))
    calls = sorted(decided | set(given))
    by_ticket = sorted((_ticket(key, agency.id, one, given), one) for one in calls)
    size = size_of(len(calls), rules.sample_percent, rules.sample_per_week)
    drawn = tuple(one for _, one in by_ticket[:size])
    right = {one: ticket for ticket, one in by_ticket}
    return Compared(
        calls=len(calls),
        drawn=drawn,
        forged=tuple(sorted(one for one in given if given[one].ticket != right[one])),
        uncounted=tuple(sorted(decided - set(given))),
        missing=tuple(sorted(set(drawn) - queued)),
        extra=tuple(sorted(queued - set(drawn))),
    )
