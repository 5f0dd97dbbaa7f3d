"""The adjusted effect: least squares on the clusters' centred sums, the analysis of covariance of units, JOBS II, and
how often it rejects where there is no effect."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from models.inference.adjusted import adjusted
from models.inference.effect import intention_to_treat, p_value
from models.inference.means import Array
from tests.support.build import checked
from tests.support.trials import jobs, needs_trials
from tests.support.units import block_of_units, means_of_stack, means_of_units, sample

pytestmark = pytest.mark.core

SEEDS = st.integers(0, 10**6)


@pytest.mark.parametrize("mixed", [True, False])
@given(SEEDS, st.integers(40, 60))
@checked(15)
def test_least_squares_on_centred_sums(mixed: bool, seed: int, clusters: int) -> None:
    units = sample(seed, clusters, mixed)
    means = units.means()
    found = adjusted(means)
    missing = np.isnan(units.x)
    amounts = np.c_[units.outcome, np.where(missing, 0, units.x), missing]
    sums, influence, difference = np.zeros((clusters, 3)), np.zeros((clusters, 3)), np.zeros(3)
    for arm, sign in ((1, 1), (0, -1)):
        here = units.arm == arm
        mean = amounts[here].mean(axis=0)
        difference += sign * mean
        for column in range(3):
            centred = np.bincount(units.cluster[here], (amounts[here] - mean)[:, column], minlength=clusters)
            sums[:, column] += sign * centred
            influence[:, column] += sign * centred / here.sum()
    fit = sm.OLS(sums[:, 0], sums[:, 1:]).fit()
    assert found.theta == pytest.approx(fit.params, rel=1e-7, abs=1e-10)
    against = np.r_[1, -fit.params]
    assert found.estimate == pytest.approx(against @ difference, rel=1e-7, abs=1e-12)
    f = intention_to_treat(means).df
    variance = ((influence @ against) ** 2).sum() * clusters / (clusters - 1)
    of_theta = difference[1:] @ fit.normalized_cov_params @ difference[1:] * fit.ssr
    assert found.se == pytest.approx(np.sqrt(variance * f / (f - 2) + of_theta / (f - 2)), rel=1e-7)


def test_equal_arms_of_single_units_are_the_analysis_of_covariance() -> None:
    units = sample(5, 400, mixed=False, singletons=True)
    units = units._replace(arm=np.arange(400) % 2)
    missing = np.isnan(units.x)
    design = np.c_[np.ones(400), units.arm, np.where(missing, 0, units.x), missing]
    fit = sm.OLS(units.outcome, design).fit()
    found = adjusted(units.means())
    assert found.estimate == pytest.approx(fit.params[1], rel=1e-9)
    assert found.theta == pytest.approx(fit.params[2:], rel=1e-9)
    # statsmodels takes one variance for both arms, here each has its own.
    assert found.se == pytest.approx(fit.bse[1], rel=2e-3)
    assert found.df == pytest.approx(fit.df_resid, rel=5e-3)


@needs_trials
def test_the_published_figure_of_jobs() -> None:
    people = jobs()
    means = means_of_units(people.person, people.treat, people.depress2, covariates=[people.depress1])
    found = adjusted(means)
    assert (found.estimate, found.se) == pytest.approx((-0.0486, 0.0420), abs=5e-5)
    fit = sm.OLS(people.depress2, sm.add_constant(people[["treat", "depress1"]])).fit(cov_type="HC2")
    assert found.estimate == pytest.approx(fit.params["treat"], rel=1e-9)
    assert found.se == pytest.approx(fit.bse["treat"], rel=1e-4)
    assert found.variance_reduction == pytest.approx(0.198, abs=5e-4)


def test_what_says_nothing_is_left_out() -> None:
    units = sample(2, 60, mixed=True)
    x = np.nan_to_num(units.x)
    plain = intention_to_treat(units.means())
    one = adjusted(means_of_units(units.cluster, units.arm, units.outcome, covariates=[x]))
    assert one.columns == 1 and one.theta[1] == 0
    for more in ([x, x], [x, 3 * x], [np.full_like(x, 7.0), x], [x, np.full_like(x, np.nan)]):
        found = adjusted(means_of_units(units.cluster, units.arm, units.outcome, covariates=more))
        assert found.columns == 1
        assert found[:4] == pytest.approx(one[:4], rel=1e-7)
    constant = adjusted(means_of_units(units.cluster, units.arm, units.outcome, covariates=[np.ones_like(x)]))
    assert constant[:4] == pytest.approx((*plain, 0.0), rel=1e-12)


def test_few_clusters_carry_few_columns() -> None:
    units = sample(2, 12, mixed=True)
    rng = np.random.default_rng(1)
    columns = list(rng.normal(size=(2, len(units.x))).round(6))
    two = adjusted(means_of_units(units.cluster, units.arm, units.outcome, covariates=columns))
    one = adjusted(means_of_units(units.cluster, units.arm, units.outcome, covariates=columns[:1]))
    assert two.columns == 2 and np.isnan(two[:4]).all()
    assert one.columns == 1 and not np.isnan(one[:4]).any()


@pytest.mark.parametrize("outcome", [np.ones(40), np.arange(40) % 20, []])
def test_no_false_certainty(outcome: np.ndarray) -> None:
    """All converted; an outcome that the covariate says exactly; no units."""
    cluster = arm = np.arange(len(outcome))
    means = means_of_units(cluster, arm % 2, outcome, covariates=[np.asarray(outcome, dtype=float)])
    assert np.isnan(p_value(adjusted(means).effect))


def rejections(share: float, mixed: bool, runs: int = 6000) -> tuple[Array, Array, float]:
    """p of A/A experiments with 60 accounts of 5 users and two covariates: adjusted, plain; mean variance reduction."""
    rng = np.random.default_rng(7)
    shape = (runs, 60, 5)
    arm = np.zeros(shape) + rng.permuted(np.tile(np.arange(60) < 60 * share, (runs, 1)), axis=1)[..., None]
    if mixed:
        arm = (rng.random(shape) < share).astype(float)
    x = [rng.normal(size=(runs, 60, 1)) + rng.normal(size=shape) for _ in range(2)]
    y = 0.5 * x[0] + 0.5 * x[1] + 0.5 * rng.normal(size=(runs, 60, 1)) + rng.normal(size=shape)
    means = means_of_stack(arm, block_of_units(y, covariates=x))
    found = adjusted(means)
    return p_value(found.effect), p_value(intention_to_treat(means)), float(found.variance_reduction.mean())


@pytest.mark.parametrize(("share", "mixed"), [(0.3, False), (0.5, False), (0.3, True)])
def test_without_an_effect_it_rejects_as_often_as_it_says(share: float, mixed: bool) -> None:
    found, _, reduction = rejections(share, mixed)
    count = int((found < 0.05).sum())
    assert not np.isnan(found).any()
    assert count <= stats.binom.ppf(0.9987, len(found), 0.05)
    assert count >= 0.04 * len(found)  # and is not so for want of power
    assert reduction > 0.35
