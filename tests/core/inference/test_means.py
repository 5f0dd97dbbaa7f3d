"""Means and their clustered covariance: statsmodels' clustered fit, with every account in both arms; huge values."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from models.inference.means import means_from, means_of
from models.inference.moments import Moments
from tests.support.build import checked

pytestmark = pytest.mark.core

DIFFERENCE = {(1, 1): 1.0, (0, 1): -1.0}


def sample(seed: int, clusters: int, mixed: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Units: their cluster, arm and outcome, in whole millionths; clusters differ in size and in level."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), rng.integers(2, 9, clusters))
    arm = rng.random(len(cluster)) < 0.4 if mixed else (np.arange(clusters) % 3 == 0)[cluster]
    outcome = (rng.normal(size=clusters)[cluster] + rng.normal(size=len(cluster)) + 0.3 * arm).round(6)
    if mixed:
        arm[np.unique(cluster, return_index=True)[1]] = True
        arm[np.unique(cluster, return_index=True)[1] + 1] = False
    return cluster, arm.astype(int), outcome


def arms(cluster: np.ndarray, arm: np.ndarray, outcome: np.ndarray) -> Moments:
    moments = Moments(2, 2)
    for one in np.unique(cluster):
        vector: list[int] = []
        for block in (0, 1):
            units = (cluster == one) & (arm == block)
            vector += [int(units.sum()), int(np.rint(outcome[units] * 1e6).sum())]
        moments.replace((0,) * 4, tuple(vector))
    return moments


@pytest.mark.parametrize("mixed", [True, False])
@given(st.integers(0, 10**6), st.integers(5, 40))
@checked(20)
def test_estimate_and_error_are_those_of_the_clustered_fit(mixed: bool, seed: int, clusters: int) -> None:
    cluster, arm, outcome = sample(seed, clusters, mixed)
    means = means_of(arms(cluster, arm, outcome), [1, 1e-6])
    fit = sm.OLS(outcome, sm.add_constant(arm)).fit(
        cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False}
    )
    assert means.value(1, 1) - means.value(0, 1) == pytest.approx(fit.params[1], rel=1e-9, abs=1e-12)
    variance = means.variance_along(means.gradient(DIFFERENCE))
    assert variance == pytest.approx(fit.bse[1] ** 2 * clusters / (clusters - 1), rel=1e-9)
    assert means.every_cluster == clusters


@given(st.integers(0, 10**6), st.integers(3, 30))
@checked(20)
def test_effective_clusters_by_the_formula(seed: int, clusters: int) -> None:
    cluster, arm, outcome = sample(seed, clusters, True)
    effective = means_of(arms(cluster, arm, outcome), [1, 1e-6]).effective
    for block in (0, 1):
        sizes = np.bincount(cluster[arm == block]).astype(float)
        assert effective[block] == pytest.approx((sizes**2).sum() ** 2 / (sizes**4).sum(), rel=1e-12)


def test_a_stack_reads_as_each_of_its_experiments() -> None:
    every = [arms(*sample(seed, 12, True)) for seed in range(5)]
    rows, columns = np.triu_indices(4)
    products = np.zeros((5, 4, 4))
    for i, moments in enumerate(every):
        products[i][rows, columns] = products[i][columns, rows] = moments.products
    stacked = means_from(
        np.array([moments.clusters for moments in every], dtype=float),
        np.array([moments.sums for moments in every], dtype=float).reshape(5, 2, 2),
        products.reshape(5, 2, 2, 2, 2),
        np.array([moments.fourths for moments in every], dtype=float),
        [1, 1e-6],
    )
    for i, moments in enumerate(every):
        single = means_of(moments, [1, 1e-6])
        assert stacked.mean[i] == pytest.approx(single.mean)
        assert stacked.covariance[i] == pytest.approx(single.covariance, rel=1e-6, abs=1e-12)


def test_a_small_spread_around_a_huge_mean_is_not_lost() -> None:
    moments = Moments(2, 2)
    for i in range(20):
        moments.replace((0,) * 4, (1, 10**18 + i % 2, 0, 0) if i < 10 else (0, 0, 1, 10**18))
    means = means_of(moments, [1, 1e-6])
    assert means.covariance[0, 1, 0, 1] == pytest.approx(20 / 19 * 10 * 0.25 / 100 * 1e-12, rel=1e-12)
    assert means.covariance[1, 1, 1, 1] == 0


@pytest.mark.parametrize("vectors", [[], [(1, 5, 0, 0)], [(1, 5, 0, 0), (2, 3, 0, 0)]])
def test_what_nobody_is_in_has_no_mean(vectors: list) -> None:
    moments = Moments(2, 2)
    for vector in vectors:
        moments.replace((0,) * 4, vector)
    means = means_of(moments)
    assert np.isnan(means.value(1, 1)) and np.isnan(means.variance_along(means.gradient(DIFFERENCE)))
