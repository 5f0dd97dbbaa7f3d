"""How long until the event, from event times in bins: curve, median, log-rank test, restricted mean, share by day.

Every assigned unit counts from its first watched bin on, so an experiment says something long before its window is
over. A unit that can no longer have the event (a lapsed trial did not complete) is one without it, not one lost from
sight: taking it for censored would claim that it would have gone on like the others.

An event is taken to fall in the middle of its bin, which puts every time at most half a bin's width off (hours come
from `edges`, so a last bin that is cut off by the window's end is a shorter one). Within a bin nobody leaves the risk
set but by the event, so the curve at the bins' ends is the one that exact times would give.

Units are taken as independent: bins do not know accounts. Where an account holds several units, errors and p values
here are too small, and the clustered effect on the outcome is the one to believe.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from models.inference.durations import Fold

Array = NDArray[np.float64]
HALF = 0.5 + 1e-12
"""A half, and what rounding may have added to it."""


def survival(arm: Fold) -> Array:
    """(..., W) share of units still without the event at each bin's end (Kaplan and Meier 1958).

    NaN from the first bin that nobody has been watched in, unless everybody has had the event by then.
    """
    at_risk = arm.at_risk
    curve = np.cumprod(1 - arm.events / np.maximum(at_risk, 1), axis=-1)
    return np.where((at_risk == 0) & (curve > 0), np.nan, curve)


def median(arm: Fold, edges: Array) -> Array:
    """(...) hours until half of the units have had the event: the middle of the first bin whose curve ends at or below
    a half. NaN while it is not reached."""
    reached = survival(arm) <= HALF
    middle = (edges[:-1] + edges[1:]) / 2
    return np.where(reached.any(axis=-1), middle[reached.argmax(axis=-1)], np.nan)


def log_rank(events0: ArrayLike, at_risk0: ArrayLike, events1: ArrayLike, at_risk1: ArrayLike) -> Array:
    """(...) p value, two-sided, that events come alike fast in two arms, from (..., W) counts by bin.

    The squared sum of observed minus expected events over its hypergeometric variance, as chi-square with 1 degree of
    freedom (Mantel 1966; Klein and Moeschberger 2003, eq. 7.3.3). NaN while no bin could tell the arms apart.
    """
    d0, n0, d1, n1 = (np.asarray(a, dtype=float) for a in (events0, at_risk0, events1, at_risk1))
    d, n = d0 + d1, n0 + n1
    some = np.maximum(n, 1)
    excess = (d1 - d * n1 / some).sum(axis=-1)
    variance = (d * (n0 / some) * (n1 / some) * (n - d) / np.maximum(n - 1, 1)).sum(axis=-1)
    return np.where(variance > 0, chdtrc(1, excess**2 / np.where(variance > 0, variance, 1)), np.nan)


class RestrictedMeans(NamedTuple):
    """Mean hours without the event during the first `until` hours after assignment.

    difference: treatment minus control; below 0 the event comes sooner with treatment. Errors are NaN where an arm's
    times do not vary, e.g. because nobody in it has had the event: that says nothing about how sure one is.
    """

    control: Array
    treatment: Array
    difference: Array
    se: Array
    until: Array


def restricted_means(control: Fold, treatment: Fold, edges: Array) -> RestrictedMeans:
    """Area under the two curves up to the last bin known in both arms, each (...).

    The area is that under the steps of the curve with events in the middle of a bin, which is the trapezoid of its
    values at the bins' ends. Variance: sum over bins of A²·d/(n(n-d)), A the area from the bin's events on (Greenwood;
    Klein and Moeschberger 2003, eq. 4.5.2); that of the difference is the sum (Uno et al. 2014, section 3).
    """
    curves = [survival(arm) for arm in (control, treatment)]
    known = ~np.isnan(curves[0]) & ~np.isnan(curves[1])
    (mean0, variance0), (mean1, variance1) = (
        _area(arm, curve, np.diff(edges) * known) for arm, curve in zip((control, treatment), curves, strict=True)
    )
    until = edges[known.sum(axis=-1)]
    nothing = until == 0
    flat = (variance0 == 0) | (variance1 == 0)
    return RestrictedMeans(
        control=np.where(nothing, np.nan, mean0),
        treatment=np.where(nothing, np.nan, mean1),
        difference=np.where(nothing, np.nan, mean1 - mean0),
        se=np.where(nothing | flat, np.nan, np.sqrt(variance0 + variance1)),
        until=until,
    )


def _area(arm: Fold, curve: Array, hours: Array) -> tuple[Array, Array]:
    """Area under an arm's curve and its variance, from the (..., W) hours that count in each bin."""
    ends = np.nan_to_num(curve)
    begins = np.concatenate([np.ones_like(ends[..., :1]), ends[..., :-1]], axis=-1)
    areas = hours * (begins + ends) / 2
    later = np.cumsum(areas[..., ::-1], axis=-1)[..., ::-1] - areas
    after = later + hours * ends / 2
    # Where all at risk had the event, the curve is 0 from there on, and so is the area after it.
    d, n = arm.events, arm.at_risk
    rate = np.where(n > d, d / np.maximum(n * (n - d), 1), 0)
    return areas.sum(axis=-1), (after**2 * rate).sum(axis=-1)


class Day(NamedTuple):
    """What is known of a day since assignment before everybody's window is over.

    day: 1 is the first 24 hours. share: units with the event within so many days, of those watched (1 minus the
    curve), provisional until all are. at_risk: units watched up to the day's end, without the event before its last
    bin; the fewer, the less the share says.
    """

    day: int
    share: float
    at_risk: int


def by_day(arm: Fold, edges: Array) -> list[Day]:
    """The share with the event by each day that a bin ends with (all of them with bins of at most a day), as far as
    somebody has been watched; the window's end is the last."""
    shares = 1 - survival(arm)
    found = []
    for end, share, at_risk in zip(edges[1:], shares, arm.at_risk, strict=True):
        if not np.isnan(share) and (end % 24 == 0 or end == edges[-1]):
            found.append(Day(int(-(-end // 24)), float(share), int(at_risk)))
    return found
