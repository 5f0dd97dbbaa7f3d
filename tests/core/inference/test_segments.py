"""Cochran's Q: written out, and as statsmodels' meta-analysis has it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from models.inference.segments import cochran_q
from tests.support.build import checked

pytestmark = pytest.mark.core


@given(st.integers(0, 10**6), st.integers(2, 9))
@checked(20)
def test_weighted_sum_of_squares(seed: int, segments: int) -> None:
    rng = np.random.default_rng(seed)
    estimate, se = rng.normal(size=segments), rng.uniform(0.1, 2, segments)
    common = np.average(estimate, weights=se**-2)
    q = sum(((one - common) / error) ** 2 for one, error in zip(estimate, se, strict=True))
    found = cochran_q(estimate, se)
    assert found == pytest.approx((q, segments - 1, stats.chi2.sf(q, segments - 1)), rel=1e-9)
    assert found.q == pytest.approx(combine_effects(estimate, se**2).q, rel=1e-9)


def test_segments_without_an_effect_are_left_out() -> None:
    found = cochran_q([0.1, np.nan, 0.4, 5.0], [0.1, 0.1, 0.2, 0.0])
    assert np.array_equal(found, cochran_q([0.1, 0.4], [0.1, 0.2]))
    for estimate, se in (([0.1, np.nan], [0.1, 0.1]), ([0.1], [0.1]), ([np.nan], [np.nan]), ([], [])):
        assert np.isnan(cochran_q(estimate, se)).all()


def test_one_effect_for_all_is_rejected_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    se = rng.uniform(0.1, 2, (20_000, 5))
    p = cochran_q(0.3 + se * rng.normal(size=se.shape), se).p
    assert stats.binomtest(int((p < 0.05).sum()), len(p), 0.05).pvalue > 0.001
