"""The days on which a user counts: as active, as one who uses the product regularly, as trained, in a role.

Days are a pair: the top day and a mask that counts back from it, bit 0 being this day. What a user has done lasts for a
while (a visit for a week, regular use over four), but only as long as they belong to the account.
"""

from collections.abc import Mapping
from itertools import zip_longest

from models.account import REGULAR_DAYS, WEEKLY_DAYS, regular_mask, weekly_mask
from models.dated import trained_on
from models.membership import roles
from models.rows import NEVER, Row

Days = tuple[int, int]
"""(top day, mask)."""
NO_DAYS: Days = (NEVER, 0)
NO_ROLES: Mapping[str, Days] = {}


def weekly_days(days: Days) -> Days:
    """The days on which a user counts as active within the week up to them."""
    top, mask = days
    return top + WEEKLY_DAYS - 1, weekly_mask(mask)


def trained_days(row: Row, joined: tuple[int, ...], left: tuple[int, ...]) -> Days:
    """The days, counted back from the first number, on which the user was active within the week up to it, had
    completed a lesson, and belonged to the account."""
    if not row.days or (learned := trained_on(row)) is None:
        return NO_DAYS
    top, mask = weekly_days((row.top_day, row.days))
    return top, mask & _since(learned, top) & _here(top, joined, left)


def regular_days(row: Row, joined: tuple[int, ...], left: tuple[int, ...], least: int) -> Days:
    """The days on which the user had used the product on at least so many of the last 28 days, and belonged to the
    account."""
    mask = regular_mask(row.days, least) if joined else 0
    top = row.top_day + REGULAR_DAYS - 1
    return (top, mask & _here(top, joined, left)) if mask else NO_DAYS


def _here(top: int, joined: tuple[int, ...], left: tuple[int, ...]) -> int:
    """All days but those on which the user, having been removed, did not belong to the account."""
    if not left:
        return -1
    mask = -1
    for away, back in zip_longest(left, joined[1:]):
        mask &= ~_since(away, top) | _since(back, top)
    return mask


def role_days(row: Row, trained: Days) -> Mapping[str, Days]:
    """role -> the days on which the user was active within the week up to it and had it, by the last word on it;
    `trained:role` -> those of them on which they had completed a lesson."""
    if not row.members or not row.days:
        return NO_ROLES
    top, mask = weekly_days((row.top_day, row.days))
    found: dict[str, Days] = {}
    for role, since, until in roles(row.members):
        held = _since(since, top) & ~_since(until, top)
        for name, days in ((role, mask), (f"trained:{role}", trained[1])):
            if days & held:
                found[name] = top, found.get(name, NO_DAYS)[1] | days & held
    return found


def _since(day: int | None, top: int) -> int:
    """The days from one on, as a mask that counts back from the top day; None where there is no such day."""
    return 0 if day is None else (1 << max(0, top - day + 1)) - 1
