"""Missing outcomes: Lee's bounds by trimming the sorted outcomes; balance against statsmodels and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency
from statsmodels.stats.proportion import proportions_ztest

from models.inference.missing import Histogram, balance, bin_of, bounds, bounds_of_amounts
from tests.support.build import checked

pytestmark = pytest.mark.core

Zeros = st.lists(st.booleans(), min_size=1, max_size=30)
Amounts = st.lists(st.integers(-(10**9), 10**9) | st.integers(-50, 50), min_size=1, max_size=40)


def trimmed(outcomes: list[float], keep: float) -> tuple[float, float]:
    """Means of the `keep` smallest and largest outcomes, by splitting every unit into shares of it."""
    ordered = np.sort(np.array(outcomes, dtype=float))
    weights = np.clip(keep - np.arange(len(ordered)), 0, 1)
    return float(ordered @ weights / keep), float(ordered[::-1] @ weights / keep)


def by_sorting(assigned: tuple[int, int], control: list[float], treatment: list[float]) -> tuple[float, float]:
    rates = len(control) / assigned[0], len(treatment) / assigned[1]
    if rates[1] >= rates[0]:
        least, most = trimmed(treatment, len(treatment) * rates[0] / rates[1])
        return least - float(np.mean(control)), most - float(np.mean(control))
    least, most = trimmed(control, len(control) * rates[1] / rates[0])
    return float(np.mean(treatment)) - most, float(np.mean(treatment)) - least


def histogram(amounts: list[int]) -> Histogram:
    found: dict[int, tuple[int, int]] = {}
    for amount in amounts:
        units, total = found.get(bin_of(amount), (0, 0))
        found[bin_of(amount)] = units + 1, total + amount
    return found


@given(Zeros, Zeros, st.integers(0, 20), st.integers(0, 20))
@checked(150)
def test_bounds_of_conversion_are_those_of_the_sorted_outcomes(
    control: list[bool], treatment: list[bool], lost0: int, lost1: int
) -> None:
    assigned = len(control) + lost0, len(treatment) + lost1
    found = bounds(assigned, (len(control), len(treatment)), (sum(control), sum(treatment)))
    assert found[:2] == pytest.approx(by_sorting(assigned, [*control], [*treatment]), abs=1e-9)
    assert found.within == 0
    assert found.low <= np.mean(treatment) - np.mean(control) + 1e-12
    assert np.sign(found.trimmed) == np.sign(len(treatment) * assigned[0] - len(control) * assigned[1])


@given(Amounts, Amounts, st.integers(0, 20), st.integers(0, 20))
@checked(150)
def test_bounds_of_amounts_are_off_by_what_they_say_and_less_than_a_bin(
    control: list[int], treatment: list[int], lost0: int, lost1: int
) -> None:
    assigned = len(control) + lost0, len(treatment) + lost1
    found = bounds_of_amounts(assigned, histogram(control), histogram(treatment), worth=1)
    expected = by_sorting(assigned, [*control], [*treatment])
    assert np.abs(np.subtract(found[:2], expected)).max() <= found.within * (1 + 1e-9) + 1e-6
    assert found.within <= max(map(abs, [*control, *treatment])) * (1 - 2 ** (-1 / 8)) * 2 ** (1 / 8)
    if not lost0 and not lost1:
        assert found.trimmed == found.within == 0
        assert found.low == found.high


def test_amounts_alike_in_their_bin_are_bounded_as_exactly_as_counts() -> None:
    rng = np.random.default_rng(2)
    amounts = [[int(a) for a in rng.lognormal(3, 1, n) * 1e6] for n in (4000, 5000)]
    found = bounds_of_amounts((6000, 6000), *map(histogram, amounts))
    expected = by_sorting((6000, 6000), *[[a / 1e6 for a in arm] for arm in amounts])
    assert found[:2] == pytest.approx(expected, abs=found.within)
    assert found.trimmed == pytest.approx(0.2)
    assert 0 < found.within < 0.05  # of a mean near 33, cut at 7 and at 47


@given(st.integers(-(10**18), 10**18))
@checked(200)
def test_a_bin_holds_what_differs_by_a_ninth_at_most(amount: int) -> None:
    at, size = abs(bin_of(amount)), abs(amount)
    assert bin_of(-amount) == -bin_of(amount)
    if amount:
        assert 2 ** (at - 1) <= size**8 < 2**at
        assert (bin_of(amount) > 0) == (amount > 0)
    else:
        assert at == 0


@given(st.integers(1, 500), st.integers(1, 500), st.floats(0, 1), st.floats(0, 1))
@checked(60)
def test_balance_is_the_pooled_test(n0: int, n1: int, share0: float, share1: float) -> None:
    observed = round(n0 * share0), round(n1 * share1)
    missing = n0 - observed[0], n1 - observed[1]
    found = balance((n0, n1), observed)
    assert found.difference == pytest.approx(missing[1] / n1 - missing[0] / n0, abs=1e-12)
    if 0 < sum(missing) < n0 + n1:
        assert found.p == pytest.approx(proportions_ztest(missing[::-1], (n1, n0))[1], rel=1e-9)
        table = [[missing[0], observed[0]], [missing[1], observed[1]]]
        assert found.p == pytest.approx(chi2_contingency(table, correction=False).pvalue, rel=1e-7)
    else:
        assert np.isnan(found.p)


def test_nothing_known_is_said_as_such() -> None:
    assert np.isnan(balance((0, 5), (0, 3))).all()
    assert np.isnan(bounds((4, 5), (0, 3), (0, 2))).all()
    assert np.isnan(bounds_of_amounts((4, 5), {}, histogram([1, 2]))).all()
    assert np.isnan(bounds((0, 0), (0, 0), (0, 0))).all()
