"""From raw log odds to a probability that means what it says (Platt 1999).

p = 1 / (1 + exp(-(a + b·eta))) is fitted to recent predictions whose labels have arrived, by the weighted likelihood.
Platt smooths the targets against overfitting; here weak priors do that, because they also keep b above 0 and leave the
mean of p at the observed rate: the shift of the log odds in their middle is normal around 0, and log b normal around 0.
Without labels this is the identity. With few events it stays near the identity with a shift to their rate, and
`enough` says that it is not to be relied upon; where the log odds rank nothing, b shrinks and p becomes the base rate.

How well a and b are known is a sandwich over accounts, whose weekly predictions are alike (Liang and Zeger 1986,
Biometrika 73): C = H⁻¹ (P + Σ s s') H⁻¹ with s the sum of an account's scores, P the priors' precision and H the
curvature, P included. Without labels it is the priors' own covariance; where rows are independent and the form is right
it is H⁻¹, that of the posterior. It knows nothing of eta: not whether the ranking is right, nor what will change.
"""

from collections.abc import Sequence
from math import exp, sqrt
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.special import expit

from models.health.odds import probability

ENOUGH = 10
"""Labels of either kind below which a calibration is not to be relied upon."""
SHIFT, SCALE = 2.0, 1.0
"""Standard deviations of the priors: of the shift, in log odds (so no event at all in the window is read as about
half an event), and of log b."""
PRECISION = np.diag([SHIFT**-2, SCALE**-2])
STEPS, FARTHEST_STEP, CLOSE = 500, 2.0, 1e-10
CONFIDENCE = 0.95
DEVIATIONS = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)

Array = NDArray[np.float64]


class Calibration(Struct, frozen=True):
    """Probability of the event = logistic(a + b·eta), b > 0: smooth and strictly monotone.

    events, others: labels that it was fitted to, by weight. covariance: variance of a, covariance, variance of b.
    """

    a: float = 0.0
    b: float = 1.0
    events: float = 0.0
    others: float = 0.0
    covariance: tuple[float, float, float] = (SHIFT**2, 0.0, SCALE**2)

    @property
    def enough(self) -> bool:
        """Are there labels enough of both kinds?"""
        return min(self.events, self.others) >= ENOUGH

    def log_odds(self, eta: float) -> float:
        return self.a + self.b * eta

    def probability(self, eta: float) -> float:
        """Probability of the event at raw log odds eta."""
        return probability(self.a + self.b * eta)

    def interval(self, eta: float) -> tuple[float, float]:
        """Between which probabilities the event's lies at raw log odds eta, at 95 %: a normal interval of a + b·eta
        (delta method), so both ends are within 0 and 1."""
        middle, (of_a, both, of_b) = self.log_odds(eta), self.covariance
        away = DEVIATIONS * sqrt(max(0.0, of_a + 2 * eta * both + eta * eta * of_b))
        return probability(middle - away), probability(middle + away)

    def slope(self, eta: float) -> float:
        """The derivative of `probability` at eta."""
        p = self.probability(eta)
        return self.b * p * (1 - p)


class Labelled(NamedTuple):
    """Predictions whose labels have arrived: raw log odds less their mean, labels 0 or 1, weights. Shapes (n,)."""

    away: Array
    label: Array
    weight: Array


class Around(NamedTuple):
    """The posterior of (shift, log b) around a point: its gradient without the priors', row by row, and curvature.

    scores: (2, n). curvature: (2, 2), expected, with the priors' part.
    """

    scores: Array
    curvature: Array


def fitted(
    eta: Sequence[float] | Array,
    label: Sequence[bool] | Array,
    weight: Sequence[float] | Array,
    account: NDArray[Any] | None = None,
) -> Calibration:
    """The calibration of predictions that were made before their labels were known. Shapes (n,), eta finite.

    account: whose each row is; None where every row is somebody else's.
    """
    x, y, w = (np.asarray(column, float) for column in (eta, label, weight))
    if not w.sum() > 0:
        return Calibration()
    middle = float(np.average(x, weights=w))
    given = Labelled(x - middle, y, w)
    at = _most_probable(given, middle)
    b = exp(at[1])
    by_shift_and_log_b = np.array([[1.0, -b * middle], [0.0, b]])
    c = by_shift_and_log_b @ _covariance(_around(given, middle, at), account) @ by_shift_and_log_b.T
    known = (float(c[0, 0]), float(c[0, 1]), float(c[1, 1]))
    return Calibration(middle + float(at[0]) - b * middle, b, float(w @ y), float(w @ (1 - y)), known)


def _covariance(around: Around, account: NDArray[Any] | None) -> Array:
    """Of (shift, log b): the sandwich over accounts."""
    scores = around.scores
    if account is not None:
        _, whose = np.unique(account, return_inverse=True)
        scores = np.stack([np.bincount(whose, weights=row) for row in scores])
    bread = np.linalg.inv(around.curvature)
    return bread @ (PRECISION + scores @ scores.T) @ bread


def _most_probable(given: Labelled, middle: float) -> Array:
    """Shift and log b with the highest posterior density: Fisher scoring, each step halved until it is uphill."""
    at = np.zeros(2)
    height = _height(given, middle, at)
    for _ in range(STEPS):
        step = _step(given, middle, at)
        step *= min(1.0, FARTHEST_STEP / abs(step).max()) if step.any() else 1.0
        while abs(step).max() > CLOSE and (new := _height(given, middle, at + step)) < height:
            step /= 2
        if abs(step).max() <= CLOSE:
            break
        at, height = at + step, new
    return at


def _height(given: Labelled, middle: float, at: Array) -> float:
    """Log posterior density of (shift, log b), up to a constant."""
    logit = middle + at[0] + np.exp(at[1]) * given.away
    likelihood = given.label * logit - np.logaddexp(0, logit)
    return float(given.weight @ likelihood - (at[0] / SHIFT) ** 2 / 2 - (at[1] / SCALE) ** 2 / 2)


def _step(given: Labelled, middle: float, at: Array) -> Array:
    """The gradient through the expected curvature, both with the priors' part."""
    around = _around(given, middle, at)
    return np.linalg.solve(around.curvature, around.scores.sum(-1) - PRECISION @ at)


def _around(given: Labelled, middle: float, at: Array) -> Around:
    slope = np.exp(at[1]) * given.away
    p = expit(middle + at[0] + slope)
    along = np.stack([np.ones_like(slope), slope])
    curvature = (along * (given.weight * p * (1 - p))) @ along.T + PRECISION
    return Around(along * (given.weight * (given.label - p)), curvature)
