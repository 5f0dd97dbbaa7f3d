"""Are the log odds right? The intercept and slope that the observed labels ask for (Cox 1958, Biometrika 45).

Logistic regression of the label on the predicted log odds x: the *slope* of label ~ a + b·x is 1, and the *intercept*
of label ~ a + x (calibration in the large) is 0, for a score that is calibrated. A slope below 1: too extreme.
"""

from math import prod

import numpy as np
from scipy.special import expit, logit

from models.inference.means import Array

SUREST = 1e-9
"""A p of 0 or 1 is read as this far from it: no finite number of labels can bear a greater certainty."""
STEPS = 200
LONGEST_STEP = 1.0
NEAR = 1e-6
WORST_CONDITION = 1e14


def log_odds(p: Array) -> Array:
    """Log odds of p, with p held within 1e-9 of 0 and 1."""
    return logit(np.clip(p, SUREST, 1 - SUREST))


def intercept(x: Array, events: Array, rows: Array) -> Array:
    """The a of label ~ a + x, (...). NaN with labels of one kind only.

    x: (n,); events, rows: (..., n) weight of the labels that are the event, and of all labels.
    """
    return _fit(np.ones((len(x), 1)), x, events, rows, np.zeros(1))[..., 0]


def slope(x: Array, events: Array, rows: Array) -> Array:
    """The b of label ~ a + b·x, (...). NaN where x is constant, or separates the labels so that b has no end."""
    return _fit(np.stack([np.ones(len(x)), x], -1), np.zeros(len(x)), events, rows, np.array([0.0, 1.0]))[..., 1]


def _fit(design: Array, offset: Array, events: Array, rows: Array, start: Array) -> Array:
    """Newton's method for the likeliest coefficients, (..., k), of all replicates at once.

    A step moves no row's log odds by more than 1, and so always gains likelihood: curvature changes at most e-fold on
    the way (self-concordance of logistic loss, Bach 2010, Electron J Stat 4). One below 1e-6 leaves an error of the
    order of its square. What has not come to rest after 200 steps has no finite end.
    """
    k = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(-1, k * k)
    seen, weights = (given.reshape(prod(given.shape[:-1]), len(design)) for given in (events, rows))
    found = np.broadcast_to(start, (len(weights), k)).copy()
    moving = np.flatnonzero((seen.sum(-1) > 0) & (seen < weights).any(-1))
    resting = np.zeros(len(weights), dtype=bool)
    for _ in range(STEPS):
        if not len(moving):
            break
        weight, p = weights[moving], expit(found[moving] @ design.T + offset)
        gradient = (seen[moving] - weight * p) @ design
        step = _solved(((weight * p * (1 - p)) @ products).reshape(-1, k, k), gradient)
        reach = np.abs(step @ design.T).max(-1)
        found[moving] += step * np.minimum(1, LONGEST_STEP / np.maximum(reach, NEAR))[:, None]
        resting[moving[reach < NEAR]] = True
        moving = moving[reach >= NEAR]
    return np.where(resting[:, None], found, np.nan).reshape(*rows.shape[:-1], k)


def _solved(curvature: Array, gradient: Array) -> Array:
    """The steps; NaN, which never comes to rest, for a curvature that is singular."""
    singular = ~(np.linalg.cond(curvature) < WORST_CONDITION)
    safe = np.where(singular[:, None, None], np.eye(curvature.shape[-1]), curvature)
    return np.where(singular[:, None], np.nan, np.linalg.solve(safe, gradient[..., None])[..., 0])
