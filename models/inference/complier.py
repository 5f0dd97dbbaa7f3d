"""The effect of help on those who take it because it is offered: complier average causal effect.

Who takes help differs from who does not, so the two are never compared. The effect of the offer on the outcome is
divided by its effect on uptake (Imbens and Angrist 1994), which is read as the effect of *additional* uptake among
compliers: controls may find help too. With weak uptake the ratio's own error says little, so verdicts rest on the
Anderson-Rubin set (1949): all β for which the outcome less β times uptake shows no effect of the offer. It covers the
truth however weak uptake is, with clusters like any other difference of means.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.inference.columns import CONTROL, OUTCOME, TREATMENT, UPTAKE
from models.inference.effect import Effect, effect_along, intention_to_treat, over, statistic, uptake
from models.inference.means import Array, Means

ASSUMES = (
    "The offer changes the outcome only through the help that is counted as uptake (exclusion).",
    "Nobody takes help in control who would not have taken it when offered (monotonicity).",
    "One user's offer does not change another account's outcome.",
)
"""Printed beside every complier effect. None of these can be checked from the data."""

UNKNOWN, INTERVAL, TWO_RAYS, WHOLE_LINE = range(4)
"""Shapes of a set."""


class BetaSet(NamedTuple):
    """Effects that are not excluded. shape: (...) one of the four above; low, high: (...).

    INTERVAL: low to high (an end may be infinite). TWO_RAYS: up to low, and from high on: the effect is far from the
    middle, in one direction or the other. WHOLE_LINE: nothing is excluded, the ends are infinite. UNKNOWN: the ends are
    NaN. A set is never empty, because it holds the Wald estimate.
    """

    shape: NDArray[np.int64]
    low: Array
    high: Array


def wald(means: Means) -> Effect:
    """Effect on the outcome over effect on uptake, with its clustered delta-method error: for information, because that
    error is too small and the interval off centre when uptake is weak. NaN without a difference in uptake."""
    outcome, first = _differences(means)
    beta = over(outcome.estimate, first.estimate)
    return effect_along(means, beta, _along(means, over(1, first.estimate), over(-beta, first.estimate)))


def first_stage_f(means: Means) -> Array:
    """How strong uptake is as an instrument: its squared clustered t. NaN where uptake does not vary."""
    return statistic(uptake(means)) ** 2


def anderson_rubin(means: Means, critical: ArrayLike) -> BetaSet:
    """All β with |t| of the difference in Y - βD at most `critical`, (...).

    (τy - βτd)² <= c²·(Vyy - 2βVyd + β²Vdd) is a quadratic aβ² + bβ + e <= 0, a = τd² - c²Vdd, half b = c²Vyd - τyτd,
    e = τy² - c²Vyy. The Wald estimate makes its left side 0, so a > 0 (uptake clearly differs) gives an interval; a < 0
    two rays, or the whole line when no β is excluded.
    Where uptake is alike in all units (nobody took help, or everybody did), β drops out of the question, and with an
    infinite `critical` nothing can be excluded: the whole line. UNKNOWN where an arm has no units, or Y - βD does not
    vary at all at the Wald estimate (everybody's outcome is the same): a point would be false certainty.
    """
    outcome, first = _differences(means)
    y, d = outcome.estimate, first.estimate
    vyy, vdd = outcome.se**2, first.se**2
    vyd = means.covariance_along(_along(means, 1, 0), _along(means, 0, 1))
    tight = (
        over(1, critical) ** 2
    )  # the quadratic is divided by c², so that an infinite c is the limit that it should be
    a, half, e = tight * d**2 - vdd, vyd - tight * y * d, tight * y**2 - vyy
    # half² - a·e multiplied out: its terms in τ⁴ cancel on paper, in floats they would only roughly.
    residual = effect_along(means, y, _along(means, d, -y)).se ** 2
    discriminant = tight * residual - np.maximum(vyy * vdd - vyd**2, 0)
    far = -half - np.where(half < 0, -1, 1) * np.sqrt(np.maximum(discriminant, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = far / a, np.where(far == 0, 0.0, e / far)

    alike = (d == 0) & (vdd == 0)
    everything = alike | (tight == 0) | ((a <= 0) & (discriminant <= 0))
    unknown = np.isnan(vyy + vdd + tight) | (~alike & (d != 0) & (residual == 0))
    return BetaSet(
        np.select([unknown, everything, a < 0], [UNKNOWN, WHOLE_LINE, TWO_RAYS], INTERVAL),
        np.select([unknown, everything], [np.nan, -np.inf], np.minimum(one, other)),
        np.select([unknown, everything], [np.nan, np.inf], np.maximum(one, other)),
    )


def contains(found: BetaSet, beta: ArrayLike) -> NDArray[np.bool_]:
    """Whether β is not excluded, (...). What is not known excludes nothing."""
    b = np.asarray(beta, dtype=float)
    inside, outside = (found.low <= b) & (b <= found.high), (b <= found.low) | (b >= found.high)
    return np.select([found.shape == INTERVAL, found.shape == TWO_RAYS], [inside, outside], True)


def as_intervals(found: BetaSet) -> list[tuple[float, float]] | None:
    """One experiment's set as intervals from left to right, ends infinite where there is none; None where UNKNOWN."""
    low, high = float(found.low), float(found.high)
    if found.shape == UNKNOWN:
        return None
    return [(-np.inf, low), (high, np.inf)] if found.shape == TWO_RAYS else [(low, high)]


def _differences(means: Means) -> tuple[Effect, Effect]:
    return intention_to_treat(means), uptake(means)


def _along(means: Means, of_outcome: ArrayLike, of_uptake: ArrayLike) -> Array:
    """Gradient of a combination of the two differences."""
    y, d = np.asarray(of_outcome, dtype=float), np.asarray(of_uptake, dtype=float)
    return means.gradient({
        (TREATMENT, OUTCOME): y, (CONTROL, OUTCOME): -y, (TREATMENT, UPTAKE): d, (CONTROL, UPTAKE): -d,
    })  # fmt: skip
