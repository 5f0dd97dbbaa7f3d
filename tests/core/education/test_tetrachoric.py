"""The tetrachoric correlation against the bivariate normal of scipy, its likelihood, and drawn tables."""

from math import atanh, sin, sqrt, tanh

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, norm

from models.education.tetrachoric import approximate, both, likeliest
from models.education.users import CORRECTED, ONE_SIDED, correlation
from tests.support.build import checked

pytestmark = pytest.mark.core

PUBLISHED = (100, 50, 90, 1000)
TABLES = [PUBLISHED, (30, 20, 25, 40), (5, 40, 60, 10), (400, 300, 20, 80)]


def log_likelihood(given: tuple[int, ...], h: float, k: float, rho: float) -> float:
    p = multivariate_normal.cdf([h, k], cov=[[1, rho], [rho, 1]])
    shares = np.array([p, norm.cdf(h) - p, norm.cdf(k) - p, 1 - norm.cdf(h) - norm.cdf(k) + p])
    return float(np.array(given) @ np.log(np.maximum(shares, 1e-300)))


def test_the_article_s_own_table() -> None:
    assert approximate(*PUBLISHED) == 0.8526280733005575
    found = likeliest(*PUBLISHED)
    assert found is not None
    assert found.estimate == pytest.approx(0.8001, abs=5e-5)
    assert found.low < found.estimate < found.high and not found.corrected


@pytest.mark.parametrize("table", TABLES)
def test_the_estimate_and_its_error_are_those_of_the_likelihood(table: tuple[int, int, int, int]) -> None:
    found = likeliest(*table)
    assert found is not None
    a, b, c, _ = table
    start = [norm.ppf((a + b) / sum(table)), norm.ppf((a + c) / sum(table)), atanh(found.estimate) + 0.05]
    at = minimize(lambda t: -log_likelihood(table, t[0], t[1], tanh(t[2])), start, method="Nelder-Mead",
                  options={"xatol": 1e-7, "fatol": 1e-10}).x  # fmt: skip
    assert found.estimate == pytest.approx(tanh(at[2]), abs=1e-5)
    step, unit = 1e-3, np.eye(3) * 1e-3

    def fall(t: np.ndarray) -> float:
        return -log_likelihood(table, t[0], t[1], tanh(t[2]))

    information = [[(fall(at + i + j) - fall(at + i - j) - fall(at - i + j) + fall(at - i - j)) / (4 * step * step)
                    for j in unit] for i in unit]  # fmt: skip
    of_z = sqrt(np.linalg.inv(information)[2, 2])
    assert found.se == pytest.approx(of_z * (1 - found.estimate**2), rel=1e-3)
    z, reach = atanh(found.estimate), norm.ppf(0.975) * of_z
    assert (found.low, found.high) == pytest.approx((tanh(z - reach), tanh(z + reach)), abs=1e-3)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-1.4, 1.4))
@checked(60)
def test_the_bivariate_normal(h: float, k: float, angle: float) -> None:
    rho = sin(angle)
    assert both(h, k, angle) == pytest.approx(multivariate_normal.cdf([h, k], cov=[[1, rho], [rho, 1]]), abs=1e-7)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    draw, truth, held, tries = np.random.default_rng(3), 0.5, 0, 400
    for _ in range(tries):
        x = draw.multivariate_normal([0, 0], [[1, truth], [truth, 1]], 300) < (-0.5, 0.2)
        table = [int(((x[:, 0] == one) & (x[:, 1] == other)).sum()) for one in (True, False) for other in (True, False)]
        found = likeliest(*table)
        assert found is not None
        held += found.low <= truth <= found.high
    assert abs(held / tries - 0.95) < 3 * sqrt(0.95 * 0.05 / tries)


@pytest.mark.parametrize("table", [(0, 5, 5, 20), (5, 0, 5, 20), (5, 5, 0, 20), (5, 5, 20, 0), (7, 0, 0, 9)])
def test_an_empty_cell_counts_as_a_half_and_that_is_said(table: tuple[int, int, int, int]) -> None:
    found, filled = likeliest(*table), likeliest(*(count + 0.5 for count in table))
    assert found is not None and filled is not None
    assert found.corrected and found[:4] == filled[:4]
    assert approximate(*table) == approximate(*(count + 0.5 for count in table))
    assert correlation(*table)["corrected"] == CORRECTED
    assert "corrected" not in correlation(*PUBLISHED)


@pytest.mark.parametrize("table", [(0, 0, 5, 20), (5, 9, 0, 0), (0, 5, 0, 20), (5, 0, 20, 0), (0, 0, 0, 0)])
def test_nothing_is_said_where_one_trait_is_everybodys_or_nobodys(table: tuple[int, int, int, int]) -> None:
    assert likeliest(*table) is None and approximate(*table) is None
    told = correlation(*table)
    assert (told["tetrachoric"], told["approximation"], told["because"]) == (None, None, ONE_SIDED)


def test_it_is_never_shown_as_proof() -> None:
    for table in (PUBLISHED, (0, 0, 5, 20)):
        assert "trained and untrained differ in motivation" in correlation(*table)["note"]
