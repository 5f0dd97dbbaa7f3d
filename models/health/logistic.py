"""Logistic regression on standardised features, one stochastic gradient step an example: the default model.

It is River's `StandardScaler | LogisticRegression(SGD)` behind the squash and the cut-off, to 1e-9
(tests/core/health/test_logistic.py). It is written out because River's passes over copies of the
dictionary take 1.7 times as long, more than may be spent on an example (docs/bench.md).
"""

from collections.abc import Mapping
from math import exp, isfinite, nan, sqrt
from typing import Self

import msgspec
from msgspec import Struct

from models.health.inputs import squashed
from models.health.odds import log_odds_of, probability
from models.health.state import State

FURTHEST = 8.0
"""Standard deviations from typical at which an input is cut off: one wild value cannot throw a weight or a score."""
STRIDE = 16
"""Examples between two steps of the average: at each of them it would be most of the work."""
LEAST_VARIANCE = 1e-18
"""Added to each variance: a constant feature stands at its mean, exactly, and has no effect."""


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """How the model learns.

    rate: the step of a weight. intercept_rate: that of the intercept. slowing: examples after which steps are smaller
    by the root of 2, and so on; 0 for steps of the same size. memory: examples over which what is read is averaged
    (Polyak and Juditsky 1992, with forgetting): single steps are noise; 0 for the last weights as they are.
    penalty: L2, on the weights only. balance: 0 learns from all examples alike; 1 lets both labels weigh the same in
    all, by weighing each example of the more frequent one less (so no example weighs more than 1, and no step
    explodes); between them by powers.
    """

    rate: float = 0.03
    intercept_rate: float = 0.03
    slowing: float = 3_000.0
    memory: int = 5_000
    penalty: float = 0.0
    balance: float = 0.0


class Input(Struct):
    """What is learned of one feature, on the squashed scale: mean and variance (population) of the `count` examples in
    which it was known, and the log odds that a standard deviation more is worth: last, and on average."""

    count: int = 0
    mean: float = 0.0
    variance: float = 0.0
    weight: float = 0.0
    average: float = 0.0

    def learn_scale(self, value: float) -> float:
        """Take in a value (Welford 1962), and give it standardised."""
        count, mean, variance = self.count + 1, self.mean, self.variance
        moved = mean + (value - mean) / count
        self.count, self.mean = count, moved
        self.variance = variance + ((value - mean) * (value - moved) - variance) / count
        return self.standardised(value)

    def standardised(self, value: float) -> float:
        """Standard deviations from typical, cut off at `FURTHEST`."""
        away = (value - self.mean) / sqrt(self.variance + LEAST_VARIANCE)
        return away if -FURTHEST < away < FURTHEST else FURTHEST if away > 0 else -FURTHEST


class Saved(Struct):
    """The model as data."""

    parameters: Parameters = Parameters()
    others: int = 0
    events: int = 0
    intercept: float = 0.0
    average: float = 0.0
    """Of the intercept."""
    inputs: dict[str, Input] = {}


class Logistic:
    """Log odds = those of the labels so far + intercept + the sum of weight times distance from typical.

    The intercept starts from the base rate as it is at any time, because with few events it would need thousands of
    steps to find it. With `balance`, steps are taken at the odds that the weighted examples have, and `log_odds` takes
    that shift off again (King and Zeng 2001, equation 7).
    A feature that appears starts with weight 0; where it is unknown it adds nothing and is left as it is.
    """

    kind = "logistic"

    def __init__(self, saved: Saved | None = None) -> None:
        self._now = saved or Saved()

    def learn(self, features: Mapping[str, float], label: bool) -> None:
        now, how = self._now, self._now.parameters
        self._meet(features)
        away = []
        eta = now.intercept
        for name, one in now.inputs.items():
            value = features.get(name, nan)
            if value - value == 0:
                standardised = one.learn_scale(squashed(value))
                eta += one.weight * standardised
                away.append((one, standardised))
        now.events += label
        now.others += not label
        base = log_odds_of(now.events, now.others)
        weight = exp(-how.balance * max(0.0, base if label else -base))
        gradient = weight * (probability(eta + (1 - how.balance) * base) - label)
        seen = now.events + now.others
        slowed = 1 / sqrt(1 + seen / how.slowing) if how.slowing else 1.0
        rate = how.rate * slowed
        now.intercept -= how.intercept_rate * slowed * gradient
        for one, standardised in away:
            one.weight -= rate * (gradient * standardised + how.penalty * one.weight)
        if not (seen % STRIDE and how.memory):
            self._average(seen)

    def _average(self, seen: int) -> None:
        """Move what is read towards the weights as they are: all the way without a memory."""
        now, memory = self._now, self._now.parameters.memory
        share = min(1.0, STRIDE / min(seen, memory)) if memory else 1.0
        now.average += share * (now.intercept - now.average)
        for one in now.inputs.values():
            one.average += share * (one.weight - one.average)

    def _meet(self, features: Mapping[str, float]) -> None:
        """Give features that are known for the first time a place, in the order of their names."""
        inputs = self._now.inputs
        if not features.keys() <= inputs.keys():
            inputs.update(
                (name, Input()) for name in sorted(features.keys() - inputs.keys()) if isfinite(features[name])
            )

    def log_odds(self, features: Mapping[str, float]) -> float:
        eta0, phi = self.parts(features)
        return eta0 + sum(phi.values())

    def parts(self, features: Mapping[str, float]) -> tuple[float, dict[str, float]]:
        now = self._now
        phi = {}
        for name, one in now.inputs.items():
            value = features.get(name, nan)
            if value - value == 0:
                phi[name] = one.average * one.standardised(squashed(value))
        return log_odds_of(now.events, now.others) + now.average, phi

    def state(self) -> State:
        state: State = msgspec.to_builtins(self._now)
        return state

    @classmethod
    def restored(cls, state: State) -> Self:
        return cls(msgspec.convert(state, Saved))

    @classmethod
    def fresh(cls, parameters: State) -> Self:
        return cls(Saved(msgspec.convert(parameters, Parameters)))
