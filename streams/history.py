"""Reading all that a topic's partition 0 holds, once, from its beginning to where it ends now."""

from collections.abc import Iterator
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from streams.plain import Plain, received

BATCH = 5_000
WAIT_S, TIMEOUT_S = 0.1, 30


def whole(config: dict[str, Any], topic: str) -> Iterator[Plain]:
    """The records in their order; raises KafkaException on an error among them."""
    consumer = Consumer({**config, "group.id": "livelift-reader", "enable.auto.commit": False})
    where = TopicPartition(topic, 0, OFFSET_BEGINNING)
    try:
        consumer.assign([where])
        low, end = consumer.get_watermark_offsets(where, timeout=TIMEOUT_S)
        position = low
        while position < end:
            yield from (record for record in received(consumer, BATCH, WAIT_S) if record.offset < end)
            position = max(position, consumer.position([TopicPartition(topic, 0)])[0].offset)
    finally:
        consumer.close()
