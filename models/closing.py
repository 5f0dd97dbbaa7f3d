"""Daily closes: the score each day ended with, kept only for the days on which it changed."""

from models.index import band_of
from models.rows import Close

DAYS_BACK = 8
"""Closes are needed a week back; of older ones only the newest, which still holds on later days."""


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
