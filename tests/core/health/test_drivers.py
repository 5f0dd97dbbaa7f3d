"""Drivers: they add up to the hundredth, point the right way, and are the path integral of the score along a line."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from models.health.calibration import Calibration
from models.health.drivers import explained
from models.rounding import largest_remainder

pytestmark = pytest.mark.core

Phi = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-700, 700) | st.floats(-1e-3, 1e-3), max_size=8)
Calibrations = st.builds(Calibration, st.floats(-20, 20), st.floats(0.001, 20))


@given(st.floats(-700, 700), Phi, Calibrations, st.booleans())
def test_contributions_add_up_to_score_minus_baseline(
    eta0: float, phi: dict[str, float], calibration: Calibration, wanted: bool
) -> None:
    found = explained(eta0, phi, calibration, wanted)
    assert found.score == found.baseline + sum(found.contributions.values())
    assert 0 <= found.score <= 10_000 and found.contributions.keys() == phi.keys()
    p = calibration.probability(eta0)
    assert found.baseline == pytest.approx(10_000 * (p if wanted else 1 - p), abs=0.51)


@given(st.floats(-5, 5), Phi, Calibrations, st.booleans())
def test_what_raises_the_risk_lowers_the_score(
    eta0: float, phi: dict[str, float], calibration: Calibration, wanted: bool
) -> None:
    for name, contribution in explained(eta0, phi, calibration, wanted).contributions.items():
        rises = phi[name] if wanted else -phi[name]
        assert contribution * rises >= 0 or abs(contribution) <= 1  # rounding may move one hundredth


@given(st.floats(-4, 4), st.lists(st.floats(-2, 2), min_size=2, max_size=5), st.floats(-2, 2), st.floats(0.1, 2))
def test_a_contribution_is_the_integral_of_the_score_along_the_line_to_the_account(
    eta0: float, parts: list[float], a: float, b: float
) -> None:
    """Integrated gradients (Sundararajan, Taly and Yan 2017): the integral over t of phi·f'(eta0 + t·(eta - eta0))."""
    calibration, total = Calibration(a, b), sum(parts)
    found = explained(eta0, {str(i): part for i, part in enumerate(parts)}, calibration, wanted=True)
    for i, part in enumerate(parts):
        integral, _ = quad(lambda t, part=part: part * calibration.slope(eta0 + t * total), 0, 1)
        assert found.contributions[str(i)] == pytest.approx(10_000 * integral, abs=2.01)


def test_at_the_typical_account_the_tangent_is_taken() -> None:
    calibration = Calibration(-1.0, 0.5)
    exact = 10_000 * calibration.slope(0.3)
    found = explained(0.3, {"more": 1.0, "less": -1.0, "nothing": 0.0}, calibration, wanted=False)
    assert found.score == found.baseline
    assert found.contributions == {"more": -round(exact), "less": round(exact), "nothing": 0}
    nearly = explained(0.3, {"more": 1.0, "less": -1.0 + 2e-4}, calibration, wanted=False)
    assert nearly.contributions["more"] == pytest.approx(-exact, abs=1.5)


@pytest.mark.parametrize("net", [1e-12, 1e-6, 5e-5, 1e-3, 0.05])
def test_large_parts_that_nearly_cancel_are_told_to_the_hundredth(net: float) -> None:
    """The chord in 50 digits."""
    found = explained(-2.0, {"more": 300.0, "less": net - 300.0}, Calibration(), wanted=True)
    with localcontext(prec=50):
        eta0, eta = Decimal(-2), Decimal(-2) + (Decimal(net - 300.0) + 300)
        chord = (1 / (1 + (-eta).exp()) - 1 / (1 + (-eta0).exp())) / (eta - eta0)
        exact = float(10_000 * chord * 300)
    assert found.contributions["more"] == pytest.approx(exact, abs=1.01)


def test_the_score_is_of_retention_or_of_conversion() -> None:
    phi = {"tickets": 2.0}
    churn, conversion = (explained(-2.0, phi, Calibration(), wanted) for wanted in (False, True))
    assert (churn.score, churn.baseline, churn.contributions) == (5_000, 8_808, {"tickets": -3_808})
    assert (conversion.score, conversion.baseline, conversion.contributions) == (5_000, 1_192, {"tickets": 3_808})


def test_a_part_of_nothing_gets_nothing() -> None:
    phi = {"constant": 0.0, "a": 0.01, "b": 0.02, "c": -0.013}
    assert all(explained(eta0 / 50, phi, Calibration(), False).contributions["constant"] == 0 for eta0 in range(100))


def test_nothing_known_is_the_baseline() -> None:
    assert explained(-1.0, {}, Calibration(), False) == (7_311, 7_311, {})


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=12), st.sampled_from([-1, 0, 1]))
def test_rounded_parts_add_up_and_stay_near(exact: list[float], off: int) -> None:
    total = round(sum(exact)) + off
    rounded = largest_remainder(exact, total)
    assert sum(rounded) == total
    assert all(abs(part - whole) < 2.1 for part, whole in zip(exact, rounded, strict=True))


def test_the_largest_remainders_are_moved() -> None:
    assert largest_remainder([1.2, 2.9, -0.5], 4) == [1, 3, 0]
    assert largest_remainder([1.2, 2.9, -0.5], 3) == [1, 3, -1]
    assert largest_remainder([], 0) == []
