"""Figures as snapshots hold them: what is not known is null; rounding hides the bits in which machines differ."""

from math import isfinite
from typing import Any

from numpy.typing import ArrayLike

from models.outcomes import BINARY

Number = float | None
LEAST_CHANCE = 1e-300


def number(value: ArrayLike) -> Number:
    """An effect, a mean or an error, to twelve significant digits; None where it is not known or not finite."""
    plain = float(value)  # ty: ignore[invalid-argument-type]
    return float(f"{plain:.12g}") + 0.0 if isfinite(plain) else None


def chance(value: ArrayLike) -> Number:
    """A p value or an e-value, to six significant digits; never 0, which nothing observed can show."""
    plain = float(value)  # ty: ignore[invalid-argument-type]
    return max(float(f"{plain:.6g}"), LEAST_CHANCE) if isfinite(plain) else None


def explained(found: dict[str, Any], because: str) -> dict[str, Any]:
    """The figures, with the reason if any of them is null."""
    return {**found, "because": because} if None in found.values() else found


def bounds(low: ArrayLike, high: ArrayLike) -> list[Number] | None:
    """An interval; None where neither end is known. An end without bound is null."""
    found = [number(low), number(high)]
    return None if found == [None, None] else found


POINTS = BINARY | {"utilisation"}
"""Kinds of metrics whose mean is a share of units: their differences read in percentage points."""


def in_words(metric: str, value: float) -> str:
    """A difference for people: `+6.9 points` of a share, `+0.49` of an amount."""
    if metric.partition(":")[0] in POINTS:
        return f"{100 * value:+.3g} points"
    return f"{value:+.3g}"


def between(metric: str, interval: list[Number]) -> str:
    """An interval for people, an open end said as such."""
    low, high = interval
    if low is None:
        return "anything" if high is None else f"at most {in_words(metric, high)}"
    if high is None:
        return f"at least {in_words(metric, low)}"
    return f"between {in_words(metric, low)} and {in_words(metric, high)}"
