"""A version that scores: bands that are multiples of the usual odds, left only when clearly beyond the edge."""

from itertools import pairwise
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.account import Account
from models.bands import band_of
from models.basis import Judged
from models.closing import with_close
from models.health.calibration import Calibration
from models.health.champion import AT_RISK, CLEARLY, ENOUGH, WATCH, Champion, Version, size_class
from models.health.classifier import fresh
from models.health.features import Features
from models.index import BANDS
from models.rows import Close
from tests.support.build import checked

pytestmark = pytest.mark.core

Usual = st.floats(-4, 2)


def champion(usual: float = -2.0, wanted: bool = False, features: Features | None = None) -> Champion:
    """usual: log odds of the event. The model has learned that x is worth something."""
    model = fresh("logistic", {})
    for number in range(200):
        model.learn({"x": float(number % 7), "members": 2.0}, number % 7 > 4)
    version = Version("logistic", 0, model.state(), Calibration(0, 1, 50, 50), wanted, usual, 50, 50)
    return Champion(version, lambda account, day: features or {})


def score_at(times: float, usual: float, wanted: bool = False) -> int:
    """The score, in hundredths, of an account with so many times the usual odds of the bad end."""
    usual_of_bad = -usual if wanted else usual
    odds = times * 2.718281828459045**usual_of_bad
    return round(10_000 / (1 + odds))


@given(Usual, st.booleans(), st.floats(0.05, 40))
@checked(100)
def test_without_a_close_before_the_band_says_how_many_times_the_usual_odds(
    usual: float, wanted: bool, times: float
) -> None:
    bands = champion(usual, wanted).bands
    for edge in (WATCH, AT_RISK):
        if abs(score_at(times, usual, wanted) - score_at(edge, usual, wanted)) <= 1:
            return  # scores are whole hundredths
    expected = "healthy" if times < WATCH else "watch" if times < AT_RISK else "at_risk"
    assert band_of(score_at(times, usual, wanted), None, bands) == expected


@pytest.mark.parametrize(
    ("usual", "wanted"), [(-4.0, False), (-2.0, False), (0.0, False), (-1.0, True), (0.0, True), (2.0, True)]
)
def test_a_band_is_left_at_a_quarter_more_or_less_than_the_odds_of_its_edge(usual: float, wanted: bool) -> None:
    bands = champion(usual, wanted).bands

    def band(times: float, before: str) -> str:
        return band_of(score_at(times, usual, wanted), before, bands)

    for edge, better, worse in ((WATCH, "healthy", "watch"), (AT_RISK, "watch", "at_risk")):
        assert band(edge * CLEARLY * 0.98, better) == better
        assert band(edge * CLEARLY * 1.02, better) == worse
        assert band(edge / CLEARLY * 1.02, worse) == worse
        assert band(edge / CLEARLY * 0.98, worse) == better


@given(Usual, st.booleans())
@checked(50)
def test_edges_lie_in_order_and_within_the_scale(usual: float, wanted: bool) -> None:
    bands = champion(usual, wanted).bands
    assert [band.name for band in bands] == [band.name for band in BANDS]
    assert all(upper.lowest >= lower.lowest for upper, lower in pairwise(bands))
    assert all(0 <= band.down <= band.lowest <= band.up <= 10_000 for band in bands)


def test_a_close_of_another_kind_holds_no_band() -> None:
    """6100 is healthy by the index; a model's 5900 in its own watch band starts anew there, hysteresis or not."""
    held = [Close(1, 6100, "healthy")]
    assert with_close(held, 2, 5900)[-1].band == "healthy"
    assert with_close(held, 2, 5900, BANDS, "logistic")[-1].band == "watch"
    same = [Close(1, 6100, "healthy", "logistic")]
    assert with_close(same, 2, 5900, BANDS, "logistic")[-1].band == "healthy"


def test_the_same_score_of_another_kind_is_another_close() -> None:
    held = [Close(1, 6100, "healthy", since=0)]
    assert with_close(held, 2, 6100, BANDS, "logistic")[-1] == Close(2, 6100, "healthy", "logistic", since=2)


@given(st.floats(0.001, 0.999), Usual, st.booleans())
@checked(50)
def test_times_the_usual_risk(good: float, usual: float, wanted: bool) -> None:
    times = champion(usual, wanted).times_usual(Judged(round(10_000 * good), good, {}))
    usual_of_bad = -usual if wanted else usual
    assert log(times) == pytest.approx(log((1 - good) / good) - usual_of_bad)


@pytest.mark.parametrize("wanted", [False, True])
def test_drivers_add_up_to_the_score_and_the_score_is_the_chance_of_the_good_end(wanted: bool) -> None:
    one = champion(wanted=wanted, features={"x": 6.0, "members": 2.0})
    judged = one.judge(Account(), 5)
    drivers = one.drivers(Account(), 5, judged)
    assert sum(driver.contribution for driver in drivers) == judged.score - one.baseline
    x = next(driver.contribution for driver in drivers if driver.feature == "x")
    assert (x > 0) == wanted, "more of x means more of the event"
    assert judged.probability is not None and judged.score == round(10_000 * judged.probability)


@pytest.mark.parametrize("wanted", [False, True])
def test_the_probability_of_the_good_end_lies_in_its_interval(wanted: bool) -> None:
    one = champion(wanted=wanted, features={"x": 6.0, "members": 2.0})
    judged = one.judge(Account(), 5)
    assert judged.probability is not None and judged.interval is not None
    low, high = judged.interval
    assert 0 < low < judged.probability < high < 1

    def logit(p: float) -> float:
        return log(p / (1 - p))

    middle = logit(judged.probability)
    assert logit(high) - middle == pytest.approx(middle - logit(low)), "symmetric in log odds"


def test_a_version_scores_when_it_has_seen_enough_of_both_and_is_calibrated_on_enough() -> None:
    def version(events: int, others: int, calibrated: float) -> Version:
        calibration = Calibration(0, 1, calibrated, 50)
        return Version("logistic", 0, {}, calibration, wanted=False, usual=0, events=events, others=others)

    assert version(ENOUGH, ENOUGH, 10).enough
    assert not version(ENOUGH - 1, 500, 10).enough
    assert not version(500, ENOUGH - 1, 10).enough
    assert not version(500, 500, 9).enough


def test_accounts_of_similar_size() -> None:
    assert [size_class(members) for members in (0, 1, 2, 3, 4, 7, 8, 15, 16, -1)] == [0, 1, 2, 2, 3, 3, 4, 4, 5, 0]
