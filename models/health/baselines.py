"""What a model has to beat: the activity index and visits alone, as classifiers that never learn.

They order accounts and say no probability: what the index is called upon, nothing has calibrated. Both are read from
the same inputs as the models, on the same rows.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Self

import msgspec
from msgspec import Struct

from models.health.features import MONTH, WEEK
from models.health.state import State
from models.index import BASELINE, FULL_BREADTH, WEIGHTS, WINDOW, Inputs
from models.product import Product

NO_PROBABILITY = "they order accounts and say no probability, so there is nothing to calibrate and no Brier score"
TENTH = 10.0
"""Points of the index that are written as one of log odds; only the order is meant."""


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """wanted: whether the event is what one hopes for, so that the busiest accounts are the likeliest to have it.
    regular_days: days a week that count as full frequency."""

    wanted: bool = False
    regular_days: float = 2.0


def index_parameters(product: Product) -> Parameters:
    """What the baselines of a product go by."""
    return Parameters(product.label.kind == "conversion", product.actions.regular_days_per_week)


class Baseline:
    """A frozen order of accounts by what they do: less of it, likelier to leave; more of it, likelier to convert."""

    kind: str
    needs: tuple[str, ...]
    """The inputs that it is read from."""

    def __init__(self, parameters: Parameters | None = None) -> None:
        self._parameters = parameters or Parameters()

    def learn(self, features: Mapping[str, float], label: bool) -> None:
        """Never learns."""

    def log_odds(self, features: Mapping[str, float]) -> float:
        eta0, phi = self.parts(features)
        return eta0 + sum(phi.values())

    def parts(self, features: Mapping[str, float]) -> tuple[float, dict[str, float]]:
        sign = 1 if self._parameters.wanted else -1
        return 0.0, {name: sign * points / TENTH for name, points in self._points(features).items()}

    def _points(self, features: Mapping[str, float]) -> dict[str, float]:
        """Points above or below the middle, by input: more is busier."""
        raise NotImplementedError

    def state(self) -> State:
        state: State = msgspec.to_builtins(self._parameters)
        return state

    @classmethod
    def restored(cls, state: State) -> Self:
        return cls.fresh(state)

    @classmethod
    def fresh(cls, parameters: State) -> Self:
        return cls(msgspec.convert(parameters, Parameters))


class Index(Baseline):
    """The activity index (`models.index`), from a model's inputs instead of the account itself."""

    kind = "index"
    needs = ("days_since_visit", "active_days", "breadth", "weekly_share")

    def _points(self, features: Mapping[str, float]) -> dict[str, float]:
        inputs = self.inputs(features)
        weighed = zip(self.needs, WEIGHTS.values(), inputs, strict=True)
        return {name: weight * value - weight * BASELINE / 100 for name, weight, value in weighed}

    def inputs(self, features: Mapping[str, float]) -> Inputs:
        """The index's four inputs. Kinds of amounts are part of the model's breadth but not of the index's."""
        amounts = sum(name.startswith("usage:") and value > 0 for name, value in features.items())
        breadth = min(1.0, max(0.0, _known(features, "breadth") - amounts) / FULL_BREADTH)
        ago = features.get("days_since_visit", WINDOW)
        if not ago < WINDOW:
            return Inputs(0.0, 0.0, breadth, 0.0)
        active = _known(features, "active_days") * MONTH / WEEK
        return Inputs(
            recency=1 - ago / WINDOW,
            frequency=min(1.0, active / (self._parameters.regular_days * WINDOW / WEEK)),
            breadth=breadth,
            share_active=min(1.0, _known(features, "weekly_share")),
        )


class Visits(Baseline):
    """Days with a visit in the last four weeks, and nothing else."""

    kind = "visits"
    needs = ("active_days",)

    def _points(self, features: Mapping[str, float]) -> dict[str, float]:
        return {"active_days": _known(features, "active_days")}


BASELINES: tuple[type[Baseline], ...] = (Index, Visits)


def _known(features: Mapping[str, float], name: str) -> float:
    value = features.get(name, 0.0)
    return value if isfinite(value) else 0.0
