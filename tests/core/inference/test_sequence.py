"""Figures watched all day: e-values by integration, bounds by root finding, and how often they err, ever."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from scipy.optimize import brentq
from scipy.stats import nct, norm
from scipy.stats import t as student

from models.inference.evidence import e_from_log, p_always_valid
from models.inference.sequence import e_value, half_width, log_e_value, tuning
from tests.support.build import checked

pytestmark = pytest.mark.core


@given(st.floats(-6, 6), st.integers(2, 150), st.integers(1, 5000), st.floats(1e-4, 0.5))
@checked(40)
def test_e_value_is_the_likelihood_ratio_mixed_over_effects(t: float, df: int, units: int, rho2: float) -> None:
    spread = np.sqrt(units * rho2)
    reach = min(10 * spread, 5 * abs(t) + 15)
    effects = np.linspace(-reach, reach, 4001)
    mixed = trapezoid(nct.pdf(t, df, effects) * norm.pdf(effects, 0, spread), effects)
    assert e_value(t, df, units, rho2) == pytest.approx(mixed / student.pdf(t, df), rel=1e-8)


@given(st.floats(0.001, 0.4), st.integers(1, 10**6), st.integers(1, 10**6), st.floats(1e-6, 2))
@checked(100)
def test_bounds_are_where_the_e_value_reaches_one_over_alpha(alpha: float, df: int, units: int, rho2: float) -> None:
    bound = half_width(alpha, df, units, rho2)
    if np.isinf(bound):
        assert log_e_value(1e150, df, units, rho2) < -np.log(alpha) + 1e-9
    else:
        root = brentq(lambda t: log_e_value(t, df, units, rho2) + np.log(alpha), 0, 2 * bound, xtol=1e-14, rtol=1e-14)
        assert bound == pytest.approx(root, rel=1e-8)


def test_many_clusters_are_the_normal_mixture() -> None:
    """Robbins' boundary: sqrt(r/(r-1) · ln(r/alpha²)) errors of a normal estimate."""
    r = 1 + 1000 * tuning(0.05, 1000)
    assert half_width(0.05, 1e9, 1000, r / 1000 - 1e-3) == pytest.approx(
        np.sqrt(r / (r - 1) * np.log(r / 0.05**2)), rel=1e-6
    )


def test_the_interval_is_narrowest_for_the_units_it_was_planned_for() -> None:
    planned = np.geomspace(100, 10_000, 81)
    widths = half_width(0.05, 1e9, 1000, [tuning(0.05, units) for units in planned])
    assert planned[widths.argmin()] == pytest.approx(1000, rel=0.15)  # the closed form is an approximation


def test_arrays_of_any_shape_are_read_at_once() -> None:
    t = np.array([[0.0, 1.0, np.nan], [3.0, np.inf, -3.0]])
    found = e_value(t, 20, 500, 0.01)
    assert found.shape == t.shape and found[1, 0] == found[1, 2] == e_value(3.0, 20, 500, 0.01)
    assert found[0, 0] < 1
    assert half_width(0.05, np.array([9, 99]), np.array([[10], [1000]]), 0.01).shape == (2, 2)


@pytest.mark.parametrize(("t", "df"), [(np.nan, 10), (np.inf, 10), (-np.inf, 10), (2.0, 0), (2.0, -1), (2.0, np.nan)])
def test_what_is_not_known_is_neither_evidence_nor_its_absence(t: float, df: float) -> None:
    assert np.isnan(e_value(t, df, 100, 0.01)) and np.isnan(p_always_valid(e_value(t, df, 100, 0.01)))
    assert np.isfinite(t) or np.isfinite(half_width(0.05, df, 100, 0.01))
    assert not np.isfinite(t) or np.isnan(half_width(0.05, df, 100, 0.01))


def test_overwhelming_evidence_is_a_number() -> None:
    assert log_e_value(1e300, 1000, 10**9, 0.01) == pytest.approx(500 * np.log(1 + 1e7), rel=1e-9)
    assert np.isfinite(e_value(1e300, 1000, 10**9, 0.01)) and p_always_valid(e_value(1e300, 1000, 10**9, 0.01)) > 0
    assert e_from_log([-2000.0, 0.0]).tolist() == [0.0, 1.0] and p_always_valid([0.0, 1.0, 20.0]).tolist() == [
        1,
        1,
        0.05,
    ]


def test_normal_outcomes_looked_at_after_every_unit_cross_no_more_often_than_alpha() -> None:
    """Here the guarantee is exact, from the second unit on."""
    runs, last = 3000, 400
    outcomes = np.random.default_rng(7).normal(size=(runs, last))
    n = np.arange(1, last + 1)
    mean = outcomes.cumsum(1) / n
    spread = np.maximum((outcomes**2).cumsum(1) / n - mean**2, 0)[:, 1:]
    t = mean[:, 1:] / np.sqrt(spread / (n[1:] - 1))
    crossed = (e_value(t, n[1:] - 1, n[1:], tuning(0.05, 100)) >= 20).any(1).mean()
    naive = (2 * student.sf(np.abs(t), n[1:] - 1) < 0.05).any(1).mean()
    assert crossed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs) < naive
    assert crossed > 0.01  # not by never crossing
