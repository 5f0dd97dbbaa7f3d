"""Daily closes: the score each day ended with, kept only for the days on which it changed."""

from collections.abc import Collection

from models.account import Account
from models.index import WEEK, WINDOW, band_of
from models.rows import NEVER, Close

DAYS_BACK = 8
"""Closes are needed a week back; of older ones only the newest, which still holds on later days."""


def days_to_close(accounts: Collection[Account], closed: int, over: int) -> list[int]:
    """The days up to `over` that have to be closed, `closed` (or -1) being the last one that was.

    Stretches in which no score can move are passed over, except for the last day.
    """
    first = min((account.first_day for account in accounts), default=over) if closed == NEVER else closed + 1
    if first >= over:
        return [over]
    changes = {day for account in accounts for day in account.changes()}
    moving = {day for change in changes for day in range(change, change + WINDOW + WEEK)}
    return [*sorted(day for day in moving if first <= day < over), over]


def with_close(closes: list[Close], day: int, score: int) -> list[Close]:
    """The closes with a day's score added if it changed; the same list when there is nothing to add."""
    last = closes[-1] if closes else None
    if last is not None and last.day >= day:
        return closes
    band = band_of(score, last.band if last else None)
    if last is not None and last.score == score and last.band == band:
        return closes
    recent = [close for close in closes if close.day >= day - DAYS_BACK]
    older = [close for close in closes if close.day < day - DAYS_BACK]
    return [*older[-1:], *recent, Close(day, score, band)]


def score_on(closes: list[Close], day: int) -> int | None:
    """The score that a day ended with; None before the first close."""
    return next((close.score for close in reversed(closes) if close.day <= day), None)


def change_over(closes: list[Close], last_closed: int, days: int) -> int | None:
    """Score at the last close minus score `days` before, in hundredths; None when there is no close that old."""
    now, before = score_on(closes, last_closed), score_on(closes, last_closed - days)
    return None if now is None or before is None else now - before
