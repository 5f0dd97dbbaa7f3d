"""Naive Bayes: River's own odds, and what it does not say."""

from math import log

import numpy as np
import pytest
from river.naive_bayes import GaussianNB

from models.health.classifier import fresh
from models.health.inputs import readable

pytestmark = pytest.mark.core


def drawn(seed: int, n: int) -> list[tuple[dict[str, float], bool]]:
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < 0.3
    values = rng.normal(size=(n, 3)) + np.outer(labels, [1, -1, 0])
    return [(dict(zip("abc", row, strict=True)), y) for row, y in zip(values.tolist(), labels.tolist(), strict=True)]


def test_odds_are_rivers() -> None:
    model, river = fresh("bayes", {}), GaussianNB()
    for features, label in drawn(1, 2_000):
        model.learn(features, label)
        river.learn_one(readable(features), label)
    for features, _ in drawn(2, 100):
        proba = river.predict_proba_one(readable(features))
        assert model.log_odds(features) == pytest.approx(log(proba[True] / proba[False]), abs=2e-3)


def test_one_feature_says_so_much_at_most_and_nothing_before_it_is_known_often_enough() -> None:
    model = fresh("bayes", {"least": 10})
    rows = drawn(3, 400)
    events = 0
    for features, label in rows:
        if events < 10:
            assert set(model.parts(features)[1].values()) <= {0.0}
        model.learn(features, label)
        events += label
    phi = model.parts({"a": 1e9, "b": 0.5})[1]
    assert abs(phi["a"]) == 8 and 0 < abs(phi["b"]) < 8
