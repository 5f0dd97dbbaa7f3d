"""The numbers of an alert as people read them: one function for each kind, and no number is written otherwise."""

import re
from math import exp, floor

from models.alerts.delivery import local
from models.alerts.rules import Hours

MINUS, SIGN = "−", "\u00a0%"
LARGEST_LOG = 700.0
LEAST = 1e-4
"""Messages tell inputs to four digits behind the point."""


def score(value: float) -> str:
    """Whole points of 0 to 100. Cut, not rounded: a score below a threshold never reads as one that reaches it."""
    return str(floor(value))


def points(value: float) -> str:
    """A number of points without its sign: two digits, or one behind the point."""
    size = abs(value)
    return f"{size:.0f}" if size >= 9.95 else f"{size:.1f}".removesuffix(".0")


def signed_points(value: float) -> str:
    return _signed(value, points(value))


def percent(value: float) -> str:
    """A share to three digits; no line is broken before its sign."""
    return f"{_digits(100 * value)}{SIGN}"


def money(value: float) -> str:
    """An amount of money; in which currency is not told."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"


def count(value: int, noun: str) -> str:
    """So many of something."""
    return f"{value:,} {noun if value == 1 else f'{noun}s'}"


def number(value: float) -> str:
    """An input of a score to three digits, large ones to the unit."""
    return _minus(_digits(value))


def times(value: float) -> str:
    """A log ratio as the ratio that it is."""
    return f"{_digits(exp(max(-LARGEST_LOG, min(LARGEST_LOG, value))))} times"


def amount(value: float, unit: str) -> str:
    """An input with its unit, as the table of inputs has them."""
    if unit.startswith("share"):
        return f"{_minus(percent(value))}{unit.removeprefix('share')}"
    if unit == "log ratio":
        return times(value)
    shown, of = number(value), _noun(unit)
    return f"{shown} {_one(of) if shown == '1' else of}".rstrip()


def bounds(low: float, high: float, unit: str) -> str:
    """A range of an input, with its unit once; one number where both ends read alike."""
    ends = (amount(low, unit), amount(high, unit))
    if ends[0] == ends[1]:
        return percent(low) if unit.startswith("share") else times(low) if unit == "log ratio" else number(low)
    if unit.startswith("share"):
        return f"{_minus(percent(low))} to {_minus(percent(high))}"
    if unit == "log ratio":
        return f"{times(low).removesuffix(' times')} to {times(high)}"
    return f"{number(low)} to {number(high)}"


def moved(value: float, unit: str) -> str:
    """By how much an input has changed."""
    if not value:
        return "unchanged"
    if unit.startswith("share"):
        return f"{_signed(value, percent(abs(value)))}-points"
    if unit == "log ratio":
        return f"{times(value)} as much"
    return _signed(value, number(abs(value)))


def moment(at: int, hours: Hours) -> str:
    """An instant in microseconds by the owners' clock."""
    return f"{local(hours, at):%Y-%m-%d %H:%M} {hours.timezone}"


def _digits(value: float) -> str:
    """Three digits, at most four of them behind the point."""
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.3g}" if abs(value) >= LEAST else "0"


def _signed(value: float, size: str) -> str:
    return size if size in ("0", f"0{SIGN}") else f"{'+' if value > 0 else MINUS}{size}"


def _minus(text: str) -> str:
    shown = text.replace("-", MINUS, 1) if text.startswith("-") else text
    return shown.removeprefix(MINUS) if shown in (f"{MINUS}0", f"{MINUS}0{SIGN}") else shown


def _noun(unit: str) -> str:
    """What is counted; nothing where it is a number on a scale."""
    of = unit.split(",", maxsplit=1)[0]
    return "" if of in ("amount", "number") or re.match(r"-?\d", of) else of


def _one(nouns: str) -> str:
    """`users` as `user`, `countries` as `country`, `days a week` as `day a week`."""
    return re.sub(r"ies\b", "y", nouns, count=1) if "ies" in nouns else re.sub(r"s\b", "", nouns, count=1)
