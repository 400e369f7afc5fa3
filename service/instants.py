"""
How a point in time is written, wherever the service writes one.

>>> iso(dt.datetime(2026, 11, 25, 4, 5, tzinfo=dt.UTC))
'2026-11-25T04:05:00Z'
"""

import datetime as dt


def iso(at: dt.datetime) -> str:
    """
    Write a time as ISO 8601 in UTC, ending in Z.
    """
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
