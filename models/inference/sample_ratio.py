"""Did units reach the arms in the planned shares? If not, nothing else of the experiment is to be believed.

While it runs, an e-value that may be watched (Lindon and Malek 2020, arXiv 2011.03567, eq. 4): shares drawn from a
Dirichlet around the planned ones against the planned ones. It is exact for units assigned independently with the
planned shares. After the stop, once, Pearson's chi-square, which sees smaller departures because it looks only once.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, gammaln, xlogy

from models.inference.evidence import e_from_log
from models.inference.means import Array


def e_value(counts: ArrayLike, shares: ArrayLike, concentration: float) -> Array:
    """Evidence against the planned shares, (...). counts: (..., K) units by arm; shares: (K,), adding up to 1.

    concentration: how close to the plan the alternative stays, in pseudo-units; the Dirichlet's parameter is
    concentration × shares. No units: 1. Relative error about 1e-15 × units, from the logarithms of gamma functions.
    """
    counts, prior = np.asarray(counts, dtype=float), concentration * np.asarray(shares, dtype=float)
    total, strength = counts.sum(-1), prior.sum()
    drawn = (gammaln(prior + counts) - gammaln(prior)).sum(-1) - (gammaln(strength + total) - gammaln(strength))
    return e_from_log(drawn - xlogy(counts, shares).sum(-1))


def p_final(counts: ArrayLike, shares: ArrayLike) -> Array:
    """Pearson's chi-square p of the planned shares, (...), for the one analysis after the stop. NaN without units."""
    counts = np.asarray(counts, dtype=float)
    total = counts.sum(-1)
    expected = np.where(total > 0, total, np.nan)[..., None] * np.asarray(shares, dtype=float)
    return chdtrc(counts.shape[-1] - 1, ((counts - expected) ** 2 / expected).sum(-1))
