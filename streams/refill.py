"""Filling a Redis that is new or was emptied, from what the topics about accounts still hold.

Each partition is written behind its own end. If another publisher has gone beyond that in the meantime, the partition
is read again to its new end: so nothing older ever replaces something newer, and nobody forgotten comes back.
"""

from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from streams.config import Surroundings
from streams.plain import Plain, received
from streams.projection import Projection
from streams.store import Fence, Store

BATCH = 2_000
WAIT_S = 0.1
TIMEOUT_S = 30


def refill(here: Surroundings, store: Store, cluster: str, topic: str, projection: Projection) -> None:
    """Write what every partition of a topic amounts to."""
    consumer = Consumer({
        **here.confluent, "group.id": "livelift-refill", "enable.auto.commit": False, "fetch.wait.max.ms": 50,
    })  # fmt: skip
    try:
        for number in range(here.partitions):
            where = TopicPartition(here.topic(topic), number, OFFSET_BEGINNING)
            while not _fill(consumer, where, store, cluster, projection):
                pass
    finally:
        consumer.close()


def _fill(consumer: Consumer, where: TopicPartition, store: Store, cluster: str, projection: Projection) -> bool:
    """Write one partition up to its present end; False if somebody has written beyond that meanwhile."""
    low, end = consumer.get_watermark_offsets(where, timeout=TIMEOUT_S)
    if low == end:
        return True
    fence = Fence(cluster, f"{where.topic}/{where.partition}", end - 1)
    batches = _batches(consumer, where, end)
    return all(store.write(fence, projection(batch, fence)) != "stale" for batch in batches)


def _batches(consumer: Consumer, where: TopicPartition, end: int) -> Iterator[list[Plain]]:
    """A partition's records up to an end, in offset order."""
    consumer.assign([where])
    position = 0
    while position < end:
        batch = [record for record in received(consumer, BATCH, WAIT_S) if record.offset < end]
        if batch:
            yield batch
        position = consumer.position([TopicPartition(where.topic, where.partition)])[0].offset
