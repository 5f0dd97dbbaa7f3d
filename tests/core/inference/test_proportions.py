"""Two proportions: statsmodels and scipy where they are right, the likelihood by brute force where they are not."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import ndtri, xlog1py, xlogy
from scipy.stats import boschloo_exact
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from models.inference.proportions import boschloo, miettinen_nurminen, newcombe, restricted_variance, score_p
from tests.support.build import checked

pytestmark = pytest.mark.core

Table = tuple[int, int, int, int]


@st.composite
def tables(draw: st.DrawFn, most: int = 400) -> Table:
    """x1, n1, x0, n0; often with nobody, or everybody, of an arm converted."""
    found: list[int] = []
    for _ in range(2):
        n = draw(st.integers(1, most))
        found += [draw(st.one_of(st.integers(0, n), st.sampled_from([0, n]))), n]
    return found[0], found[1], found[2], found[3]


@given(tables(), st.sampled_from([0.01, 0.05, 0.2]))
@checked(60)
def test_newcombe_is_that_of_statsmodels(table: Table, alpha: float) -> None:
    expected = confint_proportions_2indep(*table, method="newcomb", compare="diff", alpha=alpha)
    assert newcombe(*table, alpha) == pytest.approx(expected, abs=1e-9)


@given(tables())
@checked(60)
def test_p_is_that_of_the_pooled_z_test(table: Table) -> None:
    x1, n1, x0, n0 = table
    if x1 + x0 in (0, n1 + n0):
        assert np.isnan(score_p(*table))
    else:
        assert score_p(*table) == pytest.approx(proportions_ztest([x1, x0], [n1, n0])[1], rel=1e-9, abs=1e-300)


def brute_force_variance(table: Table, difference: float) -> float:
    """The likeliest proportions with this difference, by a grid and then a search between its best neighbours."""
    x1, n1, x0, n0 = table
    low, high = max(0.0, -difference), min(1.0, 1 - difference)

    def unlikely(p0: np.ndarray | float) -> np.ndarray:
        p1 = np.clip(np.add(p0, difference), 0, 1)
        return -(xlogy(x0, p0) + xlog1py(n0 - x0, -p0) + xlogy(x1, p1) + xlog1py(n1 - x1, -p1))

    grid = np.linspace(low, high, 2001)
    best = int(unlikely(grid).argmin())
    near = grid[max(best - 1, 0)], grid[min(best + 1, 2000)]
    p0 = minimize_scalar(unlikely, bounds=near, method="bounded", options={"xatol": 1e-13}).x
    p0 = min((p0, low, high), key=unlikely)
    p1 = np.clip(p0 + difference, 0, 1)
    return (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * (n1 + n0) / (n1 + n0 - 1)


@given(tables(60), st.sampled_from([0.01, 0.05, 0.2]))
@example((0, 10, 0, 20), 0.05)
@example((10, 10, 20, 20), 0.05)
@example((10, 10, 0, 20), 0.05)
@example((0, 33, 0, 1), 0.05)
@example((1, 1, 0, 1), 0.05)
@checked(40)
def test_miettinen_nurminen_holds_what_the_score_test_does_not_reject(table: Table, alpha: float) -> None:
    x1, n1, x0, n0 = table
    observed, z = x1 / n1 - x0 / n0, ndtri(1 - alpha / 2)

    def rejected(difference: float) -> bool:
        return (observed - difference) ** 2 > z**2 * brute_force_variance(table, difference)

    low, high = miettinen_nurminen(*table, alpha)
    assert -1 <= low <= observed <= high <= 1
    assert low == -1 or rejected(low - 1e-6)
    assert high == 1 or rejected(high + 1e-6)
    for difference in np.linspace(-1, 1, 41):
        if min(abs(difference - low), abs(difference - high)) > 1e-6:
            assert rejected(difference) == (not low < difference < high)


@given(tables(60), st.floats(-0.99, 0.99))
@checked(60)
def test_restricted_variance_is_at_the_likeliest_proportions(table: Table, difference: float) -> None:
    assert restricted_variance(*table, difference) == pytest.approx(brute_force_variance(table, difference), abs=1e-7)


def test_published_tables() -> None:
    """Newcombe (1998), table II: 56 of 70 against 48 of 80, and none of 10 against none of 20; methods 6 and 10."""
    assert miettinen_nurminen(56, 70, 48, 80, 0.05) == pytest.approx((0.0528, 0.3382), abs=5e-5)
    assert miettinen_nurminen(0, 10, 0, 20, 0.05) == pytest.approx((-0.1658, 0.2844), abs=5e-5)
    assert newcombe(56, 70, 48, 80, 0.05) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert newcombe(0, 10, 0, 20, 0.05) == pytest.approx((-0.1611, 0.2775), abs=5e-5)


def test_swapping_arms_mirrors_everything() -> None:
    low, high = miettinen_nurminen(3, 40, 17, 95, 0.05)
    assert miettinen_nurminen(17, 95, 3, 40, 0.05) == pytest.approx((-high, -low), abs=1e-7)
    assert boschloo(17, 95, 3, 40) == pytest.approx(boschloo(3, 40, 17, 95), rel=1e-9)


@pytest.mark.parametrize("table", [(3, 20, 9, 21), (0, 10, 5, 12), (12, 60, 40, 140), (1, 199, 1, 1)])
def test_boschloo_is_that_of_scipy(table: Table) -> None:
    x1, n1, x0, n0 = table
    assert boschloo(*table) == pytest.approx(boschloo_exact([[x1, x0], [n1 - x1, n0 - x0]]).pvalue, rel=1e-9)


@given(tables(20).filter(lambda t: 0 < t[0] + t[2] < t[1] + t[3]))
@checked(8)
def test_boschloo_by_the_worst_case_over_a_grid(table: Table) -> None:
    """All tables whose one-sided Fisher p is as small, at the conversion rate that makes them likeliest; doubled."""
    from scipy.stats import binom, hypergeom

    x1, n1, x0, n0 = table
    a, b = np.arange(n1 + 1)[:, None], np.arange(n0 + 1)[None, :]
    rates = np.linspace(0, 1, 2001)[1:-1]
    sides = []
    for fisher in (hypergeom.cdf(a, n1 + n0, a + b, n1), hypergeom.sf(a - 1, n1 + n0, a + b, n1)):
        extreme = fisher <= fisher[x1, x0] * (1 + 1e-13)
        chance = np.einsum("ra,ab,rb->r", binom.pmf(a.T, n1, rates[:, None]), extreme, binom.pmf(b, n0, rates[:, None]))
        sides.append(chance.max())
    assert boschloo(*table) == pytest.approx(min(1, 2 * min(sides)), rel=1e-4)


def test_what_cannot_be_had_is_not_known() -> None:
    assert np.isnan([*miettinen_nurminen(0, 0, 3, 10, 0.05), *newcombe(0, 0, 3, 10, 0.05), score_p(0, 0, 3, 10)]).all()
    assert np.isnan(
        [boschloo(0, 0, 3, 10), boschloo(0, 9, 0, 10), boschloo(9, 9, 10, 10), boschloo(10, 101, 10, 100)]
    ).all()


def test_arrays_of_tables_are_read_at_once() -> None:
    low, high = newcombe(np.array([3, 4]), 40, np.array([[17], [18]]), 95, 0.05)
    assert low.shape == high.shape == score_p(np.array([3, 4]), 40, np.array([[17], [18]]), 95).shape == (2, 2)
    assert (low[1, 0], high[1, 0]) == newcombe(3, 40, 18, 95, 0.05)


def test_day_seven_retention_of_cookie_cats() -> None:
    """8,279 of 45,489 against 8,502 of 44,700: -0.82 points [-1.33, -.31], p .0016 as published."""
    table = (8_279, 45_489, 8_502, 44_700)
    for low, high in (newcombe(*table, 0.05), miettinen_nurminen(*table, 0.05)):
        assert (round(100 * float(low), 2), round(100 * float(high), 2)) == (-1.33, -0.31)
    assert round(float(score_p(*table)), 4) == 0.0016
