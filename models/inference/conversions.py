"""Who converted, by arm: an exact test from the first conversion on, of counts alone.

If the offer does nothing and every unit was assigned by its own throw of the same coin, each converter's arm is such a
throw again, whatever made people convert and whenever they do: treatment with probability `share`. So the converters'
arms are tested like a sample ratio: a Beta(20·share, 20·(1 - share)) mixture against Bernoulli(share). Exact at every
number of converters and whenever one looks; units too young to be read otherwise may be counted. It needs units
assigned independently (not accounts of several users), in the planned shares, and nobody left out for what happened
after assignment.
"""

import numpy as np
from numpy.typing import ArrayLike

from models.inference import sample_ratio
from models.inference.means import Array

CONCENTRATION = 20.0
"""Pseudo-converters of the mixture: it expects a converter's chance of being in treatment to be off by about .1."""


def e_value(converted_treatment: ArrayLike, converted_control: ArrayLike, share: float) -> Array:
    """Evidence against "the offer changes nobody's conversion", (...). share: planned share of treatment, in (0, 1)."""
    counts = np.stack(np.broadcast_arrays(converted_treatment, converted_control), axis=-1)
    return sample_ratio.e_value(counts, (share, 1 - share), CONCENTRATION)
