"""Does an effect differ between segments? Cochran's Q over the effects within each.

Segments have to be of different accounts (they follow a trait of the account); with effects from few clusters each, Q
rejects too often, because it takes their errors for known (Cochran 1954).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from models.inference.means import Array


class Heterogeneity(NamedTuple):
    """Q, its degrees of freedom (segments with an effect, less one) and p of one effect for all; NaN with fewer than
    two of them. Each (...)."""

    q: Array
    df: Array
    p: Array


def cochran_q(estimate: ArrayLike, se: ArrayLike) -> Heterogeneity:
    """Q = Σ w(τ - Σwτ/Σw)², w = 1/se² (Cochran 1954). estimate, se: (..., segments); a segment whose effect is NaN or
    whose error is 0 is left out."""
    tau, error = np.asarray(estimate, dtype=float), np.asarray(se, dtype=float)
    there = np.isfinite(tau) & (error > 0)
    weight = np.where(there, 1 / np.where(there, error, 1.0) ** 2, 0.0)
    tau = np.where(there, tau, 0.0)
    df = there.sum(axis=-1) - 1.0
    df = np.where(df > 0, df, np.nan)
    total = weight.sum(axis=-1, keepdims=True)
    common = (weight * tau).sum(axis=-1, keepdims=True) / np.where(total > 0, total, np.nan)
    q = np.where(df > 0, (weight * (tau - common) ** 2).sum(axis=-1), np.nan)
    return Heterogeneity(q, df, chdtrc(df, q))
