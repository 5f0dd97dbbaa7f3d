"""Killed, paused, joined, left, emptied: what is read afterwards is what `livelift replay` says, to the last count.

The short versions of `make chaos`, on real learners where their data is, and on simulated customers everywhere.
"""

import pytest

from livelift.local.stack import Stack
from livelift.recording import open_recording
from livelift.recording.write import write_exercise
from models.simulation import simulate
from tests.support import oulad
from tests.support.faults import comings, kills, pause, readers
from tests.support.shared_data import needs

pytestmark = pytest.mark.broker
BESIDE = ("learner", "publisher")


@pytest.fixture
def learners(tmp_path):
    oulad.write_oulad(tmp_path / "oulad")
    return open_recording(tmp_path / "oulad")


@pytest.fixture
def customers(tmp_path):
    write_exercise(simulate(customers=600, seed=7), tmp_path / "trial")
    return open_recording(tmp_path / "trial")


def as_promised(outcome, faults):
    assert outcome.complaints == []
    assert outcome.accepted == outcome.events
    assert len(outcome.struck) == faults


@needs("oulad_subset")
def test_a_scorer_killed_five_times_among_real_learners_ends_in_the_same_snapshot(namespace, learners):
    settings = namespace(config=learners.config, partitions=12, session_timeout_s=10)
    with Stack(settings, BESIDE) as stack:
        as_promised(kills(stack, learners, count=5, seconds=10, instance="the-only-one"), 5)


@needs("oulad_subset")
def test_two_three_and_one_scorers_among_real_learners_end_in_the_same_snapshot(namespace, learners):
    settings = namespace(config=learners.config, partitions=12, session_timeout_s=3)
    plan = (("join", 1), ("join", 1), ("SIGKILL", 1), ("SIGTERM", 1))
    with Stack(settings, BESIDE) as stack:
        as_promised(comings(stack, learners, seconds=10, plan=plan), 4)


def test_a_scorer_killed_three_times_and_replaced_by_strangers_ends_in_the_same_snapshot(namespace, customers):
    settings = namespace(config=customers.config, session_timeout_s=2)
    with Stack(settings, BESIDE) as stack:
        as_promised(kills(stack, customers, count=3, seconds=6), 3)


def test_a_scorer_that_wakes_up_after_another_took_over_writes_nothing_that_it_held(namespace, customers):
    settings = namespace(config=customers.config, session_timeout_s=2)
    with Stack(settings, BESIDE) as stack:
        as_promised(pause(stack, customers, pause_s=5, seconds=8), 2)


def test_what_people_read_comes_back_when_the_publisher_is_killed_and_redis_is_emptied(namespace, customers):
    settings = namespace(config=customers.config, session_timeout_s=2)
    with Stack(settings, BESIDE) as stack:
        as_promised(readers(stack, customers, count=4, seconds=8), 4)
