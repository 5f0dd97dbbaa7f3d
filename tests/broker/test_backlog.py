"""Reading a topic from its beginning: nothing fetched is lost, and everything processed is acknowledged."""

import json
from collections import Counter

import pytest
from confluent_kafka import Producer

from livelift.local.stack import Stack
from livelift.recording import open_recording
from livelift.recording.write import write_exercise
from models.simulation import simulate
from streams.app import BATCH_RECORDS
from tests.support.stack import Reading, differences, play, replayed, start_scorer, until

pytestmark = pytest.mark.broker


def test_a_backlog_that_waited_for_the_scorer_is_read_whole(namespace, tmp_path):
    """Topics of a backlog lie weeks apart, so that their batches wait for each other and fetching is paused: what one
    fetch brings of the events of use ends weeks before what it brings of the other two topics."""
    write_exercise(simulate(customers=1000, seed=7), tmp_path / "trial")
    recording = open_recording(tmp_path / "trial")
    sizes = Counter(record.topic for record in recording.records())
    assert sizes["help-events"] + sizes["conversion-events"] < BATCH_RECORDS < sizes["product-events"]
    settings = namespace(config=recording.config, partitions=1)
    with Stack(settings, ("learner", "publisher")) as stack:
        stack.wait_ready()
        play(settings, recording)
        start_scorer(stack, "scorer")
        held = Reading(settings).settled(recording.events, recording.last_tick)
    assert differences(held, replayed(recording)) == []


def test_one_event_alone_and_then_several_at_once_are_all_acknowledged(namespace):
    settings = namespace(partitions=1)
    reading = Reading(settings)
    with Stack(settings, ("scorer",)) as stack:
        stack.wait_ready()
        send(settings, 1)
        until("the first event is acknowledged", lambda: acknowledged(reading) == 0)
        send(settings, 5)
        until("all six are acknowledged", lambda: acknowledged(reading) == 5)


def send(settings, count):
    """Events in one piece, so that one fetch brings them all."""
    producer = Producer({**settings.confluent(), "linger.ms": 100})
    for number in range(count):
        event = {"id": f"{count}-{number}", "type": "session_started", "at": "2026-03-02T09:00:00Z", "account_id": "acme",
                 "user_id": "ann", "properties": {}}  # fmt: skip
        producer.produce(settings.topic("product-events"), json.dumps(event).encode(), b"acme", 0)
    assert producer.flush(30) == 0


def acknowledged(reading):
    return reading.acknowledged().get(("product-events", 0))
