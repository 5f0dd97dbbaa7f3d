"""Trees: their parts by another route, from River's own predictions and leaves; and what may be read as a tree."""

from functools import cache
from itertools import pairwise
from math import log
from typing import Any

import numpy as np
import pytest
from river.tree.nodes.branch import NumericBinaryBranch

from models.health.classifier import fresh
from models.health.inputs import readable
from models.health.nodes import read, written
from models.health.trees import RESIDUAL, Grown

pytestmark = pytest.mark.core

EAGER = {"grace": 20, "delta": 0.1, "tau": 0.1, "depth": 5}


def drawn(seed: int, n: int) -> list[tuple[dict[str, float], bool]]:
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < 0.3
    values = rng.normal(size=(n, 4)) + np.outer(labels, [1.5, -1.5, 0, 0])
    return [(dict(zip("abcd", row, strict=True)), y) for row, y in zip(values.tolist(), labels.tolist(), strict=True)]


@cache
def grown(kind: str, leaf: str, n: int = 600) -> Grown:
    model = fresh(kind, EAGER | {"leaf": leaf})
    for features, label in drawn(1, n):
        model.learn(features, label)
    assert isinstance(model, Grown)
    return model


def trees(model: Grown) -> list[Any]:
    return list(model._trees())


def leaves(node: Any) -> list[Any]:
    return (
        [leaf for child in node.children for leaf in leaves(child)] if isinstance(node, NumericBinaryBranch) else [node]
    )


def log_odds(node: Any) -> float:
    events, others = (sum(leaf.stats.get(label, 0.0) for leaf in leaves(node)) for label in (True, False))
    return log((events + 0.5) / (others + 0.5))


def test_a_forest_is_the_mean_of_its_trees_log_odds_as_river_predicts_them() -> None:
    model = grown("forest", "mc")
    for features, _ in drawn(2, 100):
        known, each = readable(features), []
        for tree in trees(model):
            weight = tree._root.traverse(known).total_weight
            p = tree.predict_proba_one(known).get(True, 0.0)
            each.append(log((p * weight + 0.5) / ((1 - p) * weight + 0.5)))
        assert model.log_odds(features) == pytest.approx(np.mean(each), abs=1e-9)


@pytest.mark.parametrize("kind", ["tree", "forest"])
def test_parts_are_the_steps_along_the_way_to_the_leaf(kind: str) -> None:
    model = grown(kind, "mc")
    roots = [tree._root for tree in trees(model)]
    assert all(isinstance(root, NumericBinaryBranch) for root in roots)
    for features, _ in drawn(3, 100):
        steps: dict[str, list[float]] = {name: [] for name in "abcd"}
        for root in roots:
            way = list(root.walk(readable(features)))
            for node, after in pairwise(way):
                if after is not node:
                    steps[node.feature].append(log_odds(after) - log_odds(node))
        eta0, phi = model.parts(features)
        assert eta0 == pytest.approx(np.mean([log_odds(root) for root in roots]))
        for name, found in steps.items():
            assert phi.get(name, 0.0) == pytest.approx(sum(found) / len(roots), abs=1e-9)
        assert phi[RESIDUAL] == pytest.approx(0, abs=1e-9)


def test_what_a_leaf_says_beyond_its_labels_is_residual() -> None:
    model = grown("tree", "nb")
    assert any(abs(model.parts(features)[1][RESIDUAL]) > 0.1 for features, _ in drawn(4, 100))
    [tree] = trees(model)
    for features, _ in drawn(4, 100):
        known = readable(features)
        leaf = list(tree._root.walk(known))[-1]
        votes = leaf.prediction(known, tree=tree)
        p, weight = votes.get(True, 0.0) / sum(votes.values()), leaf.total_weight
        assert model.log_odds(features) == pytest.approx(log((p * weight + 0.5) / ((1 - p) * weight + 0.5)), abs=1e-9)


def test_steps_at_unknown_features_are_residual() -> None:
    model = grown("forest", "mc")
    eta0, phi = model.parts({})
    assert phi.keys() == {RESIDUAL} and phi[RESIDUAL] != 0
    assert model.log_odds({}) == pytest.approx(eta0 + phi[RESIDUAL])


def test_only_what_is_listed_is_written_or_read() -> None:
    with pytest.raises(TypeError, match="complex"):
        written([1j], {})
    with pytest.raises(TypeError, match="function"):
        written({"a": drawn}, {})
    for name in ("os.system", "river.tree.HoeffdingTreeClassifier"):
        with pytest.raises(KeyError):
            read({"is": name, "with": {}}, {})
    with pytest.raises(ValueError, match="no part"):
        read({"py/object": "builtins.eval"}, {})
