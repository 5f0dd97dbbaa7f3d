"""What has been processed is acknowledged to Kafka: a restarted scorer reads on, it does not begin again."""

import pytest
from confluent_kafka import Producer

from streams.placement import Placement
from tests.support.build import encoded, event, instant
from tests.support.stack import Reading, running

pytestmark = pytest.mark.broker


def test_a_first_record_that_came_alone_does_not_hold_back_those_behind_it(namespace):
    """Live, the first record of every partition is a tick, alone in its batch at offset 0."""
    settings = namespace()
    sending = Producer({**settings.confluent(), "linger.ms": 50})
    home = Placement(settings.partitions).of("acme")

    def send(*users):
        for user in users:
            value = encoded(event("task_completed", instant(1), "acme", user, task="1"))
            sending.produce(settings.topic("product-events"), value, b"acme", home)
        assert sending.flush(30) == 0

    with running(settings) as stack:
        reading = Reading(settings)
        send("first")
        reading.settled(accepted=1)
        send(*(f"user-{n}" for n in range(10)))
        reading.settled(accepted=11)
        assert reading.acknowledged()["product-events", home] == 10
        stack.check()
