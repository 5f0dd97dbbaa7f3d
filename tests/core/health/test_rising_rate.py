"""When to learn a label: a simulated churn process whose rate rises, learned at the horizon and on arrival.

Every account has a weekly hazard of churn that is a function of two features of its own and grows with time; one that
churns is replaced by a new one. Each week every account is looked at. By decision 8 of the design a snapshot is learned
when its horizon has passed, whatever became of the account. On arrival, a churn is learned in the week in which it
happens, and only those that stayed wait for the horizon.
"""

from math import log, sqrt
from random import Random
from statistics import fmean
from typing import NamedTuple

import pytest

from models.health.example import Example, encode_example
from models.health.learning import Learning
from models.health.odds import probability
from models.messages import encode
from models.product import Product

pytestmark = pytest.mark.core

FIRST_WEEK, WEEKS, HORIZON = 20_583, 60, 8
"""The first Sunday; weeks in all, and weeks until a label is known (56 days, the default)."""
ACCOUNTS, SEEDS = 300, 4
LOWEST, HIGHEST = -5.0, -4.4
"""Log odds of churn in a week of a typical account, in the first week and in the last: 5 % and 9 % in 56 days."""
BETWEEN_SEEDS = 0.17
"""Standard deviation of the log of observed over expected: an account is looked at 8 times before it churns."""


class Looked(NamedTuple):
    """An account looked at in a week. after: weeks until it churned, if it did within the horizon."""

    account: str
    week: int
    features: dict[str, float]
    after: int | None


def hazard(features: dict[str, float], week: int) -> float:
    """The chance that an account churns in a week."""
    base = LOWEST + (HIGHEST - LOWEST) * week / WEEKS
    return probability(base + features["x"] + 0.5 * features["y"])


def process(seed: int) -> list[Looked]:
    """Everything that was looked at, and what became of it."""
    chance, found = Random(seed), []
    for place in range(ACCOUNTS):
        began, number = 0, 0
        while began < WEEKS:
            features = {"x": chance.gauss(0, 1), "y": chance.gauss(0, 1), "noise": chance.gauss(0, 1)}
            left = next(
                (week for week in range(began, WEEKS + HORIZON) if chance.random() < hazard(features, week)), 10**6
            )
            for week in range(began, min(left + 1, WEEKS)):
                after = left + 1 - week
                found.append(Looked(f"{place} {number}", week, features, after if after <= HORIZON else None))
            began, number = left + 1, number + 1
    return found


def observed_over_expected(seed: int, on_arrival: bool) -> float:
    """Churns over what was predicted, of all that was looked at since the first version that could predict.

    Of the last weeks, whose churns are known on arrival and nothing else, there is no part in it.
    """
    by_week: dict[int, list[Looked]] = {}
    for one in process(seed):
        waits = one.after if on_arrival and one.after is not None else HORIZON
        by_week.setdefault(one.week + waits, []).append(one)
    learning, said, churns = Learning(Product()), 0.0, 0
    for week in range(WEEKS):
        day = day_of(week)
        for one in by_week.get(week, ()):
            known = Example(one.account, day_of(one.week), day, one.features, one.after is not None)
            learning.take(encode_example(known))
        learning.take(encode({"marker": day, "partition": 0}))
        learning.learn(1)
        if day in learning.champion.seen:
            rows = learning.champion.seen[day].predictions().window(day_of(0), day_of(WEEKS - HORIZON - 1))
            said, churns = said + float(rows.p.sum()), churns + int(rows.label.sum())
    return churns / said


def day_of(week: int) -> int:
    return FIRST_WEEK + 7 * week


def test_a_rising_rate_is_predicted_without_bias_by_labels_at_their_horizon_and_not_by_labels_on_arrival() -> None:
    """Of 14 seeds the mean log of the ratio was -0.01 and its standard deviation between seeds 0.17 at the horizon;
    on arrival -0.87 and 0.04: more than twice the churns that came were predicted. So the mean of 4 seeds has a standard
    error of 0.09, and 3 of them are allowed; on arrival a single seed is 4 of its deviations beyond what is asked."""
    at_horizon = fmean(log(observed_over_expected(seed, on_arrival=False)) for seed in range(SEEDS))
    on_arrival = log(observed_over_expected(0, on_arrival=True))
    assert abs(at_horizon) < 3 * BETWEEN_SEEDS / sqrt(SEEDS)
    assert on_arrival < log(0.5)
