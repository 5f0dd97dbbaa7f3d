"""What every kind of model keeps to: its state is data, its parts add up, and strange inputs leave it usable."""

from math import inf, isfinite, nan
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from models.health.classifier import KINDS, Classifier, fresh, restore

pytestmark = [pytest.mark.core, pytest.mark.parametrize("kind", KINDS)]

Row = tuple[dict[str, float], bool]
EAGER: dict[str, dict[str, Any]] = {
    "logistic": {"rate": 0.05},
    "bayes": {"least": 2},
    "tree": {"grace": 20, "delta": 0.1, "tau": 0.2, "window": 20},
    "forest": {"trees": 3},
}
"""Parameters with which a few examples already make branches."""


def drawn(seed: int, n: int, rate: float = 0.3, toward: float = 1.5) -> list[Row]:
    """Examples of four features: two of them tell, the third is noise, the fourth is often unknown."""
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < rate
    values = rng.normal(size=(n, 4)) + toward * np.outer(labels, [1, -1, 0, 0])
    unknown = rng.random(n) < 0.5
    rows = [
        dict(zip("abcd"[: 3 if gone else 4], row, strict=False))
        for row, gone in zip(values.tolist(), unknown, strict=True)
    ]
    return list(zip(rows, labels.tolist(), strict=True))


def learned(kind: str, rows: list[Row]) -> Classifier:
    model = fresh(kind, EAGER[kind])
    for features, label in rows:
        model.learn(features, label)
    return model


def written(model: Classifier) -> bytes:
    return msgspec.json.encode(model.state())


def auc(model: Classifier, rows: list[Row]) -> float:
    labels = np.array([label for _, label in rows])
    ranks = rankdata([model.log_odds(features) for features, _ in rows])
    events = labels.sum()
    return (ranks[labels].sum() - events * (events + 1) / 2) / (events * (len(rows) - events))


@pytest.mark.parametrize(("rate", "least"), [(0.3, 0.8), (0.02, 0.65)])
def test_riskier_accounts_rank_higher(kind: str, rate: float, least: float) -> None:
    """Two features at 1.5 standard deviations would give .93 to whoever knew it."""
    assert auc(learned(kind, drawn(1, 3_000, rate)), drawn(2, 1_000)) > least


def test_equal_histories_give_equal_bytes_and_the_state_is_all_there_is(kind: str) -> None:
    """With a drift in the middle, so that trees grow, are watched and are replaced."""
    rows = drawn(3, 500) + drawn(4, 500, toward=-1.5)
    model, again = learned(kind, rows), learned(kind, rows)
    assert written(model) == written(again)
    restored = restore(kind, msgspec.json.decode(written(model)))
    assert written(restored) == written(model)
    for features, label in drawn(5, 600):
        model.learn(features, label)
        restored.learn(dict(reversed(features.items())), label)
    assert written(restored) == written(model)
    assert all(restored.parts(features) == model.parts(features) for features, _ in drawn(6, 50))


def test_parts_add_up_and_reading_does_not_learn(kind: str) -> None:
    model = learned(kind, drawn(7, 800))
    before = written(model)
    for features, _ in [*drawn(8, 200), ({}, True), ({"a": 1e300, "new": 1.0}, True)]:
        eta0, phi = model.parts(features)
        assert isfinite(eta0) and all(map(isfinite, phi.values()))
        assert model.log_odds(features) == pytest.approx(eta0 + sum(phi.values()), abs=1e-9)
        assert phi.keys() - {"residual"} <= features.keys()
    assert written(model) == before


def test_unknown_counts_as_typical(kind: str) -> None:
    """The typical log odds do not depend on the account, and an unknown feature has no part."""
    model = learned(kind, drawn(9, 800))
    baselines = {model.parts(features)[0] for features, _ in drawn(10, 50)}
    assert baselines == {model.parts({})[0]}
    assert model.parts({"a": nan, "b": inf}) == model.parts({})
    assert all(part == 0 for name, part in model.parts({})[1].items() if name != "residual")


def test_what_is_not_finite_is_learned_as_if_it_were_absent(kind: str) -> None:
    rows = drawn(11, 400)
    strange = [({"d": (nan, inf, -inf)[i % 3]} | features, label) for i, (features, label) in enumerate(rows)]
    assert written(learned(kind, strange)) == written(learned(kind, rows))


def test_huge_values_leave_it_usable(kind: str) -> None:
    rows = drawn(12, 1_500)
    wild = [
        ({**f, "a": (1e300, -1e300)[i % 2], "c": 1.7e308} if i % 300 == 50 else f, y) for i, (f, y) in enumerate(rows)
    ]
    model = learned(kind, wild)
    assert written(restore(kind, msgspec.json.decode(written(model)))) == written(model)
    assert auc(model, drawn(13, 1_000)) > 0.8


def test_a_constant_feature_has_no_part(kind: str) -> None:
    rows = [({**features, "k": 0.1}, label) for features, label in drawn(14, 800)]
    model = learned(kind, rows)
    assert all(model.parts(features)[1].get("k", 0.0) == 0 for features, _ in rows[:100])


def test_features_come_and_go(kind: str) -> None:
    early = [({k: v for k, v in features.items() if k != "b"}, label) for features, label in drawn(15, 600)]
    model = learned(kind, early)
    assert model.parts({"b": 3.0})[1].get("b", 0.0) == 0
    for features, label in drawn(16, 1_200):
        model.learn(features, label)
    assert sum(features["b"] * model.parts(features)[1].get("b", 0.0) for features, _ in drawn(19, 300)) < 0
    late = [({k: v for k, v in features.items() if k != "a"}, label) for features, label in drawn(20, 300)]
    for features, label in late:
        model.learn(features, label)
    assert not any("a" in model.parts(features)[1] for features, _ in late)
    assert auc(model, late) > 0.7


def test_contradictory_and_repeated_labels_are_learned_as_even_odds(kind: str) -> None:
    rows = [(features, label) for features, _ in drawn(17, 300) for label in (True, False)] * 2
    model = learned(kind, rows)
    assert abs(np.mean([model.log_odds(features) for features, _ in rows])) < 1


def test_one_label_only_and_none_at_all(kind: str) -> None:
    assert fresh(kind, {}).parts({"a": 1.0})[0] == 0
    model = learned(kind, [(features, False) for features, _ in drawn(18, 300)])
    assert -12 < model.log_odds({"a": 1.0}) < -4


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.tuples(st.dictionaries(st.sampled_from("abcd"), st.floats()), st.booleans()), max_size=60),
    one=st.dictionaries(st.sampled_from("abcdef"), st.floats()),
)
def test_any_examples_at_all(kind: str, rows: list[Row], one: dict[str, float]) -> None:
    model = learned(kind, rows)
    again = restore(kind, msgspec.json.decode(written(model)))
    assert written(again) == written(model) and again.parts(one) == model.parts(one)
    assert isfinite(model.log_odds(one))
