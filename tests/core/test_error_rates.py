"""The read-outs are wrong as often as they say, within what so few simulated runs can tell (`make validate`: more)."""

from math import sqrt

import pytest

from benchmarks.validate import exercises, nothing_differs

pytestmark = pytest.mark.core
ERRORS = 4
"""Monte-Carlo standard errors that a rate may be away: a right one is further away once in 16,000 times."""


def off(rate: float, nominal: float, runs: int) -> float:
    """How far a rate is from the nominal one, in standard errors of the simulation."""
    return abs(rate - nominal) / sqrt(nominal * (1 - nominal) / runs)


@pytest.mark.parametrize("units", [200, 1000])
def test_where_nothing_differs_a_difference_is_found_once_in_twenty(units):
    rates = nothing_differs(runs=1000, seed=2, units=units, conversion=0.20)
    assert rates.unread == 0
    assert off(rates.found_rate, 0.05, rates.runs) < ERRORS
    assert off(rates.held_rate, 0.95, rates.read) < ERRORS
    assert rates.mean == pytest.approx(0, abs=ERRORS * sqrt(0.16 / (0.21 * units) / rates.runs))


def test_few_units_are_read_out_cautiously_or_not_at_all():
    rates = nothing_differs(runs=1000, seed=2, units=50, conversion=0.05)
    assert rates.unread > 0, "nobody converted: nothing is said, and nothing is found"
    assert rates.found_rate < 0.05 + ERRORS * sqrt(0.05 * 0.95 / rates.runs)
    assert rates.held_rate > 0.95 - ERRORS * sqrt(0.05 * 0.95 / rates.read)


def test_the_interval_of_the_exercise_holds_the_known_effect_and_takers_mislead():
    told = exercises(runs=150, seed=2)
    offered, takers = told["offered"], told["takers"]
    assert off(offered.held_rate, 0.95, offered.read) < ERRORS
    assert offered.found_rate > 0.8
    assert takers.mean - takers.truth > 0.06
    assert takers.held_rate < 0.5, "comparing takers with others is confidently wrong"


def test_help_that_is_no_better_is_found_to_be_only_by_comparing_takers():
    told = exercises(runs=150, seed=2, effect=0.0)
    assert off(told["offered"].found_rate, 0.05, 150) < ERRORS
    assert told["takers"].found_rate > 0.8
