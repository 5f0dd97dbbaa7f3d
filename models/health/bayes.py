"""Naive Bayes: each feature is normal among the accounts with the event and among those without, and each counts for
itself. Learned by River's `GaussianNB`."""

from collections.abc import Mapping
from math import isfinite
from typing import Self

import msgspec
from msgspec import Struct
from river.naive_bayes import GaussianNB
from river.proba import Gaussian

from models.health.inputs import readable
from models.health.odds import log_odds_of
from models.health.state import State

FURTHEST = 8.0
"""Log odds that one feature can move at most: a normal tail says more than anybody knows."""


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """least: examples of either label in which a feature must have been known before it counts."""

    least: int = 10


class Normal(Struct, array_like=True):
    """One feature among the examples of one label: how many, their mean, and the sum of squared distances from it."""

    count: float
    mean: float
    squares: float


class Saved(Struct):
    """The model as data. others, events: each feature's distribution without and with the event."""

    parameters: Parameters
    labels: tuple[int, int]
    others: dict[str, Normal]
    events: dict[str, Normal]


class Bayes:
    """Log odds = those of the labels so far + the sum of each known feature's log likelihood ratio.

    A feature that is constant among either label's accounts, or known of too few of them, says nothing.
    """

    kind = "bayes"

    def __init__(self, parameters: Parameters | None = None) -> None:
        self._parameters = parameters or Parameters()
        self._river = GaussianNB()

    def learn(self, features: Mapping[str, float], label: bool) -> None:
        self._river.learn_one(readable(features), bool(label))

    def log_odds(self, features: Mapping[str, float]) -> float:
        eta0, phi = self.parts(features)
        return eta0 + sum(phi.values())

    def parts(self, features: Mapping[str, float]) -> tuple[float, dict[str, float]]:
        counts, normals = self._river.class_counts, self._river.gaussians
        events, others = normals.get(True, {}), normals.get(False, {})
        phi = {
            name: self._ratio(value, events[name], others[name])
            for name, value in readable(features).items()
            if name in events and name in others
        }
        return log_odds_of(counts[True], counts[False]), phi

    def _ratio(self, value: float, event: Gaussian, other: Gaussian) -> float:
        """How much likelier the value is with the event, as a log, cut off at `FURTHEST`."""
        if min(event.n_samples, other.n_samples) < self._parameters.least:
            return 0.0
        with_event, without = event.log_pdf(value), other.log_pdf(value)
        if not (isfinite(with_event) and isfinite(without)):
            return 0.0
        return min(max(with_event - without, -FURTHEST), FURTHEST)

    def state(self) -> State:
        counts, normals = self._river.class_counts, self._river.gaussians
        labels = (counts[False], counts[True])
        saved = Saved(self._parameters, labels, _written(normals.get(False, {})), _written(normals.get(True, {})))
        state: State = msgspec.to_builtins(saved)
        return state

    @classmethod
    def restored(cls, state: State) -> Self:
        saved = msgspec.convert(state, Saved)
        model = cls(saved.parameters)
        for label, count, normals in zip((False, True), saved.labels, (saved.others, saved.events), strict=True):
            if count:
                model._river.class_counts[label] = count
            for name, one in normals.items():
                gaussian = model._river.gaussians[label][name]
                gaussian._var.mean.n, gaussian._var.mean._mean, gaussian._var._S = one.count, one.mean, one.squares
        return model

    @classmethod
    def fresh(cls, parameters: State) -> Self:
        return cls(msgspec.convert(parameters, Parameters))


def _written(gaussians: Mapping[str, Gaussian]) -> dict[str, Normal]:
    """In the order of names: it has no effect on what is learned."""
    found = ((name, gaussians[name]._var) for name in sorted(gaussians))
    return {name: Normal(var.mean.n, var.mean._mean, var._S) for name, var in found}
