"""What an experiment's means say about treatment against control, each with its clustered error.

Every effect is a function of the means, so one primitive serves all: a value, its gradient by the means, and from these
a'Sa (delta method). An account with users in both arms adds through the covariance between the arms. All of it is
asymptotic in clusters, with Student's t at Satterthwaite's degrees of freedom for a small number of them.

NaN says "do not know": an arm without units, a ratio over nothing, or (for t, p and intervals only) a variance of 0,
which comes from too few or all too equal outcomes and is no certainty. How many clusters and events are enough to show
an effect at all is decided where it is shown.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from models.inference.columns import (
    BOTH_ARMS,
    BOTH_ARMS_OUTCOME,
    CONTROL,
    OUTCOME,
    TREATMENT,
    TRIGGERED,
    TRIGGERED_OUTCOME,
    UNITS,
    UPTAKE,
)
from models.inference.means import Array, Means

Weights = Mapping[int, float]
"""A linear combination of an arm's columns."""

TREATMENT_LESS_CONTROL = np.array([[-1.0], [1.0]])

ROUNDING = 1e-12
"""A variance this small against the terms that it is a sum of is what rounding left of 0."""

CLEARLY_POSITIVE = 3.0
"""Standard errors that the control mean has to be above 0 for a lift relative to it."""


class Effect(NamedTuple):
    """An effect with its standard error and degrees of freedom, each (...).

    se is 0 where the variance is 0. df is NaN where an arm is worth fewer than two clusters (one giant account, say):
    how much such an arm varies cannot be seen in it.
    """

    estimate: Array
    se: Array
    df: Array


def effect_along(means: Means, estimate: Array, gradient: Array) -> Effect:
    """The effect with this value (...) and gradient (..., 2, K).

    df by Satterthwaite (1946): (V0 + V1)² / (V0²/(m0 - 1) + V1²/(m1 - 1)), V the part of the variance that an arm
    brings and m the equal clusters it is worth. An arm without variance leaves the other's m - 1.
    """
    within = np.einsum("...bk,...bkbl,...bl->...b", gradient, means.covariance, gradient)
    terms = np.einsum("...bk,...bkcl,...cl->...", np.abs(gradient), np.abs(means.covariance), np.abs(gradient))
    variance = means.variance_along(gradient)
    variance = np.where(variance <= ROUNDING * terms, 0.0, variance)
    seen = np.where(means.effective >= 2, means.effective - 1, np.nan)
    df = over(within.sum(axis=-1) ** 2, (within**2 / seen).sum(axis=-1))
    return Effect(estimate, np.sqrt(variance), df)


def difference_of_ratios(means: Means, numerator: Weights, denominator: Weights) -> Effect:
    """Treatment's ratio minus control's, of two linear combinations of an arm's columns. NaN over 0.

    An arm's ratio a/b has the gradient (wa - ratio·wb)/b.
    """
    columns = means.mean.shape[-1]
    above, below = (_weights(weights, columns) for weights in (numerator, denominator))
    by = (means.mean @ below)[..., None]
    ratio = over((means.mean @ above)[..., None], by)
    gradient = TREATMENT_LESS_CONTROL * over(above - ratio * below, by)
    return effect_along(means, ratio[..., TREATMENT, 0] - ratio[..., CONTROL, 0], gradient)


def differences(means: Means) -> Effect:
    """Treatment's mean less control's of each amount, (..., K-1): of every column but the units."""
    gradient = TREATMENT_LESS_CONTROL * np.eye(means.mean.shape[-1])[1:, None]
    estimate = means.mean[..., TREATMENT, 1:] - means.mean[..., CONTROL, 1:]
    alike = replace(means, covariance=means.covariance[..., None, :, :, :, :], effective=means.effective[..., None, :])
    return effect_along(alike, estimate, gradient)


def intention_to_treat(means: Means) -> Effect:
    """The effect of being offered help: mean outcome of all treated units minus that of all controls."""
    return difference_of_ratios(means, {OUTCOME: 1}, {UNITS: 1})


def relative(means: Means) -> Effect:
    """The same as a share of the control mean, treatment/control - 1.

    NaN unless the control mean is more than three standard errors above 0: nearer to 0 the ratio is not approximately
    normal (its denominator may be 0; Fieller 1954), and relative to a negative mean a gain would read as a loss.
    """
    treatment, control = means.value(TREATMENT, OUTCOME), means.value(CONTROL, OUTCOME)
    spread = np.sqrt(np.maximum(means.covariance[..., CONTROL, OUTCOME, CONTROL, OUTCOME], 0))
    base = np.where(control > CLEARLY_POSITIVE * spread, control, np.nan)
    gradient = means.gradient({(TREATMENT, OUTCOME): 1 / base, (CONTROL, OUTCOME): -treatment / base**2})
    return effect_along(means, treatment / base - 1, gradient)


def without_both_arms(means: Means) -> Effect:
    """Intention to treat without the units that were seen in both arms: what their presence does to the effect."""
    return difference_of_ratios(means, {OUTCOME: 1, BOTH_ARMS_OUTCOME: -1}, {UNITS: 1, BOTH_ARMS: -1})


def triggered(means: Means) -> Effect:
    """Intention to treat among the units that were in trouble. It needs `balance` near 0 to be read as an effect."""
    return difference_of_ratios(means, {TRIGGERED_OUTCOME: 1}, {TRIGGERED: 1})


def balance(means: Means) -> Effect:
    """Difference of the shares of units that were in trouble; detected alike in both arms it is 0 but for chance."""
    return difference_of_ratios(means, {TRIGGERED: 1}, {UNITS: 1})


def uptake(means: Means) -> Effect:
    """The share of units that took help because it was offered, over those who take it anyway: the first stage."""
    return difference_of_ratios(means, {UPTAKE: 1}, {UNITS: 1})


def statistic(effect: Effect) -> Array:
    """Student's t; NaN where the error is 0."""
    return over(effect.estimate, effect.se)


def p_value(effect: Effect) -> Array:
    """Two-sided p of no effect, by Student's t, for the one look that was planned."""
    return 2 * stdtr(effect.df, -np.abs(statistic(effect)))


def interval(effect: Effect, alpha: ArrayLike) -> tuple[Array, Array]:
    """The 1 - alpha interval by Student's t, low and high, for the one look that was planned."""
    return around(effect, stdtrit(effect.df, 1 - np.asarray(alpha) / 2))


def around(effect: Effect, critical: ArrayLike) -> tuple[Array, Array]:
    """All effects whose |t| is at most `critical`; the whole line where it is infinite, NaN where the error is 0."""
    half = np.asarray(critical) * np.where(effect.se > 0, effect.se, np.nan)
    return effect.estimate - half, effect.estimate + half


def over(numerator: ArrayLike, denominator: ArrayLike) -> Array:
    """Divide; NaN over 0."""
    below = np.asarray(denominator, dtype=float)
    return np.asarray(numerator, dtype=float) / np.where(below == 0, np.nan, below)


def _weights(weights: Weights, columns: int) -> Array:
    found = np.zeros(columns)
    found[list(weights)] = list(weights.values())
    return found
