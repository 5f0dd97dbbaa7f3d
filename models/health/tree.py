"""Hoeffding adaptive tree (Bifet and Gavaldà 2009), by River: one tree, of which a branch that drifts is regrown."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from river.tree import HoeffdingAdaptiveTreeClassifier
from river.tree.splitter import GaussianSplitter

from models.health.trees import NEVER, Grown


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """As River's, and as those of `forest`. window: examples before a regrown branch may take its place."""

    grace: int = 200
    delta: float = 1e-7
    tau: float = 0.05
    depth: int = 12
    leaf: str = "nba"
    window: int = 300
    seed: int = 1


class Tree(Grown):
    """Branches that are being regrown do not take part in predictions, only in learning."""

    parameters = Parameters
    kind = "tree"
    learned = (
        "classes",
        "_root",
        "_n_active_leaves",
        "_n_inactive_leaves",
        "_n_alternate_trees",
        "_n_pruned_alternate_trees",
        "_n_switch_alternate_trees",
        "_train_weight_seen_by_model",
    )

    @staticmethod
    def _made(how: Parameters) -> Any:
        return HoeffdingAdaptiveTreeClassifier(
            grace_period=how.grace,
            max_depth=how.depth,
            split_criterion="hellinger",
            delta=how.delta,
            tau=how.tau,
            leaf_prediction=how.leaf,
            splitter=GaussianSplitter(),
            drift_window_threshold=how.window,
            max_share_to_split=1.0,
            memory_estimate_period=NEVER,
            seed=how.seed,
        )

    def _trees(self) -> Iterable[Any]:
        return [self._river]
