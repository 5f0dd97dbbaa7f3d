"""The default model: River's scaler and logistic regression as the oracle, and what strange inputs do to it."""

from math import asinh, exp, inf, isfinite, log, nan, sqrt

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import linear_model, optim, preprocessing

from models.health.classifier import Classifier, fresh, restore

pytestmark = pytest.mark.core

Row = tuple[dict[str, float], bool]


def drawn(seed: int, n: int, rate: float = 0.3) -> list[Row]:
    """Examples of five features of which one is risk, one protection and the rest are noise."""
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < rate
    values = rng.normal(size=(n, 5)) * [1, 1, 1, 30, 0.01] + np.outer(labels, [1, -1, 0, 0, 0])
    return [
        (dict(zip("abcde", row, strict=True)), bool(label)) for row, label in zip(values.tolist(), labels, strict=True)
    ]


def learned(rows: list[Row], **parameters: float) -> Classifier:
    model = fresh("logistic", parameters)
    for features, label in rows:
        model.learn(features, label)
    return model


def weights(model: Classifier) -> dict[str, float]:
    return {name: one["weight"] for name, one in model.state()["inputs"].items()}


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_weights_and_log_odds_are_rivers(balance: float, missing: float) -> None:
    """River's own scaler and regression are given the same squashed features, moving base rate and example weights."""
    rng, scaler, penalty = np.random.default_rng(5), preprocessing.StandardScaler(), 0.0 if missing else 1e-3
    river = linear_model.LogisticRegression(optim.SGD(0.05), l2=penalty, intercept_lr=0.02)
    plain = {"rate": 0.05, "intercept_rate": 0.02, "slowing": 0.0, "memory": 0}
    model = fresh("logistic", {**plain, "penalty": penalty, "balance": balance})
    counts, base = {True: 0.5, False: 0.5}, 0.0
    for features, label in drawn(1, 800, 0.1):
        kept = {name: value for name, value in features.items() if rng.random() >= missing}
        squashed = {name: asinh(value) for name, value in kept.items()}
        scaler.learn_one(squashed)
        counts[label] += 1
        shift = log(counts[True] / counts[False])
        river.intercept += (1 - balance) * shift - base
        base = (1 - balance) * shift
        frequent = max(counts, key=lambda one: counts[one])
        weight = (min(counts.values()) / max(counts.values())) ** balance if label == frequent else 1.0
        river.learn_one(scaler.transform_one(squashed), label, w=weight)
        model.learn(kept, label)
    assert weights(model) == pytest.approx(river.weights, rel=1e-9, abs=1e-9)
    assert model.state()["intercept"] == pytest.approx(river.intercept - base, rel=1e-9)
    for features, _ in drawn(2, 50):
        ours = model.log_odds(features) - balance * log(counts[True] / counts[False])
        standardised = scaler.transform_one({name: asinh(value) for name, value in features.items()})
        assert ours == pytest.approx(river._raw_dot_one(standardised), rel=1e-9, abs=1e-9)


class Slowing(optim.base.Scheduler):
    def get(self, t: int) -> float:
        return 0.05 / sqrt(1 + (t + 1) / 100)


def test_steps_grow_smaller_and_what_is_read_is_averaged_over_them() -> None:
    """River with a schedule of its own; the averages by the definition, from the weights at every 16th example."""
    scaler = preprocessing.StandardScaler()
    river = linear_model.LogisticRegression(optim.SGD(Slowing()), intercept_lr=0.0)
    model = fresh("logistic", {"rate": 0.05, "intercept_rate": 0.0, "slowing": 100.0, "memory": 300})
    average, base, counts = dict.fromkeys("abcde", 0.0), 0.0, {True: 0.5, False: 0.5}
    for number, (features, label) in enumerate(drawn(4, 1_000), 1):
        squashed = {name: asinh(value) for name, value in features.items()}
        scaler.learn_one(squashed)
        counts[label] += 1
        river.intercept += log(counts[True] / counts[False]) - base
        base = log(counts[True] / counts[False])
        river.learn_one(scaler.transform_one(squashed), label)
        model.learn(features, label)
        if number % 16 == 0:
            share = 16 / min(number, 300)
            average = {name: held + share * (river.weights[name] - held) for name, held in average.items()}
    assert {name: one["average"] for name, one in model.state()["inputs"].items()} == pytest.approx(average, rel=1e-9)
    _, parts = model.parts(features)
    expected = {name: average[name] * away for name, away in scaler.transform_one(squashed).items()}
    assert parts == pytest.approx(expected, rel=1e-9)


def test_few_events_are_ranked_and_their_rate_is_known_from_the_start() -> None:
    rows = drawn(3, 20_000, 0.004)
    model = learned(rows)
    found = weights(model)
    assert found["a"] > 0.3 and found["b"] < -0.3
    assert all(abs(found[noise]) < 0.25 for noise in "cde")
    p = [1 / (1 + exp(-model.log_odds(features))) for features, _ in rows]
    assert 0.5 < sum(p) / sum(label for _, label in rows) < 2
    typical, _ = learned(rows[:300]).parts({})
    assert typical == pytest.approx(log((sum(y for _, y in rows[:300]) + 0.5) / 300), abs=0.1)


@pytest.mark.parametrize("balance", [0.0, 1.0])
def test_balance_moves_the_steps_and_not_the_level(balance: float) -> None:
    rows = drawn(4, 20_000, 0.03)
    model = learned(rows, balance=balance)
    p = [1 / (1 + exp(-model.log_odds(features))) for features, _ in rows[10_000:]]
    assert sum(p) == pytest.approx(sum(label for _, label in rows[10_000:]), rel=0.25)


def test_what_is_not_finite_is_as_if_it_were_absent() -> None:
    rows = drawn(6, 200)
    absent = [({k: v for k, v in f.items() if k != "c" or i % 3}, y) for i, (f, y) in enumerate(rows)]
    strange = [(f if i % 3 else {**f, "c": (nan, inf, -inf)[i % 9 // 3]}, y) for i, (f, y) in enumerate(rows)]
    assert learned(absent).state() == learned(strange).state()
    model = learned(rows)
    eta0, phi = model.parts({"a": 1.0, "b": nan, "c": inf})
    assert phi.keys() == {"a"} and model.log_odds({"a": 1.0, "b": nan, "c": inf}) == eta0 + phi["a"]
    assert model.log_odds({}) == eta0


def test_a_constant_feature_has_no_effect() -> None:
    rows = drawn(7, 300)
    with_it = learned([({**f, "k": 0.1}, y) for f, y in rows])
    assert with_it.parts({"k": 0.1}) == (learned(rows).parts({})[0], {"k": 0.0})
    assert weights(with_it) == weights(learned(rows)) | {"k": 0.0}


def test_huge_values_leave_the_model_usable() -> None:
    rows = drawn(8, 4_000)
    wild = [({**f, "a": (1e300, -1e300)[i % 2]} if i in {0, 1_000, 1_001} else f, y) for i, (f, y) in enumerate(rows)]
    model = learned(wild)
    assert all(isfinite(one) for values in model.state()["inputs"].values() for one in values.values())
    assert weights(model)["a"] == pytest.approx(weights(learned(rows))["a"], rel=0.35)
    _, phi = model.parts({"a": 1e300})
    assert phi["a"] <= 8 * weights(model)["a"]


def test_a_feature_that_appears_starts_at_nothing_and_one_that_goes_stops_counting() -> None:
    rows = drawn(9, 600)
    without = [({k: v for k, v in f.items() if k != "a"}, y) for f, y in rows[:300]]
    model = learned(without)
    assert model.log_odds({"a": 5.0}) == model.log_odds({})
    model.learn(*rows[300])
    assert weights(model)["a"] == 0.0  # the first value is typical
    for features, label in rows[301:]:
        model.learn(features, label)
    assert weights(model)["a"] > 0.1
    before = weights(model)["a"]
    for features, label in without:
        model.learn(features, label)
    assert weights(model)["a"] == before and "a" not in model.parts({"b": 1.0})[1]


def test_contradictory_labels_cancel() -> None:
    rows = [(features, label) for features, _ in drawn(10, 3_000) for label in (True, False)]
    assert all(abs(weight) < 0.1 for weight in weights(learned(rows)).values())


def test_the_same_example_again_and_again_ends_in_bounds() -> None:
    model = learned(drawn(11, 50) + [({"a": 1e300, "b": -1e300}, True)] * 5_000)
    assert abs(model.log_odds({"a": 1e300, "b": -1e300})) < 50


Features = st.dictionaries(st.sampled_from("abcdef"), st.floats(), max_size=6)
Rows = st.lists(st.tuples(Features, st.booleans()), max_size=30)


@given(Rows, Rows, Features, st.floats(0, 1))
def test_state_is_json_and_the_whole_model(
    before: list[Row], after: list[Row], one: dict[str, float], balance: float
) -> None:
    model = learned(before, balance=balance)
    written = msgspec.json.encode(model.state())
    again = restore("logistic", msgspec.json.decode(written))
    assert msgspec.json.encode(again.state()) == written
    for features, label in after:
        model.learn(features, label)
        again.learn(dict(reversed(features.items())), label)
    assert msgspec.json.encode(model.state()) == msgspec.json.encode(again.state())
    assert model.parts(one) == again.parts(one)


@given(Rows, Features)
def test_parts_add_up_and_reading_does_not_learn(rows: list[Row], one: dict[str, float]) -> None:
    model = learned(rows, rate=0.5)
    before = msgspec.json.encode(model.state())
    eta0, phi = model.parts(one)
    assert isfinite(model.log_odds(one)) and model.log_odds(one) == eta0 + sum(phi.values())
    assert msgspec.json.encode(model.state()) == before


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind of model"):
        fresh("oracle", {})
    with pytest.raises(msgspec.ValidationError):
        fresh("logistic", {"rte": 0.1})
