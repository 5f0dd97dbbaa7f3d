"""What a score by a model says to customer success: risk beside the usual, revenue at risk, and until when."""

import re
from typing import Any

import pytest

from models.clock import rfc3339
from models.health.calibration import Calibration
from models.health.champion import Version
from models.health.classifier import fresh
from models.health.known import Known
from models.health.records import packed, version_key
from models.product import Label
from tests.support.build import Json, Worker, event, instant, tick, world
from tests.support.readme import ROOT

pytestmark = pytest.mark.core

CHURN = Label()
CALIBRATED = Calibration(-1.0, 1.0, 50, 50)


def scored(*timeline: Json, usual: float = -2.0, label: Label = CHURN, calibration: Calibration = CALIBRATED) -> Any:
    """What is said of acme, by a model that thinks more visits a good sign, when all of this has come."""
    given = world(label=label)
    wanted = label.kind == "conversion"
    model = fresh("logistic", {})
    for number in range(400):
        model.learn({"active_days": float(number % 9)}, (number % 9 > 4) == wanted)
    version = Version("logistic", 0, model.state(), calibration, wanted, usual, 50, 50)
    known = Known(given.product)
    known.take(version_key("logistic", 0), packed(version))
    worker = Worker(given, known=known)
    worker.given(*timeline)
    return worker.to("account-scores")[-1]


VISITS = [event("session_started", instant(day, 12)) for day in range(3)]


@pytest.mark.parametrize("kind", ["churn", "conversion"])
def test_risk_is_told_beside_the_usual_one_with_the_multiples_where_bands_begin(kind: Any) -> None:
    usual = 2.0 if kind == "conversion" else -2.0
    score = scored(*VISITS, tick(instant(3)), usual=usual, label=Label(kind=kind))
    risk, good = score["risk"], score["probability"]
    assert risk["usual_rate"] == pytest.approx(1 / (1 + 2.718281828459045**2), abs=1e-6)
    odds, usual_odds = (1 - good) / good, risk["usual_rate"] / (1 - risk["usual_rate"])
    assert risk["times_usual"] == pytest.approx(odds / usual_odds, rel=2e-3, abs=0.006)
    expected = "at_risk" if risk["times_usual"] >= 4 else "watch" if risk["times_usual"] >= 2 else "healthy"
    assert (risk["watch_from"], risk["at_risk_from"], score["band"]) == (2, 4, expected)


def test_revenue_at_risk_is_revenue_times_the_probability_of_losing_it_with_an_interval() -> None:
    score = scored(*VISITS, event("mrr_changed", instant(1), user=None, mrr=250.0), tick(instant(3)))
    low, high = score["probability_interval"]
    assert low < score["probability"] < high
    assert score["probability"] == pytest.approx(score["score"] / 100, abs=1e-9)
    assert score["revenue_at_risk"] == pytest.approx(250 * (1 - score["probability"]), abs=0.005)
    assert score["revenue_at_risk_interval"] == pytest.approx([250 * (1 - high), 250 * (1 - low)], abs=0.005)


def test_a_calibration_that_is_known_well_makes_the_interval_narrow() -> None:
    known = Calibration(-1.0, 1.0, 50, 50, (0.01, 0.0, 0.001))
    wide, narrow = (scored(*VISITS, tick(instant(3)), calibration=one)["probability_interval"]
                    for one in (CALIBRATED, known))  # fmt: skip
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_revenue_that_is_not_told_is_not_at_risk_and_says_so() -> None:
    score = scored(*VISITS, tick(instant(3)))
    assert (score["revenue_at_risk"], score["revenue_at_risk_interval"]) == (None, None)
    assert score["because"] == "no revenue of the account has been told"


def test_who_has_left_has_no_revenue_at_risk_and_no_renewal_ahead() -> None:
    told = event("renewed", instant(1), user=None, mrr=250.0, renews_at=rfc3339(instant(30)))
    left = [*VISITS, told, event("churned", instant(2), user=None)]
    score = scored(*left, tick(instant(3)))
    assert score["event_has_come"] and score["because"] == score["renewal_because"] == "the account has left"
    assert (score["revenue_at_risk"], score["revenue_at_risk_interval"], score["renewal_probability"]) == (None,) * 3
    back = scored(*left, event("mrr_changed", instant(3), user=None, mrr=99.0), tick(instant(4)))
    assert not back["event_has_come"] and back["revenue_at_risk"] > 0 and back["renewal_probability"] > 0


@pytest.mark.parametrize("user", ["ann", None])
def test_leaving_is_news_also_of_an_index(user: str | None) -> None:
    worker = Worker()
    worker.given(*VISITS, event("converted", instant(1), user=user))
    assert not worker.to("account-scores")[-1]["event_has_come"]
    worker.given(event("churned", instant(2, 13), user=user, id="c1"))
    assert worker.to("account-scores")[-1]["event_has_come"]
    assert worker.to("account-scores")[-1]["causes"] == [{"event": "c1", "type": "churned"}]
    worker.given(event("mrr_changed", instant(3), user="bob", mrr=20), tick(instant(3)))
    assert not worker.to("account-scores")[-1]["event_has_come"]


# -- renewal -------------------------------------------------------------------------------------------------------


def renewing(days: float, kind: Any = "churn") -> Any:
    """What is said on day 3 of an account whose contract renews so many days later."""
    told = event("renewed", instant(1), user=None, renews_at=rfc3339(instant(3 + days)))
    return scored(*VISITS, told, tick(instant(3)), label=Label(kind=kind))


@pytest.mark.parametrize("days", [1, 28, 56, 100, 112])
def test_a_customer_stays_until_renewal_as_it_stays_for_the_horizon_day_by_day(days: int) -> None:
    score = renewing(days)
    assert score["renews_at"] == rfc3339(instant(3 + days))
    each_day = score["probability"] ** (1 / 56)
    survived = 1.0
    for _ in range(days):
        survived *= each_day
    assert score["renewal_probability"] == pytest.approx(survived, abs=1e-4)
    assert "renewal_because" not in score


def test_a_contract_that_renews_at_the_horizon_is_renewed_with_the_probability_of_the_score() -> None:
    assert renewing(56)["renewal_probability"] == renewing(56)["probability"]


@pytest.mark.parametrize(
    ("days", "kind", "because"),
    [
        (0.5, "churn", "not ahead"),
        (-1, "churn", "not ahead"),
        (113, "churn", "more than 2 horizons of 56 days"),
        (28, "conversion", "chance of conversion"),
        (28, "inactivity", "chance of inactivity"),
    ],
)
def test_where_nothing_can_be_said_of_the_renewal_it_says_why(days: float, kind: Any, because: str) -> None:
    score = renewing(days, kind)
    assert score["renewal_probability"] is None and because in score["renewal_because"]
    assert score["renews_at"] == rfc3339(instant(3 + days))


def test_a_renewal_that_has_not_been_told_or_an_index_gives_no_probability_of_it() -> None:
    assert "no renewal date" in scored(*VISITS, tick(instant(3)))["renewal_because"]
    worker = Worker()
    worker.given(*VISITS, event("renewed", instant(1), renews_at=rfc3339(instant(30))))
    score = worker.to("account-scores")[-1]
    assert (score["renewal_probability"], score["renewal_because"]) == (None, "no model has learned yet")


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "1960-01-01T00:00:00Z"])
def test_a_date_that_cannot_be_meant_is_none(date: str) -> None:
    score = scored(*VISITS, event("renewed", instant(1), renews_at=date), tick(instant(3)))
    assert (score["renews_at"], score["renewal_probability"]) == (None, None)


def test_another_renewal_date_is_news() -> None:
    worker = Worker()
    worker.given(*VISITS, event("renewed", instant(1), renews_at=rfc3339(instant(30))))
    worker.given(event("renewed", instant(2), id="r2", renews_at=rfc3339(instant(60))))
    last = worker.to("account-scores")[-1]
    assert (last["renews_at"], last["causes"]) == (rfc3339(instant(60)), [{"event": "r2", "type": "renewed"}])


# -- without a model -----------------------------------------------------------------------------------------------


def test_an_index_is_no_risk() -> None:
    worker = Worker()
    worker.given(*VISITS)
    assert worker.to("account-scores")[-1]["risk"] is None


# -- what is said of it --------------------------------------------------------------------------------------------


def test_the_guide_lists_every_field_of_a_score() -> None:
    told = event("renewed", instant(1), user=None, mrr=250.0, renews_at=rfc3339(instant(30)))
    messages = [scored(*VISITS), scored(*VISITS, tick(instant(3))), scored(*VISITS, told, tick(instant(3)))]
    fields = {name for message in messages for name in message}
    guide = (ROOT / "docs/guides/health-scores.md").read_text().partition("## Every field")[2].partition("\n## ")[0]
    listed = {name for row in re.findall(r"^\| (.*?) \|", guide, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert {"because", "renewal_because"} < fields == listed
