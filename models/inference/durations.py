"""Time to an event, of every assigned unit of one arm, in bins: readable all day, before anyone's window is over.

Time is cut into bins of one width. A unit is assigned in some bin, its *cohort*, and leaves the risk set in the bin of
its age at which its event came, its *exit*. A cohort has been watched throughout for as many bins of age as have wholly
passed since its last unit was assigned; only events at an age so watched are visible, for everybody alike, so that an
event that is reported at once and a silence that takes time to be sure of do not pull the curve apart.

What is read is the *fold*: by bin of age, units whose event came there and units last seen there. A unit growing older
moves its whole cohort, so ageing costs the cohorts whose window is still open and nothing per unit; a cohort whose
window is over needs no memory at all.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.adding import add
from models.clock import HOUR

MOST_BINS = 128
HOURS = (1, 2, 3, 4, 6, 8, 12, 24, 48, 96, 168)
"""Widths that people find natural: parts of a day, then days, then a week."""


def bin_width(window: int) -> int:
    """The smallest natural width, in microseconds, that cuts a window of so many into at most 128 bins."""
    for hours in HOURS:
        if bins_of(window, hours * HOUR) <= MOST_BINS:
            return hours * HOUR
    raise ValueError(f"a window of {window / (24 * HOUR):g} days does not fit in {MOST_BINS} bins of a week")


def bins_of(window: int, width: int) -> int:
    """How many bins a window has; the last is cut off at the window's end where the width does not divide it."""
    return -(-window // width)


def edges(window: int) -> NDArray[np.float64]:
    """(W+1,) hours since assignment at which the window's bins begin, and at which the last one ends."""
    width = bin_width(window)
    return np.minimum(np.arange(bins_of(window, width) + 1) * width, window) / HOUR


class Fold(NamedTuple):
    """What is visible of an arm, for any leading shape `...` (none for one arm).

    events: (..., W) units whose event came in a bin of age. censored: (..., W+1) units without one so far, by the
    number of bins that they have been watched; the last have been watched for the whole window.
    """

    events: NDArray[np.int64]
    censored: NDArray[np.int64]

    @property
    def at_risk(self) -> NDArray[np.int64]:
        """(..., W) units watched throughout a bin of age whose event had not come before it."""
        left = self.events + self.censored[..., 1:]
        return np.cumsum(left[..., ::-1], axis=-1)[..., ::-1]


class Durations:
    """The event times of one arm and one metric, exact under adding, removing and time going on, in any order.

    >>> arm = Durations(bins=3)
    >>> arm.add(cohort=10, exit=1)  # assigned in bin 10, its event came one to two bins later
    >>> arm.add(cohort=10, exit=None)
    >>> arm.advance(12)  # cohort 10 has been watched for one whole bin: the event is not visible yet
    >>> arm.row()
    [0, 0, 0, 0, 2, 0, 0]
    >>> arm.advance(13)
    >>> arm.row()
    [0, 1, 0, 0, 0, 1, 0]
    """

    __slots__ = ("_censored", "_events", "_open", "bins", "now")

    def __init__(self, bins: int, now: int = 0) -> None:
        self.bins = bins
        self.now = now
        """The bin that event time has reached; all before it are over."""
        self._events = [0] * bins
        self._censored = [0] * (bins + 1)
        self._open: dict[int, dict[int, int]] = {}
        """By cohort whose window is not over: its units by exit, those without any under `bins`. Nothing is 0."""

    def add(self, cohort: int, exit: int | None, sign: int = 1) -> None:
        """Add a unit (or with sign -1 take it out): the bin it was assigned in, and its event's bin of age.

        A unit without an event within the window has exit None; so has one that can no longer have it (a lapsed trial
        did not complete), for it stays in the count of those who did not.
        """
        if exit is not None and not 0 <= exit < self.bins:
            raise ValueError(f"bin {exit} is not one of the window's {self.bins}")
        at = self.bins if exit is None else exit
        watched = self._watched(cohort)
        if at < watched:
            self._events[at] += sign
        else:
            self._censored[watched] += sign
        if watched < self.bins:
            units = self._open.setdefault(cohort, {})
            add(units, at, sign)
            if not units:
                del self._open[cohort]

    def advance(self, now: int) -> None:
        """Event time has reached this bin, any number of bins later; a former bin changes nothing."""
        if now <= self.now:
            return
        before = {cohort: self._watched(cohort) for cohort in self._open}
        self.now = now
        for cohort, old in before.items():
            watched = self._watched(cohort)
            if watched > old:
                self._age(self._open[cohort], old, watched)
            if watched == self.bins:
                del self._open[cohort]

    def _age(self, units: Mapping[int, int], old: int, watched: int) -> None:
        """Move a cohort from having been watched `old` bins to `watched`: its events there become visible."""
        left = 0
        for at, count in units.items():
            if at >= old:
                self._censored[old] -= count
                if at < watched:
                    self._events[at] += count
                else:
                    left += count
        self._censored[watched] += left

    def _watched(self, cohort: int) -> int:
        """Whole bins of age over which every unit of the cohort, the latest too, has been watched."""
        return max(0, min(self.now - cohort - 1, self.bins))

    @property
    def kept(self) -> int:
        """Numbers kept besides the fold: bounded by the window, whatever the units and however long it runs."""
        return sum(map(len, self._open.values()))

    def row(self) -> list[int]:
        """The fold as it travels, 2W+1 numbers: `events` by bin, then `censored`. Partitions' rows add up."""
        return [*self._events, *self._censored]


def fold(row: Sequence[int]) -> Fold:
    """A row as arrays."""
    bins = len(row) // 2
    return Fold(np.array(row[:bins], np.int64), np.array(row[bins:], np.int64))
