"""What became of an account: the event that a score is the chance of, and whether it was still to come.

The label of `livelift.toml`: `churn` (a customer leaves), `conversion` (a trial becomes a customer) or `inactivity` (an
account is not visited at all for the whole horizon). Days are whole days of event time.
"""

from typing import NamedTuple

from models.account import Account
from models.dated import CHURNED, CONVERTED, PAYING, TRIAL
from models.health.features import LONGEST_AGO
from models.product import Label

ACTIVE = 28
"""Days within which an account was visited that may become inactive: one that is asleep already cannot fall asleep."""


LITTLE = 28
"""Days of which something is known from which on an account's inputs look back on as much as they say."""


class Outcome(NamedTuple):
    """What became of an account within the horizon after a snapshot.

    happened: whether the event came. after: days from the snapshot to it; the horizon's length where it did not.
    """

    happened: bool
    after: int


def may_happen(account: Account, day: int, label: Label) -> bool:
    """Whether at the end of a day the event is still to come: an account that has left cannot leave.

    A trial that has not become a customer is no customer that might churn; where no trials are told of, all are.
    """
    if account.first_day > day or has_come(account, day, label):
        return False
    return label.kind != "churn" or _customer_since(account, day) is not None or _last(account, TRIAL, day) is None


def has_come(account: Account, day: int, label: Label) -> bool:
    """Whether the event has come by the end of a day, and the account has not come back since."""
    match label.kind:
        case "conversion":
            return _last(account, CONVERTED, day) is not None
        case "inactivity":
            return not any(day - ago in account.days for ago in range(ACTIVE))
        case _:
            churned = _last(account, CHURNED, day)
            if churned is None:
                return False
            customer = _customer_since(account, day)
            return customer is None or customer <= churned


def outcome_of(account: Account, day: int, label: Label) -> Outcome:
    """What became of the account in the horizon after a day, looked at when the horizon has passed."""
    last = day + label.horizon_days
    if label.kind == "inactivity":
        visited = any(day < visit <= last for visit in account.days)
        return Outcome(not visited, label.horizon_days)
    name = CONVERTED if label.kind == "conversion" else CHURNED
    days = [when for when in account.dated.get(name, ()) if day < when <= last]
    return Outcome(True, min(days) - day) if days else Outcome(False, label.horizon_days)


def _customer_since(account: Account, day: int) -> int | None:
    """The last day on which it was told to have become a customer, or to pay."""
    known = (_last(account, name, day) for name in (CONVERTED, PAYING))
    return max((when for when in known if when is not None), default=None)


def _last(account: Account, name: str, day: int) -> int | None:
    days = account.dated.get(name)
    return max((when for when in days if when <= day), default=None) if days else None


def little_known(account: Account, day: int) -> bool:
    """Whether an account has not told enough for a score to mean much: it is younger than its inputs look back, or
    nothing has been heard of its use for as long as days of use are kept."""
    return day - account.first_day < LITTLE or day - account.last_day > LONGEST_AGO
