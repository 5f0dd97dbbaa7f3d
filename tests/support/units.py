"""Units put into an experiment's exact arms, for tests that then ask statsmodels, linearmodels or ivmodels the same."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.inference.columns import BOTH_ARMS_OUTCOME, COVARIATES, OUTCOME, TRIGGERED_OUTCOME, width
from models.inference.means import Means, means_from, means_of
from models.inference.moments import Moments

FIXED_POINT = 1_000_000
"""Amounts are whole millionths, as in rows."""


def worth(covariates: int = 0) -> NDArray[np.float64]:
    """What one of each column's whole numbers is worth: 1 for counts, a millionth for amounts."""
    scale = np.ones(width(covariates))
    scale[[OUTCOME, TRIGGERED_OUTCOME, BOTH_ARMS_OUTCOME]] = 1 / FIXED_POINT
    scale[COVARIATES::2] = 1 / FIXED_POINT
    return scale


class Sample(NamedTuple):
    """Units of simulated accounts, each (N,). x is NaN where it is missing."""

    cluster: NDArray[np.int64]
    arm: NDArray[np.int64]
    outcome: NDArray[np.float64]
    uptake: NDArray[np.int64]
    triggered: NDArray[np.int64]
    both: NDArray[np.int64]
    x: NDArray[np.float64]

    def means(self) -> Means:
        return means_of_units(
            self.cluster, self.arm, self.outcome,
            uptake=self.uptake, covariates=[self.x], triggered=self.triggered, both=self.both,
        )  # fmt: skip


def sample(seed: int, clusters: int, mixed: bool, compliance: float = 0.5, singletons: bool = False) -> Sample:
    """Accounts that differ in size, level and sense for help; every account is in both arms when mixed."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), 1 if singletons else rng.integers(2, 9, clusters))
    units = len(cluster)
    arm = (rng.random(units) < 0.4) if mixed else (np.arange(clusters) % 3 == 0)[cluster]
    if mixed:
        first = np.unique(cluster, return_index=True)[1]
        arm[first], arm[first + 1] = True, False
    x = (rng.normal(size=clusters)[cluster] + rng.normal(size=units)).round(6)
    sense = rng.normal(size=clusters)[cluster] + rng.normal(size=units)
    uptake = (sense > 1) | (arm & (rng.random(units) < compliance))
    outcome = (1 + 0.5 * x + sense + 0.3 * uptake + rng.normal(size=units)).round(6)
    x[rng.random(units) < 0.1] = np.nan
    return Sample(
        cluster, arm.astype(int), outcome, uptake.astype(int),
        (rng.random(units) < 0.6).astype(int), (rng.random(units) < 0.05).astype(int), x,
    )  # fmt: skip


def moments_of_units(
    cluster: ArrayLike,
    arm: ArrayLike,
    outcome: ArrayLike,
    *,
    uptake: ArrayLike | None = None,
    covariates: Sequence[ArrayLike] = (),
    triggered: ArrayLike | None = None,
    both: ArrayLike | None = None,
) -> Moments:
    """Exact moments of units. All (N,): cluster any label, arm 0 or 1, uptake, triggered and both 0 or 1; a covariate
    that is missing is NaN. Amounts are rounded to whole millionths: round them before, to compare with an oracle."""
    _, which = np.unique(np.asarray(cluster), return_inverse=True)
    blocks = block_of_units(outcome, uptake=uptake, covariates=covariates, triggered=triggered, both=both)
    scaled = np.rint(blocks / worth(len(covariates))).astype(np.int64)
    vectors = np.zeros((which.max(initial=-1) + 1, 2, scaled.shape[1]), dtype=np.int64)
    np.add.at(vectors, (which, np.asarray(arm, dtype=int)), scaled)
    moments = Moments(2, scaled.shape[1])
    nobody = (0,) * moments.width
    for vector in vectors.reshape(len(vectors), moments.width).tolist():
        moments.replace(nobody, tuple(vector))
    return moments


def means_of_units(cluster: ArrayLike, arm: ArrayLike, outcome: ArrayLike, **columns: object) -> Means:
    """The means of `moments_of_units`, in the units of the amounts."""
    moments = moments_of_units(cluster, arm, outcome, **columns)  # ty: ignore[invalid-argument-type]
    return means_of(moments, worth((moments.columns - COVARIATES) // 2))


def block_of_units(
    outcome: ArrayLike,
    *,
    uptake: ArrayLike | None = None,
    covariates: Sequence[ArrayLike] = (),
    triggered: ArrayLike | None = None,
    both: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Each unit's block in the order of `columns`, (..., K), unscaled; the arguments have any shape `...`."""
    y = np.asarray(outcome, dtype=float)
    nothing = np.zeros_like(y)
    d, t, b = (nothing if given is None else np.asarray(given, dtype=float) for given in (uptake, triggered, both))
    columns = [np.ones_like(y), y, d, t, t * y, b, b * y]
    for covariate in covariates:
        x = np.asarray(covariate, dtype=float)
        columns += [np.nan_to_num(x, nan=0.0), np.isnan(x).astype(float)]
    return np.stack(columns, axis=-1)


def means_of_stack(arm: ArrayLike, blocks: NDArray[np.float64]) -> Means:
    """Many simulated experiments at once, in floats.

    arm: (..., G, M), 0 or 1 of each of the M units of G clusters. blocks: (..., G, M, K), from `block_of_units`.
    """
    treated = np.asarray(arm, dtype=float)[..., None]
    vectors = np.stack([(blocks * (1 - treated)).sum(axis=-2), (blocks * treated).sum(axis=-2)], axis=-2)
    units = vectors[..., 0]
    there = units > 0
    clusters = np.concatenate([there.any(axis=-1)[..., None], there], axis=-1).sum(axis=-2)
    flat = vectors.reshape(*vectors.shape[:-2], -1)
    products = (np.swapaxes(flat, -1, -2) @ flat).reshape(*vectors.shape[:-3], *vectors.shape[-2:] * 2)
    return means_from(clusters.astype(float), vectors.sum(axis=-3), products, (units**4).sum(axis=-2))
