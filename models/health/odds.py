"""Between log odds and probabilities."""

from math import exp, log


def probability(log_odds: float) -> float:
    """The logistic function; exact at both ends, never an overflow."""
    if log_odds >= 0:
        return 1 / (1 + exp(-log_odds))
    odds = exp(log_odds)
    return odds / (1 + odds)


def log_odds_of(events: float, others: float) -> float:
    """Log odds of the event after so many with and without it, each raised by a half so that they are finite
    (Haldane 1956; Anscombe 1956)."""
    return log((events + 0.5) / (others + 0.5))
