"""Time to an event from bins: lifelines on the same bins, and on the exact times that the bins were made from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import restricted_mean_survival_time

from models.clock import DAY, HOUR
from models.inference.durations import Durations, Fold, bin_width, bins_of, edges, fold
from models.inference.survival import by_day, log_rank, median, restricted_means, survival
from tests.support.build import checked

pytestmark = [pytest.mark.core, pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0")]  # lifelines' own

WINDOW = 7 * DAY
WIDTH = bin_width(WINDOW)
BINS = bins_of(WINDOW, WIDTH)
EDGES = edges(WINDOW)
MIDDLES = (EDGES[1:] + EDGES[:-1]) / 2
Arms = st.tuples(
    st.lists(st.tuples(st.integers(0, BINS - 1), st.booleans()), min_size=2, max_size=60),
    st.lists(st.tuples(st.integers(0, BINS - 1), st.booleans()), min_size=2, max_size=60),
)


def folded(units: list[tuple[int, bool]]) -> Fold:
    arm = Fold(np.zeros(BINS, np.int64), np.zeros(BINS + 1, np.int64))
    for at, happened in units:
        (arm.events if happened else arm.censored)[at] += 1
    return arm


def fitted(units: list[tuple[int, bool]]) -> KaplanMeierFitter:
    times = [MIDDLES[at] if happened else EDGES[at] for at, happened in units]
    return KaplanMeierFitter().fit(times, [happened for _, happened in units])


def last_known(units: list[tuple[int, bool]]) -> int:
    """Bins that somebody has been watched in; all of them where nobody is left without the event."""
    watched = max(at + happened for at, happened in units)
    return BINS if fitted(units).survival_function_.iloc[-1, 0] < 1e-12 else watched


@given(Arms)
@checked(30)
def test_curve_and_median_are_those_of_lifelines_on_the_bins(arms: list[list[tuple[int, bool]]]) -> None:
    units = arms[0]
    fit, curve, known = fitted(units), survival(folded(units)), last_known(units)
    assert curve[:known] == pytest.approx(fit.survival_function_at_times(EDGES[1 : known + 1]).to_numpy(), abs=1e-9)
    assert np.isnan(curve[known:]).all()
    if not np.any(np.abs(curve - 0.5) < 1e-9):  # there, lifelines decides by rounding
        expected = fit.median_survival_time_
        assert median(folded(units), EDGES) == pytest.approx(np.nan if np.isinf(expected) else expected, nan_ok=True)


@given(Arms)
@checked(30)
def test_log_rank_is_that_of_lifelines_on_the_bins(arms: list[list[tuple[int, bool]]]) -> None:
    zero, one = map(folded, arms)
    fits = [fitted(units) for units in arms]
    found = log_rank(zero.events, zero.at_risk, one.events, one.at_risk)
    test = logrank_test(fits[0].durations, fits[1].durations, fits[0].event_observed, fits[1].event_observed)
    if np.isnan(found):
        assert not test.test_statistic > 0  # nothing to tell apart: lifelines says NaN or 0
    else:
        assert found == pytest.approx(test.p_value, rel=1e-9, abs=1e-12)


@given(Arms)
@checked(30)
def test_restricted_means_are_those_of_lifelines_with_the_variance_written_out(
    arms: list[list[tuple[int, bool]]],
) -> None:
    found = restricted_means(*map(folded, arms), EDGES)
    known = min(map(last_known, arms))
    assert found.until == EDGES[known]
    if known == 0:
        assert np.isnan(found.difference) and np.isnan(found.se)
        return
    expected, variances = [], []
    for units in arms:
        fit = fitted(units)
        expected.append(restricted_mean_survival_time(fit, t=EDGES[known]))
        variance = 0.0
        for at in sorted({at for at, happened in units if happened and at < known}):
            n = sum(MIDDLES[at] <= (MIDDLES[other] if happened else EDGES[other]) for other, happened in units)
            d = units.count((at, True))
            later = expected[-1] - restricted_mean_survival_time(fit, t=MIDDLES[at])
            variance += later**2 * d / (n * (n - d)) if n > d else 0
        variances.append(variance)
    assert (found.control, found.treatment) == pytest.approx(tuple(expected), abs=1e-9)
    assert found.difference == pytest.approx(expected[1] - expected[0], abs=1e-9)
    if min(variances) > 1e-12:
        assert found.se == pytest.approx(np.sqrt(sum(variances)), rel=1e-9)
    else:
        assert np.isnan(found.se) or found.se == pytest.approx(np.sqrt(sum(variances)), abs=1e-6)


def test_with_everybody_watched_to_the_end_the_error_is_the_plain_one_of_a_mean() -> None:
    rng = np.random.default_rng(4)
    arms = [[(int(at), True) if at < BINS else (BINS, False) for at in rng.exponential(mean, 300)] for mean in (60, 40)]
    found = restricted_means(*map(folded, arms), EDGES)
    hours = [np.array([MIDDLES[at] if happened else EDGES[-1] for at, happened in units]) for units in arms]
    assert found.difference == pytest.approx(hours[1].mean() - hours[0].mean(), rel=1e-12)
    assert found.se == pytest.approx(np.sqrt(sum(one.var() / len(one) for one in hours)), rel=1e-12)
    assert found.until == EDGES[-1]


@pytest.mark.parametrize("seed", range(5))
def test_exact_times_are_less_than_a_bin_away(seed: int) -> None:
    rng = np.random.default_rng(seed)
    now, arms, exact = 10 * DAY, [], []
    for mean in (5 * DAY, 3 * DAY):
        assigned = rng.integers(0, 9 * DAY, 1500)
        event = assigned + rng.exponential(mean, 1500).astype(np.int64)
        arm = Durations(BINS)
        for start, at in zip(assigned.tolist(), event.tolist(), strict=True):
            arm.add(start // WIDTH, (at - start) // WIDTH if at - start < WINDOW else None)
        arm.advance(now // WIDTH)
        arms.append(fold(arm.row()))
        end = np.minimum(now, assigned + WINDOW)
        exact.append(KaplanMeierFitter().fit((np.minimum(event, end) - assigned) / HOUR, event < end))
    width = WIDTH / HOUR
    found = restricted_means(*arms, EDGES)
    expected = [restricted_mean_survival_time(fit, t=float(found.until)) for fit in exact]
    assert abs(found.control - expected[0]) < width
    assert abs(found.treatment - expected[1]) < width
    for arm, fit in zip(arms, exact, strict=True):
        assert abs(median(arm, EDGES) - fit.median_survival_time_) < width
        shares = 1 - fit.survival_function_at_times([24 * day.day for day in by_day(arm, EDGES)]).to_numpy()
        assert [day.share for day in by_day(arm, EDGES)] == pytest.approx(shares, abs=0.01)


def test_a_one_day_cohort_is_not_blank_for_a_week() -> None:
    arm = Durations(BINS)
    for exit in [0, 3, 13, 13, 40, None, None, None, None, None]:
        arm.add(0, exit)
    arm.advance(1)
    assert by_day(fold(arm.row()), EDGES) == []
    arm.advance(1 + 2 * 12)
    seen = by_day(fold(arm.row()), EDGES)
    assert [(day.day, day.at_risk) for day in seen] == [(1, 8), (2, 6)]
    assert [day.share for day in seen] == pytest.approx([0.2, 0.4])
    arm.advance(1000)
    assert [day.day for day in by_day(fold(arm.row()), EDGES)] == [1, 2, 3, 4, 5, 6, 7]
    assert by_day(fold(arm.row()), EDGES)[-1].share == pytest.approx(0.5)


def test_nothing_known_is_said_as_such() -> None:
    nobody, silent, all_at_once = folded([]), folded([(BINS, False)] * 9), folded([(2, True)] * 9)
    for one in (nobody, silent):
        assert np.isnan(median(one, EDGES))
        assert np.isnan(log_rank(one.events, one.at_risk, one.events, one.at_risk))
    assert np.isnan(log_rank(nobody.events, nobody.at_risk, all_at_once.events, all_at_once.at_risk))
    assert np.isnan(restricted_means(nobody, all_at_once, EDGES).difference)
    found = restricted_means(silent, all_at_once, EDGES)
    assert found.difference == pytest.approx(5 - 168) and np.isnan(found.se)
    assert median(all_at_once, EDGES) == 5
    assert by_day(all_at_once, EDGES)[-1] == (7, 1.0, 0)


def test_a_stack_reads_as_each_of_its_experiments() -> None:
    rng = np.random.default_rng(7)
    stacks = [Fold(rng.integers(0, 4, (6, BINS)), rng.integers(0, 4, (6, BINS + 1))) for _ in range(2)]
    every = restricted_means(*stacks, EDGES)
    p = log_rank(stacks[0].events, stacks[0].at_risk, stacks[1].events, stacks[1].at_risk)
    for i in range(6):
        zero, one = (Fold(stack.events[i], stack.censored[i]) for stack in stacks)
        alone = np.array(restricted_means(zero, one, EDGES))
        assert np.array(every)[:, i] == pytest.approx(alone, rel=1e-12)
        assert p[i] == pytest.approx(log_rank(zero.events, zero.at_risk, one.events, one.at_risk), rel=1e-9)
        assert median(stacks[0], EDGES)[i] == median(zero, EDGES)
