"""
Writes a time as pages show it: in the agency's zone with the offset, and how long ago it was.

>>> at = dt.datetime(2026, 11, 23, 6, 43, 5, tzinfo=dt.UTC)
>>> told = moment(at, "America/Los_Angeles", at + dt.timedelta(minutes=14))
>>> told.clock, told.day, told.ago
('22:43:05 −08:00', 'Sunday 22 November 2026', '14 min ago')
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

MINUTE_S: Final = 60
HOUR_S: Final = 3600
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Moment:
    """
    One time: for machines, the time of day, the day, both shortly, and how long ago.
    """

    iso: str
    clock: str
    day: str
    short: str
    ago: str

    @property
    def whole(self) -> str:
        """
        Give day and time of day.
        """
        return f"{self.day}, {self.clock}"


def moment(at: dt.datetime | str, time_zone: str, now: dt.datetime) -> Moment:
    """
    Put a time into words; text is read as ISO 8601.
    """
    read = dt.datetime.fromisoformat(at) if isinstance(at, str) else at
    local = read.astimezone(ZoneInfo(time_zone))
    return Moment(
        local.isoformat(timespec="seconds"),
        clock_of(local),
        day_of(local),
        f"{local.day} {local:%b %H:%M}",
        _ago((now - read).total_seconds()),
    )


def clock_of(local: dt.datetime) -> str:
    """
    Give the time of day of a time that is in its zone, with the offset from UTC.
    """
    return f"{local:%H:%M:%S} {offset_of(local)}"


def day_of(local: dt.datetime) -> str:
    """
    Give the day of a time that is in its zone.
    """
    return f"{local:%A} {local.day} {local:%B %Y}"


def offset_of(local: dt.datetime) -> str:
    """
    Give the offset from UTC, such as −08:00.
    """
    return local.isoformat(timespec="seconds")[-6:].replace("-", "−")


def _ago(seconds: float) -> str:
    if seconds < MINUTE_S:
        return "just now" if seconds >= -MINUTE_S else "to come"
    if seconds < HOUR_S:
        return f"{int(seconds // MINUTE_S)} min ago"
    if seconds < DAY_S:
        return f"{int(seconds // HOUR_S)} h ago"
    days = int(seconds // DAY_S)
    return f"{days} day{'s' if days > 1 else ''} ago"
