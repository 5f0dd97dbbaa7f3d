"""The `alerts` topic: every transition, in order. What it holds is the state; Redis shows it, memory works on it."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from confluent_kafka import KafkaException, Producer
from kafka import KafkaConsumer, TopicPartition

from consumers.alerts.config import Here
from models.alerts.alert import Alert, decode_alert, encode_alert

POLL_MS = 500
SILENCE_POLLS = 60
TIMEOUT_S = 30.0
LARGEST_STEP = 1_000_000
"""Transitions."""


class NotStored(RuntimeError):
    """Kafka has not taken a transition: nothing that follows from it may happen."""


class AlertLog:
    """Reading and writing the topic's one partition. One process of a group writes at a time: whoever takes over fences
    off whoever wrote before (Kafka's transactions), so that a process that was paused for long can add nothing to what
    another has gone on from."""

    def __init__(self, here: Here) -> None:
        self._here, self._topic = here, here.topic("alerts")
        self._producer: Producer | None = None

    def take_over(self) -> None:
        """From now on this process writes, and no other. Raises NotStored."""
        name, most = self._here.group, LARGEST_STEP
        self._producer = Producer(
            {**self._here.kafka_writing, "transactional.id": name, "queue.buffering.max.messages": most}
        )
        try:
            self._producer.init_transactions(TIMEOUT_S)
        except KafkaException as error:
            raise self._not_stored(error) from error

    def read(self) -> Iterator[Alert]:
        """Every transition so far."""
        yield from read_alerts(self._here.kafka, self._topic)

    def write(self, alerts: Iterable[Alert]) -> None:
        """Write transitions, all or none, and wait until Kafka has them. Raises NotStored, also where another process
        has taken over."""
        values = [(alert.account_id.encode(), encode_alert(alert)) for alert in alerts]
        if not values:
            return
        assert self._producer is not None, "nobody writes who has not taken over"
        try:
            self._producer.begin_transaction()
            for key, value in values:
                self._producer.produce(self._topic, value, key, partition=0)
            self._producer.commit_transaction(TIMEOUT_S)
        except KafkaException as error:
            raise self._not_stored(error) from error

    def _not_stored(self, error: KafkaException) -> NotStored:
        return NotStored(f"{self._topic}: {error.args[0].str()}")


def read_alerts(kafka: dict[str, Any], topic: str) -> Iterator[Alert]:
    """Every transition so far. Records that are no alert (another version's) are passed over."""
    for value in read_whole(kafka, topic):
        try:
            yield decode_alert(value)
        except msgspec.MsgspecError:
            continue


def read_whole(kafka: dict[str, Any], topic: str) -> Iterator[bytes]:
    """The values of a one-partition topic, from its beginning to where it ends now. Raises NotStored where nothing
    comes for half a minute."""
    where = TopicPartition(topic, 0)
    consumer: Any = KafkaConsumer(
        **kafka, enable_auto_commit=False, group_id=None, auto_offset_reset="earliest",
        isolation_level="read_committed",
    )  # fmt: skip
    try:
        consumer.assign([where])
        end = consumer.end_offsets([where])[where]
        consumer.seek(where, consumer.beginning_offsets([where])[where])
        silent = 0
        while consumer.position(where) < end:
            fetched = consumer.poll(timeout_ms=POLL_MS, max_records=5000).get(where, ())
            silent = 0 if fetched else silent + 1
            if silent > SILENCE_POLLS:
                raise NotStored(f"{topic}: read to {consumer.position(where)} of {end}, and no further")
            for record in fetched:
                if record.offset < end and record.value is not None:
                    yield record.value
    finally:
        consumer.close()
