"""Adaptive random forest (Gomes and others 2017), by River: trees on resampled examples and some of the features each,
of which one that drifts is replaced."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from river.forest import ARFClassifier
from river.tree.splitter import GaussianSplitter

from models.health.trees import NEVER, Grown


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """As River's. features: how many of them a leaf looks at, or sqrt or log2 of all; resampling: mean weight of an
    example in a tree; grace: weight between a leaf's attempts to split; delta: chance that a split is not the best
    one; tau: margin below which that is no matter; leaf: mc (labels), nb (naive Bayes) or nba (whichever was right
    more often): with labels alone, all is the features' part, and rare events rank better."""

    trees: int = 10
    features: int | str = "sqrt"
    resampling: int = 6
    grace: int = 50
    delta: float = 0.01
    tau: float = 0.05
    depth: int = 8
    leaf: str = "mc"
    seed: int = 1


class Forest(Grown):
    """The mean of its trees' log odds: their opinions pooled as logarithms (Genest and Zidek 1986), so that the parts
    add up; River's own vote pools probabilities."""

    parameters = Parameters
    kind = "forest"
    learned = (
        "data",
        "max_features",
        "_background",
        "_drift_detectors",
        "_warning_detectors",
        "_drift_tracker",
        "_warning_tracker",
    )

    @staticmethod
    def _made(how: Parameters) -> Any:
        return ARFClassifier(
            n_models=how.trees,
            max_features=how.features,
            lambda_value=how.resampling,
            disable_weighted_vote=True,
            grace_period=how.grace,
            max_depth=how.depth,
            split_criterion="hellinger",
            delta=how.delta,
            tau=how.tau,
            leaf_prediction=how.leaf,
            splitter=GaussianSplitter(),
            max_share_to_split=1.0,
            memory_estimate_period=NEVER,
            seed=how.seed,
        )

    def _trees(self) -> Iterable[Any]:
        return iter(self._river)
