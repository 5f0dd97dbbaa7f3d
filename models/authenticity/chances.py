"""p values of effects against an edge, not against nothing; of rows that come in people, who repeat themselves."""

from collections.abc import Callable
from math import atanh, nan, sqrt

import numpy as np
from scipy.special import bdtrc, ndtr, stdtr

from models.authenticity.counters import Cells, Repeated
from models.authenticity.observed import Flags, Ints
from models.inference.means import Array

GROUPS = 24
"""Groups of people for the jackknife."""


def share_above(count: int, of: int, edge: float) -> float:
    """Chance of so many or more of independent units where the share is at most `edge`: exact binomial."""
    return float(bdtrc(count - 1, of, edge)) if count > 0 else 1.0


def unevenness(cells: Cells) -> float:
    """w² of cells against equal ones (Cohen 1988, eq. 7.2.1): Σ(p - 1/K)²/(1/K)."""
    counts = np.array(cells.counts, dtype=float)
    total = counts.sum()
    return float(len(counts) * ((counts / total - 1 / len(counts)) ** 2).sum()) if total else nan


def design_effect(cells: Cells) -> float:
    """By how much people repeating a cell inflate chi-square, at least 1 (Rao and Scott 1981, first order)."""
    total, width = sum(cells.counts), len(cells.counts)
    if not total or width < 2:
        return 1.0
    return max(1.0, (cells.squares - cells.totals / width) / (total * (1 - 1 / width)))


def uneven_above(cells: Cells, edge: float) -> float:
    """Chance of cells so uneven where w² is at most `edge` (noncentral chi-square)."""
    from scipy.stats import ncx2  # noqa: PLC0415 - takes half a second, and a publisher needs it from 60 people on

    worth, statistic = _chi_square(cells)
    return float(ncx2.sf(statistic, len(cells.counts) - 1, worth * edge))


def uneven_below(cells: Cells, edge: float) -> float:
    """Chance of cells so even where w² is at least `edge`."""
    from scipy.stats import ncx2  # noqa: PLC0415 - as above

    worth, statistic = _chi_square(cells)
    return float(ncx2.cdf(statistic, len(cells.counts) - 1, worth * edge))


def _chi_square(cells: Cells) -> tuple[float, float]:
    worth = sum(cells.counts) / design_effect(cells)
    return worth, worth * unevenness(cells)


def repeated_above(repeated: Repeated, edge: float) -> float:
    """Chance of a share so large where it is at most `edge`, rows clustered in people: score test of a ratio."""
    r, n, rr, rn, nn = repeated
    spread = rr - 2 * edge * rn + edge**2 * nn
    return float(ndtr(-(r - edge * n) / sqrt(spread))) if spread > 0 else 1.0


def correlation_below(rho: float, units: float, edge: float) -> float:
    """Chance of a rank correlation so low where it is at least `edge` (Fieller, Hartley and Pearson 1957)."""
    if units <= 3 or not abs(rho) <= 1:
        return nan
    away = atanh(min(max(rho, -0.999999), 0.999999)) - atanh(edge)
    return float(ndtr(away * sqrt((units - 3) / 1.06)))


def away(people: Ints, statistic: Callable[[Flags], float], edge: float) -> tuple[float, float]:
    """A statistic of rows, and its t against `edge`, leaving out one group of people at a time (Kott 2001).

    people: (rows,). statistic: of the rows that a mask (rows,) keeps. Degrees of freedom: `GROUPS` - 1. (NaN, NaN)
    where it cannot be told; t is infinite where no group makes a difference.
    """
    estimate = statistic(np.ones(len(people), dtype=np.bool_))
    group = _scattered(people) % GROUPS
    present = np.unique(group)
    if len(present) < GROUPS:
        return nan, nan
    without = np.array([statistic(group != one) for one in present])
    se = sqrt((GROUPS - 1) / GROUPS * float(((without - without.mean()) ** 2).sum()))
    if not np.isfinite(estimate) or not np.isfinite(se):
        return nan, nan
    if se == 0:
        return estimate, 0.0 if estimate == edge else float(np.copysign(np.inf, estimate - edge))
    return estimate, (estimate - edge) / se


def jackknife_below(people: Ints, statistic: Callable[[Flags], float], edge: float) -> tuple[float, float]:
    """The statistic, and the chance of one so low where it is at least `edge`."""
    estimate, t = away(people, statistic, edge)
    return estimate, float(stdtr(GROUPS - 1, t))


def jackknife_above(people: Ints, statistic: Callable[[Flags], float], edge: float) -> tuple[float, float]:
    """The statistic, and the chance of one so high where it is at most `edge`."""
    estimate, t = away(people, statistic, edge)
    return estimate, float(stdtr(GROUPS - 1, -t))


def _scattered(people: Ints) -> Ints:
    """Groups that do not follow the codes' order (Fibonacci hashing: Knuth 1973, 6.4)."""
    _, rank = np.unique(people, return_inverse=True)
    return ((rank.astype(np.uint64) * np.uint64(11400714819323198485)) >> np.uint64(40)).astype(np.int64)


def several(p_values: Array) -> float:
    """One p value of several looks at the same thing: Bonferroni. NaN counts as not looked."""
    seen = p_values[np.isfinite(p_values)]
    return min(1.0, float(seen.min()) * len(seen)) if len(seen) else nan
