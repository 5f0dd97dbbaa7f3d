"""A history judged walk-forward: what each model would have said of each snapshot, before its label was known.

Every model learns from the same examples in the same order, and predicts each snapshot by the version that was known at
its day; so nothing looks ahead. The heuristic and visits alone stand beside them on the same rows.
"""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import NamedTuple

import msgspec

from models.health.baselines import BASELINES, Baseline, index_parameters
from models.health.champion import Version
from models.health.contender import Contender, Predicted
from models.health.learning import Learning
from models.health.track import Track
from models.product import Product

UP_TO_DAY = "usage_year"
"""The input that a whole history of usage is set beside: the same counted until the snapshot, of 400 days at most."""


class Labels(NamedTuple):
    """Labels that have been learned: with the event, and without."""

    with_event: int = 0
    without: int = 0


class Walk:
    """One model's way through the history, and its track record."""

    def __init__(self) -> None:
        self.track = Track()
        self._since: int | None = None
        self.contender: Contender
        """The model itself; it tells of its predictions as it makes them."""

    def take(self, predicted: list[Predicted]) -> None:
        self._notice(self.contender.latest)
        for example, version, eta in predicted:
            self.track.add(example, version.calibration.probability(eta))

    def _notice(self, version: Version | None) -> None:
        if self._since is None and version is not None and version.enough:
            self._since = version.day + 1

    @property
    def scores_since(self) -> int | None:
        """The first day that would have been closed with this model's score; None if it never had enough to score."""
        self._notice(self.contender.latest)
        return self._since

    @property
    def labels(self) -> Labels:
        version = self.contender.latest
        return Labels() if version is None else Labels(version.events, version.others)


class Backtest:
    """The champion, its challengers and the baselines on one history.

    learning: what the replayed core sends its examples to, and closes its days with.
    """

    def __init__(self, product: Product, challengers: Iterable[str] = ()) -> None:
        kinds = tuple(kind for kind in challengers if kind != product.health.model)
        health = msgspec.structs.replace(product.health, challengers=kinds)
        self.product = msgspec.structs.replace(product, health=health)
        self.champion = Champion(product)
        self.models: dict[str, Walk] = {product.health.model: self.champion, **{kind: Walk() for kind in kinds}}
        """Every learned model by its kind, the champion first."""
        self.learning = Learning(self.product, told={kind: walk.take for kind, walk in self.models.items()})
        for kind, walk in self.models.items():
            walk.contender = self.learning.contenders[kind]


class Champion(Walk):
    """The champion's way. It meets the baselines on its rows, which are everybody's."""

    def __init__(self, product: Product) -> None:
        super().__init__()
        self._baselines: list[Baseline] = [one(index_parameters(product)) for one in BASELINES]
        self.baselines = {one.kind: Track() for one in self._baselines}
        self.usage = Track()
        """Usage up to each snapshot, as an order by risk."""
        self._sign = 1.0 if product.label.kind == "conversion" else -1.0

    def take(self, predicted: list[Predicted]) -> None:
        super().take(predicted)
        for example, _, _ in predicted:
            for one in self._baselines:
                self.baselines[one.kind].add(example, one.log_odds(example.features))
            used = example.features.get(UP_TO_DAY, 0.0)
            self.usage.add(example, self._sign * (used if isfinite(used) else 0.0))

    def looking_ahead(self, totals: Mapping[str, float]) -> Track:
        """The same rows ordered by what nobody could have known: each account's usage in the whole history."""
        return self.usage.said_of(lambda account: self._sign * totals.get(account, 0.0))
