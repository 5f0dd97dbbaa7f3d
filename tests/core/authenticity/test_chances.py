"""p values against an edge: each against scipy, brute force, or a simulation at the very edge."""

import numpy as np
import pytest
from scipy.stats import binomtest, chisquare, spearmanr

from models.authenticity.chances import (
    GROUPS,
    correlation_below,
    design_effect,
    jackknife_above,
    jackknife_below,
    repeated_above,
    several,
    share_above,
    uneven_above,
    uneven_below,
    unevenness,
)
from models.authenticity.counters import Cells, Repeated

pytestmark = pytest.mark.core


def alone(counts: list[int]) -> Cells:
    """Cells of people with one event each."""
    return Cells(tuple(counts), sum(counts), sum(counts))


def test_share_is_the_exact_binomial_test() -> None:
    assert share_above(12, 1000, 0.005) == pytest.approx(binomtest(12, 1000, 0.005, alternative="greater").pvalue)
    assert share_above(0, 1000, 0.005) == 1


def test_unevenness_against_an_edge_of_nothing_is_pearsons_chi_square() -> None:
    counts = [10, 14, 9, 21, 6]
    pearson = chisquare(counts)
    assert sum(counts) * unevenness(alone(counts)) == pytest.approx(pearson.statistic)
    assert uneven_above(alone(counts), 0.0) == pytest.approx(pearson.pvalue)
    assert uneven_above(alone(counts), 0.1) + uneven_below(alone(counts), 0.1) == pytest.approx(1)


@pytest.mark.parametrize("edge", [0.04, 0.1])
def test_at_the_edge_alarms_are_as_rare_as_they_say(edge: float) -> None:
    draw, cells = np.random.default_rng(1), 10
    tilt = np.where(np.arange(cells) % 2, 1.0, -1.0)
    shares = (1 + np.sqrt(edge) * tilt) / cells
    assert cells * ((shares - 1 / cells) ** 2).sum() == pytest.approx(edge)
    runs = [alone(draw.multinomial(2000, shares).tolist()) for _ in range(2000)]
    allowed = 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)
    assert np.mean([uneven_above(one, edge) <= 0.05 for one in runs]) <= allowed
    assert np.mean([uneven_below(one, edge) <= 0.05 for one in runs]) <= allowed


def test_people_who_repeat_a_cell_count_once_not_many_times() -> None:
    draw = np.random.default_rng(2)
    repeats, p_naive, p_clustered = 8, [], []
    for _ in range(1000):
        counts = np.bincount(draw.integers(0, 10, 100), minlength=10)
        clustered = Cells(tuple((repeats * counts).tolist()), 100 * repeats**2, 100 * repeats**2)
        assert design_effect(clustered) == pytest.approx(repeats)
        p_clustered.append(uneven_above(clustered, 0.0))
        p_naive.append(uneven_above(alone((repeats * counts).tolist()), 0.0))
    assert np.mean(np.array(p_clustered) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)
    assert np.mean(np.array(p_naive) <= 0.05) > 0.9


def test_repeated_rows_of_one_person_are_one_reason() -> None:
    of_one = Repeated(100, 2000, 100**2, 100 * 1000, 1000**2 + 1000)
    of_many = Repeated(100, 2000, 100, 200, 4000)
    assert repeated_above(of_one, 0.01) > 0.1
    assert repeated_above(of_many, 0.01) < 1e-9


def test_rank_correlation_at_the_edge_is_rarely_below_it() -> None:
    draw, p_values = np.random.default_rng(3), []
    for _ in range(1000):
        a = draw.normal(size=300)
        b = 2 * np.sin(np.pi / 6 * 0.1) * a + np.sqrt(1 - (2 * np.sin(np.pi / 6 * 0.1)) ** 2) * draw.normal(size=300)
        p_values.append(correlation_below(float(spearmanr(a, b).statistic), 300, 0.1))
    assert np.mean(np.array(p_values) <= 0.05) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 1000))


def test_leaving_groups_out_gives_the_clustered_error_of_a_mean() -> None:
    draw = np.random.default_rng(4)
    people = np.repeat(np.arange(240), 5)
    p_values = []
    for _ in range(1000):
        value = draw.normal(size=240)[people] + draw.normal(size=len(people))
        estimate, p = jackknife_below(people, lambda kept, value=value: float(value[kept].mean()), 0.0)
        assert estimate == pytest.approx(value.mean())
        p_values.append(p)
    shares = np.mean(np.array(p_values) <= 0.05), np.mean(np.array(p_values) >= 0.95)
    assert shares == pytest.approx((0.05, 0.05), abs=3 * np.sqrt(0.05 * 0.95 / 1000))


def test_what_does_not_vary_is_certain_and_too_few_people_tell_nothing() -> None:
    people = np.arange(GROUPS * 10)
    assert jackknife_below(people, lambda kept: 0.1, 0.2) == (0.1, 0.0)
    assert jackknife_above(people, lambda kept: 0.1, 0.2) == (0.1, 1.0)
    assert np.isnan(jackknife_below(np.arange(GROUPS - 1), lambda kept: 0.1, 0.2)).all()


def test_several_looks_cost_their_number_and_unknown_ones_nothing() -> None:
    assert several(np.array([0.01, np.nan, 0.5])) == pytest.approx(0.02)
    assert np.isnan(several(np.array([np.nan])))
