"""Daily closes: the score each day ended with, kept only for the days on which it changed."""

from collections.abc import Collection

from models.account import Account
from models.bands import Bands, band_of
from models.basis import HEURISTIC
from models.index import BANDS, WEEK, WINDOW
from models.rows import NEVER, Close

DAYS_BACK = 8
"""Closes are needed a week back; of older ones only the newest, which still holds on later days."""


def first_day(accounts: Collection[Account], closed: int, over: int) -> int:
    """The first day to close, `closed` (or -1) being the last one that was and `over` the last that has to be."""
    if closed != NEVER:
        return closed + 1
    return min(over, min((account.first_day for account in accounts), default=over))


def moving_days(accounts: Collection[Account], first: int, over: int, ends: int) -> list[int]:
    """The days at whose close something may be said that was not said before: those on which an activity index can
    move, ends of weeks, and the last one. Stretches between them may be passed over."""
    if first >= over:
        return [over]
    changes = {day for account in accounts for day in account.changes()}
    moving = {day for change in changes for day in range(change, change + WINDOW + WEEK)}
    return sorted(
        {day for day in moving if first <= day < over} | {over} | set(range(week_end(first, ends), over, WEEK))
    )


def week_end(day: int, ends: int) -> int:
    """The end of the week that a day is in: snapshots are taken then, and labels become known. ends: its day % 7."""
    return day + (ends - day) % WEEK


def with_close(closes: list[Close], day: int, score: int, bands: Bands = BANDS, basis: str = HEURISTIC) -> list[Close]:
    """The closes with a day's score added if it changed; the same list when there is nothing to add.

    basis: what kind of score it is. The band before counts only if it is of the same kind.
    """
    last = closes[-1] if closes else None
    if last is not None and last.day >= day:
        return closes
    alike = last if last is not None and last.basis == basis else None
    band = band_of(score, None if alike is None else alike.band, bands)
    if last is not None and (last.score, last.band, last.basis) == (score, band, basis):
        return closes
    recent = [close for close in closes if close.day >= day - DAYS_BACK]
    older = [close for close in closes if close.day < day - DAYS_BACK]
    since = day if alike is None or alike.band != band else held_since(alike)
    return [*older[-1:], *recent, Close(day, score, band, basis, since)]


def held_since(close: Close) -> int:
    """The first of the days that have closed in this close's band one after the other, by scores of its kind."""
    return close.day if close.since == NEVER else close.since


def close_on(closes: list[Close], day: int) -> Close | None:
    """What a day closed with; None before the first close."""
    return next((close for close in reversed(closes) if close.day <= day), None)


def score_on(closes: list[Close], day: int) -> int | None:
    """The score that a day ended with; None before the first close."""
    close = close_on(closes, day)
    return None if close is None else close.score


def change_over(closes: list[Close], last_closed: int, days: int) -> int | None:
    """Score at the last close minus score `days` before, in hundredths; None when there is no close that old, or when
    that was a score of another kind."""
    now, before = close_on(closes, last_closed), close_on(closes, last_closed - days)
    return None if now is None or before is None or now.basis != before.basis else now.score - before.score
