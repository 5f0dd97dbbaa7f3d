"""Planned against actual shares: the e-value unit by unit, chi-square in the end, and two real experiments."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from models.inference.sample_ratio import e_value, p_final
from tests.support.build import checked
from tests.support.shared_data import DATA, needs

pytestmark = pytest.mark.core

COOKIE_CATS = DATA / "cookie_cats" / "cookie_cats.csv"
HALVES = (0.5, 0.5)


def by_arrival(arms: list[int], shares: tuple[float, ...], concentration: float) -> float:
    """Each unit's chance given those before it, over its planned chance."""
    seen, found = [concentration * share for share in shares], 1.0
    for arm in arms:
        found *= seen[arm] / sum(seen) / shares[arm]
        seen[arm] += 1
    return found


@pytest.mark.parametrize("shares", [HALVES, (0.7, 0.3), (0.999, 0.001), (0.2, 0.3, 0.5)])
@given(st.data())
@checked(40)
def test_e_value_is_that_of_the_arrivals_in_any_order(shares: tuple[float, ...], data: st.DataObject) -> None:
    arms = data.draw(st.lists(st.integers(0, len(shares) - 1), max_size=300))
    concentration = data.draw(st.sampled_from([1.0, 20.0, 100.0, 1e4]))
    counts = np.bincount(arms, minlength=len(shares)) if arms else np.zeros(len(shares))
    assert e_value(counts, shares, concentration) == pytest.approx(by_arrival(arms, shares, concentration), rel=1e-9)


def test_it_is_a_fair_bet_while_shares_are_as_planned() -> None:
    """Its mean over all ways in which 12 units can fall is 1, to the last digits."""
    from scipy.stats import binom

    treated = np.arange(13)
    assert binom.pmf(treated, 12, 0.3) @ e_value(
        np.stack([12 - treated, treated], -1), (0.7, 0.3), 100
    ) == pytest.approx(1)


def test_counts_far_beyond_the_plan_stay_numbers() -> None:
    assert np.isfinite(e_value([0, 10**9], HALVES, 100)) and e_value([0, 10**9], HALVES, 100) > 1e300
    assert p_final([0, 10**9], HALVES) == 0


@given(
    st.lists(st.integers(0, 5000), min_size=2, max_size=2).filter(any),
    st.sampled_from([HALVES, (0.7, 0.3), (0.999, 0.001)]),
)
@checked(50)
def test_p_after_the_stop_is_chi_square(counts: list[int], shares: tuple[float, float]) -> None:
    expected = chisquare(counts, np.multiply(shares, sum(counts))).pvalue
    assert p_final(counts, shares) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_nobody_assigned_is_nothing_known() -> None:
    assert e_value([0, 0], HALVES, 100) == 1
    assert np.isnan(p_final([0, 0], HALVES))
    assert p_final([[0, 0], [40, 60]], HALVES)[1] == pytest.approx(0.0455, abs=5e-5)


def test_published_sample_ratios() -> None:
    assert round(float(p_final([44_700, 45_489], HALVES)), 4) == 0.0086
    assert round(float(p_final([345_543, 344_660], HALVES)), 2) == 0.29
    for concentration in (1, 10, 100, 1000, 10_000, 100_000):
        assert e_value([44_700, 45_489], HALVES, concentration) < 10


@needs("cookie_cats")
def test_cookie_cats_watched_player_by_player_never_reaches_ten() -> None:
    second = (pd.read_csv(COOKIE_CATS, usecols=["version"]).version == "gate_40").to_numpy()
    n = np.arange(1, len(second) + 1)
    counts = np.stack([n - second.cumsum(), second.cumsum()], -1)
    assert counts[-1].tolist() == [44_700, 45_489]
    assert e_value(counts, HALVES, 100).max() < 10
