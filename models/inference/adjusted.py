"""The effect of the offer with what was known of the units before it taken into account (CUPED).

The difference of mean outcomes is corrected by the differences of the covariates' means, which are 0 but for chance:
τ = ΔY - θ'ΔX (Deng, Xu, Kohavi and Walker 2013, eq. 2). θ = Var(X)⁻¹ Cov(X, Y) over the clusters' sums centred in
their arm, treatment's minus control's: one slope for both arms, from all clusters alike. With every unit a cluster of
its own it is the slope of the analysis of covariance; with arms of equal size it is the θ of the smallest clustered
error. Where arms are unequal and so are their slopes, weighing each arm's slope by the other's share (Lin 2013) would
be a little more precise with many clusters, but it is fitted to the smaller arm mostly, and clusters are few here. The
error is right for any θ.

θ is fitted to the very clusters that give the error, so the variance of what is left is too small, and θ's own error
adds to τ's where the arms differ in X. As for the coefficient of treatment in least squares, with k columns and f
degrees of freedom of the plain effect:
    Var(τ) = Var(ΔY - θ'ΔX) · f/(f - k) + ΔX'Var(X)⁻¹ΔX · Var(Y - θ'X)/(f - k)
With equal arms of equal clusters f is their number less 2, and this is that error exactly; otherwise f is smaller,
as if θ had been fitted to those clusters only that carry the error, which errs on the side of a larger one.
"""

from typing import NamedTuple

import numpy as np

from models.inference.columns import CONTROL, COVARIATES, OUTCOME, TREATMENT, UNITS
from models.inference.effect import ROUNDING, Effect, difference_of_ratios, effect_along, over
from models.inference.means import Array, Means

CLUSTERS_A_COLUMN = 10
"""Effective clusters needed for each column fitted: with fewer, a handful of them decides θ and the correction above is
too rough, so an adjusted effect is not known."""

COLLINEAR = 1e-8
"""A direction of the columns' correlation matrix with less variance than this (of k) is made up of the others."""


class Adjusted(NamedTuple):
    """estimate, se, df: (...) as of an effect. variance_reduction: (...) 1 - Var(τ)/Var(ΔY), below 0 where the
    covariates cost more than they bring. theta: (..., columns), 0 for a column left out. columns: (...) how many were
    fitted."""

    estimate: Array
    se: Array
    df: Array
    variance_reduction: Array
    theta: Array
    columns: Array

    @property
    def effect(self) -> Effect:
        return Effect(self.estimate, self.se, self.df)


def adjusted(means: Means, column: int = OUTCOME) -> Adjusted:
    """The adjusted effect on the mean of a column.

    A covariate column without variance (a missing indicator where nothing is missing) is left out, and so is what the
    others make up; with none left the effect is the plain one. NaN with fewer than 10 effective clusters a column.
    """
    plain = difference_of_ratios(means, {column: 1}, {UNITS: 1})
    spread, terms = _of_centred_sums(means)
    xx, xy = spread[..., COVARIATES:, COVARIATES:], spread[..., COVARIATES:, column]
    inverse, k = _inverse(xx, np.diagonal(terms, axis1=-2, axis2=-1)[..., COVARIATES:])
    theta = _times(inverse, xy)
    ones = np.zeros(means.mean.shape[:-2] + means.mean.shape[-1:])
    ones[..., column] = 1
    ones[..., COVARIATES:] = -theta
    x = means.mean[..., TREATMENT, COVARIATES:] - means.mean[..., CONTROL, COVARIATES:]
    fitted = effect_along(means, plain.estimate - (theta * x).sum(axis=-1), np.stack([-ones, ones], axis=-2))

    clusters = np.minimum(means.effective.sum(axis=-1), means.every_cluster)
    f = np.where((clusters >= CLUSTERS_A_COLUMN * k) & (plain.df > k), plain.df, np.nan)
    left = np.maximum(spread[..., column, column] - (theta * xy).sum(axis=-1), 0)
    se = np.sqrt(fitted.se**2 * f / (f - k) + (x * _times(inverse, x)).sum(axis=-1) * left / (f - k))
    known = np.where(np.isnan(f), np.nan, 1.0)
    return Adjusted(
        fitted.estimate * known, se, fitted.df * (f - k) / f, 1 - over(se**2, plain.se**2),
        theta * known[..., None], k,
    )  # fmt: skip


def _of_centred_sums(means: Means) -> tuple[Array, Array]:
    """Covariance (..., K, K) of treatment's sums minus control's, per unit of both, and the sum of its terms' sizes."""
    share = over(means.units, means.units.sum(axis=-1, keepdims=True))
    sides = ((TREATMENT, 1), (CONTROL, -1))
    terms = [
        (sign * other_sign * share[..., block] * share[..., other])[..., None, None]
        * means.covariance[..., block, :, other, :]
        for block, sign in sides
        for other, other_sign in sides
    ]
    return np.sum(terms, axis=0), np.sum(np.abs(terms), axis=0)


def _inverse(variance: Array, terms: Array) -> tuple[Array, Array]:
    """The inverse (..., k, k) in the directions that vary, 0 in the others, and how many vary."""
    diagonal = np.diagonal(variance, axis1=-2, axis2=-1)
    varies = diagonal > ROUNDING * terms
    scale = np.where(varies, 1 / np.sqrt(np.where(varies, diagonal, 1.0)), 0.0)
    scales = scale[..., :, None] * scale[..., None, :]
    values, vectors = np.linalg.eigh(np.where(scales > 0, scales * variance, 0.0))
    kept = values > COLLINEAR
    weights = np.where(kept, 1 / np.where(kept, values, 1.0), 0.0)
    return scales * ((vectors * weights[..., None, :]) @ np.swapaxes(vectors, -1, -2)), kept.sum(axis=-1)


def _times(matrix: Array, vector: Array) -> Array:
    return np.einsum("...ij,...j->...i", matrix, vector)
