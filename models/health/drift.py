"""Has the mean of an input, or of what the score gets wrong, moved? One ADWIN each, fed a batch at a time.

River's ADWIN (Bifet and Gavaldà 2007) cuts a growing window where the means of its halves differ. It is fed the *mean
of a batch*, since accounts of the same day are not the independent draws that it supposes, in units of the spread of
the first 8 batches, since it supposes values of about 0 to 1. Of 300 simulated series of 104 batches none was flagged
when batches were independent, 1 when each resembled the last by half (and a third by four fifths: slow wandering is a
change too); a move by 2 spreads was always seen, after 20 batches as a rule, one by 5 after 9.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from statistics import fmean, stdev
from typing import Any

import numpy as np
from msgspec import Struct, to_builtins
from river._river_rust.drift import AdaptiveWindowing

from models.readout.written import number

REFERENCE = 8
RECENT = 28
MOST, KEPT = 156, 104
"""Batches that a watch remembers, and those that it goes on from when they are too many."""
ROUNDING = 1e-9


class Drift(Struct, frozen=True):
    """A change of mean. seen: the day on which it was flagged; since: the first day that counts as after it."""

    seen: int
    since: int
    before: float
    after: float


class Watched(Struct):
    """What one watch has seen since its last drift, and that drift. Fed again it gives an equal watch.

    ADWIN's own window is not kept: it comes back from the means, of which a weekly batch adds 52 a year.
    """

    days: list[int] = []
    means: list[float] = []
    last: int | None = None
    drift: Drift | None = None


class DriftWatch:
    """Watches one mean. A day that is not after the last one, and a mean that is not a number, change nothing."""

    def __init__(self, watched: Watched | None = None) -> None:
        self._begin(watched or Watched())

    @property
    def watched(self) -> Watched:
        """The state, JSON-able by msgspec; `DriftWatch(watched)` goes on as this one would have."""
        return Watched([*self._watched.days], [*self._watched.means], self._watched.last, self._watched.drift)

    def update(self, day: int, mean: float) -> None:
        """Take the mean of a day's batch. After a drift the watch starts afresh, as River's does."""
        now = self._watched
        if not isfinite(mean) or (now.last is not None and day <= now.last):
            return
        now.last = day
        now.days.append(day)
        now.means.append(mean)
        if len(now.means) > MOST:  # what was seen years ago says nothing of now, and has to be kept
            self._begin(Watched(now.days[-KEPT:], now.means[-KEPT:], day, now.drift))
            now = self._watched
        if self._changed():
            cut = _likeliest_cut(now.means)
            drift = Drift(day, now.days[cut], fmean(now.means[:cut]), fmean(now.means[cut:]))
            self._begin(Watched([], [], day, drift))

    def written(self) -> dict[str, Any]:
        """For the `model` snapshot. flag: a drift was seen in the last 28 days; the last drift stays to be read."""
        drift, last = self._watched.drift, self._watched.last
        if drift is None or last is None:
            return {"flag": False, "drift": None}
        figures = {"before": number(drift.before), "after": number(drift.after)}
        return {"flag": drift.seen > last - RECENT, "drift": to_builtins(drift) | figures}

    def _begin(self, watched: Watched) -> None:
        self._watched = watched
        self._window = _window()
        self._fed = 0
        self._changed()

    def _changed(self) -> bool:
        """Feed what has not been fed, once there is a reference. Stops at a change."""
        means = self._watched.means
        if len(means) < REFERENCE:
            return False
        middle, unit = _reference(means[:REFERENCE])
        while self._fed < len(means):
            changed = self._window.update((means[self._fed] - middle) / unit)
            self._fed += 1
            if changed:
                self._window = _window()
                return True
        return False


Watches = dict[str, DriftWatch]


def watch_inputs(watches: Watches, day: int, features: Sequence[Mapping[str, float]]) -> None:
    """Take a day's examples: the mean of each input over those that know it.

    An input that appears is watched from then on; one that disappears keeps what was seen of it.
    """
    known: dict[str, list[float]] = {}
    for row in features:
        for name, value in row.items():
            if isfinite(value):
                known.setdefault(name, []).append(value)
    for name in sorted(known):
        watches.setdefault(name, DriftWatch()).update(day, fmean(known[name]))


def _window() -> AdaptiveWindowing:
    """What `river.drift.ADWIN(clock=1)` holds. Every worker watches, and that package would have it import River's
    datasets and, where there is one, scikit-learn: more than all else that a scorer imports."""
    return AdaptiveWindowing(delta=0.002, clock=1, max_buckets=5, min_window_length=5, grace_period=10)


def _likeliest_cut(means: list[float]) -> int:
    """Where one normal mean most likely became another (Hinkley 1970, Biometrika 57): ADWIN says only that it did."""
    above = np.array(means) - fmean(means)
    before = np.arange(1, len(means))
    after = len(means) - before
    return int(before[np.argmax(np.cumsum(above)[:-1] ** 2 / (before * after))])


def _reference(means: list[float]) -> tuple[float, float]:
    """Middle and unit of the first batches; where those are all alike, the unit is their size, or 1."""
    middle, spread = fmean(means), stdev(means)
    return middle, spread if spread > ROUNDING * abs(middle) else abs(middle) or 1.0
