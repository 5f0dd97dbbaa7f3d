"""The activity index: a thin, honest first score from four engagement inputs, until a model has learned.

It is called an index because nothing has shown that it predicts retention; its basis is `heuristic`, and it never
comes with a probability. The weights below are the whole of it. A learned model takes its place (`models.basis`).
"""

from functools import lru_cache
from operator import mul
from typing import NamedTuple

from models.account import Account
from models.bands import fixed_bands
from models.health.listed import FEATURE_USES, MEMBERSHIP, VISITS, Input
from models.rounding import largest_remainder

WEEK = 7
WINDOW = 28
"""Days that recency, frequency and breadth look back on."""
FULL_BREADTH = 8
"""Distinct features and tasks used in the window that count as full breadth."""

WEIGHTS = {"recency": 35, "frequency": 25, "breadth": 15, "share_active": 25}
"""Points out of 100 that each input is worth at its best."""
INPUTS = (
    Input("recency", "share", "the last visit: 1 today, 0 four weeks ago or more", VISITS),
    Input("frequency", "share", "days with a visit in the four weeks up to it, of those that count as regular", VISITS),
    Input("breadth", "share", f"features and tasks used in the last four weeks, of {FULL_BREADTH}", FEATURE_USES),
    Input("share_active", "share", "users with a visit in the last week, of all of the account's", VISITS + MEMBERSHIP),
)
"""What each of them means, and the event types that it is read from."""
BASELINE = 50
"""The index of an account at half of every input; drivers are points above or below their half."""

HYSTERESIS = 300
"""A band is left only when the score is this far (hundredths) beyond its edge."""
BANDS = fixed_bands((("healthy", 6000), ("watch", 3000), ("at_risk", 0)), HYSTERESIS)


class Inputs(NamedTuple):
    """The four engagement inputs, each from 0 (none) to 1 (full)."""

    recency: float
    frequency: float
    breadth: float
    share_active: float


NOTHING_KNOWN = Inputs(0.0, 0.0, 0.0, 0.0)
"""Those of an account before its first day."""


class Driver(NamedTuple):
    """One signed part of a score, in hundredths of points."""

    feature: str
    value: float
    contribution: int


def inputs_of(account: Account, day: int, regular_days: float) -> Inputs:
    """The inputs as of the end of a day: uses after that day do not count, so a closed day can be told again."""
    if day < account.first_day:
        return NOTHING_KNOWN
    days, oldest = account.days, day - WINDOW
    last = day if day in days else next((d for d in range(day, oldest, -1) if d in days), None)
    if last is None:
        return Inputs(0.0, 0.0, account.breadth(day, WINDOW) / FULL_BREADTH if account.features else 0.0, 0.0)
    active = sum(map(days.__contains__, range(last, oldest, -1)))
    users = account.users_on(day)
    return Inputs(
        recency=1 - (day - last) / WINDOW,
        frequency=min(1.0, active / (regular_days * WINDOW / WEEK)),
        breadth=min(1.0, account.breadth(day, WINDOW) / FULL_BREADTH),
        share_active=min(1.0, account.weekly.get(day, 0) / users) if users > 0 else 0.0,
    )


@lru_cache(4096)
def score_of(inputs: Inputs) -> int:
    """The activity index in hundredths, 0 to 10000."""
    return round(100 * sum(map(mul, WEIGHTS.values(), inputs)))


@lru_cache(4096)
def drivers_of(inputs: Inputs) -> tuple[Driver, ...]:
    """Signed parts that add up to score minus baseline exactly, rounded by largest remainder. Inputs are days and users
    by few, so that many accounts have the same."""
    exact = [100 * weight * (value - 0.5) for weight, value in zip(WEIGHTS.values(), inputs, strict=True)]
    parts = largest_remainder(exact, score_of(inputs) - 100 * BASELINE)
    return tuple(map(Driver, WEIGHTS, inputs, parts))


def difference_of(before: Inputs, after: Inputs) -> dict[str, int]:
    """What changed the index, in hundredths, by the inputs that are not as they were: rounded as drivers are."""
    exact = {
        name: 100 * weight * (now - was)
        for (name, weight), was, now in zip(WEIGHTS.items(), before, after, strict=True)
        if was != now
    }
    return dict(zip(exact, largest_remainder([*exact.values()], score_of(after) - score_of(before)), strict=True))
