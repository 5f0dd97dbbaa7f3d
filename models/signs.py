"""Signs of an account that customer success acts on whatever the score says: who is gone, what piles up, what fails.

They are plain counts over the account's sums, so they are told from the first day on, with or without a model.
"""

from collections.abc import Mapping
from typing import NamedTuple

from models.account import WEEKLY_DAYS, Account
from models.keeping import FIXED_POINT
from models.rows import NEVER

MOST_GONE = 28
"""Days beyond which it makes no difference how long somebody has been gone: nothing new is to be said every day."""
QUARTER = 91
NO_DAYS: Mapping[int, int] = {}


class Signs(NamedTuple):
    """What there is to see of an account at the end of a day.

    champion_gone_days: days since a champion of the account was last active (0: one is, within the week; at most 28);
    None where none ever was, or no roles are told. trained_gone_days: the same of users who had completed a lesson.
    Whoever is removed is gone from that day on. tickets_open: tickets opened in the last quarter, less those closed in
    it. payments_failed: payments of the last quarter that failed since the day on which one last succeeded.
    """

    champion_gone_days: int | None
    trained_gone_days: int | None
    tickets_open: int
    payments_failed: int


def signs_of(account: Account, day: int) -> Signs:
    """The account's signs at the end of a day: what happened after it has no part in them."""
    dated = account.dated
    tickets = dated.get("tickets")
    failed = dated.get("payments_failed")
    return Signs(
        champion_gone_days=_gone(account.roles.get("champion", NO_DAYS), day),
        trained_gone_days=_gone(account.trained, day),
        tickets_open=_open(tickets, dated.get("tickets_closed", NO_DAYS), day) if tickets else 0,
        payments_failed=_failing(failed, dated.get("payments_succeeded", NO_DAYS), day) if failed else 0,
    )


def _gone(active: Mapping[int, int], day: int) -> int | None:
    """active: days on which somebody counts as active within the week up to them (`Account.weekly`)."""
    if not active:
        return None
    if day in active:
        return 0
    last = max((one for one in active if one < day), default=NEVER)
    if last == NEVER:
        return None
    return min(MOST_GONE, day - last + WEEKLY_DAYS - 1)


def _open(opened: Mapping[int, int], closed: Mapping[int, int], day: int) -> int:
    return max(0, _within(opened, day - QUARTER, day) - _within(closed, day - QUARTER, day))


def _failing(failed: Mapping[int, int], succeeded: Mapping[int, int], day: int) -> int:
    """Of a payment that failed and one that succeeded on the same day it is not known which came last."""
    paid = max((one for one in succeeded if one <= day), default=NEVER)
    return _within(failed, max(paid, day - QUARTER), day)


def _within(sums: Mapping[int, int], after: int, until: int) -> int:
    return sum(amount for day, amount in sums.items() if after < day <= until) // FIXED_POINT
