"""Outcome by dose: statsmodels' clustered line, Newcombe's and Welch's intervals from the units."""

from collections.abc import Sequence

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from models.inference.doses import (
    WORTH,
    Amounts,
    Converted,
    Landmark,
    centred,
    landmark,
    steps,
    steps_of_amounts,
    trend,
    vector,
)
from models.inference.means import means_from, means_of
from models.inference.moments import Moments, add_vectors
from tests.support.build import checked

pytestmark = pytest.mark.core


def sample(seed: int, clusters: int, level: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Units: their cluster, dose and outcome in millionths; accounts differ in size, in doses and in level."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), rng.integers(1, 9, clusters))
    dose = rng.poisson(np.exp(rng.normal(size=clusters))[cluster])
    dose[:2] = 0, 3
    outcome = rng.normal(size=clusters)[cluster] + 0.2 * dose + rng.normal(size=len(cluster))
    return cluster, dose, level + np.rint(outcome * 1e6).astype(np.int64)


def moments_of(cluster: np.ndarray, dose: np.ndarray, outcome: np.ndarray) -> Moments:
    moments = Moments(1, 5)
    for one in np.unique(cluster):
        here = cluster == one
        units = [vector(k, y) for k, y in zip(dose[here].tolist(), outcome[here].tolist(), strict=True)]
        moments.replace((0,) * 5, add_vectors(units))
    return moments


@given(st.integers(0, 10**6), st.integers(3, 40))
@checked(30)
def test_trend_is_the_clustered_line_of_statsmodels(seed: int, clusters: int) -> None:
    cluster, dose, outcome = sample(seed, clusters)
    moments = moments_of(cluster, dose, outcome)
    fit = sm.OLS(outcome / 1e6, sm.add_constant(dose)).fit(
        cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False}
    )
    sizes = np.bincount(cluster).astype(float)
    df = (sizes**2).sum() ** 2 / (sizes**4).sum() - 1
    for given_ in (moments, centred(moments)):
        found = trend(means_of(given_, WORTH))
        assert found.slope == pytest.approx(fit.params[1], rel=1e-9, abs=1e-12)
        assert found.se == pytest.approx(fit.bse[1] * np.sqrt(clusters / (clusters - 1)), rel=1e-9)
        assert found.df == pytest.approx(df, rel=1e-9)
        assert found.p == pytest.approx(2 * stats.t.sf(abs(found.slope / found.se), df), rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_amounts_near_1e12_that_differ_by_little_lose_nothing(seed: int) -> None:
    small = trend(means_of(centred(moments_of(*sample(seed, 25))), WORTH))
    large = moments_of(*sample(seed, 25, level=10**18))
    assert np.array(trend(means_of(centred(large), WORTH))) == pytest.approx(np.array(small), rel=1e-9)
    assert np.isnan(trend(means_of(large, WORTH)).se)  # not centred: unknown rather than wrong


def test_a_stack_reads_as_each_of_its_experiments() -> None:
    every = [centred(moments_of(*sample(seed, 12))) for seed in range(4)]
    products = np.zeros((4, 5, 5))
    rows, columns = np.triu_indices(5)
    for i, moments in enumerate(every):
        products[i][rows, columns] = products[i][columns, rows] = moments.products
    found = trend(
        means_from(
            np.array([one.clusters for one in every], dtype=float),
            np.array([one.sums for one in every], dtype=float).reshape(4, 1, 5),
            products.reshape(4, 1, 5, 1, 5),
            np.array([one.fourths for one in every], dtype=float),
            WORTH,
        )
    )
    for i, one in enumerate(every):
        assert [float(value[i]) for value in found] == pytest.approx(list(map(float, trend(means_of(one, WORTH)))))


def test_no_line_where_there_is_none() -> None:
    same = [vector(2, 5), vector(2, 7), vector(2, 9)]
    single = [add_vectors([vector(0, 1), vector(1, 3), vector(2, 4)])]
    exactly_on = [vector(k, 10 * k) for k in range(6)]
    for units in ([], same, single, exactly_on, [vector(k, 3 + 7 * k) for k in (0, 1, 1, 5, 8, 8, 13)]):
        moments = Moments(1, 5)
        for one in units:
            moments.replace((0,) * 5, one)
        found = trend(means_of(centred(moments), WORTH))
        assert np.isnan(found.se) and np.isnan(found.p)
    assert found.slope == pytest.approx(7e-6)


def test_steps_are_newcombes() -> None:
    counts = {0: Converted(337, 4), 1: Converted(378, 4), 2: Converted(546, 84), 4: Converted(3, 3)}
    found = steps(counts, alpha=0.1)
    assert [step[:3] for step in found] == [(0, 337, 378), (1, 378, 546), (2, 546, 0), (3, 0, 3)]
    for step, (x1, n1, x0, n0) in zip(found[:2], [(4, 378, 4, 337), (84, 546, 4, 378)], strict=True):
        expected = confint_proportions_2indep(x1, n1, x0, n0, method="newcomb", alpha=0.1)
        assert step[3:] == pytest.approx((x1 / n1 - x0 / n0, *expected), abs=1e-12)
    assert np.isnan([step[3:] for step in found[2:]]).all()
    assert steps({}) == []


@given(st.integers(0, 10**6), st.sampled_from([0, 10**12]))
@checked(30)
def test_steps_of_amounts_are_welchs(seed: int, level: int) -> None:
    rng = np.random.default_rng(seed)
    groups = [[level * 10**6 + int(a) for a in rng.normal(0, 1e6, rng.integers(2, 30))] for _ in range(3)]
    found = steps_of_amounts({k: amounts(group) for k, group in enumerate(groups)})
    for step, below, above in zip(found, groups, groups[1:], strict=False):
        zero, one = (np.array([y - level * 10**6 for y in group]) / 1e6 for group in (below, above))
        test = stats.ttest_ind(one, zero, equal_var=False)
        assert step.difference == pytest.approx(one.mean() - zero.mean(), rel=1e-9, abs=1e-9)
        assert step[4:] == pytest.approx(tuple(test.confidence_interval(0.95)), rel=1e-9, abs=1e-9)


def amounts(group: Sequence[int]) -> Amounts:
    return Amounts(len(group), sum(group), sum(y * y for y in group))


def test_too_little_for_an_interval_is_said_as_such() -> None:
    lonely, constant = steps_of_amounts({0: amounts([5]), 1: amounts([7, 7]), 2: amounts([9, 9])}, worth=1)
    assert lonely.difference == constant.difference == 2
    assert np.isnan([lonely.low, lonely.high, constant.low, constant.high]).all()
    one_sided = steps_of_amounts({0: amounts([7, 7]), 1: amounts([7, 9])}, worth=1)[0]
    assert one_sided[4:] == pytest.approx(tuple(1 + stats.t.ppf([0.025, 0.975], 1)))  # as of one mean, from two units


def test_landmark_table() -> None:
    found = landmark({2: Converted(0, 0), 0: Converted(40, 2), 1: Converted(10, 3)})
    assert found[:2] == [Landmark(0, 40, 2, 0.05), Landmark(1, 10, 3, 0.3)]
    assert found[2][:3] == (2, 0, 0) and np.isnan(found[2].rate)
