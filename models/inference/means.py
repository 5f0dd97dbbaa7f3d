"""Means per unit and their clustered covariance: the two things every estimate is a function of.

Ratio of sums with clustered influence variance: the mean of an amount in an arm is its sum over clusters divided by
the units; a cluster's influence on it is (v - mean·n)/N. The covariance of two means is the sum over clusters of the
products of influences, times G/(G-1) with G the clusters of the experiment (Cochran 1977, eq. 6.13; Liang and Zeger
1986). A cluster in several arms adds to the covariance between them.

A single experiment is read in whole numbers, so nothing is lost to cancellation; a stack of simulated ones in numpy's
int64 or float64, by the same lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.inference.moments import Moments

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Means:
    """What B arms with K amounts say, for any leading shape `...` (none for one experiment).

    units: (..., B) units. clusters: (..., B) clusters with units in the arm. every_cluster: (...) distinct clusters.
    effective: (..., B) how many equal clusters they are worth, (Σn²)²/Σn⁴ (Satterthwaite 1946, for a cluster's sum
    whose variance grows with n²). mean: (..., B, K) per unit; column 0, the units, is 1.
    covariance: (..., B, K, B, K) of the means. NaN where an arm has no units, or there is a single cluster.
    """

    units: Array
    clusters: Array
    every_cluster: Array
    effective: Array
    mean: Array
    covariance: Array

    def value(self, block: int, column: int) -> Array:
        """The mean of an amount in an arm, (...)."""
        return self.mean[..., block, column]

    def variance_along(self, gradient: Array) -> Array:
        """Variance of a function of the means with this gradient, shape (..., B, K): a'Sa (delta method)."""
        return self.covariance_along(gradient, gradient)

    def covariance_along(self, one: Array, other: Array) -> Array:
        """Covariance of two functions of the means with these gradients, (...)."""
        return np.einsum("...bk,...bkcl,...cl->...", one, self.covariance, other)

    def gradient(self, weights: dict[tuple[int, int], ArrayLike]) -> Array:
        """The gradient (..., B, K) that is `weights[block, column]` and 0 elsewhere."""
        found = np.zeros(self.mean.shape)
        for (block, column), weight in weights.items():
            found[..., block, column] = weight
        return found


def means_of(moments: Moments, scale: ArrayLike = 1.0) -> Means:
    """Read moments exactly. scale: (K,) what one unit of each column's fixed point is worth (1 for counts)."""
    found = _arrays(moments)
    return means_from(found.clusters, found.sums, found.products, found.fourths, scale)


def means_of_several(several: Sequence[Moments], scale: ArrayLike = 1.0) -> Means:
    """Read moments of one shape at once, stacked in their order."""
    stacked = [np.stack(arrays) for arrays in zip(*map(_arrays, several), strict=True)]
    return means_from(stacked[0], stacked[1], stacked[2], stacked[3], scale)


class _Arrays(NamedTuple):
    """Moments as `means_from` takes them."""

    clusters: NDArray[Any]
    sums: NDArray[Any]
    products: NDArray[Any]
    fourths: NDArray[Any]


def _arrays(moments: Moments) -> _Arrays:
    shape = moments.blocks, moments.columns
    return _Arrays(
        np.array(moments.clusters, dtype=object),
        np.array(moments.sums, dtype=object).reshape(shape),
        np.array(moments.products, dtype=object)[_places(moments.width)].reshape(*shape, *shape),
        np.array(moments.fourths, dtype=object),
    )


@cache
def _places(width: int) -> NDArray[np.int64]:
    """Where each of (width, width) products stands in the upper triangle, row by row."""
    found = np.zeros((width, width), dtype=np.int64)
    rows, columns = np.triu_indices(width)
    found[rows, columns] = found[columns, rows] = np.arange(len(rows))
    return found


def means_from(
    clusters: NDArray[Any], sums: NDArray[Any], products: NDArray[Any], fourths: NDArray[Any], scale: ArrayLike = 1.0
) -> Means:
    """Read arrays of moments: clusters (..., 1+B), sums (..., B, K), products (..., B, K, B, K), fourths (..., B).

    Python integers (dtype object) are exact whatever their size; int64 and float64 are for simulations, whose numbers
    are small.
    """
    # N·v - V·n is N² times a cluster's influence, in whole numbers; its products follow from those of v and n.
    n, v = sums[..., :, 0][..., None], sums
    left_n, left_v = n[..., None, None], v[..., None, None]
    right_n, right_v = n[..., None, None, :, :], v[..., None, None, :, :]
    half = right_n * products - right_v * products[..., :, :, :, :1]
    centred = left_n * half - left_v * half[..., :, :1, :, :]
    worth = np.broadcast_to(np.asarray(scale, dtype=float), sums.shape)
    every = clusters[..., 0]
    squares = np.diagonal(products[..., :, 0, :, 0], axis1=-2, axis2=-1)
    return Means(
        units=sums[..., :, 0].astype(float),
        clusters=clusters[..., 1:].astype(float),
        every_cluster=np.asarray(every, dtype=float),
        effective=_over(squares * squares, fourths),
        mean=_over(v, n) * worth,
        covariance=_over(centred, (left_n * right_n) ** 2)
        * worth[..., None, None]
        * worth[..., None, None, :, :]
        * _over(every, every - 1)[..., None, None, None, None],
    )


def _over(numerator: ArrayLike, denominator: ArrayLike) -> Array:
    """Divide, whole numbers correctly rounded; NaN where the denominator is 0."""
    above, below = np.asarray(numerator), np.asarray(denominator)
    nothing = below == 0
    quotient = above / np.where(nothing, 1, below)
    return np.where(nothing, np.nan, np.asarray(quotient, dtype=float))
