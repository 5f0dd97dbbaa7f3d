"""Effects of the offer: statsmodels' clustered fit of the units, numerical gradients, published figures, and the cases
in which nothing is known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from models.inference import effect
from models.inference.columns import OUTCOME
from models.inference.effect import Effect, intention_to_treat
from models.inference.means import Means
from tests.support.build import checked
from tests.support.trials import jobs, needs_trials, thornton
from tests.support.units import block_of_units, means_of_stack, means_of_units, sample

pytestmark = pytest.mark.core

SEEDS = st.integers(0, 10**6)


def fit(y: np.ndarray, arm: np.ndarray, cluster: np.ndarray, every: int) -> tuple[float, float]:
    """The clustered fit's difference and error, its (N-1)/(N-k) taken out, for so many clusters in the experiment."""
    found = sm.OLS(y, sm.add_constant(arm)).fit(
        cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False}
    )
    return found.params[1], found.bse[1] * np.sqrt(every / (every - 1))


@pytest.mark.parametrize("mixed", [True, False])
@given(SEEDS, st.integers(8, 40))
@checked(15)
def test_every_difference_is_that_of_a_clustered_fit(mixed: bool, seed: int, clusters: int) -> None:
    units = sample(seed, clusters, mixed)
    means = units.means()
    alone, trouble = units.both == 0, units.triggered == 1
    for found, y, kept in (
        (effect.intention_to_treat(means), units.outcome, slice(None)),
        (effect.uptake(means), units.uptake, slice(None)),
        (effect.balance(means), units.triggered, slice(None)),
        (effect.without_both_arms(means), units.outcome, alone),
        (effect.triggered(means), units.outcome, trouble),
    ):
        estimate, se = fit(y[kept], units.arm[kept], units.cluster[kept], clusters)
        assert found.estimate == pytest.approx(estimate, rel=1e-9, abs=1e-12)
        assert found.se == pytest.approx(se, rel=1e-9)


@given(SEEDS, st.integers(20, 40))
@checked(15)
def test_degrees_of_freedom_by_the_formula(seed: int, clusters: int) -> None:
    units = sample(seed, clusters, mixed=False)
    variances, worth = [], []
    for arm in (0, 1):
        here = units.arm == arm
        size = np.bincount(units.cluster[here]).astype(float)
        off = np.bincount(units.cluster[here], units.outcome[here] - units.outcome[here].mean())
        variances.append((off**2).sum() / here.sum() ** 2)
        worth.append((size**2).sum() ** 2 / (size**4).sum() - 1)
    df = sum(variances) ** 2 / sum(v**2 / m for v, m in zip(variances, worth, strict=True))
    assert intention_to_treat(units.means()).df == pytest.approx(df, rel=1e-9)


def numerical(means: Means, value: Callable[[Means], np.ndarray]) -> float:
    """The delta method's error with a gradient by central differences."""
    gradient = np.zeros(means.mean.shape)
    for place in np.ndindex(means.mean.shape):
        step = np.zeros(means.mean.shape)
        step[place] = 1e-5
        ends = [value(replace(means, mean=means.mean + sign * step)) for sign in (1, -1)]
        gradient[place] = (ends[0] - ends[1]) / 2e-5
    return np.sqrt(means.variance_along(gradient))


@given(SEEDS, st.integers(20, 40), st.booleans())
@checked(15)
def test_relative_lift_by_a_numerical_gradient(seed: int, clusters: int, mixed: bool) -> None:
    units = sample(seed, clusters, mixed)
    means = units._replace(outcome=units.outcome + 8).means()
    found = effect.relative(means)
    assert found.estimate == pytest.approx(means.value(1, OUTCOME) / means.value(0, OUTCOME) - 1, rel=1e-12)
    assert found.se == pytest.approx(numerical(means, lambda m: m.value(1, OUTCOME) / m.value(0, OUTCOME)), rel=1e-6)


@pytest.mark.parametrize("level", [0.0, -10.0])
def test_no_lift_relative_to_a_mean_that_may_be_0_or_is_negative(level: float) -> None:
    units = sample(1, 40, mixed=False)
    control = units.outcome[units.arm == 0].mean()
    found = effect.relative(units._replace(outcome=(units.outcome - control + level).round(6)).means())
    assert np.isnan([found.estimate, found.se]).all()


def test_interval_and_p_are_student_s() -> None:
    found = Effect(np.array([0.3, -0.1]), np.array([0.1, 0.2]), np.array([7.5, 31.0]))
    low, high = effect.interval(found, 0.1)
    for i in range(2):
        expected = stats.t.interval(0.9, found.df[i], found.estimate[i], found.se[i])
        assert (low[i], high[i]) == pytest.approx(expected, rel=1e-9)
    t = found.estimate / found.se
    assert effect.p_value(found) == pytest.approx(2 * stats.t.sf(np.abs(t), found.df), rel=1e-9)
    assert effect.around(found, np.inf)[0].tolist() == [-np.inf, -np.inf]


@needs_trials
def test_the_published_figures_of_jobs() -> None:
    people = jobs()
    seek = means_of_units(people.person, people.treat, people.job_seek, uptake=people.comply)
    assert effect.uptake(seek).estimate == pytest.approx(0.620, abs=5e-4)
    assert intention_to_treat(seek)[:2] == pytest.approx((0.0675, 0.0503), abs=5e-5 + 1e-9)
    job = intention_to_treat(means_of_units(people.person, people.treat, people.job_dich))
    assert job.estimate == pytest.approx(0.0781, abs=5e-5)
    assert effect.p_value(job) == pytest.approx(0.025, abs=5e-4)


@needs_trials
def test_the_published_figures_of_thornton() -> None:
    people = thornton()
    means = means_of_units(people.villnum, people["any"], people.got)
    assert [means.value(block, OUTCOME) for block in (0, 1)] == pytest.approx([0.339, 0.789], abs=5e-4)
    found = intention_to_treat(means)
    assert found[:2] == pytest.approx((0.4506, 0.0228), abs=5e-5)
    estimate, se = fit(people.got.to_numpy(), people["any"].to_numpy(), people.villnum.to_numpy(), 120)
    assert found[:2] == pytest.approx((estimate, se), rel=1e-9)
    alone = intention_to_treat(means_of_units(range(len(people)), people["any"], people.got))
    assert alone.se == pytest.approx(0.0209, abs=5e-5)


PAIRS = np.repeat(np.arange(20), 2), np.tile([0, 1], 20)
"""Twenty accounts with a user in each arm."""
LEVELS = np.random.default_rng(1).normal(size=20).round(6)


@pytest.mark.parametrize(
    ("case", "cluster", "arm", "outcome"),
    [
        ("all converted", *PAIRS, np.ones(40)),
        ("nobody converted", *PAIRS, np.zeros(40)),
        ("one arm converted, the other did not", *PAIRS, PAIRS[1]),
        ("each account's users differ by the same", *PAIRS, (LEVELS[PAIRS[0]] + 0.1 * PAIRS[1]).round(6)),
        ("one giant account is the arm", np.r_[np.arange(20), [20] * 500], np.r_[[0] * 20, [1] * 500], np.arange(520)),
        ("and nearly so", np.r_[np.arange(30), [30] * 500], np.r_[[0] * 20, [1] * 510], np.arange(530) % 7),
        ("an arm is empty", np.arange(20), np.zeros(20), np.arange(20)),
        ("one unit in each arm", np.arange(2), np.arange(2), np.arange(2)),
        ("no units", [], [], []),
    ],
)
def test_no_false_certainty(case: str, cluster: np.ndarray, arm: np.ndarray, outcome: np.ndarray) -> None:
    found = intention_to_treat(means_of_units(cluster, arm, outcome))
    assert np.isnan(effect.p_value(found)), case
    assert np.isnan(effect.interval(found, 0.05)).all(), case


def test_a_share_of_a_thousandth_and_values_of_1e12() -> None:
    rng = np.random.default_rng(2)
    arm = (np.arange(10_000) % 1000 == 0).astype(int)
    spread = rng.normal(size=10_000).round(6)
    small, huge = (
        intention_to_treat(means_of_units(range(10_000), arm, level + spread.astype(object))) for level in (0, 10**12)
    )
    assert small.df == pytest.approx(9, rel=0.01)
    assert huge.estimate == pytest.approx(small.estimate, abs=2e-4)
    assert huge.se == pytest.approx(small.se, rel=1e-4)


def test_a_stack_reads_as_each_of_its_experiments() -> None:
    rng = np.random.default_rng(3)
    arm = rng.integers(0, 2, (4, 30, 5))
    y, d = rng.normal(size=(4, 30, 5)).round(6), rng.integers(0, 2, (4, 30, 5))
    blocks = block_of_units(y, uptake=d, triggered=d, both=1 - d)
    stacked = means_of_stack(arm, blocks)
    cluster = np.repeat(np.arange(30), 5)
    for read in (intention_to_treat, effect.uptake, effect.triggered, effect.without_both_arms):
        many = read(stacked)
        for i in range(4):
            one = read(means_of_units(
                cluster, arm[i].ravel(), y[i].ravel(),
                uptake=d[i].ravel(), triggered=d[i].ravel(), both=1 - d[i].ravel(),
            ))  # fmt: skip
            assert [part[i] for part in many] == pytest.approx(list(one), rel=1e-9)


@given(SEEDS, st.integers(8, 40))
@checked(15)
def test_differences_of_all_amounts_are_those_of_each(seed: int, clusters: int) -> None:
    means = sample(seed, clusters, mixed=True).means()
    found = effect.differences(means)
    for column in range(1, means.mean.shape[-1]):
        alone = effect.difference_of_ratios(means, {column: 1}, {0: 1})
        assert [part[column - 1] for part in found] == pytest.approx([*alone], rel=1e-9, abs=1e-12, nan_ok=True)
