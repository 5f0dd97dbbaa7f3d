"""Reading topics whole, to fill a Redis that is new or was emptied."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from streams.plain import Plain, received

BATCH = 5_000
WAIT_S = 0.1


def every_message(config: dict[str, Any], topic: str, partitions: int) -> Iterator[tuple[int, list[Plain]]]:
    """Every record of a topic up to its present end, in batches of one partition each, in offset order."""
    consumer = Consumer(
        {**config, "group.id": "livelift-rebuild", "enable.auto.commit": False, "fetch.wait.max.ms": 50}
    )
    try:
        left = _ends(consumer, topic, partitions)
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in left])
        while left:
            grouped: dict[int, list[Plain]] = defaultdict(list)
            for record in received(consumer, BATCH, WAIT_S):
                grouped[record.partition].append(record)
            yield from grouped.items()
            positions = consumer.position([TopicPartition(topic, number) for number in left])
            left = {
                where.partition: left[where.partition] for where in positions if where.offset < left[where.partition]
            }
    finally:
        consumer.close()


def _ends(consumer: Consumer, topic: str, partitions: int) -> dict[int, int]:
    """Where each partition that holds anything ends now."""
    ends = {}
    for number in range(partitions):
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30)
        if high > low:
            ends[number] = high
    return ends
