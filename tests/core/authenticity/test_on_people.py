"""The checks on data made by people, and on data that is known not to be: a short form of benchmarks/authenticity.py."""

import numpy as np
import pytest

from models.authenticity.dependence import own_pace
from models.authenticity.examine import examine
from models.authenticity.finding import Finding
from models.authenticity.observed import Observed
from tests.support.observed_sets import SETS, SUSPECT, RealSet, lateness, people_of, subset, trial
from tests.support.shared_data import needs

pytestmark = pytest.mark.core
RUNS = 10


def sets(table: dict[str, RealSet]) -> list:
    return [pytest.param(one, id=name, marks=needs(one.folder)) for name, one in table.items()]


def finding(observed: Observed, check: str) -> Finding:
    return next(one for one in examine(observed).findings if one.check == check)


@pytest.mark.parametrize("one", sets(SETS))
def test_peoples_data_raises_no_alarm_whole_or_in_part(one: RealSet) -> None:
    observed, draw = one.read(), np.random.default_rng(1)
    people = people_of(observed)
    parts = [subset(observed, draw.choice(people, one.accounts, replace=False)) for _ in range(RUNS)]
    assert [examine(part).alarms for part in [observed, *parts]] == [()] * (RUNS + 1)


@pytest.mark.parametrize(
    ("name", "alarms"),
    [
        pytest.param("answered visits", ["impossible_orders"], marks=needs("nps_service_appointments")),
        pytest.param("subscribers", ["dispersion", "tails"], marks=needs("pysurvival_churn")),
        pytest.param("listeners", ["sub_second"], marks=needs("sparkify_dend_logs")),
    ],
)
def test_what_is_simulated_or_broken_is_named(name: str, alarms: list[str]) -> None:
    assert [one.check for one in examine(SUSPECT[name].read()).alarms] == alarms


@needs("sparkify_dend_logs")
def test_eventsim_writes_milliseconds_that_never_change() -> None:
    found = finding(SUSPECT["listeners"].read(), "sub_second")
    assert found.says.startswith("of 8,056 events 8,056 fall on tenth 7, where an even clock makes 805.6")


@needs("nps_service_appointments")
def test_two_answers_off_the_scale_are_said_and_are_no_alarm() -> None:
    found = finding(SETS["answers"].read(), "off_scale")
    assert found.says == "2 of 3,145 values of events' values (0.06%) are outside 0 to 10"
    assert not found.beyond


@needs("nps_service_appointments")
def test_customers_who_answered_before_the_expert_came_are_counted() -> None:
    tasks = SUSPECT["answered visits"].read().tasks
    assert tasks is not None
    assert int((tasks.completed < tasks.started).sum()) == 173
    assert "173 of 3,144 people (5.50%)" in finding(SUSPECT["answered visits"].read(), "impossible_orders").says


@needs("oulad_subset")
def test_learners_out_of_order_are_those_of_the_published_count() -> None:
    found = finding(SETS["learners"].read(), "impossible_orders")
    assert "5 of 6,848 completed a task before the one before it" in found.says


@needs("oulad_subset")
def test_learners_who_are_late_once_are_late_again() -> None:
    found = own_pace(lateness())
    assert found.effect == pytest.approx(0.53, abs=0.01)
    assert found.p == 1


def test_the_simulated_exercise_draws_each_tasks_pace_anew_and_that_shows_in_large_cohorts() -> None:
    found = examine(trial(10_000, 1))
    assert [one.check for one in found.alarms] == ["own_pace"]
