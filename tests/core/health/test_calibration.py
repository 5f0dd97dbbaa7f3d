"""Calibration: the fit against scipy and statsmodels, what few labels and useless or extreme log odds do to it."""

from math import exp, log

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from models.health.calibration import Calibration, fitted

pytestmark = pytest.mark.core

Labelled = st.lists(st.tuples(st.floats(-700, 700), st.booleans(), st.floats(0, 5)), max_size=40)


def window(seed: int, n: int, a: float, b: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    eta = rng.normal(-3, 2, n)
    return eta, rng.random(n) < expit(a + b * eta)


def test_many_labels_give_what_maximum_likelihood_gives() -> None:
    eta, label = window(1, 200_000, 0.7, 0.6)
    found = fitted(eta, label, np.ones(len(eta)))
    likeliest = sm.Logit(label.astype(float), sm.add_constant(eta)).fit(disp=0)
    assert (found.a, found.b) == pytest.approx(tuple(likeliest.params), abs=2e-3)
    assert (found.a, found.b) == pytest.approx((0.7, 0.6), abs=0.05)
    assert expit(found.a + found.b * eta).sum() == pytest.approx(label.sum(), rel=1e-3)


@pytest.mark.parametrize(("n", "a", "b"), [(400, -1.0, 1.0), (60, 0.5, 0.2), (2_000, -2.0, 3.0)])
def test_the_fit_is_the_most_probable_one(n: int, a: float, b: float) -> None:
    eta, label = window(2, n, a, b)
    weight = np.random.default_rng(3).uniform(0, 2, n)
    middle = np.average(eta, weights=weight)

    def unlikely(at: np.ndarray) -> float:
        logit = at[0] + at[1] * eta
        shift = at[0] + at[1] * middle - middle
        prior = shift**2 / 8 + log(at[1]) ** 2 / 2
        return prior - weight @ np.where(label, np.log(expit(logit)), np.log(expit(-logit)))

    other = minimize(unlikely, (0.0, 1.0), method="L-BFGS-B", bounds=[(None, None), (1e-3, None)], tol=1e-14)
    found = fitted(eta, label, weight)
    assert (found.a, found.b) == pytest.approx(tuple(other.x), abs=2e-4)


def test_weights_are_copies() -> None:
    eta, label = window(4, 100, 0.0, 0.5)
    copies = np.arange(100) % 3
    doubled = fitted(np.repeat(eta, copies), np.repeat(label, copies), np.ones(copies.sum()))
    weighted = fitted(eta, label, copies)
    assert (weighted.a, weighted.b) == pytest.approx((doubled.a, doubled.b), abs=1e-8)
    assert (weighted.events, weighted.others) == (doubled.events, doubled.others)
    whose = np.arange(100) // 2
    doubled = fitted(np.repeat(eta, copies), np.repeat(label, copies), np.ones(copies.sum()), np.repeat(whose, copies))
    assert fitted(eta, label, copies, whose).covariance == pytest.approx(doubled.covariance, rel=1e-6)


def test_no_labels_change_nothing_and_few_are_said_to_be_few() -> None:
    assert fitted([], [], []) == Calibration()
    assert not Calibration().enough
    eta, _ = window(5, 1_000, 0, 1)
    label = np.zeros(1_000, bool)
    label[:3] = True
    found = fitted(eta, label, np.ones(1_000))
    assert not found.enough and (found.events, found.others) == (3, 997)
    assert expit(found.a + found.b * eta).sum() == pytest.approx(3, abs=1)
    label[:10] = True
    assert fitted(eta, label, np.ones(1_000)).enough


def test_a_window_without_events_is_read_as_about_half_an_event() -> None:
    eta = np.full(1_000, -3.0)
    found = fitted(eta, np.zeros(1_000), np.ones(1_000))
    assert 0.2 < 1_000 * found.probability(-3.0) < 2


def test_log_odds_that_rank_nothing_or_wrongly_end_near_the_base_rate() -> None:
    rng = np.random.default_rng(6)
    eta, label = rng.normal(size=5_000), rng.random(5_000) < 0.1
    backwards = rng.random(5_000) < expit(-2 - eta)
    for found in (fitted(eta, label, np.ones(5_000)), fitted(eta, backwards, np.ones(5_000))):
        assert 0 < found.b < 0.15
        assert found.probability(1.0) == pytest.approx(found.probability(-1.0), abs=0.05)


@given(Labelled)
def test_probability_rises_with_log_odds_whatever_was_fitted(rows: list[tuple[float, bool, float]]) -> None:
    found = fitted(*(list(column) for column in zip(*rows, strict=True))) if rows else fitted([], [], [])
    assert found.b > 0 and np.isfinite([found.a, found.b]).all()
    etas = np.linspace(-700, 700, 41)
    p = np.array([found.probability(eta) for eta in etas])
    assert ((p >= 0) & (p <= 1)).all() and (np.diff(p) >= 0).all()
    for eta in etas:
        low, high = found.interval(eta)
        assert 0 <= low <= found.probability(eta) <= high <= 1
    middle = -found.a / found.b
    assert found.probability(middle - 0.1 / found.b) < 0.5 < found.probability(middle + 0.1 / found.b)


@given(st.floats(-30, 30), st.floats(-3, 3), st.floats(0.01, 5))
def test_slope_is_the_derivative(eta: float, a: float, b: float) -> None:
    one = Calibration(a, b)
    step = 1e-4 / b
    difference = (one.probability(eta + step) - one.probability(eta - step)) / (2 * step)
    assert one.slope(eta) == pytest.approx(difference, rel=1e-6, abs=1e-10)


def test_extreme_log_odds_are_certain_and_no_error() -> None:
    one = Calibration()
    assert (one.probability(1e6), one.probability(-1e6)) == (1.0, 0.0)
    assert one.probability(-700) == pytest.approx(exp(-700))


# -- how well it is known ------------------------------------------------------------------------------------------


def of_accounts(seed: int, accounts: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each account's rows share its luck: eta, label and account. In each row P(label) = logistic(0.3 + 0.8·eta)."""
    rng = np.random.default_rng(seed)
    account = np.repeat(rng.permutation(accounts), rows)
    eta = rng.normal(-1.5, 1, accounts)[account] + rng.normal(0, 0.2, len(account))
    return eta, rng.random(accounts)[account] < expit(0.3 + 0.8 * eta), account


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.filterwarnings("ignore:cov_type not fully supported")
def test_with_many_labels_the_covariance_is_that_of_generalised_estimating_equations(weighted: bool) -> None:
    eta, label, account = of_accounts(7, 15_000, 4)
    weight = np.random.default_rng(8).uniform(0, 2, len(eta)) if weighted else np.ones(len(eta))
    model = sm.GLM(label.astype(float), sm.add_constant(eta), sm.families.Binomial(), freq_weights=weight)
    other = model.fit(cov_type="cluster", cov_kwds={"groups": account, "use_correction": False}).cov_params()
    found = fitted(eta, label, weight, account)
    assert found.covariance == pytest.approx((other[0, 0], other[0, 1], other[1, 1]), rel=2e-3)
    alone = fitted(eta, label, weight).covariance
    assert alone[0] < found.covariance[0] / 2, "alike rows tell less than as many of different accounts"


def test_where_rows_are_independent_it_is_the_posteriors_covariance() -> None:
    eta, label = window(9, 200_000, 0.7, 0.6)
    other = sm.Logit(label.astype(float), sm.add_constant(eta)).fit(disp=0).cov_params()
    found = fitted(eta, label, np.ones(len(eta)))
    assert found.covariance == pytest.approx((other[0, 0], other[0, 1], other[1, 1]), rel=0.03)
    few = fitted(eta[:0], label[:0], np.ones(0))
    assert few.covariance == (4.0, 0.0, 1.0), "the priors': SHIFT squared, SCALE squared"


def test_the_interval_holds_the_true_probability_as_often_as_it_says() -> None:
    """Also of accounts with six rows each; that these were independent would be a promise not kept."""
    runs, held, taken_as_independent = 300, 0, 0
    truth = expit(0.3 - 0.8)
    for seed in range(runs):
        eta, label, account = of_accounts(seed, 150, 6)
        for whose in (account, None):
            low, high = fitted(eta, label, np.ones(len(eta)), whose).interval(-1.0)
            held += whose is not None and low < truth < high
            taken_as_independent += whose is None and low < truth < high
    assert 0.92 < held / runs < 0.98
    assert taken_as_independent / runs < 0.8
