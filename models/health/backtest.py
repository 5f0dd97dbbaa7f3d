"""A history judged walk-forward: what each model would have said of each snapshot, before its label was known.

Every model learns from the same examples in the same order, and predicts each snapshot by the version that was known at
its day; so nothing looks ahead. The heuristic and visits alone stand beside them on the same rows.
"""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import NamedTuple

import msgspec

from models.health.baselines import BASELINES, Baseline
from models.health.champion import Version
from models.health.learning import Learning, Predicted
from models.health.track import Track
from models.product import Product

UP_TO_DAY = "usage_year"
"""The input that a whole history of usage is set beside: the same counted until the snapshot, of 400 days at most."""


class Labels(NamedTuple):
    """Labels that have been learned: with the event, and without."""

    with_event: int = 0
    without: int = 0


class Walk:
    """One learned model's way through the history, and its track record."""

    def __init__(self, product: Product, kind: str) -> None:
        health = msgspec.structs.replace(product.health, model=kind)
        self.learning = Learning(msgspec.structs.replace(product, health=health), told=self._take)
        self.track = Track()
        self._since: int | None = None

    def _take(self, predicted: list[Predicted]) -> None:
        self._notice(self.learning.latest)
        for example, version, eta in predicted:
            self.track.add(example, version.calibration.probability(eta))

    def _notice(self, version: Version | None) -> None:
        if self._since is None and version is not None and version.enough:
            self._since = version.day + 1

    @property
    def scores_since(self) -> int | None:
        """The first day that would have been closed with this model's score; None if it never had enough to score."""
        self._notice(self.learning.latest)
        return self._since

    @property
    def labels(self) -> Labels:
        version = self.learning.latest
        return Labels() if version is None else Labels(version.events, version.others)


class Backtest:
    """The champion, its challengers and the baselines on one history.

    The champion's `learning` is the one that the replayed core closes its days with; every record of `health-examples`
    goes to it and to the challengers' alike.
    """

    def __init__(self, product: Product, challengers: Iterable[str] = ()) -> None:
        self.product = product
        self.champion = Champion(product)
        self.challengers = {kind: Walk(product, kind) for kind in challengers}

    @property
    def models(self) -> dict[str, Walk]:
        """Every learned model by its kind, the champion first."""
        return {self.product.health.model: self.champion, **self.challengers}


class Champion(Walk):
    """The champion's way. It meets the baselines on its rows, which are everybody's."""

    def __init__(self, product: Product) -> None:
        super().__init__(product, product.health.model)
        chosen = product.health.inputs
        parameters = {
            "wanted": product.label.kind == "conversion",
            "regular_days": product.actions.regular_days_per_week,
        }
        self.missing = {one.kind: missing for one in BASELINES if (missing := one.missing(chosen))}
        """Baselines that cannot be told, and the inputs that they lack."""
        self._baselines: list[Baseline] = [one.fresh(parameters) for one in BASELINES if one.kind not in self.missing]
        self.baselines = {one.kind: Track() for one in self._baselines}
        self.usage = Track()
        """Usage up to each snapshot, as an order by risk."""
        self._sign = 1.0 if product.label.kind == "conversion" else -1.0

    def _take(self, predicted: list[Predicted]) -> None:
        super()._take(predicted)
        for example, _, _ in predicted:
            for one in self._baselines:
                self.baselines[one.kind].add(example, one.log_odds(example.features))
            used = example.features.get(UP_TO_DAY, 0.0)
            self.usage.add(example, self._sign * (used if isfinite(used) else 0.0))

    def looking_ahead(self, totals: Mapping[str, float]) -> Track:
        """The same rows ordered by what nobody could have known: each account's usage in the whole history."""
        return self.usage.said_of(lambda account: self._sign * totals.get(account, 0.0))
