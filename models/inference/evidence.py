"""Evidence as a bet: an e-value is what one unit of money would have grown to, betting against "there is no effect".

Where nothing is going on its expectation is at most 1 whenever one looks, so it reaches 1/alpha, ever, with probability
alpha at most (Ville 1939). Everything is computed as a logarithm, because evidence multiplies.
"""

import numpy as np
from numpy.typing import ArrayLike

from models.inference.means import Array

LARGEST_LOG = 700.0
"""Beyond exp(700) an e-value would not fit a float; a smaller one is reported, which is valid too."""


def e_from_log(log_e: ArrayLike) -> Array:
    """The e-value with this logarithm, (...); at most exp(700), never infinite. NaN stays NaN."""
    return np.exp(np.minimum(log_e, LARGEST_LOG))


def p_always_valid(e_value: ArrayLike) -> Array:
    """The p value of an e-value, min(1, 1/E), (...): at most alpha, ever, with probability alpha at most. NaN stays.

    Of the present e-value: no running minimum, so it may rise again.
    """
    return 1 / np.maximum(e_value, 1.0)
