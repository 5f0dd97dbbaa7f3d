"""`livelift annotate`: what was done that tickets may follow, written to its topic."""

from collections.abc import Iterable

import msgspec
from confluent_kafka import Producer

from models.education.annotations import Annotation
from streams.config import Surroundings

TIMEOUT = 30.0


class NotWritten(RuntimeError):
    """Kafka did not take an annotation."""


def annotate(here: Surroundings, annotations: Iterable[Annotation]) -> None:
    """Write annotations; one whose id is there already takes its place."""
    producer = Producer({**here.confluent, "enable.idempotence": True})
    for one in annotations:
        producer.produce(here.topic("annotations"), msgspec.json.encode(one), one.id.encode(), 0)
    if producer.flush(TIMEOUT):
        raise NotWritten(f"Kafka did not take the annotation in {TIMEOUT:g} s")
