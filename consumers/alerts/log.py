"""The `alerts` topic: every transition, in order. What it holds is the state; Redis shows it, memory works on it."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from models.alerts.alert import Alert, decode_alert, encode_alert

POLL_MS = 500
LINGER_MS, BATCH_BYTES = 1000, 512 * 1024
"""A step's transitions go out together when they are waited for: sent one by one, each wakes the client's thread."""
SILENCE_POLLS = 60
TIMEOUT_S = 30.0


class NotStored(RuntimeError):
    """Kafka has not taken a transition: nothing that follows from it may happen."""


class AlertLog:
    """Reading and writing the topic's one partition."""

    def __init__(self, kafka: dict[str, Any], topic: str) -> None:
        self._kafka, self._topic = kafka, topic
        self._producer: Any = KafkaProducer(**kafka, acks="all", linger_ms=LINGER_MS, batch_size=BATCH_BYTES)

    def read(self) -> Iterator[Alert]:
        """Every transition so far."""
        yield from read_alerts(self._kafka, self._topic)

    def write(self, alerts: Iterable[Alert]) -> None:
        """Write transitions and wait until Kafka has them. Raises NotStored."""
        sending = [
            self._producer.send(self._topic, key=alert.account_id.encode(), value=encode_alert(alert), partition=0)
            for alert in alerts
        ]
        if not sending:
            return
        try:
            self._producer.flush(TIMEOUT_S)
            for future in sending:
                future.get(timeout=TIMEOUT_S)
        except Exception as error:
            raise NotStored(f"{self._topic}: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        self._producer.close(timeout=TIMEOUT_S)


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
    consumer: Any = KafkaConsumer(**kafka, enable_auto_commit=False, group_id=None, auto_offset_reset="earliest")
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
