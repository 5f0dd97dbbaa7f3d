"""Does a score say anything that visits do not? How alike two series of an account are over time.

Asana's first score was, for many accounts, "nearly indistinguishable in shape" from a graph of visitors: what the eye
sees there is the correlation of the two within an account, and that is what is measured here.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.inference.means import Array

LEAST_ROWS = 8
"""Snapshots of an account from which on its graph has a shape."""
ALIKE = 0.9
"""A correlation from which on two graphs are taken for one another."""
FLAT = 1e-9
"""A standard deviation below which a series does not move."""


class Likeness(NamedTuple):
    """Correlations (Pearson) between two series.

    accounts: how many have a graph of both. median, low, high: of their correlations, and the middle half. alike: share
    of them above .9. pooled: over all rows. NaN where nothing moves.
    """

    accounts: int
    median: float
    low: float
    high: float
    alike: float
    pooled: float


def likeness(account: NDArray[np.integer], x: Array, y: Array) -> Likeness:
    """How alike x and y are within accounts, and over all rows, (n,) each."""
    found = within(account, x, y)
    pooled = within(np.zeros(len(x), dtype=np.int64), x, y)
    low, median, high = np.quantile(found, (0.25, 0.5, 0.75)) if len(found) else (np.nan,) * 3
    return Likeness(
        len(found),
        float(median),
        float(low),
        float(high),
        float((found > ALIKE).mean()) if len(found) else np.nan,
        float(pooled[0]) if len(pooled) else np.nan,
    )


def within(account: NDArray[np.integer], x: Array, y: Array) -> Array:
    """The correlation within each account that has rows enough and where both move."""
    _, code = np.unique(account, return_inverse=True)
    rows = np.bincount(code)
    away_x, away_y = (values - (np.bincount(code, values) / rows)[code] for values in (x, y))
    var_x, var_y, both = (
        np.bincount(code, product) / rows for product in (away_x**2, away_y**2, away_x * away_y)
    )  # fmt: skip
    told = (rows >= LEAST_ROWS) & (var_x > FLAT**2) & (var_y > FLAT**2)
    return both[told] / np.sqrt(var_x[told] * var_y[told])
