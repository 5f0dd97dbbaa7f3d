"""The correlation behind a table of two yes-or-no traits, e.g. trained and adopted: by a short formula, and as it is.

a, b, c, d: the cells both, only the first, only the second, neither. The *tetrachoric* correlation is that of two
normal variables of which the traits are all that is seen (Pearson 1900).
"""

from functools import lru_cache
from math import asin, atanh, cos, exp, isfinite, pi, sin, sqrt, tanh
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

NODES, WEIGHTS = (array.astype(float) for array in np.polynomial.legendre.leggauss(96))
NEARLY = 1 - 1e-12
"""Correlations beyond cannot be told from 1."""
HALF = 0.5


class Correlation(NamedTuple):
    """The maximum-likelihood estimate, its standard error and interval; corrected: an empty cell counted as a half."""

    estimate: float
    se: float
    low: float
    high: float
    corrected: bool


def approximate(a: float, b: float, c: float, d: float) -> float | None:
    """cos(π/(1 + √(ad/bc))), the usual short approximation (from Pearson 1900). If a cell is empty, a half is added to
    each. None where one of the traits is everybody's or nobody's."""
    if not _varies(a, b, c, d):
        return None
    (a, b, c, d), _ = _filled(a, b, c, d)
    return cos(pi / (1 + sqrt(a * d / (b * c))))


@lru_cache(256)
def likeliest(a: float, b: float, c: float, d: float, alpha: float = 0.05) -> Correlation | None:
    """The maximum-likelihood tetrachoric correlation.

    With as many parameters as there are free cells (two thresholds, one correlation) it is where the model gives the
    table itself. The interval is by the delta method on Fisher's z scale; people are taken as independent. None where
    one of the traits is everybody's or nobody's.
    """
    if not _varies(a, b, c, d):
        return None
    from scipy.optimize import brentq  # noqa: PLC0415 - takes half a second, and only a publisher needs it

    (a, b, c, d), corrected = _filled(a, b, c, d)
    total = a + b + c + d
    h, k = float(ndtri((a + b) / total)), float(ndtri((a + c) / total))
    widest = asin(NEARLY)

    def excess(angle: float) -> float:
        return both(h, k, angle) - a / total

    if excess(widest) <= 0:
        angle = widest
    elif excess(-widest) >= 0:
        angle = -widest
    else:
        angle = float(brentq(excess, -widest, widest, xtol=1e-14))
    rho = sin(angle)
    se = standard_error(a, b, c, d, rho)
    reach = float(ndtri(1 - alpha / 2)) * se / (1 - rho * rho)
    if not isfinite(reach):
        return Correlation(rho, se, -1.0, 1.0, corrected)
    return Correlation(rho, se, tanh(atanh(rho) - reach), tanh(atanh(rho) + reach), corrected)


def both(h: float, k: float, angle: float) -> float:
    """P(X < h, Y < k) of two standard normal variables whose correlation is the sine of the angle.

    Φ(h)Φ(k) and the integral of their density over correlations from 0 on (Drezner and Wesolowsky 1990), by angle.
    """
    angles = angle / 2 * (NODES + 1)
    sines, cosines = np.sin(angles), np.cos(angles)
    heights = np.exp(-(h * h + k * k - 2 * h * k * sines) / (2 * cosines**2))
    return float(ndtr(h) * ndtr(k) + angle / 2 * (WEIGHTS @ heights) / (2 * pi))


def standard_error(a: float, b: float, c: float, d: float, rho: float) -> float:
    """The asymptotic error of the tetrachoric correlation, by the delta method.

    rho solves Φ2(h, k, rho) = a/n with thresholds from the margins. Moving a person into a cell moves it by that cell's
    value below over the density: so its variance is that of those values, drawn with the cells' shares.
    """
    total, rest = a + b + c + d, sqrt(1 - rho * rho)
    h, k = float(ndtri((a + b) / total)), float(ndtri((a + c) / total))
    density = exp(-(h * h + k * k - 2 * rho * h * k) / (2 * rest * rest)) / (2 * pi * rest)
    if not density:
        return float("inf")
    by_first, by_second = float(ndtr((k - rho * h) / rest)), float(ndtr((h - rho * k) / rest))
    values = ((a, 1 - by_first - by_second), (b, -by_first), (c, -by_second))
    mean = sum(count * value for count, value in values) / total
    square = sum(count * value * value for count, value in values) / total
    return sqrt((square - mean * mean) / total) / density


def _varies(a: float, b: float, c: float, d: float) -> bool:
    return min(a + b, c + d, a + c, b + d) > 0


def _filled(a: float, b: float, c: float, d: float) -> tuple[tuple[float, float, float, float], bool]:
    """The cells, a half added to each if one is empty (Haldane 1955), and whether one was."""
    if min(a, b, c, d) > 0:
        return (a, b, c, d), False
    return (a + HALF, b + HALF, c + HALF, d + HALF), True
