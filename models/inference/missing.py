"""Outcomes that never came, by arm: is it balanced, and how far could it have moved the effect.

An outcome observed more often in one arm than in the other may be observed for other people. Lee's bounds (2009)
say what the effect among those observed under *either* arm is at least and at most: the arm observed more often has
outcomes too many by the share (r - r')/r, and they may have been its largest or its smallest ones.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache
from math import ceil, erfc, nan, sqrt
from typing import NamedTuple

ASSUMES = "an arm may make outcomes be observed more often or less, but for everybody in the same direction"
"""Lee's monotonicity, printed beside the bounds."""

GROWTH = 8
"""Bins of amounts that a doubling is cut into: each is 2^(1/8), 9 %, wider than the one before."""

Pair = tuple[int, int]
"""Of control and of treatment."""
Histogram = Mapping[int, tuple[int, int]]
"""Observed amounts of an arm: `bin_of` -> (units, their sum in fixed point). Adds up exactly."""


class Balance(NamedTuple):
    """Share of units whose outcome is missing by arm, treatment minus control, and how surprising that is if the arms
    are alike (two-sided). NaN where an arm has no units; p also where all are missing or none is."""

    control: float
    treatment: float
    difference: float
    p: float


class Bounds(NamedTuple):
    """Effect (treatment minus control) among units whose outcome is observed in either arm, at least and at most.

    trimmed: share of its observed outcomes that the arm observed more often has too many (below 0: it is control).
    within: each bound is at most so far off, because amounts are known by bin only; 0 where they are known exactly.
    NaN where an arm has no observed outcome.
    """

    low: float
    high: float
    trimmed: float
    within: float


def balance(assigned: Pair, observed: Pair) -> Balance:
    """Whether missing is balanced: pooled z test of two proportions, units taken as independent."""
    if not min(assigned):
        return Balance(nan, nan, nan, nan)
    (n0, n1), (x0, x1) = assigned, (assigned[0] - observed[0], assigned[1] - observed[1])
    difference = (x1 * n0 - x0 * n1) / (n0 * n1)
    pooled = (x0 + x1) / (n0 + n1)
    variance = pooled * (1 - pooled) * (1 / n0 + 1 / n1)
    p = erfc(abs(difference) / sqrt(2 * variance)) if variance > 0 else nan
    return Balance(x0 / n0, x1 / n1, difference, p)


def bounds(assigned: Pair, observed: Pair, converted: Pair) -> Bounds:
    """Lee's bounds of a 0/1 outcome, from counts: exact."""
    zero, one = ([_Bin(0.0, 0.0, m - x, 0), _Bin(1.0, 1.0, x, x)] for m, x in zip(observed, converted, strict=True))
    return _bounds(assigned, zero, one, 1.0)


def bounds_of_amounts(assigned: Pair, control: Histogram, treatment: Histogram, worth: float = 1e-6) -> Bounds:
    """Lee's bounds of an amount, from histograms; `within` is at most the width of the bin that trimming cuts through.

    worth: what one unit of the fixed point is worth.
    """
    zero, one = (
        [_Bin(*_edges(at), units, total) for at, (units, total) in sorted(histogram.items())]
        for histogram in (control, treatment)
    )
    return _bounds(assigned, zero, one, worth)


def bin_of(amount: int) -> int:
    """The bin of an amount in fixed point: 0 for 0, its sign, and 1 + floor(8·log2 |amount|), in whole numbers.

    >>> bin_of(0), bin_of(1), bin_of(2), bin_of(-1_000_000)
    (0, 1, 9, -160)
    """
    at = (amount**GROWTH).bit_length()
    return at if amount > 0 else -at


@cache
def _edges(at: int) -> tuple[float, float]:
    """The least and the largest amount of a bin, (nearly) a ninth apart."""
    if not at:
        return 0.0, 0.0
    near, far = 2 ** ((abs(at) - 1) / GROWTH), 2 ** (abs(at) / GROWTH)
    return (near, far) if at > 0 else (-far, -near)


class _Bin(NamedTuple):
    """Units whose amounts lie between two values, and the amounts' sum."""

    low: float
    high: float
    units: int
    total: int


def _bounds(assigned: Pair, control: list[_Bin], treatment: list[_Bin], worth: float) -> Bounds:
    m0, m1 = _units(control), _units(treatment)
    if not (m0 and m1):
        return Bounds(nan, nan, nan, nan)
    n0, n1 = assigned
    # Units to keep of the arm observed more often: as many as there were at the other arm's rate of observing.
    keep0, keep1 = min(Fraction(m0), Fraction(n0 * m1, n1)), min(Fraction(m1), Fraction(n1 * m0, n0))
    (least0, off0), (least1, off1) = _least(control, keep0), _least(treatment, keep1)
    (most0, off2), (most1, off3) = _most(control, keep0), _most(treatment, keep1)
    return Bounds(
        low=float(least1 - most0) * worth,
        high=float(most1 - least0) * worth,
        trimmed=float((1 - keep1 / m1) - (1 - keep0 / m0)),
        within=float(max(off1 + off2, off0 + off3)) * worth,
    )


def _units(bins: Iterable[_Bin]) -> int:
    return sum(one.units for one in bins)


def _least(bins: list[_Bin], keep: Fraction) -> tuple[Fraction, Fraction]:
    """Mean of the `keep` smallest amounts (a part of a unit counts in part), and how far off it may be."""
    before = total = 0
    whole = ceil(keep)
    for low, high, units, amount in bins:
        if before + units >= whole:
            left = keep - before
            # Kept of this bin are its smallest: their mean is between `low` and the bin's mean, and no further from
            # it than the larger amounts left out can make up for.
            mean = Fraction(amount, units)
            off = min(left * (mean - Fraction(low)), (units - left) * (Fraction(high) - mean))
            return (total + left * mean) / keep, max(off, Fraction(0)) / keep
        total += amount
        before += units
    raise ValueError("more is to be kept than there is")


def _most(bins: list[_Bin], keep: Fraction) -> tuple[Fraction, Fraction]:
    """Mean of the `keep` largest amounts, and how far off it may be."""
    mean, off = _least([_Bin(-high, -low, units, -total) for low, high, units, total in reversed(bins)], keep)
    return -mean, off
