"""Reading a one-partition compacted topic whole, and keeping up with it, without a consumer group.

Every reader holds all of it, whichever partitions its group gives it; resuming from committed offsets would leave a new
owner with nothing. Used for `partials`, `experiment-plans` and `health-models` (docs/decisions/0003).
"""

from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from streams.plain import received

BATCH = 1000
CATCH_UP_TIMEOUT = 30.0
RETRY_S = 0.1


class Compacted:
    """The latest value of every key of a topic's partition 0."""

    def __init__(self, config: dict[str, Any], topic: str) -> None:
        self._where = TopicPartition(topic, 0, OFFSET_BEGINNING)
        self._consumer = Consumer({
            **config, "group.id": "livelift-reader", "enable.auto.commit": False, "enable.partition.eof": False,
            "fetch.wait.max.ms": 100, "auto.offset.reset": "earliest",
        })  # fmt: skip
        self._consumer.assign([self._where])
        self.values: dict[bytes, bytes] = {}
        self.position = 0
        """Offset of the next record to read."""

    def catch_up(self) -> dict[bytes, bytes]:
        """Read to where the topic ends now. Raises KafkaException if that does not come about in time."""
        deadline = monotonic() + CATCH_UP_TIMEOUT
        end = self._end(deadline)
        while self.position < end:
            for _ in self._take(timeout=0.2):
                pass
            self._skip_gaps()
            if monotonic() > deadline:
                raise KafkaException(f"{self._where.topic}: read to {self.position} of {end} in {CATCH_UP_TIMEOUT:g} s")
        return self.values

    def _end(self, deadline: float) -> int:
        """Where the topic ends now. One just created, or whose broker has just restarted, has no leader yet."""
        while True:
            try:
                where = TopicPartition(self._where.topic, 0)
                return self._consumer.get_watermark_offsets(where, timeout=CATCH_UP_TIMEOUT)[1]
            except KafkaException:
                if monotonic() > deadline:
                    raise
                sleep(RETRY_S)

    def poll(self) -> dict[bytes, bytes | None]:
        """What has changed since the last call, without waiting."""
        changed: dict[bytes, bytes | None] = {}
        while True:
            before = self.position
            changed.update(self._take(timeout=0))
            if self.position - before < BATCH:
                return changed

    def _take(self, timeout: float) -> Iterator[tuple[bytes, bytes | None]]:
        for record in received(self._consumer, BATCH, timeout):
            self.position = record.offset + 1
            if record.value is None:
                self.values.pop(record.key, None)
            else:
                self.values[record.key] = record.value
            yield record.key, record.value

    def _skip_gaps(self) -> None:
        """Compaction may have removed the last records: then the consumer's position is ahead of what we have seen."""
        position = self._consumer.position([TopicPartition(self._where.topic, 0)])[0].offset
        self.position = max(self.position, position)

    def close(self) -> None:
        self._consumer.close()
