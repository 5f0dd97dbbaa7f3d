"""Bins of equal mass, their intervals, and the calibration error that a calibrated score would have."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from statsmodels.stats.proportion import proportion_confint

from models.health.predictions import Predictions
from models.health.reliability import bins_of, calibration_error, table
from tests.core.health.judged import population, predictions
from tests.support.build import checked

pytestmark = pytest.mark.core


@given(st.lists(st.integers(0, 20), min_size=1, max_size=200))
@checked(60)
def test_equal_probabilities_stay_together_and_every_row_has_one_bin(values: list[int]) -> None:
    p = np.array(values) / 20
    order, starts = bins_of(p)
    parts = np.split(p[order], starts[1:])
    assert len(parts) <= 10 and all(len(part) for part in parts)
    assert sorted(np.concatenate(parts)) == sorted(p)
    assert all(below.max() < above.min() for below, above in pairwise(parts))


def test_bins_of_distinct_probabilities_are_tenths_as_pandas_cuts_them() -> None:
    rows = population(1, 250)
    found = table(rows)
    frame = pd.DataFrame({"p": rows.p, "label": rows.label, "bin": pd.qcut(rows.p, 10, labels=False)})
    by_bin = frame.groupby("bin")
    assert found.rows.tolist() == [100] * 10 == by_bin.size().tolist()
    assert found.mean_p == pytest.approx(by_bin.p.mean(), rel=1e-12)
    assert found.observed == pytest.approx(by_bin.label.mean(), rel=1e-12)


def test_with_one_row_an_account_the_interval_is_wilsons() -> None:
    """Up to the n/(n - 1) of the variance."""
    rows = population(2, 2000, rows=1)
    found = table(rows)
    low, high = proportion_confint(found.observed * 199, 199, alpha=0.05, method="wilson")
    assert found.low == pytest.approx(low, rel=1e-9) and found.high == pytest.approx(high, rel=1e-9)


def test_a_bin_without_events_is_as_sure_as_its_accounts_not_its_rows() -> None:
    account = np.repeat(np.arange(40), 25)
    found = table(predictions(np.full(1000, 0.01), np.zeros(1000), account))
    expected = proportion_confint(0, 40, alpha=0.05, method="wilson")
    assert (found.low[0], found.high[0]) == pytest.approx(expected, abs=1e-9)
    assert found.accounts.tolist() == [40]


def test_intervals_hold_the_true_rate_as_often_as_they_say() -> None:
    """100 worlds of 150 accounts whose rows share their fate; 1000 bins, whose true rate is p."""
    held = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        account = np.repeat(np.arange(150), 4)
        eta = rng.normal(-1, 1, 150)
        rows = predictions(expit(eta)[account], (rng.random(150) < expit(eta))[account], account)
        found = table(rows)
        held += ((found.low <= found.mean_p) & (found.mean_p <= found.high)).tolist()
    assert 0.92 <= np.mean(held) <= 0.99


def test_the_error_by_hand_and_beside_that_of_a_calibrated_score() -> None:
    rows = population(3, 1000)
    found, right = calibration_error(rows), table(rows)
    assert found.ece == pytest.approx((right.rows * abs(right.observed - right.mean_p)).sum() / right.rows.sum())
    assert 0 < found.mean < found.quantile
    assert found.ece < found.quantile
    too_sure = expit(2 * np.log(rows.p / (1 - rows.p)))
    wrong = calibration_error(Predictions(rows.account, rows.day, too_sure, rows.label, rows.scored, rows.contacted))
    assert wrong.ece > 2 * wrong.quantile


def test_a_calibrated_score_is_above_the_quantile_one_time_in_twenty() -> None:
    above = 0
    for seed in range(200):
        found = calibration_error(population(seed, 60), replicates=200)
        above += found.ece > found.quantile
    assert 2 <= above <= 20


def test_labels_that_share_an_event_err_more_together() -> None:
    rows = population(4, 300)
    alone, shared = calibration_error(rows), calibration_error(rows, spell=28)
    assert shared.mean > 1.3 * alone.mean


def test_one_row_all_tied_certain_or_none() -> None:
    one = table(predictions([0.2], [1]))
    assert (one.rows.tolist(), one.observed.tolist()) == ([1], [1]) and 0 < one.low[0] < one.high[0] <= 1
    assert len(table(predictions(np.full(50, 0.2), np.arange(50) < 5)).rows) == 1
    certain = calibration_error(predictions([0, 1, 0, 1], [0, 1, 0, 1]))
    assert (certain.ece, certain.mean, certain.quantile) == (0, 0, 0)
    assert len(table(predictions([], [])).rows) == 0
    assert np.isnan(calibration_error(predictions([], [])).ece)
