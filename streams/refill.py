"""Filling a Redis that is new or was emptied, from what the topics about accounts still hold.

Each partition is read to its end, folded to what still counts, and written at once behind that end. If another
publisher has written beyond it in the meantime, the rest is read and the whole is written again: so nothing older ever
stands over something newer, nobody forgotten comes back, and nobody waits for a quiet moment. Histories begin again.
"""

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from streams.config import Surroundings
from streams.plain import received
from streams.projection import Latest, Projection
from streams.store import Fence, Store

BATCH = 5_000
WAIT_S = 0.1
TIMEOUT_S = 30


def refill(here: Surroundings, store: Store, cluster: str, topic: str, projection: Projection) -> None:
    """Write what every partition of a topic amounts to."""
    consumer = Consumer({
        **here.confluent, "group.id": "livelift-refill", "enable.auto.commit": False, "fetch.wait.max.ms": 50,
    })  # fmt: skip
    try:
        for number in range(here.partitions):
            _fill(consumer, TopicPartition(here.topic(topic), number, OFFSET_BEGINNING), store, cluster, projection)
    finally:
        consumer.close()


def _fill(consumer: Consumer, where: TopicPartition, store: Store, cluster: str, projection: Projection) -> None:
    """Write one partition as it is at some moment, which nobody has gone beyond when it is written."""
    consumer.assign([where])
    latest: Latest = {}
    position, answer = 0, "stale"
    while answer == "stale":
        low, end = consumer.get_watermark_offsets(where, timeout=TIMEOUT_S)
        if low == end:
            return
        while position < end:
            for record in received(consumer, BATCH, WAIT_S):
                projection.fold(latest, record)
            position = consumer.position([TopicPartition(where.topic, where.partition)])[0].offset
        fence = Fence(cluster, f"{where.topic}/{where.partition}", position - 1)
        answer = store.write(fence, projection.changes(list(latest.values()), fence))
