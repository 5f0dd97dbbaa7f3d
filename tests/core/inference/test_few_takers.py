"""Few takers: every assignment written out, sets point by point, and how often they hold the truth."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_hypergeom

from models.inference.few_takers import confidence_set, p_value
from models.inference.proportions import score_p
from tests.support.build import checked

pytestmark = pytest.mark.core

Unit = tuple[int, int, int]
"""Arm, taken up, converted."""


def counts_of(units: list[Unit]) -> np.ndarray:
    counts = np.zeros((2, 4), dtype=int)
    for arm, took_up, converted in units:
        counts[arm, 2 * converted + took_up] += 1
    return counts


def enumerated(arms: list[int], outcomes: list[int]) -> Fraction:
    """The share of all assignments with means at least as far apart as they are."""
    return _enumerated(tuple(arms), tuple(outcomes))


@lru_cache
def _enumerated(arms: tuple[int, ...], outcomes: tuple[int, ...]) -> Fraction:
    units, treated, everything = len(arms), sum(arms), sum(outcomes)

    def apart(total: int) -> Fraction:
        return abs(Fraction(total, treated) - Fraction(everything - total, units - treated))

    observed = apart(sum(y for y, arm in zip(outcomes, arms, strict=True) if arm))
    totals = Counter(sum(inside) for inside in combinations(outcomes, treated))
    return Fraction(sum(n for total, n in totals.items() if apart(total) >= observed), totals.total())


@st.composite
def experiments(draw: st.DrawFn) -> list[Unit]:
    """Up to 14 units, both arms there, up to four takers."""
    size = draw(st.integers(4, 14))
    bit = st.integers(0, 1)
    arms = [0, 1, *draw(st.lists(bit, min_size=size - 2, max_size=size - 2))]
    takers = set(draw(st.lists(st.integers(0, size - 1), max_size=4)))
    return [(arm, int(i in takers), draw(bit)) for i, arm in enumerate(arms)]


@given(experiments(), st.data())
@checked(15)
def test_p_is_the_share_of_all_assignments(units: list[Unit], data: st.DataObject) -> None:
    """Whichever takers the added conversions belong to."""
    effects = [
        data.draw(st.sampled_from((converted, converted - 1) if took_up else (converted,)))
        if converted
        else data.draw(st.sampled_from((0, 1) if took_up else (0,)))
        for _, took_up, converted in units
    ]
    added = [converted - without for (_, _, converted), without in zip(units, effects, strict=True)]
    arms = [arm for arm, _, _ in units]
    by_arm = [sum(e for e, arm in zip(added, arms, strict=True) if arm == one) for one in (0, 1)]
    assert p_value(counts_of(units), by_arm) == pytest.approx(float(enumerated(arms, effects)), abs=1e-12)


def written_out(units: list[Unit], beta: Fraction) -> Fraction:
    """The p of effects on takers that are beta per taker of each arm, to the nearest that is possible."""
    without = [converted for _, _, converted in units]
    for one in (0, 1):
        takers = [i for i, (arm, took_up, _) in enumerate(units) if arm == one and took_up]
        converted = [i for i in takers if units[i][2]]
        added = min(max(round(beta * len(takers)), len(converted) - len(takers)), len(converted))
        for i in converted[: max(added, 0)]:
            without[i] = 0
        for i in [i for i in takers if i not in converted][: max(-added, 0)]:
            without[i] = 1
    return enumerated([arm for arm, _, _ in units], without)


@given(experiments().filter(lambda units: any(took_up for _, took_up, _ in units)))
@checked(20)
def test_the_set_holds_the_effects_that_no_assignment_contradicts(units: list[Unit]) -> None:
    alpha = Fraction(3, 17)  # the p of no assignment of so few units is quite this
    intervals = confidence_set(counts_of(units), float(alpha))
    assert all(high < low for (_, high), (low, _) in pairwise(intervals))
    for beta in [Fraction(i, 37) for i in range(-37, 38)]:  # never half-way between two numbers of conversions
        inside = any(low <= beta <= high for low, high in intervals)
        assert inside == (written_out(units, beta) > alpha)


def p_of_fractions(counts: np.ndarray, beta: float) -> float:
    """The randomisation test of Y - beta·D with the fraction off each taker: over the takers' places, and the others'."""
    types, treated, units = counts.sum(0), counts[1].sum(), counts.sum()
    values = np.array([0, -beta, 1, 1 - beta])
    middle = types @ values * treated / units
    ways = np.array([
        (treated - sum(some), some[0], some[1], some[2]) for some in product(*(range(n + 1) for n in types[1:]))
    ])  # fmt: skip
    chances = multivariate_hypergeom.pmf(ways, types, treated)
    return chances[abs(ways @ values - middle) >= abs(counts[1] @ values - middle) - 1e-9].sum()


def test_three_of_three_takers_are_no_certainty() -> None:
    """12 others in treatment and 35 controls did not convert: at least one of the three did because of it."""
    counts = np.array([[35, 0, 0, 0], [12, 0, 0, 3]])
    assert p_value(counts, (0, 0)) == pytest.approx(15 * 14 * 13 / (50 * 49 * 48))
    assert p_value(counts, (0, 1)) == pytest.approx(15 * 14 / (50 * 49))
    assert confidence_set(counts, 0.05) == [(0.5 / 3, 1.0)]
    assert [beta for beta in np.arange(-40, 41) / 20 if p_of_fractions(counts, beta) > 0.05] == [1.0]


def test_without_takers_nothing_is_known() -> None:
    assert confidence_set([[10, 0, 90, 0], [90, 0, 10, 0]], 0.05) == [(-1.0, 1.0)]


def test_a_difference_that_takers_cannot_have_made_leaves_no_effect() -> None:
    assert confidence_set([[90, 0, 10, 0], [50, 1, 50, 1]], 0.05) == []


@pytest.mark.parametrize("counts", [np.zeros((2, 4)), [[5, 0, 0, 0], [0, 0, 0, 0]], [[0, 0, 0, 0], [3, 1, 2, 1]],
                                    [[0, 0, 20, 0], [0, 0, 17, 3]], [[0, 0, 0, 0], [0, 2, 0, 1]]])  # fmt: skip
def test_empty_arms_and_no_variance_are_read_without_certainty(counts: list) -> None:
    (interval,) = confidence_set(counts, 0.05)
    assert interval == (-1.0, 1.0)


def test_more_takers_are_refused() -> None:
    with pytest.raises(ValueError, match="10 takers are more than 9"):
        confidence_set([[90, 0, 10, 0], [50, 5, 50, 5]], 0.05)


def test_millions_of_units_are_the_pooled_z_test() -> None:
    counts = np.array([[6_300_000, 0, 700_000, 0], [2_699_000, 4, 300_991, 5]])
    assert p_value(counts, (0, 0)) == pytest.approx(score_p(300_996, 3_000_000, 700_000, 7_000_000), abs=1e-3)
    assert confidence_set(counts, 0.05) == [(-1.0, 1.0)]


CELLS = pytest.mark.parametrize(("units", "uptake", "base", "effect"), [
    (200, 0.05, 0.3, 0.0), (200, 0.05, 0.05, 0.3), (50, 0.2, 0.02, 0.9), (1000, 0.015, 0.05, 0.6), (100, 0.2, 0.0, 0.2),
])  # fmt: skip


def simulated(units: int, uptake: float, base: float, effect: float, runs: int) -> Iterator[np.ndarray]:
    """Experiments with one to nine takers. Some convert because of it, others would anyway, others not even so."""
    rng = np.random.default_rng(17)
    while runs:
        treated, complier = rng.random(units) < 0.3, rng.random(units) < uptake
        took_up = treated & complier
        converted = (rng.random(units) < base) | (took_up & (rng.random(units) < effect / (1 - base)))
        counts = np.zeros((2, 4), dtype=int)
        np.add.at(counts, (treated.astype(int), 2 * converted + took_up), 1)
        if 0 < took_up.sum() < 10:
            runs -= 1
            yield counts


@CELLS
def test_sets_hold_the_effect_among_compliers_at_large(units: int, uptake: float, base: float, effect: float) -> None:
    held = [
        any(low <= effect <= high for low, high in confidence_set(counts, 0.05))
        for counts in simulated(units, uptake, base, effect, 600)
    ]
    assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 600)


def test_a_fraction_off_each_taker_would_hold_it_rarely() -> None:
    held = [p_of_fractions(counts, 0.2) > 0.05 for counts in simulated(100, 0.2, 0.0, 0.2, 600)]
    assert np.mean(held) < 0.75
