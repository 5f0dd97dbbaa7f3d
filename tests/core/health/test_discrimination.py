"""AUC by scipy's Mann-Whitney, lift by every order of tied rows; both unmoved by what should not move them."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from models.health.discrimination import auc, lift, ranked, ranking
from tests.support.build import checked

pytestmark = pytest.mark.core

ROWS = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=60)


def read(p: np.ndarray, label: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, float]:
    weights = np.ones(len(p)) if weights is None else weights
    found = ranking(p, label)
    seen = ranked(found, weights[found.order])
    return float(auc(seen)), float(lift(seen))


def columns(rows: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    p, label = zip(*rows, strict=True)
    return np.array(p) / 8, np.array(label)


def in_every_order(p: list[float], label: list[bool]) -> float:
    """Events in the top tenth of the rows, whole rows first and then a part of one, over the orders that p allows."""
    k = len(p) / 10
    orders = [order for order in permutations(range(len(p))) if all(p[a] >= p[b] for a, b in pairwise(order))]
    caught = [sum(label[row] * min(max(k - place, 0), 1) for place, row in enumerate(order)) for order in orders]
    return float(np.mean(caught)) / (0.1 * sum(label))


@given(ROWS)
@checked(100)
def test_auc_is_that_of_mann_and_whitney(rows: list[tuple[int, bool]]) -> None:
    p, label = columns(rows)
    found = read(p, label)[0]
    if label.all() or not label.any():
        assert np.isnan(found)
    else:
        u = mannwhitneyu(p[label], p[~label]).statistic
        assert found == pytest.approx(u / label.sum() / (~label).sum(), abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=7))
@checked(60)
def test_lift_is_the_mean_over_the_orders_of_tied_rows(rows: list[tuple[int, bool]]) -> None:
    p, label = columns(rows)
    found = read(p, label)[1]
    if label.any():
        assert found == pytest.approx(in_every_order(list(p), list(label)), abs=1e-12)
    else:
        assert np.isnan(found)


def test_a_tenth_of_thirty_five_rows_is_three_and_a_half() -> None:
    """Events at ranks 1, 4 and 20: one whole and a half of one, of three, against the tenth expected."""
    label = np.zeros(35, dtype=bool)
    label[[0, 3, 19]] = True
    assert read(-np.arange(35.0), label)[1] == pytest.approx(1.5 / 3 / 0.1)


def test_a_run_across_the_boundary_gives_the_share_that_fits() -> None:
    """Of 100 rows the first 4 stand above a run of 12 with 3 events; 6 of the 12 fit, so half of its events."""
    p = np.concatenate([np.full(4, 0.9), np.full(12, 0.5), np.full(84, 0.1)])
    label = np.zeros(100, dtype=bool)
    label[[0, 1, 4, 5, 6, 50]] = True
    assert read(p, label)[1] == pytest.approx((2 + 1.5) / 6 / 0.1)


@given(ROWS, st.permutations(range(60)))
@checked(60)
def test_the_order_of_rows_and_the_scale_of_p_do_not_matter(rows: list[tuple[int, bool]], order: list[int]) -> None:
    p, label = columns(rows)
    mixed = [place for place in order if place < len(p)]
    assert read(p[mixed], label[mixed]) == pytest.approx(read(p, label), abs=1e-12, nan_ok=True)
    assert read(np.exp(3 * p) - 7, label) == pytest.approx(read(p, label), abs=1e-12, nan_ok=True)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3)), min_size=1, max_size=30))
@checked(100)
def test_a_weight_is_that_many_rows(rows: list[tuple[int, bool, int]]) -> None:
    """Also weight 0, which is no row."""
    p, label, weight = (np.array(column) for column in zip(*rows, strict=True))
    again = np.repeat(np.arange(len(p)), weight)
    if len(again):
        assert read(p, label, weight.astype(float)) == pytest.approx(
            read(p[again], label[again]), abs=1e-12, nan_ok=True
        )


def test_all_tied_says_nothing_and_perfect_order_everything() -> None:
    label = np.arange(100) < 5
    assert read(np.full(100, 0.3), label) == pytest.approx((0.5, 1))
    assert read(-np.arange(100.0), label) == (1, 10)
    assert read(np.arange(100.0), label) == (0, 0)


@pytest.mark.parametrize("label", [[], [True], [False]])
def test_one_row_or_none_is_nothing_known(label: list[bool]) -> None:
    found = read(np.full(len(label), 0.5), np.array(label, dtype=bool))
    assert np.isnan(found[0])
    assert found[1] == 1 if any(label) else np.isnan(found[1])
