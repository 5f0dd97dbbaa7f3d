"""The made-up exercise: its facts are possible, its truth is what its potential outcomes say, and it can be found."""

from collections import Counter

import numpy as np
import pytest

from models.clock import DAY, day_of
from models.simulated_people import Course
from models.simulation import COHORT_DAY, SimulatedExercise, simulate


@pytest.fixture(scope="module")
def exercise() -> SimulatedExercise:
    return simulate(customers=1000, seed=1)


@pytest.fixture(scope="module")
def large() -> SimulatedExercise:
    return simulate(customers=20_000, seed=2)


def test_the_same_seed_makes_the_same_exercise(exercise: SimulatedExercise) -> None:
    assert list(simulate(1000, 1).customers()) == list(exercise.customers())
    assert simulate(1000, 1).truth() == exercise.truth()
    assert list(simulate(1000, 2).customers()) != list(exercise.customers())


def test_customers_are_split_30_to_70(large: SimulatedExercise) -> None:
    arms = Counter(customer.arm for customer in large.customers())
    assert arms["test"] / arms.total() == pytest.approx(0.30, abs=4 * np.sqrt(0.21 / arms.total()))
    assert simulate(2000, share_test=0.5).in_test.mean() == pytest.approx(0.5, abs=0.05)


def test_the_arm_says_nothing_about_the_person(large: SimulatedExercise) -> None:
    motivation = large.people.motivation
    assert motivation[large.in_test].mean() == pytest.approx(motivation[~large.in_test].mean(), abs=0.06)


def test_what_happens_happens_in_a_possible_order(exercise: SimulatedExercise) -> None:
    for customer in exercise.customers():
        assert day_of(customer.joined_at) == COHORT_DAY
        at = customer.joined_at
        for attempt in customer.attempts:
            assert at <= attempt.started_at
            at = attempt.completed_at or attempt.started_at
            assert attempt.started_at <= at <= customer.decided_at
        assert [attempt.task for attempt in customer.attempts] == ["1", "2", "3"][: len(customer.attempts)]
        assert all(attempt.completed_at for attempt in customer.attempts[:-1]), "tasks come in series"
        for rescue in customer.rescues:
            assert customer.joined_at <= (rescue.needed_at or rescue.at) <= rescue.at <= customer.decided_at
        trial = customer.decided_at - customer.joined_at
        assert trial < 30 * DAY if customer.converted else trial == 30 * DAY


def test_some_never_try_and_most_minds_are_made_up_early(exercise: SimulatedExercise) -> None:
    customers = list(exercise.customers())
    never = sum(not customer.attempts for customer in customers)
    days = [(c.decided_at - c.joined_at) / DAY for c in customers if c.converted]
    assert 0.05 < never / len(customers) < 0.25
    assert np.median(days) < 7 and max(days) > 14


def test_trouble_is_the_same_in_both_arms_until_help_comes(large: SimulatedExercise) -> None:
    assert np.array_equal(large.control.needed[:, 0], large.test.needed[:, 0])
    assert np.array_equal(large.control.started[:, 0], large.test.started[:, 0])


def test_motivated_customers_seek_help_by_themselves(large: SimulatedExercise) -> None:
    motivation, course = large.people.motivation, large.control
    in_trouble = np.isfinite(course.needed).any(axis=1)
    assert course.cs[in_trouble & (motivation > 1)].mean() > 2 * course.cs[in_trouble & (motivation < -1)].mean()
    assert course.converted[motivation > 1].mean() > course.converted[motivation < -1].mean()


def test_the_offer_moves_people_towards_cs_and_nobody_away_from_it(large: SimulatedExercise) -> None:
    control, test = large.control, large.test
    assert not (control.took_cs & ~test.took_cs).any(), "no defiers"
    others = control.took_cs == test.took_cs
    for name in Course.__dataclass_fields__:
        if name != "cs":
            assert np.array_equal(getattr(control, name)[others], getattr(test, name)[others]), "exclusion"


def test_the_truth_has_the_signs_that_the_story_tells(exercise: SimulatedExercise) -> None:
    for truth in (exercise.population, exercise.sample):
        assert 0.07 < truth.itt < 0.13
        assert truth.test.uptake > truth.control.uptake + 0.3
        assert truth.complier_effect == pytest.approx(truth.itt / truth.first_stage)
        assert truth.tasks_effect > 0.4 and truth.stuck_effect < -0.15
    assert exercise.population.control.conversion == pytest.approx(0.20, abs=0.02)
    assert exercise.left_stuck > 0


def test_help_that_is_no_better_changes_no_outcome_but_still_draws_takers() -> None:
    same = simulate(2000, effect=0.0)
    assert np.array_equal(same.control.completed, same.test.completed)
    assert np.array_equal(same.control.decided, same.test.decided)
    assert same.population.itt == same.sample.itt == same.sample.tasks_effect == 0
    assert same.population.complier_effect == 0 and same.population.first_stage > 0.3


def test_a_widget_that_nobody_sees_changes_nothing() -> None:
    unseen = simulate(2000, offer=0.0)
    assert list(unseen.control.took_cs) == list(unseen.test.took_cs)
    assert unseen.sample.first_stage == 0 and unseen.sample.complier_effect is None


def test_randomisation_finds_the_effect_and_comparing_takers_does_not() -> None:
    differences, naive = [], []
    for seed in range(300):
        one = simulate(1000, seed)
        took = np.where(one.in_test, one.test.took_cs, one.control.took_cs)
        converted = np.where(one.in_test, one.test.converted, one.control.converted)
        differences.append(converted[one.in_test].mean() - converted[~one.in_test].mean())
        naive.append(converted[took].mean() - converted[~took].mean())
    truth = one.population
    error = np.std(differences) / np.sqrt(len(differences))
    assert np.mean(differences) == pytest.approx(truth.itt, abs=4 * error)
    assert truth.complier_effect is not None
    assert np.mean(naive) - truth.complier_effect > 0.06, "takers are the motivated ones"


def test_an_exercise_may_be_empty() -> None:
    assert list(simulate(0).customers()) == []
