"""Advice before the start: power, duration and clashes by other routes; what is not known is said to be so."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from statsmodels.stats.power import NormalIndPower

from models import lifecycle
from models.advice import Known, Running, advise
from models.clock import HOUR, rfc3339
from models.lifecycle import Registration
from models.plan import Exclusive, Plan
from models.power import always_valid_power, design_effect, drift_for, fixed_power, mixture_tuning
from tests.support.build import checked, instant, plan

pytestmark = pytest.mark.core


def planned(id: str = "widget", metric: dict[str, Any] | None = None, **changed: Any) -> Plan:
    base = plan(id, window=30)
    primary = replace(base.primary, **({"minimum_effect": 0.05} | (metric or {})))
    return replace(base, experiment=replace(base.experiment, **({"planned_units": 1000} | changed)), metric=(primary,))


# -- power -----------------------------------------------------------------------------------------------------------


@checked(30)
@given(st.floats(-6, 6), st.floats(0.001, 0.3))
def test_looked_at_once_it_is_statsmodels_power(drift: float, alpha: float) -> None:
    expected = NormalIndPower().power(drift, nobs1=2, alpha=alpha, ratio=1)  # standard error of the difference: 1
    assert fixed_power(drift, alpha) == pytest.approx(expected, rel=1e-9)


def test_looked_at_all_the_time_it_is_what_simulated_paths_do() -> None:
    """8,000 paths of 2,000 looks up to twice the planned units. Looking 1,000 times is a little less than always."""
    random, runs, looks, alpha = np.random.default_rng(4), 8000, 2000, 0.05
    c = mixture_tuning(alpha)
    time = np.arange(1, looks + 1) / (looks / 2)
    bound = np.sqrt((time + 1 / c) * np.log((1 + time * c) / alpha**2))
    for drift in (1.5, drift_for(lambda given: fixed_power(given, alpha), 0.8)):
        crossed = np.zeros(2)
        for _ in range(runs // 500):
            steps = random.standard_normal((500, looks), dtype=np.float32) * np.sqrt(time[0]) + drift * time[0]
            above = np.cumsum(steps, axis=1) > bound
            crossed += above[:, : looks // 2].any(axis=1).sum(), above.any(axis=1).sum()
        for seen, until in zip(crossed / runs, (1, 2), strict=True):
            expected = always_valid_power(drift, alpha, until)
            assert abs(seen - expected) < 3 * np.sqrt(expected * (1 - expected) / runs) + 0.01


def test_where_the_fixed_test_has_80_percent_always_looking_has_about_two_thirds_of_it() -> None:
    drift = drift_for(lambda given: fixed_power(given, 0.05), 0.8)
    assert always_valid_power(drift, 0.05) == pytest.approx(0.548, abs=0.001)
    assert always_valid_power(drift, 0.05, until=2) == pytest.approx(0.890, abs=0.001)


@checked(20)
@given(st.floats(0.001, 0.5), st.floats(0, 40), st.floats(0.05, 10))
def test_always_looking_is_level_and_grows_with_effect_and_time(alpha: float, drift: float, until: float) -> None:
    assert always_valid_power(0, alpha, until) <= alpha / 2
    power = always_valid_power(drift, alpha, until)
    assert power <= always_valid_power(drift + 0.5, alpha, until) + 5e-4
    assert power <= always_valid_power(drift, alpha, until * 1.2) + 5e-4
    assert 0 <= power <= 1


def test_the_design_effect_is_the_variance_that_clusters_have() -> None:
    """Var of a mean of users with correlation icc inside accounts, against independent users: brute force."""
    sizes, icc = np.array([1, 2, 2, 5, 9, 11]), 0.3
    of_sum = sum(size + size * (size - 1) * icc for size in sizes)
    assert design_effect(sizes.mean(), sizes.var(), icc) == pytest.approx(of_sum / sizes.sum())
    assert design_effect(1, 0, 0.3) == 1


# -- the advice ------------------------------------------------------------------------------------------------------


def test_power_is_that_of_the_accounts_there_really_are() -> None:
    power = advise(planned(), Known(base_rate=0.2)).power
    standard_error = np.sqrt(0.2 * 0.8 / 700 + 0.25 * 0.75 / 300)
    assert power.effect == 0.05 and power.fixed == pytest.approx(fixed_power(0.05 / standard_error, 0.05))
    assert power.always_valid == pytest.approx(always_valid_power(0.05 / standard_error, 0.05))
    assert power.detectable_fixed is not None and power.detectable_always_valid is not None
    assert 0.05 < power.detectable_fixed < power.detectable_always_valid
    for size, expected in ((power.detectable_fixed, "fixed"), (power.detectable_always_valid, "always_valid")):
        again = advise(planned(metric={"minimum_effect": size}), Known(base_rate=0.2)).power
        assert getattr(again, expected) == pytest.approx(0.8, abs=0.001)


def test_units_wanted_are_those_with_which_80_percent_are_reached() -> None:
    wanted = advise(planned(), Known(base_rate=0.2)).power.units_wanted
    assert wanted is not None and wanted > 1000
    standard_error = np.sqrt((0.2 * 0.8 / 0.7 + 0.25 * 0.75 / 0.3) / 1000)
    assert always_valid_power(0.05 / standard_error, 0.05, wanted / 1000) == pytest.approx(0.8, abs=0.002)
    assert advise(planned(metric={"minimum_effect": 0.001}), Known(base_rate=0.2)).power.units_wanted is None


def test_lower_is_better_looks_for_less() -> None:
    fewer = planned(metric={"name": "tickets", "higher_is_better": False, "minimum_effect": 0.5})
    power = advise(fewer, Known(sd=2.0)).power
    assert power.effect == -0.5 and power.detectable_fixed is not None and power.detectable_fixed < 0
    assert power.fixed == pytest.approx(fixed_power(0.5 / (2 * np.sqrt(1 / 700 + 1 / 300)), 0.05))


def test_users_of_one_account_are_worth_less() -> None:
    given = planned(unit="user")
    known = Known(base_rate=0.2, users_per_account=5, users_variance=10)
    advice = advise(given, known)
    assert advice.design_effect == pytest.approx(1 + (5 * (1 + 10 / 25) - 1) * 0.05)
    assert advice.power.fixed is not None and advice.power.fixed < (advise(planned(), known).power.fixed or 0)
    by_user = advise(replace(given, experiment=replace(given.experiment, randomised_by="user")), known)
    assert by_user.design_effect == 1 and "accounts hold both arms" in by_user.notes[0]
    guessed = advise(given, Known(base_rate=0.2, users_per_account=5))
    assert (
        guessed.design_effect == pytest.approx(1 + (5 * 2 - 1) * 0.05)
        and "its sd is taken as its mean" in guessed.notes[-1]
    )


@pytest.mark.parametrize(
    ("given", "known", "said"),
    [
        (planned(), Known(), "--base-rate"),
        (planned(), Known(base_rate=0.0), "--base-rate"),
        (planned(metric={"name": "mrr"}), Known(base_rate=0.2), "--sd"),
        (planned(unit="user"), Known(base_rate=0.2), "--users-per-account"),
        (planned(metric={"minimum_effect": 0.0}), Known(base_rate=0.2), "no minimum_effect"),
        (planned(), Known(base_rate=0.97), "not possible"),
    ],
)  # fmt: skip
def test_power_that_is_not_known_is_said_to_be_so(given: Plan, known: Known, said: str) -> None:
    power = advise(given, known).power
    assert (power.fixed, power.always_valid, power.units_wanted) == (None, None, None)
    assert said in power.because


def test_an_effect_that_no_share_can_have_is_not_promised() -> None:
    tiny = advise(planned(planned_units=4), Known(base_rate=0.9)).power
    assert (tiny.detectable_fixed, tiny.detectable_always_valid) == (None, None)


def test_how_long_it_takes_is_said_in_whole_weeks() -> None:
    duration = advise(planned(), Known(units=200, arrivals_per_week=100, lateness=HOUR)).duration
    assert duration.weeks == 8 and duration.days == 91  # 56 days and a window of 30 and an hour
    assert duration.answer_by == rfc3339(instant(91))
    at_once = advise(planned(min_days=100), Known(units=2000)).duration
    assert (at_once.weeks, at_once.days) == (0, 105)
    half = planned(exclusive=Exclusive(group="onboarding", begin=0.5, end=1.0))
    assert advise(half, Known(units=200, arrivals_per_week=100)).duration.weeks == 18


@pytest.mark.parametrize(
    ("known", "said"),
    [(Known(), "--units"), (Known(units=200), "1000 units are needed and 200 are there"), (Known(units=0, arrivals_per_week=0), "0 are there")],
)  # fmt: skip
def test_how_long_is_not_known_without_arrivals(known: Known, said: str) -> None:
    duration = advise(planned(), known).duration
    assert (duration.weeks, duration.days, duration.answer_by) == (None, None, None)
    assert said in duration.because and "--arrivals-per-week" in duration.because


def test_whom_it_meets() -> None:
    def running(id: str, begin: float, end: float, group: str, *counts: Any) -> Running:
        given = planned(id, exclusive=Exclusive(group=group, begin=begin, end=end))
        return Running(lifecycle.apply(None, given, "ann", instant(0), Registration(1, 0.025)), *counts)

    others = [
        running("tour", 0.0, 0.6, "onboarding", 1000, 500, 2.0),
        running("mail", 0.6, 1.0, "onboarding"),
        running("price", 0.0, 0.5, "billing", 100, 100, 4.0),
        Running(lifecycle.queue(None, planned("later"), "ann", instant(0), Registration(2, 0.01))),
    ]
    mine = planned(exclusive=Exclusive(group="onboarding", begin=0.0, end=0.5))
    advice = advise(mine, Known(), others)
    assert advice.clashes == ("'tour' runs in onboarding from 0 to 0.6, this one is for onboarding from 0 to 0.5",)
    assert [(overlap.experiment, overlap.share) for overlap in advice.overlaps] == [("price", 0.5)]
    assert advice.offers_per_unit_per_week == pytest.approx(0.6 * 0.5 / 2 + 0.5 * 1 / 4)
    assert advise(mine, Known(), others[1:2]).offers_per_unit_per_week is None
    open_to_all = advise(planned(), Known(), others)
    assert not open_to_all.clashes and [overlap.share for overlap in open_to_all.overlaps] == [0.6, 0.4, 0.5]
