"""The first read-out of an experiment, held against the formulas written out and against scipy's chi-square."""

from math import sqrt
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, norm

from models.experiment import LEAST_UNITS, read, two_proportions
from tests.support.build import checked, plan

pytestmark = pytest.mark.core

Arm = st.integers(LEAST_UNITS, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def wilson(x: int, n: int, z: float) -> tuple[float, float]:
    """Wilson's score interval of one proportion: the roots of (p - x/n)² = z² p (1 - p) / n."""
    middle, width = (2 * x + z * z) / (2 * (n + z * z)), z * sqrt(z * z + 4 * x * (1 - x / n)) / (2 * (n + z * z))
    return middle - width, middle + width


@given(Arm, Arm, st.sampled_from([0.01, 0.05, 0.1, 0.2]))
@checked(60)
def test_difference_interval_and_p_by_another_route(treated: tuple, control: tuple, alpha: float) -> None:
    (x1, n1), (x0, n0) = treated, control
    assume(0 < x1 + x0 < n1 + n0)
    found = two_proportions(x1, n1, x0, n0, alpha)
    p1, p0 = x1 / n1, x0 / n0
    z = float(norm.isf(alpha / 2))
    (low1, high1), (low0, high0) = wilson(x1, n1, z), wilson(x0, n0, z)
    low = p1 - p0 - sqrt((p1 - low1) ** 2 + (high0 - p0) ** 2)
    high = p1 - p0 + sqrt((high1 - p1) ** 2 + (p0 - low0) ** 2)
    assert found["estimate"] == pytest.approx(p1 - p0, abs=1e-8)
    assert found["ci"] == pytest.approx([low, high], abs=1e-8)
    assert found["relative"] == (None if x0 == 0 else pytest.approx(p1 / p0 - 1, abs=1e-8))
    chi2 = chi2_contingency([[x1, n1 - x1], [x0, n0 - x0]], correction=False)
    assert found["p"] == pytest.approx(chi2.pvalue, rel=1e-5, abs=1e-300)


@given(Arm, Arm)
@checked(40)
def test_turned_round_the_effect_is_the_opposite_and_as_certain(one: tuple, other: tuple) -> None:
    assume(0 < one[0] + other[0] < one[1] + other[1])
    there, back = two_proportions(*one, *other, 0.05), two_proportions(*other, *one, 0.05)
    assert there["estimate"] == -back["estimate"]
    assert there["ci"] == pytest.approx([-back["ci"][1], -back["ci"][0]], abs=1e-8)
    assert there["p"] == pytest.approx(back["p"], rel=1e-5)


@pytest.mark.parametrize(
    ("numbers", "because"),
    [
        ((0, 0, 0, 0), "each arm needs 10 mature units; they have 0 and 0"),
        ((5, 9, 5, 500), "each arm needs 10 mature units; they have 9 and 500"),
        ((0, 50, 0, 50), "nobody has converted yet"),
        ((50, 50, 60, 60), "everybody has converted"),
    ],
)
def test_what_cannot_be_had_yet_is_null_and_says_why(numbers: tuple, because: str) -> None:
    found = two_proportions(*numbers, 0.05)
    assert found.pop("because") == because
    assert set(found) == {"estimate", "relative", "se", "ci", "p"} and set(found.values()) == {None}


def reading(**counts: int) -> Any:
    return read(plan(), plan().hash, True, {name.replace("__", ":"): count for name, count in counts.items()})


def test_the_effect_is_test_minus_control_among_mature_units() -> None:
    found = reading(test__assigned=40, test__mature=20, test__converted=10, control__mature=40, control__converted=10)
    converted = found["metrics"]["converted"]
    assert converted["arms"]["test"] == {"units": 20, "sum": 10, "mean": 0.5}
    assert converted["arms"]["control"] == {"units": 40, "sum": 10, "mean": 0.25}
    assert (converted["itt"]["estimate"], converted["itt"]["relative"]) == (0.25, 1.0)
    assert (found["retrospective"], found["plan_hash"], found["shares"]["test"]) == (True, plan().hash, 0.3)


def test_an_experiment_without_anybody_has_counts_of_zero_and_no_means() -> None:
    found = reading()
    assert found["arms"]["test"]["assigned"] == 0
    assert found["metrics"]["converted"]["arms"]["test"] == {"units": 0, "sum": 0, "mean": None}
    assert found["metrics"]["converted"]["itt"]["because"]
