"""Two proportions at the one look planned beforehand: 0/1 outcomes of units that stand for themselves.

For clusters of one unit each, counts say everything: x1 of n1 in treatment, x0 of n0 in control. Intervals are for
p1 - p0. Each is for a *fixed horizon*: valid for one look, not for watching.
"""

from functools import lru_cache
from math import acos, cos, pi, sqrt
from sys import float_info

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from models.inference.means import Array

MOST_UNITS_EXACTLY = 200
"""Units up to which Boschloo's test is read: a tenth of a second there, and growing with their square."""
HAIR = 1e-12
"""An interval's end is sought from so much beside the observed difference, itself kept with nothing to spare where
nobody has converted, or everybody."""
NEXT_TO_NOTHING = 1e-18
"""Absolute error of an interval's end, beside the relative one: it may lie next to 0."""
POLISH = 2
"""Newton's steps from Viète's root, which has lost half its digits where two roots are nearly one."""


def score_p(x1: ArrayLike, n1: ArrayLike, x0: ArrayLike, n0: ArrayLike) -> Array:
    """Two-sided p of the pooled z test of p1 = p0, (...). NaN for empty arms, or if nobody or all converted."""
    x1, n1, x0, n0 = (np.asarray(count, dtype=float) for count in (x1, n1, x0, n0))
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (x1 + x0) / (n1 + n0)
        z = (x1 / n1 - x0 / n0) / np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0))
    return np.where(np.isfinite(z), 2 * ndtr(-np.abs(z)), np.nan)


def newcombe(x1: ArrayLike, n1: ArrayLike, x0: ArrayLike, n0: ArrayLike, alpha: float) -> tuple[Array, Array]:
    """Newcombe's interval, (...) each: Wilson's two, square and added (Newcombe 1998, method 10). NaN for empty arms.

    In numpy rather than by statsmodels, which takes three seconds to import and gives the same (tests).
    """
    x1, n1, x0, n0 = (np.asarray(count, dtype=float) for count in (x1, n1, x0, n0))
    low1, high1 = wilson(x1, n1, alpha)
    low0, high0 = wilson(x0, n0, alpha)
    with np.errstate(invalid="ignore"):
        p1, p0 = x1 / n1, x0 / n0
    return p1 - p0 - np.hypot(p1 - low1, high0 - p0), p1 - p0 + np.hypot(high1 - p1, p0 - low0)


def miettinen_nurminen(x1: int, n1: int, x0: int, n0: int, alpha: float) -> tuple[float, float]:
    """Miettinen and Nurminen's interval (1985): the differences that the score test does not reject.

    (p̂1 - p̂0 - d)² <= z²·V(d), V the variance at the likeliest proportions that differ by d, times N/(N-1). It keeps to
    its level with few conversions, with none or with all of them. NaN for empty arms. statsmodels' own is wrong (its
    issue #10269).
    """
    if not (n1 and n0):
        return float("nan"), float("nan")
    from scipy.optimize import brentq  # noqa: PLC0415 - takes half a second, and only a publisher needs it

    observed, z = x1 / n1 - x0 / n0, float(ndtri(1 - alpha / 2))

    def excess(difference: float) -> float:
        """Above 0 where the difference is rejected; nearly a straight line, which is quickly followed to its 0."""
        return abs(observed - difference) - z * sqrt(restricted_variance(x1, n1, x0, n0, difference))

    def end(outermost: float) -> float:
        if excess(outermost) <= 0:
            return outermost
        inside = observed + HAIR * (outermost - observed)
        return float(brentq(excess, inside, outermost, xtol=NEXT_TO_NOTHING, rtol=4 * float_info.epsilon, disp=False))

    return end(-1.0), end(1.0)


def restricted_variance(x1: int, n1: int, x0: int, n0: int, difference: float) -> float:
    """Variance of p̂1 - p̂0 at the likeliest p1, p0 with p1 - p0 = difference, times N/(N-1).

    p0 solves the cubic of Miettinen and Nurminen (1985, appendix I; Farrington and Manning 1990) by Viète's formula.
    """
    n, x = n1 + n0, x1 + x0
    if 2 * x > n:  # near 0 a proportion is known to more digits than near 1
        return restricted_variance(n1 - x1, n1, n0 - x0, n0, -difference)
    square = (n1 + 2 * n0) * difference - n - x
    linear = (n0 * difference - n - 2 * x0) * difference + x
    constant = x0 * difference * (1 - difference)
    third = square / (3 * n)
    q = third**3 - square * linear / (6 * n * n) + constant / (2 * n)
    p = sqrt(max(third**2 - linear / (3 * n), 0.0)) * (1 if q > 0 else -1)
    turn = acos(min(max(q / p**3, -1.0), 1.0)) if p else 0.0
    likeliest = 2 * p * cos((pi + turn) / 3) - third
    for _ in range(POLISH):
        slope = (3 * n * likeliest + 2 * square) * likeliest + linear
        if slope:
            likeliest -= (((n * likeliest + square) * likeliest + linear) * likeliest + constant) / slope
    p0 = min(max(likeliest, 0.0, -difference), 1.0, 1.0 - difference)
    p1 = min(max(p0 + difference, 0.0), 1.0)
    return (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * n / (n - 1)


@lru_cache(maxsize=4096)
def boschloo(x1: int, n1: int, x0: int, n0: int) -> float:
    """Two-sided p of Boschloo's exact unconditional test, by scipy. Remembered by its four counts.

    NaN above 200 units, where an arm is empty, and where nobody or everybody has converted.
    """
    if not (n1 and n0) or n1 + n0 > MOST_UNITS_EXACTLY or x1 + x0 in (0, n1 + n0):
        return float("nan")
    from scipy.stats import boschloo_exact  # noqa: PLC0415 - takes seconds, and small experiments only need it

    return float(boschloo_exact([[x1, x0], [n1 - x1, n0 - x0]]).pvalue)


def wilson(x: ArrayLike, n: ArrayLike, alpha: float) -> tuple[Array, Array]:
    """Wilson's interval (1927) for one proportion, (...) each. NaN without units."""
    x, n = np.asarray(x, dtype=float), np.asarray(n, dtype=float)
    square = ndtri(1 - alpha / 2) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (x + square / 2) / (n + square)
        reach = np.sqrt(square * (x * (n - x) / n + square / 4)) / (n + square)
    return middle - reach, middle + reach
