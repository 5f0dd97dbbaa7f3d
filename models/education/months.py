"""Calendar months of UTC, as numbers that follow each other: what surveys, tickets and active users are counted by."""

from datetime import date
from functools import lru_cache

from models.clock import EPOCH, day_of

MONTHS_READ = 13
"""Months that are told of: the present one and the twelve before, for which rows keep their days."""
_EPOCH = EPOCH.date().toordinal()


@lru_cache(4096)
def month_of(day: int) -> int:
    """The month that a UTC day falls in, counted from January of year 0."""
    found = date.fromordinal(_EPOCH + day)
    return 12 * found.year + found.month - 1


@lru_cache(4096)
def first_day_of(month: int) -> int:
    """The first day of a month."""
    return date(month // 12, month % 12 + 1, 1).toordinal() - _EPOCH


def month_at(at: int) -> int:
    """The month of an instant."""
    return month_of(day_of(at))


def name_of(month: int) -> str:
    """A month as people write it, e.g. `2026-05`."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def months_of(top_day: int, days: int) -> tuple[int, ...]:
    """The months in which any of these days lies, the latest first; days: a mask that counts back from the top day."""
    found = []
    while days:
        month = month_of(top_day)
        first = first_day_of(month)
        width = top_day - first + 1
        if days & ((1 << width) - 1):
            found.append(month)
        days >>= width
        top_day = first - 1
    return tuple(found)
