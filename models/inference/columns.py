"""What a metric's moments hold for each arm: the columns of a block, in order."""

CONTROL, TREATMENT = 0, 1
"""Blocks."""
UNITS, OUTCOME, UPTAKE, TRIGGERED, TRIGGERED_OUTCOME, BOTH_ARMS, BOTH_ARMS_OUTCOME = range(7)
"""Units whose outcome is known; its sum; units that took the offer up; units that were in trouble after assignment,
and their outcome; units seen in both arms, and their outcome."""
COVARIATES = 7
"""The first covariate; each takes two columns: its value (0 where missing), and 1 where it is missing."""


def width(covariates: int) -> int:
    """The columns of a block with so many covariates."""
    return COVARIATES + 2 * covariates
