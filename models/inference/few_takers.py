"""The effect on those who took the offer up, when they are fewer than ten: a randomisation test, inverted.

For a 0/1 outcome and 0/1 uptake of independently assigned units only the numbers of the four types count: converted or
not, taker or not, by arm. If uptake has added e1 conversions among the takers of treatment and e0 among those of
control, then everybody's conversion without it is Y - e·D, whatever the arm, and how many of those conversions lie in
treatment is hypergeometric. So the test of these effects is exact, in any number of units (Rosenbaum 2001,
"Effects attributable to treatment", Biometrika 88; Fisher's test when both are 0).

Why whole conversions and not Y - beta·D with a fraction beta off each taker: no taker converts by a third. It makes
adjusted outcomes that no assignment could have produced, and false certainty: with 3 of 3 takers converted, but none of
12 others and of 35 controls, it leaves beta = 1 alone. In simulated experiments its 95 % sets held the true effect as
rarely as in 68 of 100 (studentised: 71). Here an effect beta on b takers of an arm stands for beta·b conversions,
rounded; and where that is more than the takers' outcomes can be made of, for the most that they can, because so few are
no fair sample of compliers. These sets held the effect among compliers in 94.6 of 100 or more (130 kinds of experiment,
1,500 runs each; five of them in the tests).

Exact for the takers there are, if conversion depends on the arm through uptake only; for compliers at large measured.
"""

from collections.abc import Sequence
from itertools import product
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from models.inference.columns import CONTROL, TREATMENT
from models.inference.means import Array

MOST_TAKERS = 9
"""Takers, of both arms, up to which this is read."""
NEITHER, TOOK_UP, CONVERTED, TOOK_UP_AND_CONVERTED = range(4)
"""The types of units: columns of `counts`."""

Counts = NDArray[np.int64]


def confidence_set(counts: ArrayLike, alpha: float) -> list[tuple[float, float]]:
    """The effects in [-1, 1] of taking up on the chance to convert that the arms do not contradict at this level.

    counts: (2, 4), units by arm (control, treatment) and type. The intervals are closed, disjoint and in order, mostly
    one. Without takers it is [-1, 1]: nothing is known. It is empty where no effect on so few could explain how much
    the arms differ: chance (at most alpha), or the offer works in other ways than by being taken up.
    Raises ValueError above `MOST_TAKERS` takers.
    """
    counts = np.asarray(counts, dtype=np.int64)
    takers = counts[:, TOOK_UP] + counts[:, TOOK_UP_AND_CONVERTED]
    if takers.sum() > MOST_TAKERS:
        raise ValueError(f"{takers.sum()} takers are more than {MOST_TAKERS}: the Anderson-Rubin set is for them")
    if not takers.any():
        return [(-1.0, 1.0)]
    kept = []
    for effects in product(*(possible_effects(counts, arm) for arm in (CONTROL, TREATMENT))):
        low, high = _meant_by(counts, effects)
        if low <= high and p_value(counts, effects) > alpha:
            kept.append((low, high))
    return _joined(sorted(kept))


def possible_effects(counts: Counts, arm: int) -> range:
    """Conversions that uptake may have added (or prevented) among the takers of an arm."""
    return range(-int(counts[arm, TOOK_UP]), int(counts[arm, TOOK_UP_AND_CONVERTED]) + 1)


def p_value(counts: ArrayLike, effects: Sequence[int]) -> float:
    """How often assigning anew sets the arms' conversion without uptake as far apart as it is, given these effects.

    effects: conversions added among the takers of control and of treatment. 1 where an arm is empty.
    """
    counts = np.asarray(counts, dtype=np.int64)
    without = counts[:, CONVERTED] + counts[:, TOOK_UP_AND_CONVERTED] - np.asarray(effects)
    units, treated, converted = int(counts.sum()), int(counts[TREATMENT].sum()), int(without.sum())
    ways, chances = _ways(units, treated, converted)
    # The difference of means is this number, over the units in either arm; whole, so that ties are ties.
    apart = np.abs(ways * units - treated * converted)
    return float(chances[apart >= abs(int(without[TREATMENT]) * units - treated * converted)].sum())


def _ways(units: int, treated: int, converted: int) -> tuple[Counts, Array]:
    """Converters that can fall into treatment, and the chance of each number (hypergeometric), adding up to 1.

    Within ten deviations and 20: what is beyond has a chance below 1e-20.
    """
    mean = treated * converted / max(units, 1)
    reach = 20 + 10 * sqrt(mean * max(units - converted, 0) / max(units, 1))
    low = max(0, treated + converted - units, int(mean - reach))
    high = min(treated, converted, int(mean + reach) + 1)
    ways = np.arange(low, high + 1)
    log = _log_choose(converted, ways) + _log_choose(units - converted, treated - ways)
    chances = np.exp(log - log.max())
    return ways, chances / chances.sum()


def _log_choose(n: int, k: Counts) -> Array:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def _meant_by(counts: Counts, effects: Sequence[int]) -> tuple[float, float]:
    """The effects per taker that stand for so many conversions in each arm once rounded."""
    low, high = -1.0, 1.0
    for arm, effect in enumerate(effects):
        takers = int(counts[arm, TOOK_UP] + counts[arm, TOOK_UP_AND_CONVERTED])
        possible = possible_effects(counts, arm)
        if takers and effect != possible[0]:
            low = max(low, (effect - 0.5) / takers)
        if takers and effect != possible[-1]:
            high = min(high, (effect + 0.5) / takers)
    return low, high


def _joined(intervals: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Sorted intervals, those that touch made one."""
    joined: list[tuple[float, float]] = []
    for low, high in intervals:
        if joined and low <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    return joined
