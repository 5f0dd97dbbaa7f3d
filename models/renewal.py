"""Whether a customer will still be one when the contract renews, from the probability of staying for the horizon.

Leaving is taken to be as likely on each day up to the renewal as on each day of the horizon (a constant hazard, so that
S(t) = S(horizon)^(t / horizon)). That bears being carried a little further than it was learned for, not a year.
"""

from typing import NamedTuple

from models.clock import LAST_INSTANT, day_of
from models.product import Label

HORIZONS = 2
"""How many horizons ahead the probability is still told."""


class Renewal(NamedTuple):
    """The probability that the account is still a customer when its contract renews; None says why in `because`."""

    probability: float | None
    because: str | None = None


def renewal_date(told: int | None) -> int | None:
    """When the contract renews, in microseconds, if that is a date between 1970 and 9999."""
    return told if told is not None and 0 <= told <= LAST_INSTANT else None


def renewal(renews_at: int | None, day: int, stays: float | None, label: Label) -> Renewal:
    """What can be said, at the end of a day, of the renewal of an account that has not left.

    stays: probability of staying for the label's horizon.
    """
    if label.kind != "churn":
        return Renewal(None, f"the score is the chance of {label.kind}, not of leaving")
    if stays is None:
        return Renewal(None, "no model has learned yet")
    if renews_at is None:
        return Renewal(None, "no renewal date of the account has been told")
    ahead = day_of(renews_at) - day
    if ahead <= 0:
        return Renewal(None, "the renewal date last told of is not ahead")
    if ahead > HORIZONS * label.horizon_days:
        return Renewal(None, f"the renewal is more than {HORIZONS} horizons of {label.horizon_days} days ahead")
    return Renewal(stays ** (ahead / label.horizon_days))
