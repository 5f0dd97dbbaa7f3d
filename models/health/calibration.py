"""From raw log odds to a probability that means what it says (Platt 1999).

p = 1 / (1 + exp(-(a + b·eta))) is fitted to recent predictions whose labels have arrived, by the weighted likelihood.
Platt smooths the targets against overfitting; here weak priors do that, because they also keep b above 0 and leave the
mean of p at the observed rate: the shift of the log odds in their middle is normal around 0, and log b normal around 0.
Without labels this is the identity. With few events it stays near the identity with a shift to their rate, and
`enough` says that it is not to be relied upon; where the log odds rank nothing, b shrinks and p becomes the base rate.
"""

from collections.abc import Sequence
from math import exp
from typing import NamedTuple

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
STEPS, FARTHEST_STEP, CLOSE = 500, 2.0, 1e-10

Array = NDArray[np.float64]


class Calibration(Struct, frozen=True):
    """Probability of the event = logistic(a + b·eta), b > 0: smooth and strictly monotone.

    events, others: labels that it was fitted to, by weight.
    """

    a: float = 0.0
    b: float = 1.0
    events: float = 0.0
    others: float = 0.0

    @property
    def enough(self) -> bool:
        """Are there labels enough of both kinds?"""
        return min(self.events, self.others) >= ENOUGH

    def log_odds(self, eta: float) -> float:
        return self.a + self.b * eta

    def probability(self, eta: float) -> float:
        """Probability of the event at raw log odds eta."""
        return probability(self.a + self.b * eta)

    def slope(self, eta: float) -> float:
        """The derivative of `probability` at eta."""
        p = self.probability(eta)
        return self.b * p * (1 - p)


class Labelled(NamedTuple):
    """Predictions whose labels have arrived: raw log odds less their mean, labels 0 or 1, weights. Shapes (n,)."""

    away: Array
    label: Array
    weight: Array


def fitted(eta: Sequence[float] | Array, label: Sequence[bool] | Array, weight: Sequence[float] | Array) -> Calibration:
    """The calibration of predictions that were made before their labels were known. Shapes (n,), eta finite."""
    x, y, w = (np.asarray(column, float) for column in (eta, label, weight))
    if not w.sum() > 0:
        return Calibration()
    middle = float(np.average(x, weights=w))
    shift, log_b = _most_probable(Labelled(x - middle, y, w), middle)
    b = exp(log_b)
    return Calibration(middle + shift - b * middle, b, float(w @ y), float(w @ (1 - y)))


def _most_probable(given: Labelled, middle: float) -> tuple[float, float]:
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
    return float(at[0]), float(at[1])


def _height(given: Labelled, middle: float, at: Array) -> float:
    """Log posterior density of (shift, log b), up to a constant."""
    logit = middle + at[0] + np.exp(at[1]) * given.away
    likelihood = given.label * logit - np.logaddexp(0, logit)
    return float(given.weight @ likelihood - (at[0] / SHIFT) ** 2 / 2 - (at[1] / SCALE) ** 2 / 2)


def _step(given: Labelled, middle: float, at: Array) -> Array:
    """The gradient through the expected curvature, both with the priors' part."""
    slope = np.exp(at[1]) * given.away
    p = expit(middle + at[0] + slope)
    along = np.stack([np.ones_like(slope), slope])
    precision = np.array([SHIFT, SCALE]) ** -2.0
    gradient = along @ (given.weight * (given.label - p)) - precision * at
    curvature = (along * (given.weight * p * (1 - p))) @ along.T + np.diag(precision)
    return np.linalg.solve(curvature, gradient)
