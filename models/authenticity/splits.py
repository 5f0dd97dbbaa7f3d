"""Splits that come out too well: a coin misses its share by about √(N·p·(1-p)), and wanders on the way there."""

from math import exp, pi, sqrt

import numpy as np
from scipy.special import ndtr
from scipy.stats import binom

from models.authenticity.chances import several
from models.authenticity.finding import Finding, drawn, found, too_few, unexamined
from models.authenticity.observed import Assigned
from models.inference.means import Array

OVERSHOOT = 0.5826
"""By how much a walk in steps of 1 is past a level that it is seen beyond (Siegmund 1985, eq. 10.3: -ζ(1/2)/√(2π))."""
POINTS = 200
"""Of the walk, in the figure."""


def exact_split(assigned: Assigned | None) -> Finding:
    """How likely independent coins are to come as close to the planned shares, in the arm that is closest."""
    check = "exact_split"
    told = _examined(check, assigned)
    if isinstance(told, Finding):
        return told
    counts, shares, people = told.counts, told.shares, told.people
    off = np.abs(counts - people * shares)
    sd = np.sqrt(people * shares * (1 - shares))
    # In two arms both are equally far; in several, all have to be close.
    arm = int(np.argmax(off / sd))
    expected = people * shares[arm]
    low, high = np.ceil(expected - off[arm] - 1e-9), np.floor(expected + off[arm] + 1e-9)
    p = float(binom.cdf(high, people, shares[arm]) - binom.cdf(low - 1, people, shares[arm]))
    says = (
        f"of {people:,} people {counts[arm]:,} are in arm {arm} where the plan makes {expected:,.1f}: independent "
        f"coins come so close with a chance of {p:.2g}"
    )
    figure = drawn("bar", "arm", "people", range(len(counts)), counts, people * shares)
    return found(check, people, float(off[arm] / sd[arm]), p, says, figure)


def quota(assigned: Assigned | None) -> Finding:
    """Whether the arms keep to their shares all the way, in the order of assignment: a quota, or permuted blocks."""
    check = "quota"
    told = _examined(check, assigned)
    if isinstance(told, Finding):
        return told
    assert assigned is not None
    people, shares = told.people, told.shares
    walks = [_walk(assigned.arm == arm, share) for arm, share in enumerate(shares.tolist())]
    reached = np.array([float(np.abs(walk).max()) for walk in walks])
    arms = len(shares) if len(shares) > 2 else 1
    arm = int(reached[:arms].argmin())
    p = several(np.array([stays_within(one + OVERSHOOT / sqrt(people)) for one in reached[:arms]]))
    says = (
        f"along the order of {people:,} assignments arm {arm} never strays from its share by more than "
        f"{reached[arm]:.2f} standard deviations of the whole; independent coins stray by 1.2 in the middle"
    )
    at = np.unique(np.linspace(0, people - 1, min(POINTS, people)).astype(np.int64))
    figure = drawn("line", "assignments", "excess, in standard deviations", at + 1, walks[arm][at], [0.0] * len(at))
    return found(check, people, float(reached[arm]), p, says, figure)


def stays_within(x: float) -> float:
    """Chance that Brownian motion on [0, 1] stays within ±x (Feller 1971, X.5, both series: each where it is quick).

    >>> round(stays_within(1.0), 4)
    0.3708
    """
    if x <= 0:
        return 0.0
    if x < 1:
        waves = ((-1) ** k / (2 * k + 1) * exp(-((2 * k + 1) ** 2) * pi**2 / (8 * x * x)) for k in range(5))
        return 4 / pi * sum(waves)
    images = ((-1) ** k * (ndtr((2 * k + 1) * x) - ndtr((2 * k - 1) * x)) for k in range(-5, 6))
    return float(sum(images))


class _Split:
    """Whom the check counts. shares: of the plan, adding up to 1."""

    def __init__(self, assigned: Assigned) -> None:
        self.shares = np.array(assigned.shares)
        self.counts = np.bincount(assigned.arm, minlength=len(self.shares))
        self.people = len(assigned.arm)


def _examined(check: str, assigned: Assigned | None) -> "Finding | _Split":
    if assigned is None:
        return unexamined(check, "nobody was assigned")
    few = too_few(check, len(assigned.arm))
    if few:
        return few
    shares = np.array(assigned.shares)
    if not (np.isfinite(shares).all() and (shares > 0).all() and len(shares) > 1 and abs(shares.sum() - 1) < 1e-6):
        return unexamined(check, "the planned shares are not known")
    if assigned.arm.min() < 0 or assigned.arm.max() >= len(shares):
        return unexamined(check, "some are in an arm that has no planned share")
    return _Split(assigned)


def _walk(in_arm: np.ndarray, share: float) -> Array:
    """The arm's excess over its share after each assignment, in standard deviations of the whole."""
    found_: Array = np.cumsum(in_arm - share) / sqrt(len(in_arm) * share * (1 - share))
    return found_
