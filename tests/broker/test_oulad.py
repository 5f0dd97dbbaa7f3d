"""Real learners through Kafka, the workers and Redis: what is read equals a batch computation, and `replay`.

Where the learners' data is absent, simulated customers take the same way; their test always runs.
"""

import random
from contextlib import ExitStack

import pandas as pd
import pytest

from livelift.local.stack import Stack
from livelift.recording import open_recording
from livelift.recording.write import write_exercise
from models.simulation import simulate
from tests.support import oulad
from tests.support.shared_data import needs
from tests.support.stack import ROLES, Reading, differences, play, replayed, running

pytestmark = pytest.mark.broker
SUBSETS, AT_ONCE = 10, 5
COUNTED = ("dose", "completed", "skipped", "out_of_order")


def learners_recording(folder, learners=None):
    oulad.write_oulad(folder, learners)
    return open_recording(folder)


def through_kafka(settings, recording):
    """Play a recording to running workers; the canonical snapshot from Redis when everything is in it."""
    play(settings, recording)
    return Reading(settings).settled(recording.events, recording.last_tick)


def as_counted(funnel):
    """A journey's snapshot in the words of the batch computation."""
    return {
        "dose": [{name: step[name] for name in ("completions", "users", "converted")} for step in funnel["dose"]],
        "completed": {task: counts["completed"] for task, counts in funnel["tasks"].items()},
        "skipped": funnel["skipped"],
        "out_of_order": funnel["out_of_order"],
    }


def counted(learners=None):
    reference = oulad.reference(learners)
    return {name: reference[name] for name in COUNTED}


@needs("oulad_subset")
def test_seven_presentations_read_as_published_as_counted_and_as_replayed(namespace, tmp_path):
    recording = learners_recording(tmp_path / "oulad")
    settings = namespace(config=recording.config, partitions=12)
    with running(settings) as stack:
        held = through_kafka(settings, recording)
        stack.check()
    funnel = held["funnel"]["getting-started"]
    assert [(step["converted"], step["users"]) for step in funnel["dose"]] == [
        (4, 337),
        (4, 378),
        (84, 546),
        (5484, 6424),
    ]
    assert funnel["skipped"] == {"1": 40, "2": 45}
    assert funnel["out_of_order"] == 5
    assert as_counted(funnel) == counted()
    assert held["quality"]["users"] == 7685
    assert (held["quality"]["refused"], held["quality"]["ignored"]) == ({}, {})
    assert differences(held, replayed(recording)) == []


@needs("oulad_subset")
def test_ten_random_subsets_of_learners_read_as_counted_and_as_replayed(namespace, tmp_path):
    everyone = sorted(oulad.learners()[oulad.LEARNER].itertuples(index=False, name=None))
    chance = random.Random(20130501)
    subsets = [chance.sample(everyone, chance.randint(20, 1500)) for _ in range(SUBSETS)]
    for start in range(0, SUBSETS, AT_ONCE):
        with ExitStack() as exits:
            started = []
            for number in range(start, start + AT_ONCE):
                recording = learners_recording(tmp_path / str(number), subsets[number])
                settings = namespace(config=recording.config, session_timeout_s=30)
                started.append((number, recording, exits.enter_context(Stack(settings, ROLES))))
            for _, recording, stack in started:
                stack.wait_ready()
                play(stack.settings, recording)
            for number, recording, stack in started:
                held = Reading(stack.settings).settled(recording.events, recording.last_tick)
                stack.check()
                stack.ask()
                assert as_counted(held["funnel"]["getting-started"]) == counted(subsets[number]), f"subset {number}"
                assert differences(held, replayed(recording)) == [], f"subset {number}"


def test_simulated_customers_read_as_counted_and_as_replayed(namespace, tmp_path):
    write_exercise(simulate(customers=300, seed=7), tmp_path / "trial")
    recording = open_recording(tmp_path / "trial")
    settings = namespace(config=recording.config)
    with running(settings) as stack:
        held = through_kafka(settings, recording)
        stack.check()
    cohorts, tasks, _, outcome = tables(tmp_path / "trial")
    done = tasks.groupby("customer_id")["task"].nunique().reindex(cohorts.index, fill_value=0)
    converted = outcome.reindex(cohorts.index)["converted"] == 1
    funnel = held["funnel"]["getting-started"]
    assert [(step["users"], step["converted"]) for step in funnel["dose"]] == [
        ((done == dose).sum(), (converted & (done == dose)).sum()) for dose in range(4)
    ]
    assert {task: counts["completed"] for task, counts in funnel["tasks"].items()} == dict(tasks["task"].value_counts())
    arms = held["experiment:" + held["experiments"]["experiments"][0]["experiment"]]["arms"]
    assert {name: arm["assigned"] for name, arm in arms.items()} == dict(cohorts["cohort"].str.lower().value_counts())
    assert all(arm["mature"] == arm["assigned"] for arm in arms.values())
    assert held["funnel"]["simulated"] is True
    assert (held["quality"]["refused"], held["quality"]["ignored"]) == ({}, {})
    assert differences(held, replayed(recording)) == []


def tables(folder):
    """The four tables of the exercise: cohorts and conversions by customer, completed tasks, help."""
    cohorts, activity, helped, outcome = (
        pd.read_csv(folder / f"{name}.csv", dtype={"task": str})
        for name in ("test_cohorts", "product_activity", "help_activity", "conversion")
    )
    return cohorts.set_index("customer_id"), activity.dropna(subset=["at"]), helped, outcome.set_index("customer_id")
