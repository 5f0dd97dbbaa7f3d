"""Rate ratios of tickets against statsmodels' Poisson regression with accounts as clusters."""

import numpy as np
import pytest
import statsmodels.api as sm

from models.education.rates import Between, Month, Ratio, rate_ratio

pytestmark = pytest.mark.core


def found_of(tickets: np.ndarray, active: np.ndarray) -> Ratio | None:
    """(accounts, 2) each: a month before and one after."""
    months = [
        Month(*(int(sums) for sums in (t.sum(), e.sum(), (t * t).sum(), (e * e).sum(), (t * e).sum())))
        for t, e in zip(tickets.T, active.T, strict=True)
    ]
    (t0, t1), (e0, e1) = tickets.T, active.T
    there = ((tickets > 0) | (active > 0)).any(axis=1).sum()
    both = Between(*(int(sums) for sums in (there, t0 @ t1, e0 @ e1, t0 @ e1, t1 @ e0)))
    return rate_ratio(months[0], months[1], both)


def drawn(seed: int, accounts: int = 40, ratio: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    active = draw.integers(1, 20, (accounts, 2))
    trouble = draw.gamma(1.0, 1.0, (accounts, 1))
    return draw.poisson(0.5 * trouble * active * np.array([1.0, ratio])), active


@pytest.mark.parametrize("seed", range(5))
def test_it_is_quasi_poisson_with_clusters(seed: int) -> None:
    tickets, active = drawn(seed)
    accounts = len(tickets)
    x = sm.add_constant(np.tile([0.0, 1.0], accounts))
    model = sm.GLM(tickets.ravel(), x, family=sm.families.Poisson(), exposure=active.ravel())
    clusters = {"groups": np.repeat(np.arange(accounts), 2), "use_correction": False}
    fit = model.fit(cov_type="cluster", cov_kwds=clusters, scale="X2")
    found = found_of(tickets, active)
    assert found is not None
    assert found.ratio == pytest.approx(np.exp(fit.params[1]), rel=1e-9)
    assert found.se == pytest.approx(fit.bse[1] * np.sqrt(accounts / (accounts - 1)), rel=1e-9)
    assert found.low < found.ratio < found.high


def test_one_account_s_storm_of_tickets_makes_the_ratio_less_certain() -> None:
    tickets, active = drawn(1)
    stormy = tickets.copy()
    stormy[0, 1] += 200
    calm, storm = found_of(tickets, active), found_of(stormy, active)
    assert calm is not None and storm is not None
    assert storm.se > 2 * calm.se


def test_the_interval_holds_no_change_as_often_as_it_says() -> None:
    held, tries = 0, 500
    for seed in range(tries):
        found = found_of(*drawn(1_000 + seed, accounts=60, ratio=1.0))
        assert found is not None
        held += found.low <= 1 <= found.high
    assert abs(held / tries - 0.95) < 3 * np.sqrt(0.95 * 0.05 / tries)


@pytest.mark.parametrize(("tickets", "active"), [
    ([[0, 3], [0, 2]], [[1, 1], [2, 2]]),
    ([[3, 0], [2, 0]], [[1, 1], [2, 2]]),
    ([[3, 1], [2, 1]], [[0, 1], [0, 2]]),
    ([[3, 1]], [[1, 1]]),
    ([[2, 1], [2, 1]], [[1, 1], [1, 1]]),
])  # fmt: skip
def test_nothing_is_said_of_no_tickets_no_users_or_no_two_accounts_that_differ(tickets: list, active: list) -> None:
    assert found_of(np.array(tickets), np.array(active)) is None
