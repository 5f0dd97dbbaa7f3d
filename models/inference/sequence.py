"""A figure that may be watched all day: e-values and confidence sequences of an estimate divided by its error.

The t-mixture of Lindon, Ham, Tingley and Bojinov (2022, arXiv 2210.08589): the likelihood ratio of the t statistic
under an effect drawn from a normal with variance rho² (in units of the outcome's variance) against none. With
r = 1 + units·rho², and df degrees of freedom,

    E = r^(-1/2) · [(1 + t²/(df·r)) / (1 + t²/df)]^(-(df+1)/2).

Where it is exact and where not: for independent normal outcomes t is that of least squares, E is a martingale under "no
effect" and reaches 1/alpha, ever, with probability alpha at most. Here t is an estimate over its *clustered* error, of
outcomes that are not normal, so the guarantee is asymptotic in clusters: the estimates must move like a Brownian motion
watched at the pace of the units (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2021, arXiv 2103.06476). With few
clusters it leans on the t distribution with the degrees of freedom that the caller decides (those of the effect
itself), and on nobody's looking before each arm has ten. How often it errs for our kinds of outcome is measured by
`make validate`.
"""

from math import log

import numpy as np
from numpy.typing import ArrayLike

from models.inference.evidence import e_from_log
from models.inference.means import Array


def tuning(alpha: float, planned_units: float) -> float:
    """rho²: the mixture's variance that makes the interval at `planned_units` units about as narrow as can be.

    (-2 ln alpha + ln(1 - 2 ln alpha)) / planned_units: Howard, Ramdas, McAuliffe and Sekhon 2021 (section 3.5) in the
    approximation of Waudby-Smith et al. 2021 (appendix on tuning rho).
    """
    return (-2 * log(alpha) + log(1 - 2 * log(alpha))) / planned_units


def log_e_value(t: ArrayLike, df: ArrayLike, units: ArrayLike, rho2: ArrayLike) -> Array:
    """The logarithm of the e-value, (...). t: estimate / error; NaN where it is not finite or df is not positive."""
    t, df = np.asarray(t, dtype=float), np.asarray(df, dtype=float)
    known = np.isfinite(t) & (df > 0)
    t, df = np.where(known, t, 0.0), np.where(df > 0, df, 1.0)
    log_r = np.log1p(np.multiply(units, rho2))
    with np.errstate(divide="ignore"):
        log_square = 2 * np.log(np.abs(t)) - np.log(df)  # ln t²/df: the square itself may not fit a float
    fall = np.logaddexp(0, log_square) - np.logaddexp(0, log_square - log_r)
    return np.where(known, (df + 1) / 2 * fall - log_r / 2, np.nan)


def e_value(t: ArrayLike, df: ArrayLike, units: ArrayLike, rho2: ArrayLike) -> Array:
    """How strongly the present estimate speaks against "no effect", (...): 20 is alpha = .05, whenever one looks."""
    return e_from_log(log_e_value(t, df, units, rho2))


def half_width(alpha: ArrayLike, df: ArrayLike, units: ArrayLike, rho2: ArrayLike) -> Array:
    """Half the confidence sequence's width in errors, (...): the |t| at which the e-value is 1/alpha.

    q = (√r/alpha)^(-2/(df+1)), t² = df·(1-q)/(q - 1/r). Infinite where no t, however large, would be enough (q <= 1/r);
    NaN where df is not positive.
    """
    df = np.asarray(df, dtype=float)
    positive = df > 0
    df = np.where(positive, df, 1.0)
    log_r = np.log1p(np.multiply(units, rho2))
    log_q = -2 / (df + 1) * (log_r / 2 - np.log(alpha))
    reachable = log_q + log_r > 0
    room = np.where(reachable, np.expm1(log_q + log_r), 1.0)  # r·q - 1
    square = df * -np.expm1(log_q) * np.exp(log_r) / room
    return np.where(positive, np.where(reachable, np.sqrt(square), np.inf), np.nan)
