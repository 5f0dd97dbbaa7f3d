"""Events a day: a day on which recording broke, and days that are too much alike."""

import numpy as np
from scipy.special import chdtr, stdtr

from models.authenticity.counters import FIRST_MONDAY, Counters
from models.authenticity.finding import Figure, Finding, drawn, found, too_few, unexamined
from models.authenticity.thresholds import THRESHOLDS
from models.clock import DAY, date_of
from models.inference.means import Array

USUAL = 30
"""Events that a weekday usually has before its days are compared."""
LEAST_SPREAD = 0.25
"""Doublings that days are taken to differ by at least, however alike those seen are."""
STRAGGLERS = 0.01
"""Share of the events at each end that days are not judged by: the recording had not begun, or is over."""
MOST_DAYS = 20_000
HEAVY = 5
"""Degrees of freedom of the days' deviations: busy and quiet days are commoner than a normal distribution has them."""


def volume_break(counters: Counters, resolution: int, until: int | None = None, what: str = "events") -> Finding:
    """The day farthest from what is usual on its weekday.

    until: the last whole day that was recorded, if that is known: days up to it count even if nothing came on them.
    Otherwise the days between the first and the last hundredth of the events do, without stragglers.
    """
    check = "volume_break"
    days = _days(counters, until)
    if resolution > DAY or days is None:
        return unexamined(check, "the times have no days, or the days reach over more than 50 years")
    first, counts = days
    few = too_few(check, len(counts))
    if few:
        return few
    weekday = (np.arange(first, first + len(counts)) - FIRST_MONDAY // DAY) % 7
    usual = np.array([np.median(counts[weekday == one]) if (weekday == one).any() else 0 for one in range(7)])[weekday]
    seen = usual >= USUAL
    if not seen.any():
        return unexamined(check, f"no weekday usually has {USUAL} {what}", len(counts))
    away = np.log2((counts[seen] + 1) / (usual[seen] + 1))
    spread = max(LEAST_SPREAD, 1.4826 * float(np.median(np.abs(away - np.median(away)))))
    worst = int(np.abs(away).argmax())
    at = int(np.flatnonzero(seen)[worst])
    effect = abs(float(away[worst]))
    # How days differ is estimated, not what an eighth of a day is: the chance is that of any day so far from usual.
    p = min(1.0, 2 * float(stdtr(HEAVY, -effect / spread)) * int(seen.sum()))
    says = (
        f"{date_of(first + at)} has {counts[at]:,.0f} {what} where its weekday usually has {usual[at]:,.0f}; "
        f"{int(seen.sum()):,} days were compared"
    )
    return found(check, len(counts), effect, p, says, _drawn(first, counts, usual, what))


def even_volume(counters: Counters, resolution: int) -> Finding:
    """Whether days hold nearly the same number of events: a generator's quota."""
    check = "even_volume"
    days = _days(counters)
    if resolution > DAY or days is None:
        return unexamined(check, "the times have no days, or the days reach over more than 50 years")
    first, counts = days
    few = too_few(check, len(counts))
    if few:
        return few
    mean = float(counts.mean())
    if mean < 1:
        return unexamined(check, "there is less than one event a day", len(counts))
    ratio, free = float(counts.var(ddof=1)) / mean, len(counts) - 1
    p = float(chdtr(free, free * ratio / THRESHOLDS[check].edge))
    says = (
        f"events a day are {mean:,.1f} on average with a variance of {ratio:,.2f} times that, over {len(counts):,} days"
    )
    return found(check, len(counts), ratio, p, says, _drawn(first, counts, np.full(len(counts), mean)))


def _days(counters: Counters, until: int | None = None) -> tuple[int, Array] | None:
    """The first whole day and events by day from it on; None if they are too many."""
    if not counters.days:
        return 0, np.zeros(0)
    first, last = min(counters.days), max(counters.days)
    if until is not None:
        last = max(last, until)
    if last - first > MOST_DAYS:
        return None
    counts = np.zeros(last - first + 1)
    counts[np.array(list(counters.days)) - first] = list(counters.days.values())
    so_far = np.cumsum(counts)
    begin = int(np.searchsorted(so_far, STRAGGLERS * so_far[-1], side="right")) + 1
    end = int(np.searchsorted(so_far, (1 - STRAGGLERS) * so_far[-1])) if until is None else until - first + 1
    return first + begin, counts[begin:end]


def _drawn(first: int, counts: Array, usual: Array, what: str = "events") -> Figure:
    dates = [date_of(first + day) for day in range(len(counts))]
    return drawn("line", "day", what, dates, counts, usual)
