"""Time as the core knows it: integer microseconds of UTC since 1970, and whole UTC days.

Integers, so that sums are exact and equal on every machine. A tick carries such a time in-band; nothing in
`models/` ever asks the operating system what time it is.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_OF_UTC = EPOCH.replace(tzinfo=None)
YEAR_2000 = 946_684_800 * SECOND
"""Before this an event's time is implausible: the product did not exist yet, somebody's clock is unset."""
LAST_INSTANT = 253_402_300_799 * SECOND
"""The end of the year 9999: later instants cannot be written as a date."""


def micros(moment: datetime) -> int:
    """The instant as microseconds since 1970 (the datetime must carry an offset)."""
    return (moment - EPOCH) // MICROSECOND


def from_seconds(seconds: float) -> int:
    """Epoch seconds, as producers send them, rounded to the microsecond."""
    return round(seconds * SECOND)


def day_of(at: int) -> int:
    """The UTC day (days since 1970) that an instant falls in."""
    return at // DAY


def start_of(day: int) -> int:
    """The first instant of a UTC day."""
    return day * DAY


def rfc3339(at: int) -> str:
    """The instant as people and the contract write it, e.g. `2026-05-05T08:30:00Z`."""
    return (_EPOCH_OF_UTC + timedelta(microseconds=at)).isoformat() + "Z"


@lru_cache(4096)
def date_of(day: int) -> str:
    """A UTC day as people and the contract write it, e.g. `2026-05-05`."""
    return rfc3339(start_of(day))[:10]
