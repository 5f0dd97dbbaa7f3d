"""Sending by confluent-kafka: a whole batch queued, one flush, every delivery checked, never without the lease."""

from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from models.messages import Output
from streams.topics import ROW_LIMIT

CHECK_EVERY = 256
BATCH_BYTES = 900_000
"""Kafka holds a whole batch against a topic's limit, and not every row compresses; a single larger message may pass."""
FLUSH_TIMEOUT = 30.0


class DeliveryFailed(Exception):
    """A message was not taken by Kafka; the batch is not acknowledged and will be read again."""


class Sender:
    """Queues messages and flushes them. `may_send` raises when this worker must not produce any more.

    Messages wait in the queue until `flush`, or until a batch is full. The check is made before the flush, and all the
    while that messages are queued.
    """

    def __init__(
        self, config: dict[str, Any], topic: Callable[[str], str], may_send: Callable[[], None], timeout: float
    ) -> None:
        self._topic, self._may_send = topic, may_send
        self._names: dict[str, str] = {}
        self._failed: KafkaError | None = None
        self._producer = Producer({
            **config,
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 1000,
            "batch.num.messages": 100_000,
            "batch.size": BATCH_BYTES,
            "queue.buffering.max.messages": 2_000_000,
            "queue.buffering.max.kbytes": 1_000_000,
            "message.max.bytes": ROW_LIMIT,
            "message.timeout.ms": round(timeout * 1000),
            "delivery.report.only.error": True,
            "on_delivery": self._on_failure,
        })  # fmt: skip

    def _on_failure(self, error: KafkaError | None, message: Message) -> None:
        self._failed = error or self._failed

    def send(self, outputs: Iterable[Output]) -> None:
        """Queue outputs for their topics."""
        names = self._names
        produce: Any = self._producer.produce
        for count, (topic, partition, key, value, headers) in enumerate(outputs):
            name = names.get(topic) or names.setdefault(topic, self._topic(topic))
            if headers:
                produce(name, value, key, partition, headers=list(headers))
            else:
                produce(name, value, key, partition)
            if count % CHECK_EVERY == 0:
                self._may_send()

    def write(self, topic: str, partition: int, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Queue rows for a table's changelog partition; None removes the row."""
        produce = self._producer.produce
        for count, (key, value) in enumerate(rows):
            produce(topic, value, key, partition)
            if count % CHECK_EVERY == 0:
                self._may_send()

    def flush(self) -> None:
        """Send what is queued and wait until Kafka has it all; raises LeaseLost or DeliveryFailed."""
        try:
            self._may_send()
        except Exception:
            self._producer.purge()
            raise
        left = self._producer.flush(FLUSH_TIMEOUT)
        if self._failed is not None or left:
            raise DeliveryFailed(str(self._failed or f"{left} messages unanswered after {FLUSH_TIMEOUT:g} s"))
