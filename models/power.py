"""How likely an experiment is to see an effect that is there: looked at once at the end, and looked at all the time.

Everything is said in standard errors: the *drift* is the true effect divided by the standard error that the estimate
has when the planned units are in. Approximations for planning: estimates are normal, variances are known.
"""

from collections.abc import Callable
from math import exp, inf, log, pi, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

STEPS = 200
"""Of the time grid below; power is then right to 2e-4."""
CERTAIN = 4.0
"""Standard errors beyond the boundary at which it has been crossed for certain: all but 3e-5."""
FAR = 10.0
"""Drifts beyond this are seen for certain, whatever alpha and share."""


def design_effect(users: float, variance: float, icc: float) -> float:
    """By how much the variance grows when whole accounts are randomised and users are the units.

    1 + (m(1 + cv²) - 1)·icc, for accounts of mean size m with coefficient of variation cv (Eldridge, Ashby and Kerry
    2006). icc: how alike users of an account are, from 0 (strangers) to 1 (copies).
    """
    return 1 + (users * (1 + variance / users**2) - 1) * icc


def fixed_power(drift: float, alpha: float) -> float:
    """Probability that a two-sided test at level alpha, made once when the planned units are in, rejects."""
    limit = -float(ndtri(alpha / 2))
    return float(ndtr(drift - limit) + ndtr(-drift - limit))


def mixture_tuning(alpha: float) -> float:
    """ρ²·planned_units of the normal mixture that is tightest there: -2 ln α + ln(1 - 2 ln α)."""
    return -2 * log(alpha) + log(1 - 2 * log(alpha))


def always_valid_power(drift: float, alpha: float, until: float = 1.0) -> float:
    """Probability that the confidence sequence excludes 0 at some time, looked at after every unit.

    until: how long is looked, in multiples of planned_units. The sequence is the normal mixture (Robbins 1970; Lindon
    et al. 2022) tuned to planned_units; the t-mixture that is published is a little wider while units are few.

    The estimate's path is a Brownian motion with drift, and the sequence excludes 0 when it crosses
    b(t) = sqrt((t + 1/c) ln((1 + tc)/α²)), c = `mixture_tuning`. The density of the first crossing solves a Volterra
    equation without singularity (Buonocore, Nobile and Ricciardi 1987), here by the trapezoid rule.
    Crossing on the wrong side is left out: it counts for less than alpha/2.
    """
    drift, step = abs(drift), until / STEPS
    c = mixture_tuning(alpha)
    time = step * np.arange(1, STEPS + 1)
    inside = np.log((1 + time * c) / alpha**2)
    bound = np.sqrt((time + 1 / c) * inside)
    if drift * until - bound[-1] > CERTAIN * sqrt(until):
        return 1.0  # the grid would be too coarse for so early a crossing
    slope = (inside + 1) / (2 * bound)
    density = np.zeros(STEPS)
    for now in range(STEPS):
        since, climb = time[now] - time[:now], bound[now] - bound[:now]
        kernel = (slope[now] - climb / since) * np.exp(-((climb - drift * since) ** 2) / (2 * since))
        first = (slope[now] - bound[now] / time[now]) * exp(-((bound[now] - drift * time[now]) ** 2) / (2 * time[now]))
        again = step * np.sum(density[:now] * kernel / np.sqrt(2 * pi * since))
        density[now] = again - first / sqrt(2 * pi * time[now])
    return float(np.clip(step * (density.sum() - density[-1] / 2), 0, 1))


def drift_for(power: Callable[[float], float], wanted: float) -> float:
    """The drift at which a power function of the drift reaches what is wanted; infinite if none does."""
    if power(FAR) < wanted:
        return inf
    return float(brentq(lambda drift: power(drift) - wanted, 0.0, FAR, xtol=1e-4))
