"""What a learned model reads of an account's features."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from math import asinh

BOUND = 1e9
"""A value further from 0 than this is read as this: no input can break a mean or a variance."""


def chosen_of(features: Mapping[str, float], inputs: tuple[str, ...], withheld: tuple[str, ...]) -> Mapping[str, float]:
    """The features that a model reads. inputs: names or patterns of them (`usage:*`); none means all. withheld: names
    of those that are held out of it."""
    if not inputs and not withheld:
        return features
    return {
        name: value
        for name, value in features.items()
        if (not inputs or is_chosen(name, inputs)) and name not in withheld
    }


@lru_cache(65_536)
def is_chosen(name: str, chosen: tuple[str, ...]) -> bool:
    """Whether an input is among the chosen ones, which are names or patterns."""
    return any(fnmatchcase(name, pattern) for pattern in chosen)


def readable(features: Mapping[str, float]) -> dict[str, float]:
    """The features that are known, in the order of their names, squashed.

    A value that is not finite is unknown, like one that is absent.
    """
    known = ((name, features[name]) for name in sorted(features))
    return {name: squashed(value) for name, value in known if value - value == 0}


def squashed(value: float) -> float:
    """A value on a scale that a few large ones do not stretch: the inverse hyperbolic sine (Burbidge, Magee and Robb
    1988), as good as linear for shares, logarithmic for large counts and amounts of either sign."""
    return asinh(value if -BOUND < value < BOUND else BOUND if value > 0 else -BOUND)
