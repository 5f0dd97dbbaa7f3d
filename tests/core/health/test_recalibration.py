"""Intercept and slope by statsmodels' logistic regressions; none where the likelihood has no peak."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from models.health.measured import Measured
from models.health.recalibration import intercept, log_odds, slope
from models.health.replicates import draws
from tests.core.health.judged import population, predictions
from tests.support.build import checked

pytestmark = pytest.mark.core


def sample(seed: int, n: int, a: float, b: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log odds, labels that follow a + b·x, and whole weights."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-1.5, 1.5, n)
    return x, (rng.random(n) < expit(a + b * x)).astype(float), rng.poisson(1, n).astype(float)


@given(st.integers(0, 10**6), st.integers(60, 300), st.floats(-1, 2), st.floats(0.3, 2))
@checked(30)
def test_both_are_those_of_a_logistic_regression(seed: int, n: int, a: float, b: float) -> None:
    x, label, weight = sample(seed, n, a, b)
    both = sm.GLM(label, sm.add_constant(x), family=sm.families.Binomial(), freq_weights=weight).fit(tol=1e-14)
    large = sm.GLM(label, np.ones(n), family=sm.families.Binomial(), freq_weights=weight, offset=x).fit(tol=1e-14)
    assert slope(x, weight * label, weight) == pytest.approx(both.params[1], rel=1e-7, abs=1e-9)
    assert intercept(x, weight * label, weight) == pytest.approx(large.params[0], rel=1e-7, abs=1e-9)


def test_many_at_once_are_each_alone() -> None:
    x, label, _ = sample(1, 200, 0.5, 0.7)
    weights = np.random.default_rng(2).poisson(1, (50, 200)).astype(float)
    for fit in (intercept, slope):
        together = fit(x, weights * label, weights)
        assert together == pytest.approx([float(fit(x, one * label, one)) for one in weights], rel=1e-9)


@pytest.mark.parametrize(
    ("x", "label"), [([-1, 0, 1, 2], [0, 0, 1, 1]), ([-1, 0, 1, 2], [1, 1, 0, 0]), ([1, 1, 1], [0, 1, 0])]
)
def test_a_slope_without_end_or_without_spread_is_not_known(x: list[float], label: list[float]) -> None:
    assert np.isnan(slope(np.array(x, dtype=float), np.array(label, dtype=float), np.ones(len(x))))


@pytest.mark.parametrize("label", [[0, 0, 0], [1, 1, 1], []])
def test_one_kind_of_labels_is_nothing_known(label: list[float]) -> None:
    x, seen = np.linspace(-1, 1, len(label)), np.array(label, dtype=float)
    assert np.isnan(intercept(x, seen, np.ones(len(x)))) and np.isnan(slope(x, seen, np.ones(len(x))))


def test_far_from_calibrated_still_finds_the_peak() -> None:
    """A p of 0 or 1 that was wrong is a log odds of about 20; plain Newton steps would run away."""
    rng = np.random.default_rng(3)
    p, label = rng.integers(0, 2, 400).astype(float), rng.random(400) < 0.4
    fit = sm.GLM(label.astype(float), sm.add_constant(p), family=sm.families.Binomial()).fit(tol=1e-14)
    found = slope(log_odds(p), label.astype(float), np.ones(400))
    assert found == pytest.approx(fit.params[1] / np.ptp(log_odds(p)), rel=1e-6)


def test_rounded_log_odds_change_a_replicate_by_little() -> None:
    rows = population(4, 400)
    measured = Measured(rows)
    weights = next(draws(400, len(rows), 20))
    found = measured.recalibrations(weights)
    row_weights = weights[:, rows.account]
    x, events = log_odds(rows.p), row_weights * rows.label
    exact = {"slope": slope(x, events, row_weights), "intercept": intercept(x, events, row_weights)}
    for name, expected in exact.items():
        assert found[name] == pytest.approx(expected, abs=0.01 * expected.std())


def test_what_is_calibrated_asks_for_no_change() -> None:
    found = Measured(population(5, 20_000, rows=1)).recalibration()
    assert abs(found["intercept"][0]) < 0.1 and abs(found["slope"][0] - 1) < 0.1
    certain = Measured(predictions([0, 1, 0, 1], [0, 1, 1, 0])).recalibration()
    assert np.isfinite([certain["intercept"][0], certain["slope"][0]]).all()
