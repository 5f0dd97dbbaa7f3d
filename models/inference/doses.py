"""Outcome by dose (tasks completed, lessons taken): what goes along with more of it, over both arms together.

Nobody was given a dose at random: motivated customers both learn and stay. Everything here is *associated with*, never
*caused by*, and is shown beside the effect of the offer, never as the effect.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import inf, nan, sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from models.inference.means import Array, Means
from models.inference.moments import Moments, Vector
from models.inference.proportions import newcombe

ASSOCIATED = "associated with, not caused by: who does more of it was not decided at random"

UNITS, OUTCOME, DOSE, DOSE_SQUARED, DOSE_OUTCOME = range(5)
"""The columns of the one block that the trend's moments have."""
WORTH = (1.0, 1e-6, 1.0, 1.0, 1e-6)
"""What one unit of each column's fixed point is worth: outcomes are in millionths."""
ROUNDING = 1e-12
"""A variance smaller than this share of the terms that it is the sum of is their rounding, and not known."""


class Trend(NamedTuple):
    """By how much the outcome differs with one more of the dose, for any leading shape: least squares with clustered
    error, p two-sided from t with df degrees of freedom."""

    slope: Array
    se: Array
    df: Array
    p: Array


def vector(dose: int, outcome: int) -> Vector:
    """A unit's columns. outcome: in millionths."""
    return 1, outcome, dose, dose * dose, dose * outcome


def trend(means: Means) -> Trend:
    """The slope of outcome on dose, from means of the block of `vector`s (scale `WORTH`).

    A cluster's influence on the slope, sum over its units of (k - mean k)·(y - mean y - slope·(k - mean k)) over N
    times the dose's variance, is linear in the five columns; so the error is that of Liang and Zeger (1986) with
    G/(G-1), without the units. df is one less than the effective clusters. NaN while everybody has the same dose,
    there is a single cluster, or the line leaves no error at all.
    """
    y, k, kk, ky = (means.value(0, column) for column in (OUTCOME, DOSE, DOSE_SQUARED, DOSE_OUTCOME))
    spread = kk - k * k
    spread = np.where(spread > 0, spread, np.nan)
    slope = (ky - k * y) / spread
    weights = {DOSE_OUTCOME: 1.0, OUTCOME: -k, DOSE: 2 * slope * k - y, DOSE_SQUARED: -slope}
    gradient = means.gradient({(0, column): weight / spread for column, weight in weights.items()})
    variance = means.variance_along(gradient)
    terms = replace(means, covariance=np.abs(means.covariance)).variance_along(np.abs(gradient))
    se = np.sqrt(np.where(variance > terms * ROUNDING, variance, np.nan))
    df = means.effective[..., 0] - 1
    df = np.where(df > 0, df, np.nan)
    return Trend(slope, se, df, 2 * stdtr(df, -np.abs(slope / se)))


def centred(moments: Moments) -> Moments:
    """The same clusters with outcome and dose counted from whole numbers near their means.

    The trend is the same, and exact; amounts near 1e12 that differ by little would otherwise cancel in its error.
    """
    units, outcome, dose = moments.sums[:3]
    if not units:
        return moments
    y, k = outcome // units, dose // units
    shift = np.array([
        [1, 0, 0, 0, 0],
        [-y, 1, 0, 0, 0],
        [-k, 0, 1, 0, 0],
        [k * k, 0, -2 * k, 1, 0],
        [k * y, -k, -y, 0, 1],
    ], dtype=object)  # fmt: skip
    rows, columns = np.triu_indices(moments.width)
    products = np.zeros((moments.width, moments.width), dtype=object)
    products[rows, columns] = products[columns, rows] = moments.products
    found = Moments(1, moments.columns)
    found.clusters, found.fourths = list(moments.clusters), list(moments.fourths)
    found.sums = list(shift @ np.array(moments.sums, dtype=object))
    found.products = list((shift @ products @ shift.T)[rows, columns])
    return found


class Step(NamedTuple):
    """One more of the dose: outcome at `dose` + 1 minus that at `dose`, its interval; units taken as independent."""

    dose: int
    units: int
    units_above: int
    difference: float
    low: float
    high: float


class Converted(NamedTuple):
    """Units at a dose, and how many of them converted."""

    units: int
    converted: int


class Amounts(NamedTuple):
    """Units at a dose, their outcome's sum, and its sum of squares, in (squared) millionths."""

    units: int
    total: int
    squares: int


def steps(by_dose: Mapping[int, Converted], alpha: float = 0.05) -> list[Step]:
    """Differences in conversion rate from every dose to the next, with Newcombe's interval (1998, method 10).

    NaN where a dose has no units; a dose that is not named has none.
    """
    found = []
    for dose in _below_another(by_dose):
        (n0, x0), (n1, x1) = by_dose.get(dose, Converted(0, 0)), by_dose.get(dose + 1, Converted(0, 0))
        difference = low = high = nan
        if n0 and n1:
            difference = x1 / n1 - x0 / n0
            low, high = newcombe(x1, n1, x0, n0, alpha)
        found.append(Step(dose, n0, n1, difference, float(low), float(high)))
    return found


def steps_of_amounts(by_dose: Mapping[int, Amounts], alpha: float = 0.05, worth: float = 1e-6) -> list[Step]:
    """Differences in mean outcome from every dose to the next, with Welch's interval (1947).

    worth: what one unit of the fixed point is worth. The interval is NaN where a dose has fewer than two units, or
    neither of the two has outcomes that differ.
    """
    found = []
    for dose in _below_another(by_dose):
        zero, one = by_dose.get(dose, Amounts(0, 0, 0)), by_dose.get(dose + 1, Amounts(0, 0, 0))
        difference = half = nan
        if zero.units and one.units:
            above = one.total * zero.units - zero.total * one.units
            difference = above / (zero.units * one.units) * worth
            half = _welch(zero, one, alpha) * worth
        found.append(Step(dose, zero.units, one.units, difference, difference - half, difference + half))
    return found


def _welch(zero: Amounts, one: Amounts, alpha: float) -> float:
    """Half the width of Welch's interval, in fixed point."""
    variances = [_variance_of_mean(zero), _variance_of_mean(one)]
    variance = sum(variances)
    if not 0 < variance < inf:
        return nan
    df = variance**2 / sum(v**2 / (arm.units - 1) for v, arm in zip(variances, (zero, one), strict=True))
    return float(stdtrit(df, 1 - alpha / 2)) * sqrt(variance)


def _variance_of_mean(arm: Amounts) -> float:
    """Whole numbers until the last division, so that large amounts do not cancel; NaN with a single unit."""
    n = arm.units
    return (n * arm.squares - arm.total**2) / (n * n * (n - 1)) if n > 1 else nan


def _below_another(by_dose: Mapping[int, object]) -> range:
    return range(min(by_dose, default=0), max(by_dose, default=0))


class Landmark(NamedTuple):
    """Of the units that had not converted at the landmark, those with `dose` done before it: how many converted after.

    Conditioning on being unconverted at a fixed day keeps a conversion from having caused the dose, and the early
    converters' lack of time from looking like a lack of dose (Anderson, Cain and Gelber 1983). rate: NaN without units.
    """

    dose: int
    units: int
    converted: int
    rate: float


def landmark(by_dose: Mapping[int, Converted]) -> list[Landmark]:
    """The landmark table, by dose; its counts are of units unconverted at the landmark only."""
    return [
        Landmark(dose, units, converted, converted / units if units else nan)
        for dose, (units, converted) in sorted(by_dose.items())
    ]
