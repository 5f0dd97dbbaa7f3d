"""The moments of many experiments at once: what `models.inference.moments.Moments` keeps for one, in arrays.

Kept in float64, whose whole numbers are exact up to 2^53; none of these comes near it. `means_from` reads them like
it reads one experiment's. A test compares both, unit by unit.
"""

import numpy as np
from numpy.typing import NDArray

from models.inference.means import Means, means_from

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


class Stack:
    """Moments of `runs` experiments with 2 arms and `columns` amounts; accounts=None: every unit is its own account."""

    def __init__(self, runs: int, columns: int, accounts: int | None) -> None:
        self.every = np.arange(runs)
        self.clusters = np.zeros((runs, 3))
        self.sums = np.zeros((runs, 2, columns))
        self.products = np.zeros((runs, 2, columns, 2, columns))
        self.fourths = np.zeros((runs, 2))
        self.vectors = None if accounts is None else np.zeros((runs, accounts, 2, columns))

    @classmethod
    def of(cls, cluster: Ints | None, accounts: int, arm: Ints, amounts: Array) -> "Stack":
        """All units at once: cluster and arm (runs, units), amounts (runs, units, columns)."""
        runs, many, columns = amounts.shape
        stack = cls(runs, columns, None)
        if cluster is None:
            cluster, accounts = np.broadcast_to(np.arange(many), (runs, many)), many
        vectors = np.zeros((runs, accounts, 2, columns))
        np.add.at(vectors, (stack.every[:, None], cluster, arm), amounts)
        flat = vectors.reshape(runs, accounts, 2 * columns)
        stack.sums = vectors.sum(axis=1)
        stack.products = (flat.transpose(0, 2, 1) @ flat).reshape(stack.products.shape)
        units = vectors[..., 0]
        stack.fourths = (units**4).sum(axis=1)
        stack.clusters[:, 0] = (units.sum(axis=2) > 0).sum(axis=1)
        stack.clusters[:, 1:] = (units > 0).sum(axis=1)
        return stack

    def add(self, cluster: Ints | None, arm: Ints, amounts: Array) -> None:
        """One more unit in every experiment: cluster (runs,), arm (runs,), amounts (runs, columns) of which the first
        is 1."""
        every = self.every
        self.sums[every, arm] += amounts
        self.products[every, arm, :, arm, :] += amounts[:, :, None] * amounts[:, None, :]
        if self.vectors is None or cluster is None:
            self.clusters[:, 0] += 1
            self.clusters[every, 1 + arm] += 1
            self.fourths[every, arm] += 1
            return
        old = self.vectors[every, cluster]
        cross = amounts[:, :, None, None] * old[:, None, :, :]
        self.products[every, arm] += cross
        self.products[every, :, :, arm, :] += np.moveaxis(cross, 1, -1)
        there, here = old[:, :, 0].sum(axis=1), old[every, arm, 0]
        self.clusters[:, 0] += there == 0
        self.clusters[every, 1 + arm] += here == 0
        self.fourths[every, arm] += (here + 1) ** 4 - here**4
        self.vectors[every, cluster, arm] += amounts

    def means(self, scale: list[float], kept: slice | NDArray[np.int64] = slice(None)) -> Means:
        """Read the experiments of `kept` (default: all)."""
        return means_from(self.clusters[kept], self.sums[kept], self.products[kept], self.fourths[kept], scale)
