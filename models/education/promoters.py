"""The Net Promoter Score with its standard error, and whether it has changed.

Answers 9 and 10 promote, 0 to 6 detract; the score is 100 times the difference of their shares (Reichheld 2003).
Several answers of one respondent are alike, so respondents are the clusters of a ratio estimator: of one answer each,
its variance is the multinomial's, (p + d - (p - d)²)/n, times n/(n - 1).
"""

from fractions import Fraction
from math import sqrt
from typing import NamedTuple

from scipy.special import stdtr, stdtrit

Number = float | None


class Net(NamedTuple):
    """Sums over respondents in one period, or (squares and products) in two of them.

    answers: how many (Σn). net: promoters less detractors (Σs). respondents: their number. counts, counts_net, nets:
    Σn², Σns, Σs².
    """

    answers: int
    net: int
    respondents: int
    counts: int
    counts_net: int
    nets: int


class Shared(NamedTuple):
    """Sums over respondents who answered in both of two periods: Σn1n2, Σn1s2, Σs1n2, Σs1s2."""

    respondents: int = 0
    counts: int = 0
    count_net: int = 0
    net_count: int = 0
    nets: int = 0


class Score(NamedTuple):
    """An NPS, its standard error and interval; None where it is not known."""

    value: Number
    se: Number
    low: Number
    high: Number


class Change(NamedTuple):
    """The later NPS less the earlier one, and the two-sided p of no change."""

    difference: float
    se: float
    low: float
    high: float
    p: float


def score(net: Net, alpha: float = 0.05) -> Score:
    """The score of a period. The error is not known of fewer than two respondents, nor where all answers are alike."""
    if not net.answers:
        return Score(None, None, None, None)
    value = 100 * net.net / net.answers
    if not _varies(net):
        return Score(value, None, None, None)
    degrees = net.respondents - 1
    se = 100 * sqrt(_squares(net) * net.respondents / degrees)
    reach = se * float(stdtrit(degrees, 1 - alpha / 2))
    return Score(value, se, max(value - reach, -100.0), min(value + reach, 100.0))


def change(before: Net, after: Net, shared: Shared, alpha: float = 0.05) -> Change | None:
    """The test of a change between two periods; respondents of both are counted as the same people.

    shared: of those, with the earlier period as the first. None where an error is not known.
    """
    if not (_varies(before) and _varies(after)):
        return None
    squares = _squares(before) + _squares(after) - 2 * _products(before, after, shared)
    if not squares:
        return None
    r0, r1 = before.net / before.answers, after.net / after.answers
    degrees = before.respondents + after.respondents - shared.respondents - 1
    difference, se = 100 * (r1 - r0), 100 * sqrt(squares * (degrees + 1) / degrees)
    reach = se * float(stdtrit(degrees, 1 - alpha / 2))
    p = 2 * float(stdtr(degrees, -abs(difference) / se))
    return Change(difference, se, difference - reach, difference + reach, p)


def _varies(net: Net) -> bool:
    """Whether there are respondents who differ, so that an error can be read from them."""
    return net.respondents > 1 and abs(net.net) < net.answers and _squares(net) > 0


def _squares(net: Net) -> Fraction:
    """Σ(s - rn)²/N² over respondents, exactly: of the ratio estimator's variance (Cochran 1977, section 6.3)."""
    ratio = Fraction(net.net, net.answers)
    return (net.nets - 2 * ratio * net.counts_net + ratio * ratio * net.counts) / net.answers**2


def _products(before: Net, after: Net, shared: Shared) -> Fraction:
    """The same of two periods: the sum over those who answered in both of one's residual times the other's."""
    first, second = Fraction(before.net, before.answers), Fraction(after.net, after.answers)
    products = shared.nets - second * shared.net_count - first * shared.count_net + first * second * shared.counts
    return products / (before.answers * after.answers)
