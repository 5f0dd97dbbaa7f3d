"""A few messages sent at once by a command, and whether Kafka has taken them."""

from collections.abc import Iterable

from confluent_kafka import Producer

from models.messages import Output
from streams.config import Surroundings

TIMEOUT = 30.0


def sent(here: Surroundings, outputs: Iterable[Output]) -> bool:
    """Send messages; whether all of them have been taken in `TIMEOUT` seconds.

    Only errors are logged: a broker that is just up makes the client wait a moment, which is nobody's concern.
    """
    producer = Producer({**here.confluent, "enable.idempotence": True, "log_level": 3})
    for topic, partition, key, value, _ in outputs:
        producer.produce(here.topic(topic), value, key, partition)
    return not producer.flush(TIMEOUT)
