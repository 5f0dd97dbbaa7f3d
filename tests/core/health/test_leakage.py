"""An input that alone separates the classes is named, whatever way it does so; honest ones are not."""

import numpy as np
import pytest

from models.health.leakage import leaks

pytestmark = pytest.mark.core


def rows(seed: int = 1, with_event: int = 25, without: int = 300) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    label = np.arange(with_event + without) < with_event
    return np.random.default_rng(seed), label, np.arange(len(label))


def named(columns: dict[str, np.ndarray], label: np.ndarray, account: np.ndarray) -> list[tuple[str, str]]:
    features = [
        {name: float(values[row]) for name, values in columns.items() if not np.isnan(values[row])}
        for row in range(len(label))
    ]
    return [(leak.feature, leak.by) for leak in leaks(features, label, account)]


def test_leaks_are_named_and_honest_inputs_are_not() -> None:
    rng, label, account = rows()
    noise = rng.normal(size=len(label))
    columns = {
        "strong": noise + 2 * label,
        "worthless": rng.normal(size=len(label)),
        "constant": np.ones(len(label)),
        "closes": noise + 9 * label,
        "falls": noise - 9 * label,
        "endless": np.where(label, np.inf, noise),
        "reason": np.where(label, 1.0, np.nan),
    }
    assert named(columns, label, account) == [
        ("closes", "value"), ("endless", "value"), ("falls", "value"), ("reason", "presence"),
    ]  # fmt: skip


def test_what_is_said_is_the_auc_of_the_known_rows() -> None:
    label = np.arange(60) < 30
    values = np.where(label, 1.0, 0.0)
    values[0] = 0.0
    found = leaks([{"x": value} for value in values] + [{}] * 2, np.append(label, [True, False]), np.arange(62))
    assert found == []
    values[0] = 1.0
    found = leaks([{"x": value} for value in values] + [{}] * 2, np.append(label, [True, False]), np.arange(62))
    assert found == [("x", "value", 1.0, 30, 30)]


def test_few_accounts_accuse_nobody_however_many_rows() -> None:
    label = np.repeat([True, False], [500, 500])
    account = np.where(label, np.arange(1000) % 19, 100 + np.arange(1000))
    assert named({"x": label.astype(float)}, label, account) == []
    account[:20] = 1000 + np.arange(20)
    assert named({"x": label.astype(float)}, label, account) == [("x", "value")]


@pytest.mark.parametrize("label", [[], [True] * 50, [False] * 50])
def test_one_kind_of_labels_accuses_nobody(label: list[bool]) -> None:
    found = leaks([{"x": float(row)} for row in range(len(label))], np.array(label, dtype=bool), np.arange(len(label)))
    assert found == []


def test_false_alarms_are_as_rare_as_written() -> None:
    """Inputs of AUC .95, with 20 accounts against 300: about .5 % are accused; leaks of .999 almost always are."""
    rng, label, account = rows(2, 20, 300)
    honest = {f"h{one}": rng.normal(size=320) + 2.326 * label for one in range(400)}
    leaking = {f"l{one}": rng.normal(size=320) + 4.370 * label for one in range(100)}
    assert len(named(honest, label, account)) <= 8
    assert len(named(leaking, label, account)) >= 95
