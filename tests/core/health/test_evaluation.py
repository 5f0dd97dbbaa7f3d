"""Intervals hold what they say, worthless scores are called so, models are compared on the same draws of accounts."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import bootstrap

from models.health.evaluation import compare, comparison, has_skill, probabilities, ranks, summary
from models.health.measured import Measured
from models.health.predictions import Predictions, joined
from models.health.replicates import draws
from tests.core.health.judged import population, predictions
from tests.support.build import checked

pytestmark = pytest.mark.core


def shuffled(rows: Predictions, seed: int) -> Predictions:
    """Each account's labels given to another account: what p says of them is worth nothing."""
    per_account = len(rows) // len(np.unique(rows.account))
    by_account = rows.label.reshape(-1, per_account)
    return replace(rows, label=np.random.default_rng(seed).permutation(by_account).ravel())


# -- figures ---------------------------------------------------------------------------------------------------------


def test_means_by_hand() -> None:
    rows = predictions([0.5, 0.25, 0.25, 0.8], [1, 0, 1, 1])
    found = {name: float(value[0]) for name, value in Measured(rows).means(np.ones((1, 4))).items()}
    brier = (0.25 + 0.0625 + 0.5625 + 0.04) / 4
    assert found["log_loss"] == pytest.approx(-np.log([0.5, 0.75, 0.25, 0.8]).mean())
    assert found["brier"] == pytest.approx(brier)
    assert found["brier_skill"] == pytest.approx(1 - brier / (0.75 * 0.25))
    assert found["observed_over_expected"] == pytest.approx(3 / 1.8)


@given(st.integers(0, 10**6), st.integers(3, 20))
@checked(30)
def test_a_weight_of_an_account_is_that_many_accounts(seed: int, accounts: int) -> None:
    """The reading of a replicate is that of a table with the account's rows written so often."""
    rows = population(seed, accounts, 3, base=0)
    weights = next(draws(accounts, len(rows), 1, seed))
    again = np.repeat(np.arange(len(rows)), weights[0, rows.account].astype(int))
    if not len(again):
        return
    written = Measured(Predictions(*(getattr(rows, name)[again] for name in rows.__dataclass_fields__)))
    weighted = Measured(rows)
    for replicate, alone in (
        (weighted.ranks(weights), written.ranks(written.alone)),
        (weighted.means(weights), written.means(written.alone)),
    ):
        for name, value in alone.items():
            assert replicate[name] == pytest.approx(value, abs=1e-9, nan_ok=True)


def test_unscored_rows_count_in_calibration_only() -> None:
    rows = population(1, 300)
    noise = replace(population(2, 300), scored=np.zeros(1200, dtype=bool))
    both = joined([rows, replace(noise, account=noise.account + 1000)])
    for name, figure in ranks(both, 20).items():
        assert figure.estimate == ranks(rows, 20)[name].estimate
    assert probabilities(both, 20)["brier"].estimate != probabilities(rows, 20)["brier"].estimate


@given(st.integers(0, 10**6))
@checked(5)
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    rows = population(seed, 150)
    mixed = rows.where(np.random.default_rng(seed).permutation(len(rows)))
    for one, other in ((ranks(rows, 50), ranks(mixed, 50)), (probabilities(rows, 50), probabilities(mixed, 50))):
        for name, figure in one.items():
            assert figure == pytest.approx(other[name], rel=1e-9, nan_ok=True)


# -- intervals -------------------------------------------------------------------------------------------------------


def test_with_one_row_an_account_the_interval_is_scipys() -> None:
    """scipy draws rows with replacement; both ends agree within the noise of 2000 replicates."""
    rows = population(3, 1500, rows=1)
    losses = (rows.p - rows.label) ** 2
    expected = bootstrap((losses,), np.mean, n_resamples=2000, method="percentile", rng=1).confidence_interval
    found = probabilities(rows, 2000)["brier"]
    width = expected.high - expected.low
    assert abs(found.low - expected.low) < 0.1 * width and abs(found.high - expected.high) < 0.1 * width


def test_rows_of_one_account_are_one_draw() -> None:
    """Ten copies of each row tell nothing new: the same interval, where independent rows would give a third of it."""
    rows = population(4, 400, rows=1)
    copies = rows.where(np.repeat(np.arange(400), 10))
    once, ten_times = ranks(rows, 300)["auc"], ranks(copies, 300)["auc"]
    assert once == pytest.approx(ten_times, abs=1e-9)
    apart = replace(copies, account=np.arange(4000))
    alone = ranks(apart, 300)["auc"]
    assert alone.high - alone.low < 0.4 * (once.high - once.low)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """80 windows of 300 accounts with 4 rows each, about 95 of them with the event; 95 % less what 80 can show."""
    whole = Measured(population(999, 100_000, base=-2.5))
    truth = whole.ranks(whole.alone) | whole.means(whole.alone) | whole.recalibration()
    held: dict[str, int] = dict.fromkeys(truth, 0)
    for seed in range(80):
        rows = population(seed, 300, base=-2.5)
        for name, figure in (ranks(rows, 200) | probabilities(rows, 200)).items():
            held[name] += figure.low <= truth[name][0] <= figure.high
    assert min(held.values()) >= 69, held


def test_a_worthless_score_is_called_so() -> None:
    """Lift's interval covers 1 for at least 90 of 100 shuffles, and hardly any worthless score passes."""
    covered = passed = 0
    for seed in range(100):
        found = ranks(shuffled(population(seed, 300), seed), 300)
        covered += found["lift"].low <= 1 <= found["lift"].high
        skill = has_skill(found)
        passed += skill.has
        assert skill.words.startswith("has no skill yet") or skill.has
    assert covered >= 90 and passed <= 5


def test_skill_is_said_with_its_numbers() -> None:
    found = ranks(population(5, 300, skill=1.5), 300)
    assert has_skill(found).has
    lift = found["lift"]
    assert has_skill(found).words.startswith(f"has skill: top-decile lift {lift.estimate:.3g} ({lift.low:.3g} to ")


# -- two models ------------------------------------------------------------------------------------------------------


def test_a_model_differs_from_itself_by_nothing() -> None:
    rows = population(6, 200)
    for figure in compare(rows, rows, 50).values():
        assert figure == (0, 0, 0)


def test_a_paired_difference_is_surer_than_two_intervals() -> None:
    """The same predictions with a little noise are worse, which their own intervals, apart, could not tell."""
    rows = population(7, 600, skill=1.5)
    noisy = replace(rows, p=expit(logit(rows.p) + 0.7 * np.random.default_rng(7).normal(size=len(rows))))
    found = compare(noisy, rows, 300)
    assert found["auc"].low > 0 and found["log_loss"].high < 0 and found["brier"].high < 0
    assert ranks(noisy, 300)["auc"].high > ranks(rows, 300)["auc"].low
    assert found["auc"].estimate == ranks(rows, 1)["auc"].estimate - ranks(noisy, 1)["auc"].estimate
    other_way = compare(rows, noisy, 300)
    assert other_way["lift"].estimate == -found["lift"].estimate
    assert json.loads(json.dumps(comparison(rows, found)))["auc"]["ci"][0] > 0


def test_models_are_compared_on_the_same_rows_only() -> None:
    rows = population(8, 40)
    with pytest.raises(ValueError, match="differ in day"):
        compare(rows, replace(rows, day=rows.day + 1))


# -- what is published -----------------------------------------------------------------------------------------------


def test_the_summary_is_json_with_intervals_and_stands_beside_that_without_contacted() -> None:
    rows = population(9, 400)
    rows = replace(rows, contacted=rows.contacted & rows.label)
    found = json.loads(json.dumps(summary(rows, spell=28, replicates=100)))
    assert found["rows"] == 1600 and found["has_skill"]
    for name in ("auc", "lift", "log_loss", "brier", "brier_skill", "observed_over_expected", "intercept", "slope"):
        low, high = found[name]["ci"]
        assert low < found[name]["estimate"] < high and "because" not in found[name]
    assert len(found["reliability"]) == 10
    assert found["calibration_error"]["estimate"] < found["calibration_error"]["if_calibrated"]["q95"]
    alone = found["without_contacted"]
    assert alone["rows"] == 1600 - rows.contacted.sum()
    assert alone["auc"]["estimate"] == pytest.approx(ranks(rows.without_contacted(), 1)["auc"].estimate)
    assert alone["accounts_with_event"] < found["accounts_with_event"]


def test_the_same_predictions_give_the_same_bytes() -> None:
    rows = population(10, 200)
    assert json.dumps(summary(rows, replicates=50)) == json.dumps(summary(rows, replicates=50))


@pytest.mark.parametrize(
    ("rows", "because"),
    [
        (predictions([], []), "no prediction has a label yet"),
        (predictions([0.3], [1]), "the event came each time in 1 predictions"),
        (predictions([0.3], [0]), "the event came for none in 1 predictions"),
        (predictions(np.full(90, 0.1), np.zeros(90)), "the event came for none in 90 predictions"),
        (population(11, 20), "an interval needs 30 accounts with the event"),
        (predictions(np.linspace(0, 1, 500), np.arange(500) % 2, np.zeros(500, dtype=int)), "there are 1 and 1"),
    ],
)
def test_what_cannot_be_known_is_null_with_the_reason(rows: Predictions, because: str) -> None:
    found = json.loads(json.dumps(summary(rows, replicates=20), allow_nan=False))
    assert not found["has_skill"] and because in found["skill"]
    assert found["auc"]["ci"] is None and because in found["auc"]["because"]
    assert found["slope"]["ci"] is None and because in found["slope"]["because"]


def test_all_tied_has_no_slope_and_no_skill() -> None:
    rows = replace(population(12, 300), p=np.full(1200, 0.1))
    found = summary(rows, replicates=50)
    assert found["auc"] == {"estimate": 0.5, "ci": [0.5, 0.5]}
    assert found["lift"] == {"estimate": 1, "ci": [1, 1]}
    assert not found["has_skill"]
    assert found["slope"]["estimate"] is None and "do not vary" in found["slope"]["because"]
    assert found["intercept"]["ci"] is not None
    assert len(found["reliability"]) == 1


def test_certainty_that_was_right_or_wrong_stays_finite() -> None:
    label = np.arange(400) % 4 == 0
    right = summary(predictions(label.astype(float), label), replicates=50)
    assert (right["auc"]["estimate"], right["brier"]["estimate"], right["brier_skill"]["estimate"]) == (1, 0, 1)
    assert right["slope"]["estimate"] is None and "separate" in right["slope"]["because"]
    wrong = summary(predictions(1.0 - label, label), replicates=50)
    assert wrong["log_loss"]["estimate"] == pytest.approx(-np.log(1e-9))
    assert wrong["observed_over_expected"]["estimate"] == pytest.approx(1 / 3)


def test_one_giant_account_makes_the_intervals_wide() -> None:
    rows = population(13, 200)
    giant = predictions(np.full(5000, 0.9), np.ones(5000), np.full(5000, 10_000))
    without, found = ranks(rows, 200)["auc"], ranks(joined([rows, giant]), 200)["auc"]
    assert found.high - found.low > 2 * (without.high - without.low)


def test_rows_that_do_not_fit_are_refused() -> None:
    rows = population(14, 10)
    with pytest.raises(ValueError, match="one value a row"):
        replace(rows, p=rows.p[:-1])
    for wrong in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="between 0 and 1"):
            replace(rows, p=np.full(len(rows), wrong))


def test_a_window_holds_both_its_days() -> None:
    rows = population(15, 10)
    assert set(rows.window(7, 14).day) == {7, 14}
    assert len(joined([rows.window(0, 6), rows.window(7, 21)])) == len(rows)
