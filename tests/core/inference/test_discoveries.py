"""The queue of experiments: levels by their recursion, what a level is fixed by, and the rate of false discoveries."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.inference.discoveries import gamma, level, rejects
from tests.support.build import checked

pytestmark = pytest.mark.core


def test_gammas_sum_to_one() -> None:
    assert sum(Fraction(1, t * (t + 1)) for t in range(1, 1000)) == 1 - Fraction(1, 1000)
    assert [gamma(t) for t in range(1, 1000)] == [float(Fraction(1, t * (t + 1))) for t in range(1, 1000)]


@given(st.lists(st.sampled_from([0.0, 0.5, 19.0, 40.0, 41.0, 120.0, 1e3, 1e6, float("nan")]), max_size=60))
@checked(60)
def test_levels_are_those_of_the_whole_queue(e_values: list[float]) -> None:
    """One after the other, as in the paper: in fractions, against what is kept as the queue goes on."""
    alpha, rejected, kept = Fraction(1, 20), [], 0
    for place, e in enumerate(e_values, 1):
        fixed = level(0.05, place, kept)
        exact = alpha * Fraction(1, place * (place + 1)) * (len(rejected) + 1)
        assert float(f"{fixed:.6g}") == float(f"{float(exact):.6g}")
        if e >= 1 / exact:
            rejected.append(place)
        kept += rejects(e, fixed)
        assert kept == len(rejected)


def test_evidence_is_enough_from_one_over_the_level_on() -> None:
    assert level(0.05, 1, 0) == 0.025
    assert rejects(40.0, 0.025) and not rejects(39.999, 0.025) and not rejects(float("nan"), 0.025)
    assert level(0.05, 2, 1) == pytest.approx(0.05 / 3)


@pytest.mark.parametrize(("place", "rejections"), [(0, 0), (1, 1), (3, 3), (2, -1)])
def test_a_place_that_cannot_be_is_refused(place: int, rejections: int) -> None:
    with pytest.raises(ValueError, match="rejections"):
        level(0.05, place, rejections)


def test_false_discoveries_stay_rare_when_experiments_overlap_and_depend_on_each_other() -> None:
    """Twelve places, seven without effect, whose e-values all move together; nine are registered before any answer."""
    rng, alpha, shares = np.random.default_rng(3), 0.2, []
    null = np.array([True, False, True, True, False, True, False, True, False, True, True, False])
    for _ in range(3000):
        common = rng.normal()
        # exp(m·z - m²/2) is an e-value; effects shift z by 3.
        e = np.exp(2 * (common * null + (3 + rng.normal(size=12)) * ~null) - 2)
        answered: list[int] = []
        for place in range(1, 13):
            known = len(answered) if place > 9 else 0
            if rejects(e[place - 1], level(alpha, place, known)):
                answered.append(place - 1)
        shares.append(null[answered].mean() if answered else 0.0)
    assert 0 < np.mean(shares) <= alpha + 3 * np.std(shares) / np.sqrt(len(shares))
