"""Reading topics whole, to fill a Redis that is new or was emptied."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

BATCH = 5_000


class Plain(NamedTuple):
    """A record by attributes, as the agents take them."""

    offset: int
    key: bytes
    value: bytes | None


def every_message(config: dict[str, Any], topic: str, partitions: int) -> Iterator[tuple[int, list[Plain]]]:
    """Every record of a topic up to its present end, in batches of one partition each."""
    consumer = Consumer({**config, "group.id": "livelift-rebuild", "enable.auto.commit": False})
    try:
        for number in range(partitions):
            where = TopicPartition(topic, number)
            low, end = consumer.get_watermark_offsets(where, timeout=30)
            consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING)])
            reached = low
            while reached < end:
                batch = []
                for message in consumer.consume(BATCH, 1.0):
                    if message.error():
                        raise KafkaException(message.error())
                    batch.append(Plain(message.offset(), message.key(), message.value()))
                if batch:
                    yield number, batch
                position = consumer.position([where])[0].offset
                reached = max(reached, position, batch[-1].offset + 1 if batch else reached)
    finally:
        consumer.close()
