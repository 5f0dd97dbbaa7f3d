"""Complier effects: linearmodels' clustered IV, ivmodels' Anderson-Rubin set, the test inverted on a grid, published
figures, coverage with weak uptake, and the cases in which nothing is known."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from models.inference.complier import (
    INTERVAL,
    TWO_RAYS,
    UNKNOWN,
    WHOLE_LINE,
    BetaSet,
    anderson_rubin,
    as_intervals,
    contains,
    first_stage_f,
    wald,
)
from models.inference.effect import intention_to_treat, interval
from tests.support.build import checked
from tests.support.trials import jobs, needs_trials, thornton
from tests.support.units import block_of_units, means_of_stack, means_of_units, sample

pytestmark = pytest.mark.core

SEEDS = st.integers(0, 10**6)


def clustered_iv(y, d, z, cluster) -> tuple[float, float]:
    """linearmodels' estimate and clustered error without its small-sample factor, times G/(G-1)."""
    from linearmodels.iv import IV2SLS

    table = pd.DataFrame({"y": y, "const": 1.0, "d": d, "z": z})
    found = IV2SLS(table["y"], table[["const"]], table[["d"]], table[["z"]]).fit(
        cov_type="clustered", clusters=np.asarray(cluster)
    )
    clusters = len(np.unique(cluster))
    return found.params["d"], found.std_errors["d"] * np.sqrt(clusters / (clusters - 1))


def clustered_t(y, d, z, cluster, beta: np.ndarray) -> np.ndarray:
    """|t| of the difference in y - βd for each β, from each cluster's residual sums."""
    y, d, z, cluster = map(np.asarray, (y, d, z, cluster))
    _, which = np.unique(cluster, return_inverse=True)
    left = y[:, None] - d[:, None] * beta
    influence = np.zeros((which.max() + 1, len(beta)))
    estimate = np.zeros(len(beta))
    for arm, sign in ((1, 1), (0, -1)):
        here = z == arm
        mean = left[here].mean(axis=0)
        estimate += sign * mean
        np.add.at(influence, which[here], sign * (left[here] - mean) / here.sum())
    clusters = len(influence)
    return np.abs(estimate) / np.sqrt((influence**2).sum(axis=0) * clusters / (clusters - 1))


def agrees(found: BetaSet, units: tuple, critical: float) -> None:
    """No β of a wide grid, nor close to the ends, is on the wrong side."""
    beta = np.r_[np.linspace(-20, 20, 801), -np.logspace(2, 8, 7), np.logspace(2, 8, 7)]
    for end in (float(found.low), float(found.high)):
        if np.isfinite(end):
            beta = np.r_[beta, end + 1e-6 * max(1, abs(end)) * np.array([-1, 1])]
    inside = clustered_t(*units, beta) <= critical
    assert contains(found, beta).tolist() == inside.tolist()


@pytest.mark.parametrize("mixed", [True, False])
@given(SEEDS, st.integers(10, 40))
@checked(12)
def test_ratio_and_error_are_those_of_clustered_iv(mixed: bool, seed: int, clusters: int) -> None:
    units = sample(seed, clusters, mixed)
    means = units.means()
    beta, se = clustered_iv(units.outcome, units.uptake, units.arm, units.cluster)
    assert wald(means)[:2] == pytest.approx((beta, se), rel=1e-9)
    fit = sm.OLS(units.uptake, sm.add_constant(units.arm)).fit(
        cov_type="cluster", cov_kwds={"groups": units.cluster, "use_correction": False}
    )
    assert first_stage_f(means) == pytest.approx(fit.tvalues[1] ** 2 * (clusters - 1) / clusters, rel=1e-9)


@pytest.mark.parametrize("mixed", [True, False])
@given(SEEDS, st.integers(10, 40), st.sampled_from([0.0, 0.1, 0.3, 1.0]), st.floats(0.5, 6))
@checked(25)
def test_the_set_is_the_test_inverted(
    mixed: bool, seed: int, clusters: int, compliance: float, critical: float
) -> None:
    units = sample(seed, clusters, mixed, compliance)
    found = anderson_rubin(units.means(), critical)
    assert found.shape != UNKNOWN
    agrees(found, (units.outcome, units.uptake, units.arm, units.cluster), critical)


def test_all_three_shapes_are_met_and_told() -> None:
    units = sample(3, 40, mixed=True, compliance=0.1)
    means = units._replace(outcome=units.outcome + units.arm).means()
    sets = [anderson_rubin(means, critical) for critical in (0.1, 4.0, 40.0)]
    told = {int(found.shape): as_intervals(found) for found in sets}
    assert set(told) == {INTERVAL, TWO_RAYS, WHOLE_LINE}
    [(low, high)] = told[INTERVAL] or []
    assert -np.inf < low < wald(means).estimate < high < np.inf
    [(left, low), (high, right)] = told[TWO_RAYS] or []
    assert (left, right) == (-np.inf, np.inf) and low < high
    assert told[WHOLE_LINE] == [(-np.inf, np.inf)]


def independent_set(y, d, z) -> tuple[BetaSet, list[tuple[float, float]]]:
    """Ours and ivmodels'. Its variance is one for both arms, which with arms of equal size is (N-2)/(N-1) of ours."""
    from ivmodels.confidence_set import ConfidenceSet
    from ivmodels.tests import inverse_anderson_rubin_test

    y, d, z = (np.asarray(column, dtype=float) for column in (y, d, z))
    n = len(y)
    critical = np.sqrt(stats.f.ppf(0.95, 1, n - 2) * (n - 1) / (n - 2))
    ours = anderson_rubin(means_of_units(range(n), z, y, uptake=d), critical)
    theirs = ConfidenceSet.from_quadric(
        inverse_anderson_rubin_test(z[:, None], d[:, None], y, alpha=0.05, critical_values="f")
    )
    return ours, [(float(low), float(high)) for low, high in theirs.boundaries]


@given(SEEDS, st.sampled_from([0.05, 0.2, 0.6]))
@checked(15)
def test_independent_units_as_ivmodels_has_it(seed: int, compliance: float) -> None:
    units = sample(seed, 200, mixed=False, compliance=compliance, singletons=True)
    treated = np.flatnonzero(units.arm == 1)
    equal = np.r_[treated, np.flatnonzero(units.arm == 0)[: len(treated)]]
    ours, theirs = independent_set(units.outcome[equal], units.uptake[equal], units.arm[equal])
    for one, other in zip(as_intervals(ours) or [], theirs, strict=True):
        assert one == pytest.approx(other, rel=1e-6, abs=1e-6)


@needs_trials
def test_jobs_as_published_and_as_ivmodels_has_it() -> None:
    people = jobs()
    for name, beta, se, digit in (("job_seek", 0.1088, 0.0809, 5e-5), ("job_dich", 0.126, 0.056, 5e-4)):
        means = means_of_units(people.person, people.treat, people[name], uptake=people.comply)
        found = wald(means)
        assert found.estimate == pytest.approx(beta, abs=digit)
        # Published without G/(G-1); with it the first is .08096.
        assert found.se * np.sqrt(898 / 899) == pytest.approx(se, abs=digit)
        columns = (people[name], people.comply, people.treat, people.person)
        assert found[:2] == pytest.approx(clustered_iv(*columns), rel=1e-9)
        agrees(anderson_rubin(means, 1.96), columns, 1.96)
        assert contains(anderson_rubin(means, 1.96), 0) == (name == "job_seek")
    equal = pd.concat([people[people.treat == 1].head(299), people[people.treat == 0]])
    ours, theirs = independent_set(equal.job_dich, equal.comply, equal.treat)
    assert (as_intervals(ours) or [])[0] == pytest.approx(theirs[0], rel=1e-6)


@needs_trials
def test_thornton_by_village() -> None:
    """Collecting a result cannot change what it is: the effect on it is near 0, and its error is what is compared."""
    people = thornton()
    positive = (people.hiv2004 == 1).astype(int)
    means = means_of_units(people.villnum, people["any"], positive, uptake=people.got)
    columns = (positive, people.got, people["any"], people.villnum)
    assert wald(means)[:2] == pytest.approx(clustered_iv(*columns), rel=1e-9)
    fit = sm.OLS(people.got, sm.add_constant(people["any"])).fit(
        cov_type="cluster", cov_kwds={"groups": people.villnum, "use_correction": False}
    )
    assert first_stage_f(means) == pytest.approx(fit.tvalues["any"] ** 2 * 119 / 120, rel=1e-9)
    agrees(anderson_rubin(means, 2.1), columns, 2.1)
    assert contains(anderson_rubin(means, 2.1), 0)


def test_full_uptake_in_one_arm_alone_is_the_effect_of_the_offer() -> None:
    units = sample(4, 40, mixed=True)
    means = means_of_units(units.cluster, units.arm, units.outcome, uptake=units.arm)
    offer = intention_to_treat(means)
    critical = stats.t.ppf(0.975, offer.df)
    found = anderson_rubin(means, critical)
    assert (found.low, found.high) == pytest.approx(interval(offer, 0.05), rel=1e-9)
    assert wald(means) == pytest.approx(offer, rel=1e-9)
    assert np.isnan(first_stage_f(means))


PAIRS = np.repeat(np.arange(20), 2), np.tile([0, 1], 20)
Y = np.random.default_rng(1).normal(size=40).round(6)
SOME = (np.random.default_rng(2).random(40) < 0.2 + 0.5 * PAIRS[1]).astype(int)


@pytest.mark.parametrize(
    ("case", "outcome", "uptake", "critical", "shape"),
    [
        ("no uptake", Y, np.zeros(40), 2.0, WHOLE_LINE),
        ("no uptake, and the offer moved the outcome all the same", Y + 10 * PAIRS[1], np.zeros(40), 2.0, WHOLE_LINE),
        ("everybody took help", Y, np.ones(40), 2.0, WHOLE_LINE),
        ("everything may be so", Y, PAIRS[1], np.inf, WHOLE_LINE),
        ("nearly everything", Y, SOME, 1e200, WHOLE_LINE),
        ("all converted", np.ones(40), SOME, 2.0, UNKNOWN),
        ("the outcome is uptake", SOME, SOME, 2.0, UNKNOWN),
        ("no such critical value", Y, PAIRS[1], np.nan, UNKNOWN),
        ("no units", [], [], 2.0, UNKNOWN),
    ],
)
def test_no_false_certainty(case: str, outcome: np.ndarray, uptake: np.ndarray, critical: float, shape: int) -> None:
    cluster, arm = (column[: len(outcome)] for column in PAIRS)
    found = anderson_rubin(means_of_units(cluster, arm, outcome, uptake=uptake), critical)
    assert found.shape == shape, case
    assert as_intervals(found) == (None if shape == UNKNOWN else [(-np.inf, np.inf)]), case
    assert contains(found, [-1e9, 0, 3]).all(), case


@pytest.mark.parametrize("compliance", [0.05, 0.3])
def test_the_set_covers_the_truth_however_weak_uptake_is(compliance: float) -> None:
    """80 accounts of 5 users, 30/70, help sought by who does well anyway; the truth is 0.5."""
    rng = np.random.default_rng(11)
    runs = 4000
    shape = (runs, 80, 5)
    arm = np.zeros(shape) + rng.permuted(np.tile(np.arange(80) < 24, (runs, 1)), axis=1)[..., None]
    sense = rng.normal(size=(runs, 80, 1)) + rng.normal(size=shape)
    took = (sense > 2) | ((arm == 1) & (rng.random(shape) < compliance))
    y = sense + 0.5 * took + rng.normal(size=shape)
    means = means_of_stack(arm, block_of_units(y, uptake=took))
    critical = stats.t.ppf(0.975, intention_to_treat(means).df)
    found = anderson_rubin(means, critical)
    assert contains(found, 0.5).mean() >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / runs)
    bounded = (found.shape == INTERVAL).mean()
    assert bounded > 0.9 if compliance == 0.3 else bounded < 0.9
    assert (np.isfinite(found.low) == (found.shape != WHOLE_LINE)).all()
